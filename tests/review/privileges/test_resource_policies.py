"""Policies of resources, and privileges that are given in other ways."""

from typing import Any

from sustainable_mlops.review.risk import Level, Risk
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.privileges.plans import (
    ADMIN,
    BUCKET,
    FOREIGN,
    KEPT,
    MANAGED,
    OWN,
    ROLE,
    TLS,
    build_created,
    list_levels,
    risks,
    text,
)


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


ANYBODY = text({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})


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
