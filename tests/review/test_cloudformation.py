"""Plans with CloudFormation types give the same review as plans with types of the provider aws."""

import json
from typing import Any

from sustainable_mlops.footprint import FleetActivity
from sustainable_mlops.plan import load
from sustainable_mlops.review.review import Review, review
from sustainable_mlops.review.risk import Level, RiskArea
from tests.cases import check_cases
from tests.plan import plan_builder
from tests.plan.cloudformation import ALL, AWS_TYPES, FORMS, TWINS, TypePair, build_address, build_changes, build_policy


def summarize_review(way: str, action: str, *resources: TypePair) -> Any:
    """Return all results of a review, with each resource named by its CloudFormation type."""
    result = review(load(json.dumps(build_changes(*resources, form=way, action=action)).encode(), "plan"))
    texts = json.dumps(_list_results(result), default=str)
    for one in sorted(resources, key=lambda one: one.name, reverse=True):  # no name before one that it starts with
        texts = texts.replace(build_address(one.kind, one.name, way), one.kind)
    return {name: sorted(part) if name in ("risks", "findings") else part for name, part in json.loads(texts).items()}


def _list_results(result: Review) -> dict[str, Any]:
    return {
        "changes": [(change.address, change.type, change.action, change.attributes) for change in result.changes],
        "risks": [(r.risk.id, r.risk.level, r.risk.address, r.risk.description, r.risk.is_known) for r in result.risks],
        "findings": [finding.finding for finding in result.findings],
        "figures": result.footprint.to_dict(),
        "verdict": result.verdict,
    }


@check_cases("action", ["create", "update", "replace", "delete"])
@check_cases("way", FORMS[1:])
@check_cases("one", TWINS, ids=lambda one: one.kind)
def test_each_type_gives_what_its_twin_gives(one: TypePair, way: str, action: str) -> None:
    assert summarize_review(way, action, one) == summarize_review("aws", action, one)


@check_cases("action", ["create", "update", "delete"])
@check_cases("way", FORMS[1:])
def test_all_together_join_as_their_twins_do(way: str, action: str) -> None:
    result = summarize_review(way, action, *TWINS)
    assert result == summarize_review("aws", action, *TWINS)
    assert result["figures"]["running"] != {} or action == "delete"


def test_every_type_with_a_twin_is_compared() -> None:
    assert {twin.kind for twin in TWINS} == set(AWS_TYPES)


def test_each_comparison_has_something_to_compare() -> None:
    for one in TWINS:
        texts = [summarize_review("aws", action, one) for action in ("create", "update", "delete")]
        assert any(result["risks"] or result["findings"] or result["figures"]["resources"] for result in texts), (
            one.kind
        )


@check_cases("way", FORMS)
def test_a_managed_policy_that_lists_roles_is_attached_to_them(way: str) -> None:
    role = TypePair("AWS::IAM::Role", {"name": "r", "assume_role_policy": build_policy()}, {"role_name": "r"})
    wide = TypePair(
        "AWS::IAM::ManagedPolicy",
        {"name": "p", "policy": ALL},
        {"managed_policy_name": "p", "policy_document": ALL, "roles": ["r"]},
    )
    document = build_changes(role, wide, form=way)
    before = document["resource_changes"][0]["change"]
    before |= {"actions": ["no-op"], "before": before["after"]}
    result = review(load(json.dumps(document).encode()))
    texts = [(risk.risk.id, risk.level) for risk in result.list_risks(RiskArea.PRIVILEGES)]
    assert texts == ([("PRIVILEGES_NEW", Level.NOTE)] if way == "aws" else [("PRIVILEGES_PERMISSION", Level.STOP)])


def list_bucket_risks(before: Any, after: Any) -> list[tuple[str, str]]:
    """Return the risks of a bucket with these settings before and after; None means a new bucket."""
    values = [None if one is None else {"bucket_name": "b", **one} for one in (before, after)]
    document = plan_builder.build_document(plan_builder.build_change("awscc_s3_bucket.b", values[1], before=values[0]))
    return [(risk.risk.id, risk.risk.description) for risk in review(load(json.dumps(document).encode())).risks]


