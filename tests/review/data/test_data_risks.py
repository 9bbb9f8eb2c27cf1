"""Data at risk: deletion, replacement and weaker protection of data."""

from typing import Any

import pytest

from sustainable_mlops.plan import Plan
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.risk import Level
from sustainable_mlops.review.stores import STORES
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.data.plans import BUCKET, KEY, encrypted, list_risks_of, risks


@check_cases("kind", sorted(STORES))
def test_deleting_or_replacing_what_holds_data_is_a_risk(kind: str) -> None:
    before = {"arn": "arn:aws:x:eu-north-1:123456789012:y"}
    deleted = build_plan(build_change(f"{kind}.this", before=before))
    replaced = build_plan(build_change(f"{kind}.this", before, before=before, actions=["delete", "create"]))
    assert [(risk.id, risk.level) for risk in risks(deleted)] == [("DATA_DELETED", STORES[kind].level)]
    assert [(risk.id, risk.level) for risk in risks(replaced)] == [("DATA_REPLACED", STORES[kind].level)]


def test_a_replacement_that_leaves_an_old_object_to_delete_is_a_risk() -> None:
    found_risks = risks(build_plan(build_change("aws_s3_bucket.this", before=BUCKET, deposed="1a2b3c4d")))
    assert [risk.id for risk in found_risks] == ["DATA_DELETED"]
    assert "a deposed object" in found_risks[0].description


def test_an_address_that_moves_is_no_risk() -> None:
    moved = build_change("aws_s3_bucket.this", BUCKET, before=BUCKET, previous_address="aws_s3_bucket.old")
    assert risks(build_plan(moved)) == []


def test_a_created_or_unchanged_store_is_no_risk() -> None:
    assert (
        risks(build_plan(build_change("aws_s3_bucket.a", BUCKET), build_change("aws_kms_key.b", KEY, before=KEY))) == []
    )


def test_a_forgotten_store_needs_a_look() -> None:
    found_risks = risks(build_plan(build_change("aws_s3_bucket.this", before=BUCKET, actions=["forget"])))
    assert [(risk.id, risk.level) for risk in found_risks] == [("DATA_FORGOTTEN", Level.LOOK)]


def test_a_removed_deletion_guard_is_reported_with_its_resource() -> None:
    guard = build_change(
        "module.storage.terraform_data.deletion_protection", before={"triggers_replace": BUCKET["arn"]}, index="data"
    )
    (risk,) = risks(build_plan(guard))
    assert (risk.id, risk.level) == ("DATA_GUARD_REMOVED", Level.STOP)
    assert "arn:aws:s3:::data" in risk.description


@pytest.mark.parametrize("reason", ["delete_because_no_resource_config", "delete_because_no_module"])
def test_a_guard_removed_with_its_configuration_and_data_has_its_own_text(reason: str) -> None:
    address = "module.storage.terraform_data.deletion_protection"
    guard = build_change(address, before={"triggers_replace": BUCKET["arn"]}, index="data", action_reason=reason)
    bucket = build_change("module.storage.aws_s3_bucket.this", before=BUCKET, action_reason=reason)
    elsewhere = build_change("module.other.aws_s3_bucket.this", before=BUCKET, action_reason=reason)
    unchanged = build_change("module.storage.aws_s3_bucket.this", BUCKET, before=BUCKET)

    def guards(*changes: Any) -> list[tuple[str, Level]]:
        found_risks = [risk for risk in risks(build_plan(*changes)) if "GUARD" in risk.id]
        return [(risk.id, risk.level) for risk in found_risks]

    assert guards(guard, bucket) == [("DATA_GUARD_UNCONFIGURED", Level.STOP)]
    assert guards(guard, elsewhere) == guards(guard, unchanged) == [("DATA_GUARD_REMOVED", Level.STOP)]


