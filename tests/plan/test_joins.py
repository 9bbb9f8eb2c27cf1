"""Relations between resources: by name, by reference, or unknown."""

from typing import Any

import pytest

from sustainable_mlops.plan import UNKNOWN, Matches, Plan, Resource, load
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.plan.test_load import FIXTURES


@pytest.fixture(scope="module")
def platform() -> Plan:
    return load(FIXTURES / "platform.json")


def find_resource(plan: Plan, address: str) -> Resource:
    resource = plan.find_resource(address)
    assert resource is not None, address
    return resource


def list_addresses(matches: Matches) -> list[str]:
    assert not matches.possible
    return [resource.address for resource in matches.certain]


@pytest.mark.parametrize(
    ("endpoint", "configuration", "model", "kind"),
    [
        (
            "aws_sagemaker_endpoint.gpu",
            "aws_sagemaker_endpoint_configuration.gpu",
            "aws_sagemaker_model.gpu",
            "real-time",
        ),
        (
            'aws_sagemaker_endpoint.serverless["blue"]',
            "aws_sagemaker_endpoint_configuration.serverless",
            "aws_sagemaker_model.small[0]",
            "serverless",
        ),
        (
            "module.async.aws_sagemaker_endpoint.this",
            "module.async.aws_sagemaker_endpoint_configuration.this",
            "module.async.aws_sagemaker_model.this",
            "asynchronous",
        ),
    ],
)
def test_an_endpoint_leads_to_its_configuration_and_model(
    platform: Plan, endpoint: str, configuration: str, model: str, kind: str
) -> None:
    endpoint_configuration = platform.joins.find_configuration(find_resource(platform, endpoint))
    assert endpoint_configuration is find_resource(platform, configuration)
    variants = platform.joins.list_variants(endpoint_configuration)
    assert variants is not UNKNOWN
    (variant,) = variants
    assert variant.model is find_resource(platform, model)
    assert variant.kind == kind


def test_a_configuration_knows_its_endpoints(platform: Plan) -> None:
    configuration = find_resource(platform, "aws_sagemaker_endpoint_configuration.serverless")
    assert list_addresses(platform.joins.find_endpoints(configuration)) == [
        'aws_sagemaker_endpoint.serverless["blue"]',
        'aws_sagemaker_endpoint.serverless["green"]',
    ]


def test_an_endpoint_leads_to_its_scaling_and_alarms(platform: Plan) -> None:
    joins = platform.joins
    endpoint = find_resource(platform, "module.async.aws_sagemaker_endpoint.this")
    (target,) = joins.find_scalable_targets(endpoint, "main").certain
    assert (target.number("min_capacity"), target.number("max_capacity")) == (0, 2)
    (policy,) = joins.find_scaling_policies(target).certain
    assert policy.address == "module.async.aws_appautoscaling_policy.wake"
    assert list_addresses(joins.find_alarms_with_action(policy)) == ["module.async.aws_cloudwatch_metric_alarm.wake"]
    assert list_addresses(joins.find_endpoint_alarms(endpoint)) == ["module.async.aws_cloudwatch_metric_alarm.wake"]
    assert list_addresses(joins.find_scheduled_actions(target)) == []
    assert list_addresses(joins.find_scalable_targets(endpoint, "other")) == []


def test_a_bucket_leads_to_its_configuration(platform: Plan) -> None:
    joins = platform.joins
    bucket = find_resource(platform, "aws_s3_bucket.models")
    assert list_addresses(joins.find_bucket_resources(bucket, "aws_s3_bucket_versioning")) == [
        "aws_s3_bucket_versioning.models"
    ]
    assert list_addresses(joins.find_bucket_resources(bucket, "aws_s3_bucket_policy")) == []
    assert (
        joins.find_bucket(find_resource(platform, "aws_sagemaker_model.gpu"), "primary_container.0.model_data_url")
        is bucket
    )


def test_the_joins_before_the_plan_come_from_the_state() -> None:
    changed = load(FIXTURES / "change.json")
    scratch = find_resource(changed, 'aws_s3_bucket.this["scratch"]')
    versioning = changed.joins_before.find_bucket_resources(scratch, "aws_s3_bucket_versioning")
    assert list_addresses(versioning) == ['aws_s3_bucket_versioning.this["scratch"]']
    assert list_addresses(changed.joins.find_bucket_resources(scratch, "aws_s3_bucket_versioning")) == []


ENDPOINT = build_change("aws_sagemaker_endpoint.a", {"name": "a", "endpoint_config_name": "c"})


def find_configuration(configuration: Any, **endpoint: Any) -> Any:
    plan = build_plan(build_change("aws_sagemaker_endpoint.a", {"name": "a"} | endpoint), *configuration)
    return plan.joins.find_configuration(plan.resources[0])


def test_a_configuration_outside_the_plan_is_none_and_an_unnamed_one_unknown() -> None:
    configuration = build_change("aws_sagemaker_endpoint_configuration.c", {"name": "c"})
    assert isinstance(find_configuration([configuration], endpoint_config_name="c"), Resource)
    assert find_configuration([configuration], endpoint_config_name="elsewhere") is None
    assert find_configuration([configuration], endpoint_config_name=None) is None
    assert find_configuration([configuration], endpoint_config_name=["c"]) is UNKNOWN


