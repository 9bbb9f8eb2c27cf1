"""Wider privileges in whole plans: owners, new permissions and unknown ones."""

import json
from typing import Any

import pytest

from sustainable_mlops.plan import Plan, load
from sustainable_mlops.review.attributes.risks import find_protection_risks
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.data.risks import find_data_risks
from sustainable_mlops.review.privileges.exposure import find_exposure_risks
from sustainable_mlops.review.privileges.widening import find_privilege_risks
from sustainable_mlops.review.risk import Level, Risk, RiskArea
from sustainable_mlops.review.safeguards.risks import find_safeguard_risks
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan

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


def risks(plan: Plan) -> list[Risk]:
    comparison = Comparison(plan)
    finders = find_data_risks, find_protection_risks, find_safeguard_risks, find_privilege_risks, find_exposure_risks
    every = [risk for find_risks in finders for risk in find_risks(comparison)]
    return [risk for risk in every if risk.area is RiskArea.PRIVILEGES]


def list_levels(*changes: dict[str, Any], **more: Any) -> list[tuple[str, Level]]:
    return [(risk.id, risk.level) for risk in risks(build_plan(*changes, **more))]


def policy(name: str, before: str | None, after: str | None) -> dict[str, Any]:
    old = None if before is None else {"role": "train", "policy": before}
    new = None if after is None else {"role": "train", "policy": after}
    return build_change(f"aws_iam_role_policy.{name}", new, before=old)


KEPT = build_change("aws_iam_role.train", role(), before=role())


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


CALLER = build_change("data.aws_caller_identity.me", {"account_id": "123456789012"}, actions=["read"])
GITHUB = {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}
FOREIGN = {"AWS": "arn:aws:iam::999999999999:root"}


def build_statement(principal: Any, operator: str = "", key: str = "", value: Any = "") -> dict[str, Any]:
    condition = {"Condition": {operator: {key: value}}} if operator else {}
    action = "sts:AssumeRoleWithWebIdentity" if principal == GITHUB else "s3:GetObject"
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **condition}


OUTSIDE = [
    (build_statement("*"), Level.STOP),
    (build_statement("*", "ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*"), Level.STOP),
    (build_statement("*", "ArnLike", "aws:SourceArn", "arn:aws:s3:::*"), Level.STOP),
    (build_statement("*", "StringLike", "aws:PrincipalOrgID", "o-*"), Level.STOP),
    (build_statement("*", "ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-1"), Level.STOP),
    (build_statement("*", "StringEquals", "aws:ResourceAccount", "123456789012"), Level.STOP),
    (build_statement("*", "StringEquals", "aws:PrincipalAccount", "999999999999"), Level.STOP),
    (build_statement("*", "StringEquals", "aws:PrincipalAccount", "123456789012"), Level.NOTE),
    (build_statement("*", "StringEquals", "aws:PrincipalOrgID", "o-1"), Level.NOTE),
    (build_statement("*", "StringEquals", "aws:SourceVpce", "vpce-1"), Level.NOTE),
    (build_statement("*", "StringLike", "aws:SourceVpc", "vpc-*"), Level.STOP),
    (build_statement("*", "StringLike", "aws:SourceVpce", "vpce-0*"), Level.STOP),
    (build_statement("*", "StringLike", "aws:PrincipalOrgID", "o-a*"), Level.STOP),
    (build_statement("*", "StringLike", "aws:PrincipalAccount", "12345*"), Level.STOP),
    (build_statement("*", "StringLike", "aws:PrincipalOrgPaths", "o-a1b2/*"), Level.NOTE),
    (build_statement("*", "ArnLike", "aws:SourceArn", "arn:aws:sns:*:123456789012:topic"), Level.NOTE),
    (build_statement(FOREIGN), Level.STOP),
    (build_statement(GITHUB), Level.STOP),
    (
        build_statement(GITHUB, "StringEquals", "token.actions.githubusercontent.com:aud", "sts.amazonaws.com"),
        Level.STOP,
    ),
    (build_statement(GITHUB, "StringLike", "token.actions.githubusercontent.com:sub", "repo:*"), Level.STOP),
    (build_statement(GITHUB, "StringLike", "token.actions.githubusercontent.com:sub", "repo:us/app:*"), Level.NOTE),
    (build_statement(GITHUB, "StringLike", "token.actions.githubusercontent.com:sub", "repo:us*"), Level.STOP),
    (build_statement(GITHUB, "StringLike", "token.actions.githubusercontent.com:sub", "repo:us/*"), Level.NOTE),
    (build_statement(GITHUB, "StringLike", "token.actions.githubusercontent.com:sub", "repo:us/app*"), Level.NOTE),
    (build_statement(GITHUB, "StringEquals", "token.actions.githubusercontent.com:environment", "prod"), Level.STOP),
    (build_statement(GITHUB, "StringLike", "token.actions.githubusercontent.com:repository", "us*"), Level.STOP),
    (build_statement(GITHUB, "StringLike", "token.actions.githubusercontent.com:repository", "us/*"), Level.NOTE),
    (build_statement(GITHUB, "StringEquals", "token.actions.githubusercontent.com:repository_id", "42"), Level.NOTE),
    (build_statement(GITHUB, "StringLike", "gitlab.com:sub", "project_path:us/app:ref_type:branch:ref:*"), Level.NOTE),
    (build_statement(GITHUB, "StringLike", "app.terraform.io:sub", "organization:us*"), Level.STOP),
    (build_statement(GITHUB, "StringLike", "app.terraform.io:sub", "organization:us:project:*"), Level.NOTE),
    (build_statement(GITHUB, "StringLike", "oidc.circleci.com/org/a:sub", "org/*"), Level.STOP),
]


@check_cases(("statement", "level"), OUTSIDE, ids=[str(n) for n in range(len(OUTSIDE))])
def test_access_to_a_new_bucket_has_a_level_by_principal(statement: dict[str, Any], level: Level) -> None:
    entry = build_change("aws_s3_bucket_policy.p", {"bucket": "data", "policy": text(statement)})
    assert [level for _, level in list_levels(CALLER, build_change("aws_s3_bucket.data", BUCKET), entry)] == [level]


def test_an_account_may_be_another_where_the_plan_does_not_tell_which_is_its_own() -> None:
    entry = build_change("aws_s3_bucket_policy.p", {"bucket": "data", "policy": text(build_statement(FOREIGN))})
    assert [level for _, level in list_levels(build_change("aws_s3_bucket.data", BUCKET), entry)] == [Level.LOOK]


@check_cases(
    "source",
    [
        build_change("data.aws_caller_identity.me", {}, unknown={"account_id": True}, actions=["read"]),
        build_change("data.aws_ram_resource_share.s", {"account_id": "999999999999"}, actions=["read"]),
        build_change("data.aws_ram_resource_share.s", {"account_id": "123456789012"}, actions=["read"]),
    ],
)
def test_only_the_caller_identity_reveals_the_own_account(source: dict[str, Any]) -> None:
    entry = build_change("aws_s3_bucket_policy.p", {"bucket": "data", "policy": text(build_statement(FOREIGN))})
    assert [level for _, level in list_levels(source, build_change("aws_s3_bucket.data", BUCKET), entry)] == [
        Level.LOOK
    ]


def test_an_endpoint_policy_may_be_limited_to_the_resources_of_an_account() -> None:
    unchanged = text(build_statement("*", "StringEquals", "aws:ResourceAccount", "123456789012"))
    entry = build_change("aws_vpc_endpoint_policy.p", {"vpc_endpoint_id": "v", "policy": unchanged})
    endpoint = build_change("aws_vpc_endpoint.v", {"id": "v", "vpc_id": "vpc-1"})
    assert [level for _, level in list_levels(CALLER, endpoint, entry)] == [Level.NOTE]


ENDPOINT = {"id": "v", "vpc_id": "vpc-1", "service_name": "com.amazonaws.eu-north-1.s3"}
NARROW = text(build_statement("*"))
WIDER = text({**build_statement("*"), "Action": ["s3:GetObject", "s3:PutObject"]})
EVERY_REQUEST = text({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})


