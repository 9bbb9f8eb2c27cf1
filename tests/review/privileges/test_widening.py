"""New permissions of roles, from one plan to the next."""

from typing import Any

import pytest

from sustainable_mlops.plan import Plan
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.privileges.widening import find_privilege_risks
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.privileges.plans import (
    ACCOUNT,
    BUCKET,
    KEPT,
    READ,
    ROLE,
    TLS,
    list_levels,
    policy,
    risks,
    role,
    text,
    trust,
)


def test_a_role_that_may_do_more_is_stopped_and_the_new_action_named() -> None:
    after = text({**READ, "Action": ["s3:GetObject", "s3:PutObject"]})
    (risk,) = risks(build_plan(KEPT, policy("p", text(READ), after)))
    assert (risk.id, risk.level, risk.address) == ("PRIVILEGES_ACTION", Level.STOP, "aws_iam_role_policy.p")
    assert risk.description == "aws_iam_role.train: new action: s3:PutObject on arn:aws:s3:::data/*"


@pytest.mark.parametrize(
    ("actions", "resource", "expected"),
    [
        (["s3:GetObjectVersion"], READ["Resource"], [("PRIVILEGES_READ", Level.LOOK)]),
        (["s3:GetObjectVersion", "s3:PutObject"], READ["Resource"],
         [("PRIVILEGES_ACTION", Level.STOP), ("PRIVILEGES_READ", Level.LOOK)]),
        (["s3:DeleteObject"], READ["Resource"], [("PRIVILEGES_ACTION", Level.STOP)]),
        (["s3:Get*"], READ["Resource"], [("PRIVILEGES_ACTION", Level.STOP)]),
        (["s3:GetObjectVersion"], "arn:aws:s3:::other/*", [("PRIVILEGES_PERMISSION", Level.STOP)]),
        (["s3:GetObject"], "arn:aws:s3:::other/*", [("PRIVILEGES_RESOURCE", Level.STOP)]),
    ],
)  # fmt: skip
def test_one_more_read_action_on_data_that_a_role_reads_needs_a_look(
    actions: list[str], resource: str, expected: list[tuple[str, Level]]
) -> None:
    more = {**READ, "Action": actions, "Resource": resource}
    assert sorted(list_levels(KEPT, policy("p", text(READ), text(READ, more)))) == expected
    assert list_levels(KEPT, policy("p", text(READ, more), text(READ))) == []


@pytest.mark.parametrize(
    ("before", "more", "resource"),
    [
        ("s3:PutObject", "s3:GetObjectVersion", "arn:aws:s3:::data/*"),  # it does not read yet
        ("s3:GetObject", "s3:GetObjectVersion", "*"),
        ("dynamodb:DescribeTable", "dynamodb:Scan", "arn:aws:dynamodb:eu-north-1:123456789012:table/t"),
        ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-north-1::s"),
    ],
)
def test_a_read_action_that_reveals_other_data_is_stopped(before: str, more: str, resource: str) -> None:
    old, new = ({"Effect": "Allow", "Action": action, "Resource": resource} for action in (before, [before, more]))
    assert (
        list_levels(KEPT, policy("p", text(old), text(new))) == [("PRIVILEGES_ACTION", Level.STOP)] or resource == "*"
    )
    assert Level.STOP in {level for _, level in list_levels(KEPT, policy("p", text(old), text(new)))}


def test_a_statement_that_moves_to_another_policy_is_no_change() -> None:
    assert list_levels(KEPT, policy("a", text(READ), None), policy("b", None, text(READ))) == []


def test_a_policy_in_another_order_is_no_change() -> None:
    put = {**READ, "Action": "s3:PutObject"}
    assert list_levels(KEPT, policy("p", text(READ, put), text(put, READ))) == []


def test_permissions_of_a_new_role_are_notes_unless_dangerous() -> None:
    new = build_change("aws_iam_role.train", role())
    assert list_levels(new, policy("p", None, text(READ))) == [("PRIVILEGES_NEW", Level.NOTE)] * 2
    dangerous = list_levels(new, policy("p", None, text({**READ, "Action": "s3:*", "Resource": "*"})))
    assert ("PRIVILEGES_DANGEROUS", Level.STOP) in dangerous


