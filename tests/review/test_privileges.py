"""Privileges widened, in whole plans: who holds them, what is new, what cannot be told."""

import json
from typing import Any

import pytest

from sustainable_mlops.plan import Plan
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.data import data_at_risk
from sustainable_mlops.review.exposure import exposure
from sustainable_mlops.review.privileges import privileges
from sustainable_mlops.review.risk import Level, Risk, Section
from tests.plan.build import change, declared, plan

ROLE = {"name": "train", "id": "train", "arn": "arn:aws:iam::123456789012:role/train"}
BUCKET = {"bucket": "data", "id": "data", "arn": "arn:aws:s3:::data"}
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
ACCOUNT = {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def text(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: dict[str, Any], **more: Any) -> str:
    return text({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


def role(**more: Any) -> dict[str, Any]:
    return {**ROLE, "assume_role_policy": trust({"Service": "sagemaker.amazonaws.com"}), **more}


def risks(found: Plan) -> list[Risk]:
    comparison = Comparison(found)
    every = [*data_at_risk(comparison), *privileges(comparison), *exposure(comparison)]
    return [risk for risk in every if risk.section is Section.PRIVILEGES]


def found_in(*changes: dict[str, Any], **more: Any) -> list[tuple[str, Level]]:
    return [(risk.id, risk.level) for risk in risks(plan(*changes, **more))]


def policy(name: str, before: str | None, after: str | None) -> dict[str, Any]:
    old = None if before is None else {"role": "train", "policy": before}
    new = None if after is None else {"role": "train", "policy": after}
    return change(f"aws_iam_role_policy.{name}", new, before=old)


KEPT = change("aws_iam_role.train", role(), before=role())


def test_a_role_that_may_do_more_is_stopped_and_the_new_action_named() -> None:
    after = text({**READ, "Action": ["s3:GetObject", "s3:PutObject"]})
    (risk,) = risks(plan(KEPT, policy("p", text(READ), after)))
    assert (risk.id, risk.level, risk.address) == ("PRIVILEGES_ACTION", Level.STOP, "aws_iam_role_policy.p")
    assert risk.what == "aws_iam_role.train: new action: s3:PutObject on arn:aws:s3:::data/*"


def test_a_statement_that_moves_to_another_policy_is_no_change() -> None:
    assert found_in(KEPT, policy("a", text(READ), None), policy("b", None, text(READ))) == []


def test_a_policy_in_another_order_is_no_change() -> None:
    put = {**READ, "Action": "s3:PutObject"}
    assert found_in(KEPT, policy("p", text(READ, put), text(put, READ))) == []


def test_what_a_new_role_may_do_is_for_the_record_unless_it_is_dangerous() -> None:
    new = change("aws_iam_role.train", role())
    assert found_in(new, policy("p", None, text(READ))) == [("PRIVILEGES_NEW", Level.NOTE)] * 2
    dangerous = found_in(new, policy("p", None, text({**READ, "Action": "s3:*", "Resource": "*"})))
    assert ("PRIVILEGES_DANGEROUS", Level.STOP) in dangerous


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:Put*", "Resource": "*"},
        {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"},
    ],
)
def test_dangerous_for_any_role(statement: dict[str, Any]) -> None:
    new = change("aws_iam_role.train", role())
    assert ("PRIVILEGES_DANGEROUS", Level.STOP) in found_in(new, policy("p", None, text(statement)))


def test_passing_roles_to_one_service_alone_is_not_dangerous() -> None:
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    statement = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": condition}
    new = change("aws_iam_role.train", role())
    assert {level for _, level in found_in(new, policy("p", None, text(statement)))} == {Level.NOTE}


def test_a_policy_that_is_unknown_until_apply_cannot_be_told() -> None:
    entry = change(
        "aws_iam_role_policy.p",
        {"role": "train"},
        before={"role": "train", "policy": text(READ)},
        unknown={"policy": True},
    )
    (risk,) = risks(plan(KEPT, entry))
    assert (risk.id, risk.level, risk.known) == ("PRIVILEGES_UNKNOWN", Level.LOOK, False)


def test_a_policy_that_is_sensitive_cannot_be_told_and_is_not_shown() -> None:
    secret = text({**READ, "Resource": "arn:aws:s3:::hunter2/*"})
    entry = change(
        "aws_iam_role_policy.p",
        {"role": "train", "policy": secret},
        before={"role": "train", "policy": text(READ)},
        sensitive={"policy": True},
    )
    found = risks(plan(KEPT, entry))
    assert [(risk.id, risk.known) for risk in found] == [("PRIVILEGES_UNKNOWN", False)]
    assert "hunter2" not in str(found)


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"Statement": 3}', '{"Statement": [{"Effect": "Maybe"}]}'])
def test_a_policy_that_cannot_be_read_is_never_fine(broken: str) -> None:
    found = found_in(KEPT, policy("p", text(READ), broken))
    assert broken == "" or found == [("PRIVILEGES_UNKNOWN", Level.LOOK)]


@pytest.mark.parametrize(
    ("after", "found"),
    [
        (trust({"Service": ["sagemaker.amazonaws.com", "lambda.amazonaws.com"]}), "PRIVILEGES_PERMISSION"),
        (
            trust({"Service": ["sagemaker.amazonaws.com", "lambda.amazonaws.com"]}, Condition=ACCOUNT),
            "PRIVILEGES_PRINCIPAL",
        ),
        (trust({"AWS": "*"}, Condition=ACCOUNT), "PRIVILEGES_PRINCIPAL"),
        (trust({"Service": "sagemaker.amazonaws.com"}), "PRIVILEGES_CONDITION"),
    ],
)
def test_a_trust_policy_that_lets_more_in_is_stopped(after: str, found: str) -> None:
    before = trust({"Service": "sagemaker.amazonaws.com"}, Condition=ACCOUNT)
    entry = change(
        "aws_iam_role.train", {**ROLE, "assume_role_policy": after}, before={**ROLE, "assume_role_policy": before}
    )
    kinds = found_in(entry)
    assert (found, Level.STOP) in kinds
    assert {level for _, level in kinds} == {Level.STOP}


def test_a_managed_policy_attached_to_a_role_that_is_there_is_stopped() -> None:
    def attachment(arn: str) -> dict[str, Any]:
        return change("aws_iam_role_policy_attachment.a", {"role": "train", "policy_arn": arn})

    read_only, full = "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    new = change("aws_iam_role.train", role())
    assert found_in(KEPT, attachment(read_only)) == [("PRIVILEGES_ATTACHED", Level.STOP)]
    assert ("PRIVILEGES_ATTACHED", Level.LOOK) in found_in(new, attachment(read_only))
    assert ("PRIVILEGES_FULL_ACCESS", Level.STOP) in found_in(new, attachment(full))


def test_the_statements_of_an_attached_policy_of_the_plan_count_as_the_roles() -> None:
    made = change("aws_iam_policy.p", {"name": "p", "policy": text(READ)}, unknown={"arn": True})
    attachment = change("aws_iam_role_policy_attachment.a", {"role": "train"}, unknown={"policy_arn": True})
    root = {"resources": [declared("aws_iam_role_policy_attachment.a", policy_arn=["aws_iam_policy.p.arn"])]}
    assert found_in(KEPT, made, attachment, root=root) == [("PRIVILEGES_PERMISSION", Level.STOP)]


def test_a_permissions_boundary_that_goes_is_stopped() -> None:
    entry = change("aws_iam_role.train", role(), before=role(permissions_boundary="arn:aws:iam::1:policy/b"))
    assert found_in(entry) == [("PRIVILEGES_BOUNDARY", Level.STOP)]


def test_a_bucket_policy_that_goes_takes_its_denials_with_it() -> None:
    entry = change("aws_s3_bucket_policy.p", before={"bucket": "data", "policy": text(TLS)})
    kept, gone = change("aws_s3_bucket.data", BUCKET, before=BUCKET), change("aws_s3_bucket.data", before=BUCKET)
    assert found_in(kept, entry) == [("PRIVILEGES_DENY", Level.STOP)]
    assert found_in(gone, entry) == []


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("aws_s3_bucket_policy", "policy"),
        ("aws_kms_key", "policy"),
        ("aws_sagemaker_model_package_group_policy", "resource_policy"),
        ("aws_ecr_repository_policy", "policy"),
    ],
)
def test_a_resource_that_everybody_may_use_is_stopped(kind: str, path: str) -> None:
    own = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "*", "Resource": "*"}
    entry = change(
        f"{kind}.this", {"id": "x", path: text({**own, "Principal": "*"})}, before={"id": "x", path: text(own)}
    )
    root = {"resources": [declared(f"{kind}.this", **{path: {"constant_value": "x"}})]}
    found = risks(plan(entry, root=root))
    assert [(risk.id, risk.level) for risk in found] == [("PRIVILEGES_PRINCIPAL", Level.STOP)]
    assert "everybody" in found[0].what


