"""Managed policies that are attached to roles."""

import json
from typing import Any

import pytest

from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.privileges.plans import (
    ADMIN,
    AWS,
    KEPT,
    LINK,
    MANAGED,
    READ,
    READ_ONLY,
    S3_FULL,
    attach,
    list_levels,
    policy,
    risks,
    role,
    text,
    trust,
)


def test_a_managed_policy_attached_to_a_role_that_is_there_is_stopped() -> None:
    def attachment(arn: str) -> dict[str, Any]:
        return build_change("aws_iam_role_policy_attachment.a", {"role": "train", "policy_arn": arn})

    read_only, full = "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    new = build_change("aws_iam_role.train", role())
    assert list_levels(KEPT, attachment(read_only)) == [("PRIVILEGES_ATTACHED", Level.STOP)]
    assert ("PRIVILEGES_ATTACHED", Level.LOOK) in list_levels(new, attachment(read_only))
    assert ("PRIVILEGES_FULL_ACCESS", Level.STOP) in list_levels(new, attachment(full))


LOGS, XRAY = f"{AWS}/service-role/AWSLambdaBasicExecutionRole", f"{AWS}/AWSXRayDaemonWriteAccess"


def attachment(arn: str, *, old: bool = False, new: bool = True) -> dict[str, Any]:
    """Return the attachment of a policy outside the plan, before or after it."""
    values, name = {"role": "train", "policy_arn": arn}, arn.rpartition("/")[2]
    return build_change(
        f"aws_iam_role_policy_attachment.{name}", values if new else None, before=values if old else None
    )


def test_a_known_managed_policy_of_a_new_role_is_a_note() -> None:
    found_risks = risks(build_plan(build_change("aws_iam_role.train", role()), attachment(LOGS)))
    assert {risk.level for risk in found_risks} == {Level.NOTE}
    assert found_risks[1].description == (
        "new: aws_iam_role.train: logs:CreateLogGroup, logs:CreateLogStream, logs:PutLogEvents on *"
        " (AWS managed policy AWSLambdaBasicExecutionRole of 2015-04-09)"
    )


def test_an_existing_role_gets_the_actions_of_a_known_managed_policy() -> None:
    (risk,) = risks(build_plan(KEPT, attachment(XRAY)))
    assert (risk.id, risk.level) == ("PRIVILEGES_PERMISSION", Level.STOP)
    assert "new permission: xray:GetSamplingRules" in risk.description
    assert "AWSXRayDaemonWriteAccess of 2024-" in risk.description


def test_a_managed_policy_of_a_service_role_needs_at_most_a_look_at_a_new_role() -> None:
    glue = attachment(f"{AWS}/service-role/AWSGlueServiceRole")
    levels = list_levels(build_change("aws_iam_role.train", role()), glue)
    assert {level for name, level in levels if name == "PRIVILEGES_DANGEROUS"} == {Level.LOOK}


@check_cases(
    ("detached", "levels"),
    [
        (S3_FULL, []),
        (ADMIN, []),
        (READ_ONLY, [("PRIVILEGES_UNKNOWN", Level.LOOK)]),
        (XRAY, [("PRIVILEGES_ACTION", Level.STOP)]),
    ],
)
def test_a_narrow_statement_that_replaces_full_access_never_stops(
    detached: str, levels: list[tuple[str, Level]]
) -> None:
    narrow = policy("p", None, text({**READ, "Resource": "arn:aws:s3:::data/*"}))
    assert list_levels(KEPT, attachment(detached, old=True, new=False), narrow) == levels
    everything = policy("p", None, text({"Effect": "Allow", "Action": "iam:*", "Resource": "*"}))
    if detached != ADMIN:
        assert Level.STOP in {
            level for _, level in list_levels(KEPT, attachment(detached, old=True, new=False), everything)
        }


def test_full_access_stops_only_if_it_allows_more_than_before() -> None:
    old, new = attachment(ADMIN, old=True, new=False), attachment(S3_FULL)
    assert list_levels(KEPT, old, new) == []
    old, new = attachment(S3_FULL, old=True, new=False), attachment(ADMIN)
    assert list_levels(KEPT, old, new) == [("PRIVILEGES_FULL_ACCESS", Level.STOP)]
    versioned = attachment(f"{AWS}/AmazonDynamoDBFullAccess_v2")
    assert list_levels(KEPT, versioned) == [("PRIVILEGES_FULL_ACCESS", Level.STOP)]