@check_cases(
    "statement",
    [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:Put*", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:PutRolePermissionsBoundary", "Resource": "*"},
        {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:?*", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*:*"},
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:username": "nobody"}},
        },
    ],
)
def test_dangerous_for_any_role(statement: dict[str, Any]) -> None:
    new = build_change("aws_iam_role.train", role())
    assert ("PRIVILEGES_DANGEROUS", Level.STOP) in list_levels(new, policy("p", None, text(statement)))


def test_passing_roles_to_one_service_alone_is_not_dangerous() -> None:
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    statement = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": condition}
    new = build_change("aws_iam_role.train", role())
    assert {level for _, level in list_levels(new, policy("p", None, text(statement)))} == {Level.NOTE}


@check_cases(
    "action",
    [
        *("iam:CreateRole", "secretsmanager:GetSecretValue", "s3:Delete*", "sagemaker:CallWithBearerToken"),
        *("iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:RemoveUserFromGroup"),
        *("kms:PutKeyPolicy", "kms:CreateGrant", "s3:PutBucketPolicy", "secretsmanager:PutResourcePolicy"),
        *("kms:ScheduleKeyDeletion", "kms:DisableKey"),
        *("lambda:UpdateFunctionCode", "ssm:SendCommand", "sagemaker:CreatePresignedDomainUrl"),
    ],
)
def test_a_sensitive_permission_needs_a_look_for_any_role(action: str) -> None:
    entry = policy("p", None, text({"Effect": "Allow", "Action": action, "Resource": "*"}))
    assert ("PRIVILEGES_DANGEROUS", Level.LOOK) in list_levels(build_change("aws_iam_role.train", role()), entry)