def test_public_access_that_is_not_blocked_any_more_is_stopped() -> None:
    flags = dict.fromkeys(
        ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), True
    )
    block = {"bucket": "data", **flags}
    bucket = change("aws_s3_bucket.data", BUCKET, before=BUCKET)
    loosened = change("aws_s3_bucket_public_access_block.b", {**block, "block_public_policy": False}, before=block)
    removed = change("aws_s3_bucket_public_access_block.b", before=block)
    assert found_in(bucket, loosened) == [("PRIVILEGES_EXPOSED", Level.STOP)]
    assert found_in(bucket, removed) == [("PRIVILEGES_EXPOSED", Level.STOP)]


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (
            "aws_security_group",
            {"ingress": [{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}]},
        ),
        (
            "aws_security_group_rule",
            {"type": "ingress", "protocol": "-1", "from_port": 0, "to_port": 0, "ipv6_cidr_blocks": ["::/0"]},
        ),
        (
            "aws_vpc_security_group_ingress_rule",
            {"ip_protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_ipv4": "0.0.0.0/0"},
        ),
    ],
)
def test_a_port_opened_to_the_world_is_stopped_and_one_that_was_open_is_not(kind: str, rule: dict[str, Any]) -> None:
    opened, was = {"id": "sg", **rule}, {"id": "sg", **rule, "description": "x"}
    assert found_in(change(f"{kind}.this", opened)) == [("PRIVILEGES_EXPOSED", Level.STOP)]
    assert found_in(change(f"{kind}.this", opened, before=was)) == []


def test_whoever_may_connect_is_unknown_is_looked_at() -> None:
    entry = change("aws_vpc_security_group_ingress_rule.r", {"ip_protocol": "tcp"}, unknown={"cidr_ipv4": True})
    assert found_in(entry) == [("PRIVILEGES_UNKNOWN", Level.LOOK)]