def endpoint(policy: str | None, **more: Any) -> dict[str, Any]:
    return {**ENDPOINT, **more} | ({} if policy is None else {"policy": policy})


@check_cases(
    ("values", "unknown", "expected_text"),
    [
        (endpoint(None), {"policy": True}, "no endpoint policy, so every request to com.amazonaws.eu-north-1.s3"),
        (endpoint(None, vpc_endpoint_type="Interface"), {}, "no endpoint policy"),
        (endpoint(NARROW), {}, "s3:GetObject on *"),
        (endpoint(EVERY_REQUEST), {}, "* on *"),
        (endpoint(None, vpc_endpoint_type="GatewayLoadBalancer"), {}, None),
    ],
    ids=["without a policy", "interface", "narrow", "wide", "of a type without policies"],
)
def test_a_new_vpc_endpoint_is_a_note(
    values: dict[str, Any], unknown: dict[str, bool], expected_text: str | None
) -> None:
    root = {"resources": [build_configuration("aws_vpc_endpoint.v", vpc_id={"constant_value": "vpc-1"})]}
    found_risks = risks(build_plan(build_change("aws_vpc_endpoint.v", values, unknown=unknown), root=root))
    assert [risk.level for risk in found_risks] == ([] if expected_text is None else [Level.NOTE])
    assert expected_text is None or expected_text in found_risks[0].description


@check_cases(
    ("before", "after", "levels"),
    [
        (None, NARROW, []),
        (EVERY_REQUEST, NARROW, []),
        (WIDER, NARROW, []),
        (NARROW, WIDER, [Level.LOOK]),
        (NARROW, EVERY_REQUEST, [Level.STOP]),
    ],
)
def test_the_policy_of_an_endpoint_is_a_limit(before: str | None, after: str, levels: list[Level]) -> None:
    inside = build_change("aws_vpc_endpoint.v", endpoint(after), before=endpoint(before))
    root = {"resources": [build_configuration("aws_vpc_endpoint.v", policy={"constant_value": after})]}
    assert [level for _, level in list_levels(inside, root=root)] == levels
    old, new = (None if policy is None else {"vpc_endpoint_id": "v", "policy": policy} for policy in (before, after))
    unchanged = build_change("aws_vpc_endpoint.v", endpoint(None), before=endpoint(None))
    separate = build_change("aws_vpc_endpoint_policy.p", new, before=old)
    assert [level for _, level in list_levels(unchanged, separate)] == levels


def test_a_policy_of_an_endpoint_outside_the_plan_needs_a_look() -> None:
    entry = build_change("aws_vpc_endpoint_policy.p", {"vpc_endpoint_id": "vpce-1", "policy": NARROW})
    assert list_levels(entry) == [("PRIVILEGES_UNKNOWN", Level.LOOK)]


def test_a_refreshed_endpoint_only_repeats_its_separate_policy() -> None:
    refreshed = build_change("aws_vpc_endpoint.v", endpoint(NARROW), before=endpoint(NARROW))
    drift = build_change("aws_vpc_endpoint.v", endpoint(NARROW), before=endpoint(EVERY_REQUEST))
    wider = build_change(
        "aws_vpc_endpoint_policy.p",
        {"vpc_endpoint_id": "v", "policy": WIDER},
        before={"vpc_endpoint_id": "v", "policy": NARROW},
    )
    root = {"resources": [build_configuration("aws_vpc_endpoint.v", vpc_id={"constant_value": "vpc-1"})]}
    assert list_levels(refreshed, wider, root=root, resource_drift=[drift]) == [("PRIVILEGES_ACTION", Level.LOOK)]


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


def test_a_managed_policy_attached_to_a_role_that_is_there_is_stopped() -> None:
    def attachment(arn: str) -> dict[str, Any]:
        return build_change("aws_iam_role_policy_attachment.a", {"role": "train", "policy_arn": arn})

    read_only, full = "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    new = build_change("aws_iam_role.train", role())
    assert list_levels(KEPT, attachment(read_only)) == [("PRIVILEGES_ATTACHED", Level.STOP)]
    assert ("PRIVILEGES_ATTACHED", Level.LOOK) in list_levels(new, attachment(read_only))
    assert ("PRIVILEGES_FULL_ACCESS", Level.STOP) in list_levels(new, attachment(full))


AWS = "arn:aws:iam::aws:policy"
ADMIN, S3_FULL, READ_ONLY = f"{AWS}/AdministratorAccess", f"{AWS}/AmazonS3FullAccess", f"{AWS}/ReadOnlyAccess"
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


def test_a_removed_permissions_boundary_is_stopped() -> None:
    entry = build_change("aws_iam_role.train", role(), before=role(permissions_boundary="arn:aws:iam::1:policy/b"))
    assert list_levels(entry) == [("PRIVILEGES_BOUNDARY", Level.STOP)]


def test_a_removed_bucket_policy_removes_its_deny_statements() -> None:
    entry = build_change("aws_s3_bucket_policy.p", before={"bucket": "data", "policy": text(TLS)})
    unchanged, deleted = (
        build_change("aws_s3_bucket.data", BUCKET, before=BUCKET),
        build_change("aws_s3_bucket.data", before=BUCKET),
    )
    assert list_levels(unchanged, entry) == [("PRIVILEGES_DENY", Level.STOP)]
    assert list_levels(deleted, entry) == []


@check_cases(
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
    entry = build_change(
        f"{kind}.this", {"id": "x", path: text({**own, "Principal": "*"})}, before={"id": "x", path: text(own)}
    )
    root = {"resources": [build_configuration(f"{kind}.this", **{path: {"constant_value": "x"}})]}
    found_risks = risks(build_plan(entry, root=root))
    assert [(risk.id, risk.level) for risk in found_risks] == [("PRIVILEGES_PRINCIPAL", Level.STOP)]
    assert "everyone" in found_risks[0].description


def test_public_access_that_is_no_longer_blocked_is_stopped() -> None:
    flags = dict.fromkeys(
        ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), True
    )
    block = {"bucket": "data", **flags}
    bucket = build_change("aws_s3_bucket.data", BUCKET, before=BUCKET)
    weakened = build_change(
        "aws_s3_bucket_public_access_block.b", {**block, "block_public_policy": False}, before=block
    )
    removed = build_change("aws_s3_bucket_public_access_block.b", before=block)
    assert list_levels(bucket, weakened) == [("PRIVILEGES_EXPOSED", Level.STOP)]
    assert list_levels(bucket, removed) == [("PRIVILEGES_EXPOSED", Level.STOP)]


def build_deleted(kind: str, **values: Any) -> dict[str, Any]:
    return build_change(f"{kind}.this", before=values)


def build_created(kind: str, **values: Any) -> dict[str, Any]:
    return build_change(f"{kind}.this", values)