@check_cases(
    ("kind", "old", "new", "id_"),
    [
        ("versioning", {"versioning_configuration": [{"status": "Enabled"}]}, {"versioning_configuration": [{}]}, "W"),
        ("server_side_encryption_configuration", {"rule": encrypted("aws:kms")}, {"rule": encrypted("AES256")}, "E"),
        ("ownership_controls", *({"rule": [{"object_ownership": o}]} for o in ("BucketOwnerEnforced", "Writer")), "E"),
        ("public_access_block", {"block_public_acls": True}, {"block_public_acls": False}, "E"),
        ("versioning", *[{"versioning_configuration": [{"status": "Enabled"}]}] * 2, ""),
    ],
)
def test_protection_under_another_address_is_compared_with_what_it_replaces(
    kind: str, old: Any, new: Any, id_: str
) -> None:
    found_risks = risks(
        build_plan(
            build_change("aws_s3_bucket.this", BUCKET, before=BUCKET),
            build_change(f"aws_s3_bucket_{kind}.old", before={"bucket": "data", **old}),
            build_change(f"aws_s3_bucket_{kind}.new", {"bucket": "data", **new}),
        )
    )
    names = {"W": ["DATA_WEAKER"], "E": ["PRIVILEGES_EXPOSED"], "": []}
    assert [risk.id for risk in found_risks] == names[id_]


@check_cases(
    ("kind", "looked_at"),
    [
        ("aws_kendra_index", True),
        ("awscc_rds_db_instance", True),
        ("google_storage_bucket", True),
        ("tls_private_key", True),
        ("aws_iam_role_policy_attachment", False),
        ("aws_security_group", False),
        ("aws_ecs_task_definition", False),
        ("aws_lambda_function", False),
        ("aws_sagemaker_model", False),
        ("random_id", False),
        ("null_resource", False),
        ("google_project_iam_member", True),
    ],
)
@check_cases("actions", [["delete"], ["delete", "create"]])
def test_deleting_a_type_that_may_hold_something_needs_a_look(kind: str, looked_at: bool, actions: list[str]) -> None:
    after = {"id": "y"} if "create" in actions else None
    found_risks = risks(build_plan(build_change(f"{kind}.this", after, before={"id": "x"}, actions=actions)))
    assert [risk.level for risk in found_risks] == [Level.LOOK] * looked_at


def test_a_type_of_awscc_holds_what_that_of_aws_holds() -> None:
    (risk,) = risks(build_plan(build_change("awscc_sagemaker_feature_group.this", before={"id": "x"})))
    assert (risk.id, risk.level) == ("DATA_DELETED", Level.STOP)


@check_cases(
    ("name", "expected"), [("bucket", ["DATA_REPLACED"]), ("acceleration_status", []), ("bucket_domain_name", [])]
)
def test_another_name_than_in_the_base_plan_is_another_object(name: str, expected: list[str]) -> None:
    base, new = (build_plan(build_change("aws_s3_bucket.b", {**BUCKET, name: value})) for value in ("one", "two"))
    assert [risk.id for risk in list_risks_of(Comparison(new, base))] == expected


def test_a_store_deleted_outside_terraform_needs_a_look() -> None:
    drift = [
        build_change("aws_s3_bucket.b", before=BUCKET),
        build_change("aws_s3_bucket.c", {**BUCKET, "tags": {}}, before=BUCKET),
        build_change("aws_iam_role_policy.p", before={"role": "a"}),
    ]
    found_risks = risks(build_plan(build_change("aws_s3_bucket.b", BUCKET), resource_drift=drift))
    assert [(risk.id, risk.address, risk.level) for risk in found_risks] == [
        ("DATA_VANISHED", "aws_s3_bucket.b", Level.LOOK)
    ]


def test_a_guard_that_moves_to_another_name_needs_a_look() -> None:
    values = {"triggers_replace": "a"}
    moved = build_change(
        "terraform_data.other", values, before=values, previous_address="terraform_data.deletion_protection"
    )
    stays = build_change("terraform_data.deletion_protection", values, before=values, index="a")
    assert [(risk.id, risk.level) for risk in risks(build_plan(moved, stays))] == [("DATA_GUARD_REMOVED", Level.LOOK)]


def endpoint_plan(name_after: str | None) -> Plan:
    """Return a plan that replaces an endpoint configuration, with the endpoint that uses it."""
    old, new = {"name": "first", "kms_key_arn": "a"}, {"name": name_after, "kms_key_arn": "b"}
    unknown = {"name": True} if name_after is None else {}
    following = ["aws_sagemaker_endpoint_configuration.c.name"]
    endpoint = {"name": "e", "endpoint_config_name": "first"}
    moved = {"name": "e", **({"endpoint_config_name": name_after} if name_after else {})}
    return build_plan(
        build_change(
            "aws_sagemaker_endpoint_configuration.c", new, before=old, unknown=unknown, actions=["delete", "create"]
        ),
        build_change(
            "aws_sagemaker_endpoint.e",
            moved,
            before=endpoint,
            unknown={"endpoint_config_name": True} if unknown else {},
        ),
        root={"resources": [build_configuration("aws_sagemaker_endpoint.e", endpoint_config_name=following)]},
    )