def test_a_policy_that_replaces_all_permissions_is_no_widening() -> None:
    outside = attachment("arn:aws:iam::123456789012:policy/read")
    assert list_levels(KEPT, attachment(ADMIN, old=True, new=False), outside) == []
    assert list_levels(KEPT, attachment(S3_FULL, old=True, new=False), outside) == [("PRIVILEGES_ATTACHED", Level.STOP)]


def test_an_attached_policy_covers_a_statement_that_repeats_it() -> None:
    repeated = policy("p", None, text(READ))
    assert list_levels(KEPT, attachment(S3_FULL, old=True), repeated) == []
    assert list_levels(KEPT, attachment(XRAY, old=True), repeated) == [("PRIVILEGES_ACTION", Level.STOP)]


def test_the_list_in_a_refreshed_role_does_not_keep_a_detached_policy() -> None:
    before, after = role(managed_policy_arns=[]), role(managed_policy_arns=[READ_ONLY])
    drift = build_change("aws_iam_role.train", after, before=before)
    refreshed = build_change("aws_iam_role.train", after, before=after)
    root = {"resources": [build_configuration("aws_iam_role.train", name={"constant_value": "train"})]}
    entries = refreshed, attachment(READ_ONLY, old=True, new=False), policy("p", None, text(READ))
    assert list_levels(*entries, root=root, resource_drift=[drift]) == [("PRIVILEGES_UNKNOWN", Level.LOOK)]


@check_cases("is_refresh_only", [True, False])
@check_cases(
    ("attached", "expected"),
    [
        (ADMIN, [("PRIVILEGES_FULL_ACCESS", Level.STOP)]),
        (XRAY, [("PRIVILEGES_ACTION", Level.STOP)]),
        (READ_ONLY, [("PRIVILEGES_ATTACHED", Level.STOP)]),
    ],
)
def test_a_policy_that_was_attached_by_hand_and_is_kept_is_stopped(
    attached: str, expected: list[tuple[str, Level]], is_refresh_only: bool
) -> None:
    before, after = role(managed_policy_arns=[LOGS]), role(managed_policy_arns=[LOGS, attached])
    drift = build_change("aws_iam_role.train", after, before=before)
    root = {"resources": [build_configuration("aws_iam_role.train", name={"constant_value": "train"})]}
    unchanged = {**drift, "change": {**drift["change"], "actions": ["no-op"], "before": after}}
    state = {
        "address": "aws_iam_role.train",
        "mode": "managed",
        "type": "aws_iam_role",
        "name": "train",
        "values": after,
    }
    prior = {"format_version": "1.0", "values": {"root_module": {"resources": [state]}}}
    changes = () if is_refresh_only else (unchanged,)
    assert list_levels(*changes, root=root, resource_drift=[drift], prior_state=prior) == expected


@pytest.mark.parametrize("kind", ["awscc_iam_role", "aws_cloudcontrolapi_resource"])
def test_a_role_of_cloudformation_gets_full_access_like_its_twin(kind: str) -> None:
    def build_role(*arns: str) -> dict[str, Any]:
        document = json.loads(trust({"Service": "sagemaker.amazonaws.com"}))
        properties = {"RoleName": "train", "AssumeRolePolicyDocument": document, "ManagedPolicyArns": arns}
        if kind.startswith("aws_"):
            return {"type_name": "AWS::IAM::Role", "id": "train", "desired_state": json.dumps(properties)}
        return {"role_name": "train", "assume_role_policy_document": json.dumps(document),
                "managed_policy_arns": list(arns)}  # fmt: skip

    unknown = {"arn": True, "role_id": True}
    full, logs = build_role(ADMIN), build_role(LOGS)
    stopped = ("PRIVILEGES_FULL_ACCESS", Level.STOP)
    assert stopped in list_levels(build_change(f"{kind}.train", full, unknown=unknown))
    assert list_levels(build_change(f"{kind}.train", full, before=build_role())) == [stopped]
    assert list_levels(build_change(f"{kind}.train", build_role(), before=full)) == []
    assert {level for _, level in list_levels(build_change(f"{kind}.train", logs, unknown=unknown))} == {Level.NOTE}
    assert list_levels(build_change(f"{kind}.train", logs, before=build_role())) == [
        ("PRIVILEGES_PERMISSION", Level.STOP)
    ]