MANAGED = "arn:aws:iam::123456789012:policy/p"
ANYBODY = text({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})
OWN = text({"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "*", "Resource": "*"})


@check_cases(
    ("kind", "path"),
    [
        ("aws_opensearch_domain", "access_policies"),
        ("aws_kinesis_resource_policy", "policy"),
        ("aws_codeartifact_domain_permissions_policy", "policy_document"),
        ("aws_made_tomorrow", "settings.0.anything"),
    ],
)
def test_any_attribute_that_parses_as_a_policy_is_compared(kind: str, path: str) -> None:
    name, *below = path.split(".")

    def at(policy: str) -> Any:
        return {name: [{below[-1]: policy}] if below else policy}

    assert list_levels(build_change(f"{kind}.this", at(ANYBODY), before=at(OWN))) == [
        ("PRIVILEGES_PRINCIPAL", Level.STOP)
    ]
    assert list_levels(build_change(f"{kind}.this", at(OWN), before=at(ANYBODY))) == []


def test_a_new_policy_of_a_new_resource_of_any_type_is_a_note() -> None:
    policy = build_created("aws_kinesis_resource_policy", policy=OWN)
    root = {
        "resources": [
            build_configuration("aws_kinesis_resource_policy.this", resource_arn=["aws_kinesis_stream.s.arn"])
        ]
    }
    account = build_change("data.aws_caller_identity.me", {"account_id": "123456789012"}, actions=["read"])
    stream = build_change("aws_kinesis_stream.s", {"name": "s"})
    policy["change"]["after_unknown"] = {"resource_arn": True}
    assert list_levels(account, stream, policy, root=root) == [("PRIVILEGES_NEW", Level.NOTE)]


GIVEN = [
    (build_created("aws_iam_policy_attachment", roles=["train"], policy_arn=ADMIN), "FULL_ACCESS", Level.STOP),
    (
        build_created("aws_iam_role_policy_attachments_exclusive", role_name="train", policy_arns=[ADMIN]),
        "FULL_ACCESS",
        Level.STOP,
    ),
    (
        build_created("aws_ssoadmin_managed_policy_attachment", permission_set_arn="x", managed_policy_arn=ADMIN),
        "FULL_ACCESS",
        Level.STOP,
    ),
    (build_created("aws_iam_user_group_membership", user="bob", groups=["admins"]), "GRANTED", Level.LOOK),
    (build_created("aws_iam_group_membership", users=["bob"], group="admins"), "GRANTED", Level.LOOK),
    (build_created("aws_iam_access_key", user="bob"), "GRANTED", Level.LOOK),
    (build_created("aws_iam_openid_connect_provider", url="https://x", client_id_list=["y"]), "GRANTED", Level.LOOK),
    (build_created("aws_lambda_function_url", function_name="f", authorization_type="NONE"), "GRANTED", Level.STOP),
    (build_created("aws_lambda_layer_version_permission", layer_name="l", principal="*"), "GRANTED", Level.STOP),
    (build_created("aws_lakeformation_permissions", principal="x", permissions=["ALL"]), "GRANTED", Level.LOOK),
    (
        build_created("aws_ram_principal_association", principal="999999999999", resource_share_arn="x"),
        "GRANTED",
        Level.STOP,
    ),
    (
        build_created("aws_ram_principal_association", principal=ROLE["arn"], resource_share_arn="x"),
        "GRANTED",
        Level.LOOK,
    ),
    (build_created("aws_ram_resource_share", name="s", allow_external_principals=True), "EXPOSED", Level.LOOK),
    (
        build_created("aws_kms_grant", key_id="k", grantee_principal=f"{FOREIGN['AWS'][:-4]}role/x"),
        "GRANTED",
        Level.STOP,
    ),
    (build_created("aws_kms_grant", key_id="k", grantee_principal=ROLE["arn"]), "GRANTED", Level.LOOK),
    (build_created("aws_lambda_permission", function_name="f", principal="999999999999"), "GRANTED", Level.STOP),
    (build_created("aws_cloudwatch_event_permission", principal="*", event_bus_name="b"), "GRANTED", Level.STOP),
    (
        build_created("aws_servicecatalog_portfolio_share", principal_id="999999999999", portfolio_id="p"),
        "GRANTED",
        Level.STOP,
    ),
    (
        build_created("aws_redshift_data_share_authorization", consumer_identifier="999999999999", data_share_arn="d"),
        "GRANTED",
        Level.STOP,
    ),
    (build_created("aws_vpc_endpoint_service_allowed_principal", principal_arn=FOREIGN["AWS"]), "GRANTED", Level.STOP),
    (build_created("aws_db_snapshot_copy", shared_accounts=["999999999999"]), "GRANTED", Level.STOP),
    (build_created("aws_db_snapshot", shared_accounts=["123456789012", "all"]), "GRANTED", Level.STOP),
    (build_created("aws_ami_launch_permission", image_id="x", group="all"), "GRANTED", Level.STOP),
    (build_created("aws_snapshot_create_volume_permission", snapshot_id="x", account_id="9"), "GRANTED", Level.LOOK),
    (build_created("aws_eks_access_policy_association", principal_arn="x", policy_arn="y"), "GRANTED", Level.LOOK),
    (build_created("aws_ssoadmin_account_assignment", principal_id="x", target_id="y"), "GRANTED", Level.LOOK),
    (build_created("aws_s3_object", bucket="data", key="k", acl="public-read"), "EXPOSED", Level.STOP),
]


@check_cases(("entry", "name", "level"), GIVEN)
def test_privileges_given_in_other_ways_than_by_a_policy(entry: dict[str, Any], name: str, level: Level) -> None:
    assert list_levels(KEPT, entry) == [(f"PRIVILEGES_{name}", level)]


def test_a_grantee_may_be_foreign_if_the_own_account_is_unknown() -> None:
    (risk,) = risks(build_plan(build_created("aws_kms_grant", key_id="k", grantee_principal=FOREIGN["AWS"])))
    assert (risk.level, risk.is_known) == (Level.LOOK, True)
    assert "the plan does not show which account is your own" in risk.description


def test_an_unknown_grantee_is_the_referenced_new_role_or_unknown() -> None:
    def granted(*references: str) -> Risk:
        grant = build_change("aws_kms_grant.g", {"key_id": "k"}, unknown={"grantee_principal": True})
        root = {"resources": [build_configuration("aws_kms_grant.g", grantee_principal=list(references))]}
        (risk,) = risks(
            build_plan(grant, build_change("aws_iam_role.new", {"name": "new"}, unknown={"arn": True}), root=root)
        )
        return risk

    names, hidden = granted("aws_iam_role.new.arn"), granted("local.role")
    assert (names.level, names.is_known, names.description) == (
        Level.LOOK, True, "lets (aws_iam_role.new, known after apply) use k",
    )  # fmt: skip
    assert (hidden.level, hidden.is_known) == (Level.LOOK, False)


def test_a_share_opened_to_other_organizations_is_stopped() -> None:
    shut, open_ = ({"name": "s", "allow_external_principals": value} for value in (False, True))
    assert list_levels(build_change("aws_ram_resource_share.s", open_, before=shut)) == [
        ("PRIVILEGES_EXPOSED", Level.STOP)
    ]
    assert list_levels(build_change("aws_ram_resource_share.s", shut, before=open_)) == []
    assert list_levels(build_created("aws_ram_resource_share", **shut)) == []
    hidden = build_change("aws_ram_resource_share.s", {"name": "s"}, unknown={"allow_external_principals": True})
    assert [(risk.level, risk.is_known) for risk in risks(build_plan(hidden))] == [(Level.LOOK, False)]


def test_a_function_url_that_asks_for_a_signature_gives_nothing() -> None:
    assert list_levels(build_created("aws_lambda_function_url", function_name="f", authorization_type="AWS_IAM")) == []


TAKEN = [
    (build_deleted("aws_vpc_endpoint_policy", vpc_endpoint_id="v", policy=OWN), "DEFAULT", Level.STOP),
    (build_deleted("aws_efs_file_system_policy", file_system_id="f", policy=OWN), "DEFAULT", Level.LOOK),
    (build_deleted("aws_kms_key_policy", key_id="k", policy=OWN), "DEFAULT", Level.LOOK),
    (build_deleted("aws_organizations_policy_attachment", policy_id="p", target_id="t"), "DEFAULT", Level.LOOK),
    (build_deleted("aws_iam_role_policy_attachment", role="train", policy_arn=MANAGED), "DETACHED", Level.LOOK),
]


@check_cases(("entry", "name", "level"), TAKEN, ids=[case[0]["type"] for case in TAKEN])
def test_a_removed_restriction_is_reported(entry: dict[str, Any], name: str, level: Level) -> None:
    assert list_levels(KEPT, entry) == [(f"PRIVILEGES_{name}", level)]


def test_a_policy_removed_with_its_owner_or_that_only_allowed_is_no_risk() -> None:
    endpoint = {"id": "v", "arn": "a"}
    policy = build_deleted("aws_vpc_endpoint_policy", vpc_endpoint_id="v", policy=OWN)
    assert list_levels(build_change("aws_vpc_endpoint.v", before=endpoint), policy) == []
    assert list_levels(KEPT, build_deleted("aws_iam_role_policy_attachment", role="train", policy_arn=ADMIN)) == []


LINK = {"role": "train", "policy_arn": MANAGED}


def attach(before: str, after: str, /, **link: Any) -> list[dict[str, Any]]:
    """Return a managed policy of the plan and its attachment to a role, with `link` before and after."""
    values = {"name": "p", "arn": MANAGED, "id": MANAGED}
    created = build_change("aws_iam_policy.p", {**values, "policy": after}, before={**values, "policy": before})
    return [created, build_change("aws_iam_role_policy_attachment.a", **link)]


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


INLINE = build_configuration("aws_iam_role.train", name={"constant_value": "train"})


def inline(policy: Any) -> dict[str, Any]:
    return role(inline_policy=[{"name": "i", "policy": policy}])


def test_dynamic_blocks_count_though_the_configuration_does_not_show_them() -> None:
    entry = build_change("aws_iam_role.train", inline(text({**READ, "Action": "s3:*"})), before=inline(text(READ)))
    others = attach(text(READ), text(READ), before=LINK, after=LINK)
    levels = list_levels(entry, *others, root={"resources": [INLINE]})
    assert levels == [("PRIVILEGES_ACTION", Level.STOP)]


def test_the_copy_of_a_policy_in_a_resource_with_an_empty_body_hides_nothing() -> None:
    key = {"id": "k", "key_id": "k", "arn": "arn:aws:kms:eu-north-1:123456789012:key/k", "policy": text(TLS)}
    policy = build_change(
        "aws_kms_key_policy.p", {"key_id": "k", "policy": OWN}, before={"key_id": "k", "policy": text(TLS)}
    )
    empty = {"address": "aws_kms_key.k", "mode": "managed", "type": "aws_kms_key", "name": "k"}
    levels = list_levels(build_change("aws_kms_key.k", key, before=key), policy, root={"resources": [empty]})
    assert ("PRIVILEGES_DENY", Level.STOP) in levels


HIDDEN = [
    build_change("aws_s3_bucket_policy.p", before={"bucket": "data", "policy": text(TLS)}, sensitive={"policy": True}),
    build_change("aws_iam_role.train", inline(text(READ)), before=role(), sensitive={"inline_policy": True}),
    build_change("aws_iam_role.train", role(), before=role(), unknown={"managed_policy_arns": True},
           actions=["update"]),
    build_change("aws_s3_bucket_acl.a", {"bucket": "data"}, unknown={"acl": True}),
    build_change(
        "aws_sagemaker_pipeline.p", {"role_arn": "y"}, before={"role_arn": "x"}, sensitive={"role_arn": True}
    ),
    build_change("aws_kinesis_resource_policy.p", {}, before={"policy": OWN}, unknown={"policy": True}),
    build_change("aws_iam_role_policy.p", {"policy": text(READ)}, before={"role": "train", "policy": text(READ)},
           unknown={"role": True}),
]  # fmt: skip


@check_cases("entry", HIDDEN, ids=[entry["type"] for entry in HIDDEN])
def test_hidden_and_unknown_values_need_a_look(entry: dict[str, Any]) -> None:
    configured = build_configuration("aws_iam_role.train", managed_policy_arns=["local.arns"])
    assert [level for _, level in list_levels(entry, root={"resources": [configured]})] == [Level.LOOK]


DATA = "data.aws_iam_policy_document.d"


def test_a_policy_from_a_data_source_needs_a_look() -> None:
    data = build_change(DATA, {"statement": [{"actions": ["s3:GetObject"], "resources": [READ["Resource"]]}]},
                  unknown={"json": True}, actions=["read"])  # fmt: skip
    entry = build_change(
        "aws_iam_role_policy.p", {"role": "train"}, before={"role": "train", "policy": text(READ)},
        unknown={"policy": True},
    )  # fmt: skip
    root = {"resources": [build_configuration("aws_iam_role_policy.p", policy=[f"{DATA}.json"])]}
    (risk,) = risks(build_plan(KEPT, data, entry, root=root))
    assert (risk.id, risk.level, risk.is_known) == ("PRIVILEGES_UNKNOWN", Level.LOOK, False)
    assert f"is compared as declared in {DATA}" in risk.description


def list_data_source_risks(
    kind: str, path: str, statement: dict[str, Any], *references: str, new: bool = True
) -> list[Risk]:
    """Return the risks of a policy in `path` from a data source whose unknown parts (None) have `references`."""

    def marks(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: marks(item) for key, item in value.items()}
        return [marks(one) for one in value] if isinstance(value, list) else value is None

    inner: dict[str, Any] = {name: {"references": list(references)} for name in ("resources", "actions")}
    inner |= {name: [{"identifiers": inner["resources"], "values": inner["resources"]}] for name in
              ("principals", "condition")}  # fmt: skip
    holder = "aws_iam_role.train" if kind == "aws_iam_role_policy" else "aws_s3_bucket.data"
    values = role() if kind == "aws_iam_role_policy" else BUCKET
    root = {"resources": [
        build_configuration(f"{kind}.p", **{path: [f"{DATA}.json"]}),
        {**build_configuration(DATA), "mode": "data", "expressions": {"statement": [inner]}},
    ]}  # fmt: skip
    return [risk for risk in risks(build_plan(
        CALLER,
        build_change(holder, values, before=None if new else values),
        build_change("aws_sns_topic.made", {"name": "t"}, unknown={"arn": True}),
        build_change("terraform_data.reader", {"input": "*"}, unknown={"output": True}),
        build_change("aws_cloudformation_stack.other", {"name": "s"}, unknown={"outputs": True}),
        build_change("aws_organizations_account.other", {"name": "o"}, unknown={"id": True}),
        build_change(DATA, {"statement": [statement]}, unknown={"json": True, "statement": [marks(statement)]},
               actions=["read"]),
        build_change(f"{kind}.p", {"role": "train", "bucket": "data"}, unknown={path: True}),
        root=root,
    )) if risk.address == f"{kind}.p"]  # fmt: skip


@check_cases(
    ("actions", "references", "level"),
    [
        (["s3:GetObject"], ["aws_sns_topic.made.arn"], Level.NOTE),
        (["s3:GetObject"], ["local.arn"], Level.NOTE),
        (["iam:PassRole"], ["aws_sns_topic.made.arn"], Level.NOTE),
        (["iam:PassRole"], ["local.arn"], Level.LOOK),
        (["iam:PassRole"], ["terraform_data.reader.output"], Level.LOOK),
        (["iam:PassRole"], ["aws_cloudformation_stack.other.outputs"], Level.LOOK),
        (["s3:*"], ["local.arn"], Level.LOOK),
        ([None], ["local.actions"], Level.LOOK),
    ],
)
def test_permissions_of_a_new_role_on_new_resources_are_notes(
    actions: list[str], references: list[str], level: Level
) -> None:
    statement = {"actions": actions, "resources": [None]}
    (risk,) = list_data_source_risks("aws_iam_role_policy", "policy", statement, *references)
    assert (risk.level, risk.is_known) == (level, level is Level.NOTE)
    assert level is not Level.NOTE or risk.description.endswith(f"(as declared in {DATA})")
    (risk,) = list_data_source_risks("aws_iam_role_policy", "policy", statement, *references, new=False)
    assert risk.level is not Level.NOTE


def list_dynamic_risks(*, is_new: bool, action: str = "sqs:SendMessage") -> list[tuple[Level, str]]:
    """Return the risks of a document with one statement as a block, and one by `dynamic`, which is not recorded."""
    written = {"sid": "a", "actions": ["sns:Publish"], "resources": [None]}
    repeated = {"sid": "b", "actions": [action], "resources": [None]}
    marks = {"json": True, "statement": [{"resources": [True]}, {"resources": [True]}]}
    expressions = {"sid": {"constant_value": "a"}, "actions": {"constant_value": ["sns:Publish"]},
                   "resources": {"references": ["aws_sns_topic.made.arn"]}}  # fmt: skip
    root = {"resources": [
        build_configuration("aws_iam_role_policy.p", policy=[f"{DATA}.json"]),
        {**build_configuration(DATA), "mode": "data", "expressions": {"statement": [expressions]}},
    ]}  # fmt: skip
    found_risks = risks(build_plan(
        build_change("aws_iam_role.train", role(), before=None if is_new else role()),
        build_change("aws_sns_topic.made", {"name": "t"}, unknown={"arn": True}),
        build_change(DATA, {"statement": [repeated, written]}, unknown=marks, actions=["read"]),
        build_change("aws_iam_role_policy.p", {"role": "train"}, unknown={"policy": True}),
        root=root,
    ))  # fmt: skip
    return [(risk.level, risk.description) for risk in found_risks if risk.address == "aws_iam_role_policy.p"]


def test_a_written_statement_keeps_its_references_beside_dynamic_ones() -> None:
    assert [level for level, _ in list_dynamic_risks(is_new=True)] == [Level.NOTE]
    dynamic, written = list_dynamic_risks(is_new=False)
    assert dynamic[0] is written[0] is Level.LOOK
    assert "sqs:SendMessage on (known after apply); parts are unknown until apply" in dynamic[1]
    assert "sns:Publish on (aws_sns_topic.made, known after apply); reaches only resources" in written[1]


def test_a_dangerous_action_of_a_dynamic_statement_stops_for_an_existing_role() -> None:
    levels = [level for level, _ in list_dynamic_risks(is_new=False, action="iam:PassRole")]
    assert levels == [Level.STOP, Level.LOOK]


@check_cases(
    ("principals", "condition", "references", "level"),
    [
        ([None], [], ["aws_sns_topic.made.arn"], Level.NOTE),
        ([None], [], ["local.reader"], Level.LOOK),
        ([None], [], ["terraform_data.reader.output"], Level.LOOK),
        ([None], [], ["aws_organizations_account.other.id"], Level.LOOK),
        (["*"], [{"test": "StringEquals", "variable": "aws:SourceAccount", "values": [None]}],
         ["aws_organizations_account.other.id"], Level.LOOK),
        (["*"], [{"test": "ArnLike", "variable": "aws:SourceArn", "values": [None]}], ["aws_sns_topic.made.arn"],
         Level.NOTE),
        (["*"], [{"test": "ArnLike", "variable": "aws:SourceArn", "values": [None]}], ["local.source"], Level.LOOK),
        (["*"], [{"test": "Bool", "variable": "aws:SecureTransport", "values": [None]}], ["aws_sns_topic.made.arn"],
         Level.STOP),
    ],
)  # fmt: skip
def test_access_of_new_principals_to_a_new_bucket_is_a_note(
    principals: list[Any], condition: list[Any], references: list[str], level: Level
) -> None:
    own = {"type": "AWS", "identifiers": principals}
    statement = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::data/*"], "principals": [own]}
    (risk,) = list_data_source_risks(
        "aws_s3_bucket_policy", "policy", {**statement, "condition": condition}, *references
    )
    assert (risk.level, risk.is_known) == (level, level is not Level.LOOK)


@check_cases(
    ("provider", "condition", "level"),
    [
        ("openid_connect", [], Level.STOP),
        ("openid_connect", [{"test": "StringLike", "variable": "x.org:sub", "values": ["repo:us/app:*"]}], Level.NOTE),
        ("saml", [], Level.NOTE),
    ],
)
def test_tokens_of_a_new_identity_provider_may_belong_to_anyone(provider: str, condition: Any, level: Level) -> None:
    created, trusted = f"aws_iam_{provider}_provider.p", {"type": "Federated", "identifiers": [None]}
    statement = {"actions": ["sts:AssumeRoleWithWebIdentity"], "principals": [trusted], "condition": condition}
    source = {**build_configuration(DATA), "mode": "data", "expressions": {
        "statement": [{"principals": [{"identifiers": {"references": [f"{created}.arn"]}}]}]
    }}  # fmt: skip
    root = {"resources": [build_configuration("aws_iam_role.train", assume_role_policy=[f"{DATA}.json"]), source]}
    marks = {"json": True, "statement": [{"principals": [{"identifiers": [True]}]}]}
    found_risks = risks(build_plan(
        build_change(created, {"url": "https://x.org"}, unknown={"arn": True}),
        build_change(DATA, {"statement": [statement]}, unknown=marks, actions=["read"]),
        build_change("aws_iam_role.train", {"name": "train"}, unknown={"assume_role_policy": True, "arn": True}),
        root=root,
    ))  # fmt: skip
    assert [risk.level for risk in found_risks if risk.address == "aws_iam_role.train"] == [level]


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


@check_cases(
    ("kind", "attribute"),
    [
        ("aws_sagemaker_pipeline", "role_arn"),
        ("aws_sagemaker_domain", "default_user_settings.execution_role"),
        ("aws_lambda_function", "role"),
        ("aws_iam_instance_profile", "role"),
        ("aws_instance", "iam_instance_profile"),
    ],
)
def test_a_resource_that_changes_its_role_needs_a_look(kind: str, attribute: str) -> None:
    def runs_as(role: str) -> dict[str, Any]:
        name, *below = attribute.split(".")
        return {name: [{below[0]: role}] if below else role}

    assert list_levels(build_change(f"{kind}.x", runs_as("b"), before=runs_as("a"))) == [
        ("PRIVILEGES_ROLE", Level.LOOK)
    ]
    assert list_levels(build_change(f"{kind}.x", {**runs_as("a"), "tags": {}}, before=runs_as("a"))) == []


def test_a_role_that_the_plan_makes_is_named_though_its_arn_is_unknown() -> None:
    pipeline = build_change("aws_sagemaker_pipeline.p", {}, before={"role_arn": "x"}, unknown={"role_arn": True})
    root = {"resources": [build_configuration("aws_sagemaker_pipeline.p", role_arn=["aws_iam_role.new.arn"])]}
    new = build_change("aws_iam_role.new", {"name": "new"}, unknown={"arn": True})
    (risk,) = risks(build_plan(new, pipeline, root=root))
    assert (risk.level, risk.is_known) == (Level.LOOK, True)
    assert risk.description == "role_arn: runs as aws_iam_role.new instead of x"


ADMINISTERS = text({"Effect": "Allow", "Action": "*", "Resource": "*"})


def build_load_role(policy: str | None, before: str | None = None, **link: Any) -> list[dict[str, Any]]:
    """Return the role `load`, new or existing, with an inline policy or an attached one."""
    values = role(name="load", id="load", arn="arn:aws:iam::123456789012:role/load")
    there = before is not None
    result = [build_change("aws_iam_role.load", values, before=values if there else None)]
    if policy is not None:
        old = {"role": "load", "policy": before} if there else None
        result.append(build_change("aws_iam_role_policy.load", {"role": "load", "policy": policy}, before=old))
    return result + ([build_change("aws_iam_role_policy_attachment.load", {"role": "load", **link})] if link else [])


HAS = {"role": "load", "policy_arn": ADMIN}
HAS_ADMIN = build_change("aws_iam_role_policy_attachment.load", HAS, before=HAS)


@check_cases(
    ("load", "level"),
    [
        (build_load_role(text(READ)), Level.LOOK),
        (build_load_role(ADMINISTERS), Level.STOP),
        (build_load_role(None, policy_arn=ADMIN), Level.STOP),
        (build_load_role(text(READ), before=text(READ)), Level.LOOK),
        (build_load_role(ADMINISTERS, before=ADMINISTERS), Level.STOP),
        ([*build_load_role(None, before=""), HAS_ADMIN], Level.STOP),
        (build_load_role(text({**READ, "Action": ["s3:GetObject", "s3:PutObject"]}), before=text(READ)), Level.STOP),
    ],
    ids=[
        "new",
        "new that administers",
        "new with full access",
        "there",
        "there that administers",
        "there with full access",
        "there widened",
    ],
)
def test_a_role_change_has_the_level_of_the_permissions_of_the_new_role(load: list[Any], level: Level) -> None:
    for new in ("arn:aws:iam::123456789012:role/load", "load"):
        job = build_change("aws_glue_job.j", {"role_arn": new}, before={"role_arn": "read"})
        profile = build_change("aws_iam_instance_profile.p", {"name": "p", "role": "load"})
        instance = build_change("aws_instance.m", {"iam_instance_profile": "p"}, before={"iam_instance_profile": "q"})
        for runs in ([job], [instance, profile]):
            found_risks = [risk for risk in risks(build_plan(*load, *runs)) if risk.id == "PRIVILEGES_ROLE"]
            assert [risk.level for risk in found_risks if risk.address == runs[0]["address"]] == [level]


def test_a_role_risk_names_the_role_and_the_reason() -> None:
    def describe_role_risk(new: str | None, *load: Any, **set_by: Any) -> str:
        after, unknown = ({"role_arn": new}, {}) if new else ({}, {"role_arn": True})
        job = build_change("aws_glue_job.j", after, before={"role_arn": "read"}, unknown=unknown)
        root = {"resources": [build_configuration("aws_glue_job.j", **set_by)]} if set_by else None
        return "".join(
            risk.description for risk in risks(build_plan(*load, job, root=root)) if risk.id == "PRIVILEGES_ROLE"
        )

    wider = build_load_role(text({**READ, "Action": ["s3:GetObject", "s3:PutObject"]}), before=text(READ))
    read_only = {"role": "load", "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    unchanged = [
        *build_load_role(None, before=""),
        build_change("aws_iam_role_policy_attachment.load", read_only, before=read_only),
    ]
    assert describe_role_risk("load") == "role_arn: runs as load instead of read"
    assert describe_role_risk("load", *unchanged) == "role_arn: runs as load instead of read"
    assert describe_role_risk("load", *wider).endswith(
        "; aws_iam_role.load: it gets new permissions that stop the plan"
    )
    assert describe_role_risk("load", *build_load_role(None, policy_arn=ADMIN)).endswith(
        "it gets new permissions that stop the plan"
    )
    assert describe_role_risk(None, role_arn=["local.role"]) == "role_arn: runs as (known after apply) instead of read"
    assert describe_role_risk("load", name=["local.name"]) == ""
    entry = build_change("aws_glue_job.j", {}, before={"role_arn": "read"}, unknown={"role_arn": True})
    data = build_change("data.aws_iam_role.r", {"name": "r"}, unknown={"arn": True}, actions=["read"])
    root = {"resources": [build_configuration("aws_glue_job.j", role_arn=["data.aws_iam_role.r.arn"])]}
    (risk,) = risks(build_plan(entry, data, root=root))
    assert (risk.level, risk.is_known) == (Level.LOOK, False)


@check_cases(
    ("path", "old", "new", "description"),
    [
        ("iam_roles", ["a", "b"], ["b", "c"], "iam_roles: runs as c instead of a"),
        ("iam_roles", ["a", "b"], ["b"], None),
        ("roles", {"authenticated": "a"}, {"authenticated": "b"}, "roles: runs as b instead of a"),
        ("pipeline_definition", {"Steps": [{"RoleArn": "a"}]}, {"Steps": [{"RoleArn": "b"}, {"RoleArn": "a"}]},
         "pipeline_definition: runs as b instead of none"),
        ("pipeline_definition", {"Steps": [{"Name": "x", "RoleArn": "a"}]}, {"Steps": [{"RoleArn": "a"}]}, None),
        ("pipeline_definition", {"Steps": [{"RoleArn": {"Get": "Parameters.Role"}}]}, {"Steps": []}, None),
    ],
)  # fmt: skip
def test_roles_are_found_in_lists_maps_and_definitions_of_workflows(
    path: str, old: Any, new: Any, description: str | None
) -> None:
    def at(value: Any) -> dict[str, Any]:
        return {path: json.dumps(value) if path.endswith("definition") else value}

    found_risks = risks(build_plan(build_change("aws_made_tomorrow.x", {"id": "y", **at(new)}, before=at(old))))
    assert [risk.description for risk in found_risks] == ([] if description is None else [description])


def test_a_definition_that_is_no_json_names_no_role() -> None:
    entry = build_change("aws_sfn_state_machine.x", {"definition": "{"}, before={"definition": "["})
    assert list_levels(entry) == []


def test_a_removed_deny_without_a_matching_allow_is_a_note() -> None:
    denied = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    assert list_levels(KEPT, policy("p", text(READ, denied), text(READ))) == [("PRIVILEGES_DENY", Level.NOTE)]
    wide = {**READ, "Action": "s3:*"}
    assert list_levels(KEPT, policy("p", text(wide, denied), text(wide))) == [("PRIVILEGES_DENY", Level.STOP)]


def grant_on_bucket(principal: Any, action: str = "s3:*", resource: str = "arn:aws:s3:::data/*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    values = {"bucket": "data", "policy": text(statement)}
    return build_change("aws_s3_bucket_policy.b", values, before=values)


def grant_on_key(principal: Any, action: str = "kms:Decrypt") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    values = {"key_id": "k", "arn": "arn:aws:kms:eu-north-1:123456789012:key/k", "policy": text(statement)}
    return build_change("aws_kms_key.k", values, before=values)


ROLE_PRINCIPAL = {"AWS": ROLE["arn"]}
MFA = {"aws:MultiFactorAuthPresent": "false"}


@check_cases(
    ("resource", "denied", "remaining", "level"),
    [
        (grant_on_bucket(ROLE_PRINCIPAL), {"Action": "s3:DeleteObject"}, None, Level.STOP),
        (grant_on_bucket("*"), {"Action": "s3:DeleteObject"}, None, Level.STOP),
        (grant_on_bucket({"AWS": "arn:aws:sts::123456789012:assumed-role/train/s"}), {"Action": "s3:*"}, None,
         Level.STOP),
        (grant_on_key(ROLE_PRINCIPAL), {"Action": "kms:*"}, None, Level.STOP),
        (grant_on_key(ROLE_PRINCIPAL), {"Action": "kms:*", "Condition": {"BoolIfExists": MFA}},
         {"Action": "kms:*", "Condition": {"Bool": MFA}}, Level.STOP),
        # The account lets its policies decide, others get nothing, and the actions or objects are others.
        (grant_on_bucket({"AWS": "arn:aws:iam::123456789012:root"}), {"Action": "s3:*"}, None, Level.NOTE),
        (grant_on_bucket({"AWS": "arn:aws:iam::123456789012:role/other"}), {"Action": "s3:*"}, None, Level.NOTE),
        (grant_on_bucket({"Service": "logging.s3.amazonaws.com"}), {"Action": "s3:*"}, None, Level.NOTE),
        (grant_on_bucket(ROLE_PRINCIPAL, "s3:GetObject"), {"Action": "s3:DeleteObject"}, None, Level.NOTE),
        (grant_on_bucket(ROLE_PRINCIPAL), {"Action": "s3:*", "Resource": "arn:aws:s3:::other/*"}, None, Level.NOTE),
        (grant_on_key(ROLE_PRINCIPAL, "kms:Encrypt"), {"Action": "kms:Decrypt"}, None, Level.NOTE),
    ],
)  # fmt: skip
def test_a_removed_deny_counts_if_the_policy_of_a_resource_allows(
    resource: dict[str, Any], denied: dict[str, Any], remaining: dict[str, Any] | None, level: Level
) -> None:
    before, after = (
        None if one is None else text({"Effect": "Deny", "Resource": "*", **one}) for one in (denied, remaining)
    )
    assert list_levels(KEPT, resource, policy("p", before, after)) == [("PRIVILEGES_DENY", level)]


def test_a_removed_deny_is_a_note_if_the_policy_of_the_resource_is_deleted_too() -> None:
    deleted = build_change("aws_s3_bucket_policy.b", before=grant_on_bucket(ROLE_PRINCIPAL)["change"]["before"])
    denied = text({"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"})
    assert list_levels(KEPT, deleted, policy("p", denied, None)) == [("PRIVILEGES_DENY", Level.NOTE)]


@check_cases(
    ("resource", "expected"),
    [
        ("arn:aws:s3:::data/${aws:PrincipalTag/team}/*", [("PRIVILEGES_DENY", Level.STOP)]),
        ("arn:aws:s3:::data/secret/*", []),
    ],
)
def test_a_deny_with_a_variable_needs_its_version(resource: str, expected: list[tuple[str, Level]]) -> None:
    statements = [{**READ, "Action": "s3:*"}, {"Effect": "Deny", "Action": "s3:*", "Resource": resource}]
    new, old = (json.dumps({**version, "Statement": statements}) for version in ({"Version": "2012-10-17"}, {}))
    assert list_levels(KEPT, policy("p", new, old)) == expected
    assert list_levels(KEPT, policy("p", old, json.dumps({"Version": "2008-10-17", "Statement": statements}))) == []


KEY_ARN = "arn:aws:kms:eu-north-1:123456789012:key/k"


def change_tag(old: str | None, new: str | None, type_: str = "aws_kms_key", name: str = "team") -> dict[str, Any]:
    values = role() if type_ == "aws_iam_role" else {"arn": KEY_ARN}
    before, after = ({**values, "tags": {} if tag is None else {name: tag}} for tag in (old, new))
    return build_change(f"{type_}.train", after, before=before)


def hide_tags(old: str | None, new: str | None, **how: bool) -> dict[str, Any]:
    """Return the change of a tag whose name and value after the plan are unknown or sensitive."""
    change = change_tag(old, new)
    marks = {f"after_{name}": {"tags": True} for name in how}
    change["change"] |= marks
    return change


def limit_by_tag(
    value: str | list[str], effect: str = "Allow", operator: str = "StringEquals", **more: Any
) -> dict[str, Any]:
    condition = {operator: {more.pop("key", "aws:ResourceTag/team"): value}}
    statement = {"Effect": effect, "Action": "kms:Decrypt", "Resource": "*", "Condition": condition, **more}
    return policy("p", text(statement), text(statement))


@check_cases(
    ("tag", "entry", "levels"),
    [
        (change_tag("sec", "ml"), limit_by_tag("ml"), [Level.LOOK]),
        (change_tag(None, "ml"), limit_by_tag("m*", operator="StringLike"), [Level.LOOK]),
        (change_tag("sec", "a"), limit_by_tag("sec", operator="StringNotEquals"), [Level.LOOK]),
        (change_tag("sec", None), limit_by_tag("true", operator="Null"), [Level.LOOK]),
        (change_tag("sec", "a"), limit_by_tag("sec", "Deny"), [Level.LOOK]),
        (change_tag("sec", "a"), limit_by_tag("${aws:PrincipalTag/team}"), [Level.LOOK]),
        (change_tag("a", "ml", "aws_iam_role"), limit_by_tag("${aws:PrincipalTag/team}"), [Level.LOOK]),
        (change_tag("a", "ml", "aws_iam_role"), limit_by_tag("ml", key="aws:PrincipalTag/team"), [Level.LOOK]),
        (hide_tags("sec", "ml", unknown=True), limit_by_tag("ml"), [Level.LOOK]),
        (hide_tags("sec", "ml", sensitive=True), limit_by_tag("ml"), [Level.LOOK]),
        (hide_tags("sec", "ml", unknown=True), limit_by_tag("true", operator="Null"), [Level.LOOK]),
        (change_tag("ml", None, "aws_iam_role"), limit_by_tag("${aws:PrincipalTag/team}", "Deny"), [Level.LOOK]),
        (change_tag("ml", None, "aws_iam_role"),
         limit_by_tag("${aws:PrincipalTag/team}", operator="StringNotEquals"), [Level.LOOK]),
        # Less access, another value, another tag, another service, another key or another principal.
        (change_tag("ml", "sec"), limit_by_tag("ml"), []),
        (change_tag("a", "sec"), limit_by_tag("sec", "Deny"), []),
        (change_tag("a", "b"), limit_by_tag("ml"), []),
        (change_tag("a", "b"), limit_by_tag("ML", operator="StringEqualsIgnoreCase"), []),
        (change_tag("a", "ml", name="owner"), limit_by_tag("ml"), []),
        (change_tag("a", "ml"), limit_by_tag("ml", Action="s3:GetObject"), []),
        (change_tag("a", "ml"), limit_by_tag("ml", Resource=f"{KEY_ARN}2"), []),
        (change_tag("a", "b", "aws_iam_user"), limit_by_tag("ml"), []),
        (change_tag("ml", "a", "aws_iam_role"), limit_by_tag("ml", key="aws:PrincipalTag/team"), []),
        (change_tag("ml", None, "aws_iam_role"), limit_by_tag("${aws:PrincipalTag/team}"), []),
        (hide_tags("ml", "ml", unknown=True), limit_by_tag("ml"), []),
        (hide_tags("sec", "ml", unknown=True), limit_by_tag("ml", Action="s3:GetObject"), []),
    ],
)  # fmt: skip
def test_a_tag_that_a_condition_names_may_give_access(
    tag: dict[str, Any], entry: dict[str, Any], levels: list[Level]
) -> None:
    changed = [tag] if tag["address"] == KEPT["address"] else [KEPT, tag]
    found = list_levels(*changed, entry)
    assert found == [("PRIVILEGES_GRANTED", level) for level in levels]


@check_cases(
    ("effect", "actions", "description"),
    [
        ("Allow", ("kms:Decrypt",), "allow kms:Decrypt on * if {condition}"),
        ("Allow", ("kms:Decrypt", "kms:Sign"), "allow kms:Decrypt on * if {condition} (and 1 other statement)"),
        ("Deny", ("kms:Decrypt",), "deny kms:Decrypt on * if {condition}"),
        ("Deny", ("kms:Decrypt", "kms:Sign", "kms:Verify"),
         "deny kms:Decrypt on * if {condition} (and 2 other statements)"),
    ],
)  # fmt: skip
def test_the_risk_of_a_tag_names_the_policies_and_one_statement(
    effect: str, actions: tuple[str, ...], description: str
) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "ml"}}
    statements = [
        {"Sid": action, "Effect": effect, "Action": action, "Resource": "*", "Condition": condition}
        for action in actions
    ]
    old, new, verb = ("sec", "ml", "now") if effect == "Allow" else ("ml", "sec", "no longer")
    entry = policy("p", text(*statements), text(*statements))
    (risk,) = find_privilege_risks(Comparison(build_plan(KEPT, change_tag(old, new), entry)))
    expected = description.format(condition="StringEquals aws:ResourceTag/team ml")
    assert risk.description == f"tag team: {old} → {new}: the policies of aws_iam_role.train may {verb} {expected}"


@check_cases(
    ("change", "entry", "levels"),
    [
        (("sec", "ml"), {}, [Level.LOOK]),
        (("sec", "ml"), {"operator": "StringEqualsIgnoreCase"}, [Level.LOOK]),
        (("ml", "sec"), {"operator": "StringNotEquals"}, [Level.LOOK]),
        # The known value is met before, or not met after.
        (("known", "ml"), {}, []),
        (("KNOWN", "ml"), {"operator": "StringEqualsIgnoreCase"}, []),
        (("sec", "known"), {"operator": "StringNotEquals"}, []),
    ],
)
def test_a_condition_with_an_unknown_value_on_a_tag_may_give_access(
    change: tuple[str, str], entry: dict[str, Any], levels: list[Level]
) -> None:
    condition = {"test": entry.get("operator", "StringEquals"), "variable": "aws:ResourceTag/team"}
    statement = {"effect": "Allow", "actions": ["kms:Decrypt"], "resources": ["*"]}
    values = {"statement": [{**statement, "condition": [{**condition, "values": ["known", None]}]}]}
    document = build_change(
        "data.aws_iam_policy_document.d", values, actions=["read"],
        unknown={"json": True, "statement": [{"condition": [{"values": [False, True]}]}]},
    )  # fmt: skip
    attached = build_change("aws_iam_role_policy.p", {"role": "train"}, before={"role": "train", "policy": text(READ)},
                            unknown={"policy": True})  # fmt: skip
    root = {
        "resources": [
            build_configuration("aws_iam_role_policy.p", policy=["data.aws_iam_policy_document.d.json"]),
            {**build_configuration("data.aws_iam_policy_document.d"), "mode": "data",
             "address": "data.aws_iam_policy_document.d"},
        ]
    }  # fmt: skip
    found = list_levels(KEPT, change_tag(*change), attached, document, root=root)
    assert [level for name, level in found if name == "PRIVILEGES_GRANTED"] == levels


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


@pytest.mark.parametrize(("allowed", "level"), [("999999999999", Level.NOTE), ("123456789012", Level.STOP)])
def test_an_account_that_the_provider_allows_is_ones_own(allowed: str, level: Level) -> None:
    bucket = build_change("aws_s3_bucket.b", {"bucket": "b"})
    arguments = build_change("aws_s3_bucket_policy.b", {"bucket": "b", "policy": text(build_statement(FOREIGN))})
    document = build_plan(bucket, arguments)._document
    document["configuration"]["provider_config"] = {
        "aws": {"name": "aws", "expressions": {"allowed_account_ids": {"constant_value": [allowed]}}}
    }
    found_risks = risks(load(json.dumps(document).encode()))
    assert [risk.level for risk in found_risks if risk.id.startswith("PRIVILEGES")] == [level]


OWN_ROLE = "arn:aws:iam::123456789012:role/load"
QUEUE = {"Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-north-1:123456789012:q"}


@check_cases(
    ("entry", "level"),
    [
        (build_created("aws_lambda_function", function_name="load", role=OWN_ROLE), Level.NOTE),
        (build_created("aws_sagemaker_model", name="m", execution_role_arn=OWN_ROLE), Level.NOTE),
        (build_created("aws_sqs_queue_policy", queue_url="q", policy=text({**build_statement(OWN_ROLE), **QUEUE})),
         Level.NOTE),
        (build_created("aws_iam_policy", name="p", policy=text({**READ, **QUEUE})), Level.LOOK),
    ],
)  # fmt: skip
def test_arns_of_own_resources_identify_the_account(entry: dict[str, Any], level: Level) -> None:
    grant = build_change(
        "aws_s3_bucket_policy.b", {"bucket": "data", "policy": text(build_statement({"AWS": OWN_ROLE}))}
    )
    bucket, foreign = (
        build_change("aws_s3_bucket.data", BUCKET),
        build_created("aws_sfn_state_machine", role_arn="arn:aws:iam::999999999999:role/x"),
    )

    def find(*entries: dict[str, Any]) -> set[Level]:
        return {risk.level for risk in risks(build_plan(bucket, grant, *entries)) if risk.address == grant["address"]}

    assert find(entry) == {level}
    assert find(entry, foreign) == {Level.LOOK if level is Level.NOTE else Level.STOP}


def key_policy(*accounts: str, action: Any = "kms:*", more: tuple[dict[str, Any], ...] = ()) -> str:
    roots = [f"arn:aws:iam::{account}:root" if account != "*" else "*" for account in accounts]
    return text({"Effect": "Allow", "Principal": {"AWS": roots}, "Action": action, "Resource": "*"}, *more)


DENIED = {"Effect": "Deny", "Principal": FOREIGN, "Action": "kms:*", "Resource": "*"}


@check_cases(
    ("policy", "bypassed", "level"),
    [
        (key_policy("123456789012"), False, Level.NOTE),
        (key_policy("123456789012", action=["kms:Decrypt", "KMS:putKeyPolicy"]), False, Level.NOTE),
        (key_policy("123456789012", more=(DENIED,)), False, Level.NOTE),
        (key_policy("123456789012"), True, Level.LOOK),
        (key_policy("123456789012", action="kms:Decrypt"), False, Level.LOOK),
        (key_policy("123456789012", "999999999999"), False, Level.LOOK),
        (key_policy("123456789012", "*"), False, Level.STOP),
    ],
)
def test_the_account_that_may_change_a_new_key_policy_is_the_own_account(
    policy: str, bypassed: bool, level: Level
) -> None:
    key = {"policy": policy, "bypass_policy_lockout_safety_check": bypassed}
    root = {"resources": [build_configuration("aws_kms_key.k", policy=["var.policy"])]}
    assert {level for _, level in list_levels(build_change("aws_kms_key.k", key), root=root)} == {level}


def test_only_the_policy_of_a_new_key_reveals_the_own_account() -> None:
    def of_foreign(kind: str, *, new: bool) -> set[Level]:
        values = {"policy": key_policy("123456789012"), "bypass_policy_lockout_safety_check": False}
        key = build_change(f"{kind}.k", values, before=None if new else values)
        arguments = build_change("aws_s3_bucket_policy.p", {"bucket": "data", "policy": text(build_statement(FOREIGN))})
        found_risks = risks(build_plan(key, build_change("aws_s3_bucket.data", BUCKET), arguments))
        return {risk.level for risk in found_risks if risk.address == "aws_s3_bucket_policy.p"}

    assert of_foreign("aws_kms_key", new=True) == {Level.STOP}
    assert of_foreign("aws_kms_key", new=False) == {Level.LOOK}
    assert of_foreign("aws_kms_external_key", new=True) == {Level.LOOK}


@check_cases(
    ("kind", "values"),
    [
        ("aws_cognito_identity_pool", {"allow_unauthenticated_identities": True}),
        ("aws_cognito_identity_pool_roles_attachment", {"identity_pool_id": "i", "roles": {"authenticated": "r"}}),
        ("aws_eks_pod_identity_association", {"service_account": "a", "namespace": "n", "role_arn": "r"}),
        ("aws_rolesanywhere_profile", {"name": "p", "role_arns": ["r"]}),
        ("aws_rolesanywhere_trust_anchor", {"name": "a"}),
        ("aws_iam_user_login_profile", {"user": "u"}),
        ("aws_iam_instance_profile", {"name": "p", "role": "of-others"}),
        ("aws_s3_access_point", {"bucket": "b", "public_access_block_configuration": [{"block_public_policy": False}]}),
        ("aws_emr_block_public_access_configuration", {"block_public_security_group_rules": False}),
        ("aws_db_instance", {"publicly_accessible": True}),
        ("aws_redshift_cluster", {"publicly_accessible": True}),
    ],
)
def test_a_new_resource_that_gives_access_needs_a_look(kind: str, values: dict[str, Any]) -> None:
    assert [risk.level for risk in risks(build_plan(build_change(f"{kind}.this", values)))] == [Level.LOOK]


@check_cases(
    ("kind", "values"),
    [
        ("aws_s3_access_point", {"bucket": "b", "bucket_account_id": "123456789012"}),
        ("aws_vpc_peering_connection", {"vpc_id": "v", "peer_owner_id": "123456789012"}),
        ("aws_cloudwatch_log_subscription_filter", {"destination_arn": "arn:aws:lambda:eu-north-1:123456789012:f"}),
        ("aws_cognito_identity_pool", {"allow_unauthenticated_identities": False}),
        ("aws_db_instance", {"publicly_accessible": False}),
    ],
)
def test_access_within_the_own_account_is_no_risk(kind: str, values: dict[str, Any]) -> None:
    caller = build_change("data.aws_caller_identity.me", {"account_id": "123456789012"}, actions=["read"])
    assert list_levels(caller, build_change(f"{kind}.this", values)) == []


def test_a_profile_for_a_role_of_the_plan_is_as_serious_as_the_role() -> None:
    profile = build_change("aws_iam_instance_profile.p", {"name": "p", "role": "load"})
    texts = [
        risks(build_plan(*build_load_role(description, before=description), profile))
        for description in (text(READ), ADMINISTERS)
    ]
    assert [[risk.level for risk in result] for result in texts] == [[], [Level.STOP]]


def test_credentials_of_an_instance_that_are_easier_to_get_need_a_look() -> None:
    old, new = ({"metadata_options": [{"http_tokens": tokens}]} for tokens in ("required", "optional"))
    for kind in ("aws_instance", "aws_launch_template"):
        assert list_levels(build_change(f"{kind}.this", new, before=old)) == [("PRIVILEGES_EXPOSED", Level.LOOK)]