def test_settings_that_only_cloudformation_has_in_the_bucket_are_guarded() -> None:
    encrypted = {
        "bucket_encryption": {
            "server_side_encryption_configuration": [
                {"server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": "k"}}
            ]
        }
    }
    blocked = {"public_access_block_configuration": {"block_public_acls": True}}
    locked = {"object_lock_configuration": {"rule": {"default_retention": {"mode": "COMPLIANCE", "days": 7}}}}
    owned = {"ownership_controls": {"rules": [{"object_ownership": "BucketOwnerEnforced"}]}}
    copied = {"replication_configuration": {"rules": [{"id": "all", "status": "Enabled"}]}}
    for setting in (encrypted, blocked, locked, owned, copied):
        assert {name for name, _ in list_bucket_risks(setting, {})} in ({"DATA_WEAKER"}, {"PRIVILEGES_EXPOSED"}), (
            setting
        )
        assert list_bucket_risks(setting, setting) == list_bucket_risks({}, setting) == []
    assert [description.partition(" ")[0] for _, description in list_bucket_risks(None, blocked)] == [
        "block_public_policy", "ignore_public_acls", "restrict_public_buckets"
    ]  # fmt: skip
    assert list_bucket_risks(None, {}) == []  # AWS blocks public access to new buckets


def test_an_unknown_update_takes_one_line() -> None:
    kind = {"type_name": "AWS::SageMaker::Model"}
    before = {**kind, "desired_state": json.dumps({"ModelName": "m"})}
    change = plan_builder.build_change(
        "aws_cloudcontrolapi_resource.x", kind, before=before, unknown={"desired_state": True}
    )
    result = review(load(json.dumps(plan_builder.build_document(change)).encode(), "plan"))
    assert (len(result.coverage_gaps), len(result.risks)) == (1, 0)


def test_members_that_only_cloudformation_has_are_reviewed() -> None:
    """AWS provider 6.47 has no instance pools, reserved capacity, scale-in policies and metric intervals."""
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:training-plan/p5"
    pools = [{"InstanceType": f"ml.g5.{size}", "Priority": n} for n, size in enumerate(("xlarge", "2xlarge"), start=1)]
    scaling = {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 1}
    scaling["ScaleInPolicy"] = {"Strategy": "IDLE_RELEASE"}
    variant = {"VariantName": "v", "InstancePools": pools, "ManagedInstanceScaling": scaling}
    state = {
        "EndpointConfigName": "c",
        "ProductionVariants": [variant | {"CapacityReservationConfig": {"MlReservationArn": arn}}],
        "MetricsConfig": {"MetricPublishFrequencyInSeconds": 5},
    }
    values = {"type_name": "AWS::SageMaker::EndpointConfig", "desired_state": json.dumps(state)}
    changes = [plan_builder.build_change("aws_cloudcontrolapi_resource.c", values)]
    result = review(load(json.dumps(plan_builder.build_document(*changes)).encode(), "plan"))
    failed = {one.finding.rule for one in result.findings if one.finding.outcome == "fail"}
    assert {"SUS_RESERVED_ENDPOINT", "SUS_METRICS_INTERVAL", "SUS_COMPONENT_SCALE_IN"} <= failed
    assert "SUS_INSTANCE_POOLS" not in failed
    (part,) = [one.after for resource in result.footprint.resources for one in resource.changes]
    assert part is not None
    assert isinstance(part.activity, FleetActivity)
    assert (part.activity.instance_type, part.activity.fallback_types) == ("ml.g5.xlarge", ("ml.g5.2xlarge",))
    assert any("training plan" in one.reason for one in part.unknowns)


def test_an_inference_router_needs_a_look() -> None:
    """No provider has the type yet. A router sends requests to other Regions and accounts."""
    destinations = [{"ResourceArn": "arn:aws:sagemaker:us-east-1:210987654321:endpoint/e"}]
    state = {"InferenceRouterName": "r", "RoutingTargets": [{"Name": "m", "Destinations": destinations}]}
    values = {"type_name": "AWS::SageMaker::InferenceRouter", "desired_state": json.dumps(state)}
    for address, after in (
        ("aws_cloudcontrolapi_resource.r", values),
        ("awscc_sagemaker_inference_router.r", {"inference_router_name": "r"}),
        ("aws_sagemaker_inference_router.r", {"name": "r"}),
    ):
        document = plan_builder.build_document(plan_builder.build_change(address, after))
        assert review(load(json.dumps(document).encode(), "plan")).verdict == "look"