@check_cases(
    ("action", "resource", "condition"),
    [
        ("kms:CreateGrant", "*", {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ("kms:PutKeyPolicy", "arn:aws:kms:eu-north-1:123456789012:key/k", {}),
        ("s3:PutBucketPolicy", "arn:aws:s3:::data-*", {}),
        ("iam:DetachRolePolicy", "arn:aws:iam::123456789012:role/app-*", {}),
        ("ssm:DescribeInstanceInformation", "*", {}),
        ("lambda:InvokeFunction", "*", {}),
    ],
)
def test_a_sensitive_permission_with_a_limit_is_a_note(action: str, resource: str, condition: dict[str, Any]) -> None:
    entry = policy("p", None, text({"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}))
    levels = list_levels(build_change("aws_iam_role.train", role()), entry)
    assert {level for _, level in levels} == {Level.NOTE}


def test_bearer_tokens_of_one_network_are_not_dangerous() -> None:
    condition = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    statement = {"Effect": "Allow", "Action": "sagemaker:CallWithBearerToken", "Resource": "*", "Condition": condition}
    new = build_change("aws_iam_role.train", role())
    assert {level for _, level in list_levels(new, policy("p", None, text(statement)))} == {Level.NOTE}


def test_a_policy_that_is_unknown_until_apply_is_an_unknown_risk() -> None:
    entry = build_change(
        "aws_iam_role_policy.p",
        {"role": "train"},
        before={"role": "train", "policy": text(READ)},
        unknown={"policy": True},
    )
    (risk,) = risks(build_plan(KEPT, entry))
    assert (risk.id, risk.level, risk.is_known) == ("PRIVILEGES_UNKNOWN", Level.LOOK, False)


def test_a_sensitive_policy_is_an_unknown_risk_and_is_not_shown() -> None:
    secret = text({**READ, "Resource": "arn:aws:s3:::hunter2/*"})
    entry = build_change(
        "aws_iam_role_policy.p",
        {"role": "train", "policy": secret},
        before={"role": "train", "policy": text(READ)},
        sensitive={"policy": True},
    )
    found_risks = risks(build_plan(KEPT, entry))
    assert [(risk.id, risk.is_known) for risk in found_risks] == [("PRIVILEGES_UNKNOWN", False)]
    assert "hunter2" not in str(found_risks)


@check_cases("broken", ["", "{", "[]", '{"Statement": 3}', '{"Statement": [{"Effect": "Maybe"}]}'])
def test_a_policy_that_cannot_be_read_is_never_fine(broken: str) -> None:
    levels = list_levels(KEPT, policy("p", text(READ), broken))
    assert broken == "" or levels == [("PRIVILEGES_UNKNOWN", Level.LOOK)]


@check_cases(
    ("after", "expected"),
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
def test_a_wider_trust_policy_is_stopped(after: str, expected: str) -> None:
    before = trust({"Service": "sagemaker.amazonaws.com"}, Condition=ACCOUNT)
    entry = build_change(
        "aws_iam_role.train", {**ROLE, "assume_role_policy": after}, before={**ROLE, "assume_role_policy": before}
    )
    kinds = list_levels(entry)
    assert (expected, Level.STOP) in kinds
    assert {level for _, level in kinds} == {Level.STOP}


def test_a_removed_permissions_boundary_is_stopped() -> None:
    entry = build_change("aws_iam_role.train", role(), before=role(permissions_boundary="arn:aws:iam::1:policy/b"))
    assert list_levels(entry) == [("PRIVILEGES_BOUNDARY", Level.STOP)]


def test_one_policy_that_cannot_be_read_leaves_open_what_the_others_allowed_before() -> None:
    link = {"role": "train", "policy": "{"}
    unread = build_change("aws_iam_role_policy.other", link, before=link)
    assert ("PRIVILEGES_UNKNOWN", Level.LOOK) in list_levels(KEPT, unread, policy("p", text(), text(READ)))
    assert list_levels(KEPT, policy("p", text(), text(READ))) == [("PRIVILEGES_PERMISSION", Level.STOP)]


def test_a_role_that_a_data_source_names_is_not_of_this_plan() -> None:
    data = build_change("data.aws_iam_role.r", {"name": "r"}, unknown={"id": True}, actions=["read"])
    entry = build_change("aws_iam_role_policy.p", {"policy": text(READ)}, unknown={"role": True})
    root = {"resources": [build_configuration("aws_iam_role_policy.p", role=["data.aws_iam_role.r.id"])]}
    assert list_levels(data, entry, root=root) == [("PRIVILEGES_PERMISSION", Level.STOP)]


def test_a_policy_that_is_forgotten_stays_in_force() -> None:
    entry = build_change("aws_s3_bucket_policy.p", before={"bucket": "data", "policy": text(TLS)}, actions=["forget"])
    assert list_levels(build_change("aws_s3_bucket.data", BUCKET, before=BUCKET), entry) == []


def test_policies_too_long_to_compare_are_unknown_risks() -> None:
    def many(of: str) -> str:
        return text(*({**READ, "Action": f"s3:{of}{n}", "Resource": [f"a{m}" for m in range(20)]} for n in range(1500)))

    assert list_levels(KEPT, policy("p", many("a"), many("b"))) == [("PRIVILEGES_UNKNOWN", Level.LOOK)]
    wild = [{**READ, "Action": [f"s3:{'*a?' * 300}{of}{n}" for n in range(100)]} for of in "xy"]
    assert list_levels(KEPT, policy("p", text(wild[0]), text(wild[1]))) == [("PRIVILEGES_UNKNOWN", Level.LOOK)]


def test_a_policy_that_the_base_knows_and_the_plan_does_not_needs_a_look() -> None:
    def planned(values: dict[str, Any], **marks: bool) -> Plan:
        return build_plan(KEPT, build_change("aws_iam_role_policy.p", {"role": "train", **values}, unknown=marks))

    known, unknown = planned({"policy": text(READ)}), planned({}, policy=True)
    assert [risk.is_known for risk in find_privilege_risks(Comparison(unknown, known))] == [False]
    assert list(find_privilege_risks(Comparison(unknown, planned({}, policy=True)))) == []


def test_a_new_policy_that_nobody_has_gives_nothing_as_a_boundary_does() -> None:
    every = text({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    boundary = build_change("aws_iam_policy.boundary", {"name": "b", "policy": every}, unknown={"arn": True})
    assert list_levels(boundary) == [("PRIVILEGES_NEW", Level.NOTE)]
    arguments = build_change("aws_iam_role_policy_attachment.a", {"role": "train"}, unknown={"policy_arn": True})
    root = {
        "resources": [
            build_configuration("aws_iam_role_policy_attachment.a", policy_arn=["aws_iam_policy.boundary.arn"])
        ]
    }
    levels = list_levels(boundary, build_change("aws_iam_role.train", role()), arguments, root=root)
    assert ("PRIVILEGES_DANGEROUS", Level.STOP) in levels