def test_a_configuration_replaced_under_its_name_leaves_the_endpoint_as_it_was() -> None:
    (risk,) = risks(endpoint_plan("first"))
    assert (risk.id, risk.level) == ("ENDPOINT_STALE", Level.STOP)


@check_cases(
    ("packages", "calls", "expected"),
    [
        ({"flights": "arn"}, ("served",), ("ENDPOINT_UNLISTED", Level.STOP)),
        ({"churn": "arn"}, ("served",), ("ENDPOINT_DOWN", Level.LOOK)),  # such as another kind of endpoint
        ({}, (), ("ENDPOINT_DOWN", Level.LOOK)),  # the module call is gone
        (None, ("served",), ("ENDPOINT_DOWN", Level.LOOK)),  # another project
    ],
)
def test_an_endpoint_whose_package_left_the_file_is_a_risk(
    packages: dict[str, str] | None, calls: tuple[str, ...], expected: tuple[str, Level]
) -> None:
    deleted = build_change("module.served.aws_sagemaker_endpoint.this", before={"name": "dev-churn"})
    module = 'module.served["churn"]'
    deleted |= {"address": f"{module}.aws_sagemaker_endpoint.this", "module_address": module}
    variables = {} if packages is None else {"model_packages": {"value": packages}}
    root = {"module_calls": {name: {"source": "./served"} for name in calls}}
    (risk,) = risks(build_plan(deleted, root=root, variables=variables))
    assert (risk.id, risk.level) == expected
    assert ("endpoint dev-churn is destroyed" in risk.description) == (risk.level is Level.STOP)
    assert risk.fix.startswith("Add the package of churn again") == (risk.level is Level.STOP)


def test_a_model_replaced_under_its_name_leaves_the_endpoints_as_they_were() -> None:
    variant = {"variant_name": "v", "model_name": "first"}
    uses = {"name": "c", "production_variants": [variant]}
    configuration = build_change("aws_sagemaker_endpoint_configuration.c", uses, before=uses)

    def list_risks(name: str) -> list[tuple[str, str]]:
        old, new = {"name": "first", "execution_role_arn": "a"}, {"name": name, "execution_role_arn": "b"}
        model = build_change("aws_sagemaker_model.m", new, before=old, actions=["delete", "create"])
        return [(risk.id, risk.address) for risk in risks(build_plan(model, configuration))]

    assert ("ENDPOINT_STALE", "aws_sagemaker_model.m") in list_risks("first")
    assert "ENDPOINT_STALE" not in dict(list_risks("second"))


@pytest.mark.parametrize("name", ["second", None])
def test_an_endpoint_that_follows_the_new_configuration_is_no_risk(name: str | None) -> None:
    assert risks(endpoint_plan(name)) == []


@check_cases(
    ("before", "after", "ids"),
    [("p5", None, ["ENDPOINT_CAPACITY"]), ("p5", "p6", []), ("p5", "p5", []), (None, "p5", []), ("p5", "unknown", [])],
)
def test_an_endpoint_that_loses_its_reserved_capacity_needs_a_look(
    before: str | None, after: str | None, ids: list[str]
) -> None:
    """The configuration has a new name, so the endpoint follows it."""

    def build_values(name: str, reservation: str | None) -> dict[str, Any]:
        reserved = {"capacity_reservation_config": [{"ml_reservation_arn": reservation}]} if reservation else {}
        return {
            "name": name,
            "production_variants": [{"variant_name": "v", "instance_type": "ml.p5.48xlarge", **reserved}],
        }

    unknown = {"production_variants": [{"capacity_reservation_config": [{"ml_reservation_arn": True}]}]}
    change = build_change(
        "aws_sagemaker_endpoint_configuration.c",
        build_values("second", after),
        before=build_values("first", before),
        unknown=unknown if after == "unknown" else None,
        actions=["create", "delete"],
    )
    found_risks = risks(build_plan(change))
    assert [risk.id for risk in found_risks] == ids
    assert {risk.level for risk in found_risks} <= {Level.LOOK}
