"""Principals that get access, and the account that is one's own."""

import json
from typing import Any

import pytest

from sustainable_mlops.plan import load
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.privileges.plans import (
    BUCKET,
    CALLER,
    FOREIGN,
    GITHUB,
    READ,
    build_created,
    build_statement,
    list_levels,
    risks,
    text,
)

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


def test_credentials_of_an_instance_that_are_easier_to_get_need_a_look() -> None:
    old, new = ({"metadata_options": [{"http_tokens": tokens}]} for tokens in ("required", "optional"))
    for kind in ("aws_instance", "aws_launch_template"):
        assert list_levels(build_change(f"{kind}.this", new, before=old)) == [("PRIVILEGES_EXPOSED", Level.LOOK)]