def test_only_a_reference_distinguishes_two_resources_with_one_name() -> None:
    twice = [build_change(f"aws_sagemaker_endpoint_configuration.{name}", {"name": "c"}) for name in ("eu", "us")]
    assert find_configuration(twice, endpoint_config_name="c") is UNKNOWN
    root = {
        "resources": [
            build_configuration(
                "aws_sagemaker_endpoint.a", endpoint_config_name=["aws_sagemaker_endpoint_configuration.us.name"]
            )
        ]
    }
    plan = build_plan(ENDPOINT, *twice, root=root)
    assert plan.joins.find_configuration(plan.resources[0]) is plan.resources[2]


def test_a_target_of_an_unknown_endpoint_is_a_possible_match_for_all() -> None:
    target = build_change("aws_appautoscaling_target.t", {"scalable_dimension": "d"}, unknown={"resource_id": True})
    plan = build_plan(ENDPOINT, target)
    matches = plan.joins.find_scalable_targets(plan.resources[0])
    assert matches.certain == ()
    assert matches.possible == (plan.resources[1],)


def test_a_configuration_without_variants_is_unknown_not_empty() -> None:
    plan = build_plan(build_change("aws_sagemaker_endpoint_configuration.c", {"name": "c", "production_variants": []}))
    assert plan.joins.list_variants(plan.resources[0]) is UNKNOWN
    assert plan.joins.list_variants(None) is UNKNOWN


def test_production_and_shadow_variants_are_listed() -> None:
    variants: list[dict[str, Any]] = [
        {"variant_name": name, "model_name": None, "serverless_config": []} for name in "ab"
    ]
    after = {"production_variants": variants, "shadow_production_variants": variants[:1], "async_inference_config": []}
    plan = build_plan(build_change("aws_sagemaker_endpoint_configuration.c", after))
    read_variants = plan.joins.list_variants(plan.resources[0])
    assert read_variants is not UNKNOWN
    assert [(variant.name, variant.is_shadow) for variant in read_variants] == [("a", False), ("b", False), ("a", True)]


def test_a_data_source_of_the_same_type_is_not_a_resource_of_the_plan() -> None:
    plan = build_plan(
        build_change("data.aws_iam_role.r", {"name": "r"}, unknown={"arn": True}, actions=["read"]),
        build_change("aws_sagemaker_model.m", {}, unknown={"execution_role_arn": True}),
        build_change("aws_cloudwatch_metric_alarm.a", {}, unknown={"alarm_actions": True}),
        root={
            "resources": [
                build_configuration("aws_sagemaker_model.m", execution_role_arn=["data.aws_iam_role.r.arn"]),
                build_configuration("aws_cloudwatch_metric_alarm.a", alarm_actions=["data.aws_iam_role.r.arn"]),
            ]
        },
    )
    model, alarm = find_resource(plan, "aws_sagemaker_model.m"), find_resource(plan, "aws_cloudwatch_metric_alarm.a")
    assert plan.joins.find_target(model, "execution_role_arn", "aws_iam_role") is UNKNOWN
    assert plan.joins.find_targets(alarm, "alarm_actions", "aws_iam_role") == Matches()


def test_only_an_unknown_reference_makes_a_value_unknown() -> None:
    """Terraform records `for_each = { a = aws_iam_policy.old.arn, b = aws_iam_policy.new.arn }` like this."""
    known = {"arn": "arn:aws:iam::123456789012:policy/old", "name": "old"}
    repeated = {
        "references": ["aws_iam_policy.old.arn", "aws_iam_policy.old", "aws_iam_policy.new.arn", "aws_iam_policy.new"]
    }
    attachment = build_configuration("aws_iam_role_policy_attachment.x", policy_arn=["each.value"])
    policies = [build_configuration("aws_iam_policy.old"), build_configuration("aws_iam_policy.new")]
    plan = build_plan(
        build_change("aws_iam_policy.old", known, before=known),
        build_change("aws_iam_policy.new", {"name": "new"}, unknown={"arn": True}),
        build_change("aws_iam_role_policy_attachment.x", {"policy_arn": known["arn"]}, index="a"),
        build_change("aws_iam_role_policy_attachment.x", {}, unknown={"policy_arn": True}, index="b"),
        root={"resources": [*policies, {**attachment, "for_each_expression": repeated}]},
    )
    attached = plan.list_by_type("aws_iam_role_policy_attachment")
    targets = [plan.joins.find_target(role_attachment, "policy_arn", "aws_iam_policy") for role_attachment in attached]
    assert targets == [find_resource(plan, "aws_iam_policy.old"), find_resource(plan, "aws_iam_policy.new")]


def test_an_identifier_names_its_own_resource() -> None:
    (policy,) = build_plan(build_change("aws_iam_policy.p", {"name": "p"}, unknown={"arn": True})).resources
    assert (
        build_plan(build_change("aws_iam_policy.p", {"name": "p"})).joins.find_target(policy, "arn", "aws_iam_policy")
        is policy
    )