def test_the_statements_of_an_attached_policy_of_the_plan_count_as_the_roles() -> None:
    created = build_change("aws_iam_policy.p", {"name": "p", "policy": text(READ)}, unknown={"arn": True})
    attachment = build_change("aws_iam_role_policy_attachment.a", {"role": "train"}, unknown={"policy_arn": True})
    root = {"resources": [build_configuration("aws_iam_role_policy_attachment.a", policy_arn=["aws_iam_policy.p.arn"])]}
    assert list_levels(KEPT, created, attachment, root=root) == [("PRIVILEGES_PERMISSION", Level.STOP)]


def test_a_change_of_an_attached_policy_is_reported_for_its_owners() -> None:
    def build_created(name: str, before: str | None, after: str) -> dict[str, Any]:
        arn = f"arn:aws:iam::123456789012:policy/{name}"
        old = None if before is None else {"name": name, "arn": arn, "policy": before}
        return build_change(f"aws_iam_policy.{name}", {"name": name, "arn": arn, "policy": after}, before=old)

    link = {"role": "train", "policy_arn": "arn:aws:iam::123456789012:policy/p"}
    unchanged, new = (build_change("aws_iam_role_policy_attachment.a", link, before=one) for one in (link, None))
    (risk,) = risks(build_plan(KEPT, unchanged, build_created("p", text(), text(READ))))
    assert (risk.level, risk.address) == (Level.STOP, "aws_iam_policy.p")
    assert risk.description.startswith("aws_iam_role.train: new permission")
    assert list_levels(KEPT, unchanged, build_created("p", text(READ), text(READ))) == []
    assert list_levels(KEPT, new, build_created("p", "{", "{")) == [("PRIVILEGES_UNKNOWN", Level.LOOK)]


@pytest.mark.parametrize(
    ("holder", "link"),
    [
        (build_change("aws_iam_role.train", role()), {"after": LINK}),
        (build_change("aws_iam_role.train", before=role()), {"before": LINK}),
    ],
    ids=["attached to a new role", "attached to a role that goes"],
)
def test_a_wider_policy_without_a_lasting_role_is_reported_itself(holder: dict[str, Any], link: dict[str, Any]) -> None:
    levels = list_levels(holder, *attach(text(READ), text({**READ, "Action": "s3:PutObject"}), **link))
    assert ("PRIVILEGES_ACTION", Level.STOP) in levels


def test_a_policy_that_a_role_lists_is_known_to_be_of_the_plan() -> None:
    policy, _ = attach(text(READ), text(READ), after=LINK)
    entry = build_change("aws_iam_role.train", role(managed_policy_arns=[MANAGED]), before=role(managed_policy_arns=[]))
    (risk,) = risks(build_plan(entry, policy))
    assert (risk.id, risk.level) == ("PRIVILEGES_PERMISSION", Level.STOP)


def test_attached_policies_of_the_plan_count_as_those_of_the_new_role() -> None:
    def attached(*actions: str, more: str = "") -> list[tuple[str, Level]]:
        policies = [
            build_change(f"aws_iam_policy.p{n}", {"name": f"p{n}", "policy": text({**READ, "Action": action})},
                   unknown={"arn": True}) for n, action in enumerate(actions)
        ]  # fmt: skip
        links = [
            build_change(
                "aws_iam_role_policy_attachment.a", {"role": "train"}, unknown={"policy_arn": True}, index=str(n)
            )
            for n in range(len(actions))
        ]
        references = [f"aws_iam_policy.p{n}.arn" for n in range(len(actions))] + [more] * bool(more)
        link = build_configuration("aws_iam_role_policy_attachment.a", policy_arn=["each.value"])
        root = {"resources": [{**link, "for_each_expression": {"references": references}}]}
        return list_levels(build_change("aws_iam_role.train", role()), *policies, *links, root=root)

    assert {level for _, level in attached("s3:GetObject", "s3:PutObject")} == {Level.NOTE}
    assert ("PRIVILEGES_DANGEROUS", Level.STOP) in attached("s3:GetObject", "*")
    assert ("PRIVILEGES_UNKNOWN", Level.LOOK) in attached("s3:GetObject", "s3:PutObject", more="local.more")
