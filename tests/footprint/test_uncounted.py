"""Uncounted instances and stores are listed, and nothing else."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sustainable_mlops.footprint import PlanFootprint, UnknownKind, estimate_plan
from sustainable_mlops.footprint.services.readers import READERS
from sustainable_mlops.footprint.usage import KEYS_BY_TYPE
from tests.cases import check_cases
from tests.footprint.plans import build_endpoint_plan, configuration, endpoint, serverless, target, variant
from tests.footprint.support import REGION, make_footprint, make_usage
from tests.footprint.test_usage import make_resources
from tests.plan.plan_builder import build_change, build_configuration, build_plan


def find_uncounted(result: PlanFootprint) -> dict[str, bool]:
    """Return for each uncounted address whether the plan changes it."""
    return {one.address: one.is_changed for one in result.uncounted}


#: Types of the next test whose only relevant attribute is the size.
SIZED = ("aws_db_instance", "aws_ecs_service", "aws_glue_job", "aws_lambda_function")


@check_cases(
    ("kind", "values"),
    [
        ("aws_glue_job", {"worker_type": "G.2X", "number_of_workers": 50}),
        ("aws_ecs_service", {"desired_count": 20}),
        ("aws_eks_fargate_profile", {"cluster_name": "c"}),
        ("aws_lambda_function", {"memory_size": 1024}),
        ("aws_db_instance", {"instance_class": "db.r6g.16xlarge"}),
        ("aws_opensearch_domain", {"domain_name": "d"}),
        ("aws_sagemaker_mlflow_tracking_server", {"tracking_server_size": "Large"}),
        ("aws_sagemaker_not_invented_yet", {"name": "n"}),
        ("aws_savingsplans_savings_plan", {"commitment": "5.0"}),
        ("aws_instance", {"instance_type": "mac2.metal"}),
        ("aws_sagemaker_endpoint", {"endpoint_config_name": "elsewhere"}),
        ("aws_sagemaker_pipeline", {"pipeline_name": "p"}),
        ("aws_dynamodb_table", {"billing_mode": "PROVISIONED", "read_capacity": 1000}),
    ],
)
def test_an_uncounted_instance_is_listed_as_changed_or_unchanged(kind: str, values: dict[str, Any]) -> None:
    address = f"{kind}.one"
    assert find_uncounted(make_footprint(build_change(address, values))) == {address: True}
    assert find_uncounted(make_footprint(build_change(address, values, before=values))) == {address: False}
    assert find_uncounted(make_footprint(build_change(address, values, before={**values, "name": "other"}))) == {
        address: kind not in SIZED
    }
    assert find_uncounted(make_footprint(build_change(address, before=values))) == {}
    assert find_uncounted(make_footprint(build_change(address, before=values, actions=["forget"]))) == {address: True}


GROUP = {"min_size": 1, "max_size": 3, "desired_capacity": 2, "launch_template": [{"id": "lt-1", "version": "3"}]}


@check_cases(
    ("kind", "before", "after", "size"),
    [
        ("aws_db_instance", {"instance_class": "db.t4g.micro"}, {"instance_class": "db.r6i.32xlarge"},
         "db.t4g.micro → db.r6i.32xlarge"),
        ("aws_db_instance", {"instance_class": "db.m5.large", "iops": 1000},
         {"instance_class": "db.m5.large", "iops": 64000}, "iops 1000 → 64000"),
        ("aws_db_instance", {"instance_class": "db.m5.large", "multi_az": False},
         {"instance_class": "db.m5.large", "multi_az": True}, "multi_az false → true"),
        ("aws_rds_cluster", {"serverlessv2_scaling_configuration": [{"min_capacity": 0.5, "max_capacity": 2}]},
         {"serverlessv2_scaling_configuration": [{"min_capacity": 128, "max_capacity": 256}]},
         "min_capacity 0.5 → 128, max_capacity 2 → 256"),
        ("aws_opensearch_domain", {"cluster_config": [{"instance_type": "t3.small.search", "instance_count": 1}]},
         {"cluster_config": [{"instance_type": "r6g.12xlarge.search", "instance_count": 10}]},
         "t3.small.search → r6g.12xlarge.search, instance_count 1 → 10"),
        ("aws_ecs_service", {"desired_count": 2}, {"desired_count": 2000}, "desired_count 2 → 2000"),
        ("aws_lambda_function", {"memory_size": 128}, {"memory_size": 10240}, "memory_size 128 → 10240"),
        ("aws_autoscaling_group", GROUP, {**GROUP, "max_size": 500, "desired_capacity": 400},
         "max_size 3 → 500, desired_capacity 2 → 400"),
        ("aws_appautoscaling_target", {"service_namespace": "ecs", "min_capacity": 1, "max_capacity": 4},
         {"service_namespace": "ecs", "min_capacity": 1000, "max_capacity": 2000},
         "min_capacity 1 → 1000, max_capacity 4 → 2000"),
    ],
)  # fmt: skip
def test_growth_without_a_known_price_is_a_change_and_a_smaller_size_is_not(
    kind: str, before: dict[str, Any], after: dict[str, Any], size: str
) -> None:
    (grown,) = make_footprint(build_change(f"{kind}.one", after, before=before)).uncounted
    assert (grown.is_changed, grown.size) == (True, size)
    (smaller,) = make_footprint(build_change(f"{kind}.one", before, before=after)).uncounted
    assert not smaller.is_changed
    assert smaller.size


@check_cases(
    ("kind", "before", "change", "is_changed"),
    [
        ("aws_ecs_service", {"desired_count": 2}, {"desired_count": 3}, False),
        ("aws_ecs_service", {"desired_count": 2}, {"desired_count": 5}, True),
        ("aws_ecs_service", {"desired_count": 2}, {"task_definition": "orders:8"}, False),
        ("aws_lambda_function", {"memory_size": 256}, {"memory_size": 512}, False),
        ("aws_lambda_function", {"memory_size": 256}, {"source_code_hash": "b"}, False),
        ("aws_db_instance", {"instance_class": "c", "allocated_storage": 50}, {"allocated_storage": 60}, False),
        ("aws_db_instance", {"instance_class": "db.m5.large"}, {"instance_class": "db.r6i.large"}, True),
        ("aws_autoscaling_group", GROUP, {"max_size": 4}, False),
        ("aws_autoscaling_group", GROUP, {"launch_template": [{"id": "lt-1", "version": "4"}]}, False),
        ("aws_autoscaling_group", GROUP, {"enabled_metrics": ["GroupDesiredCapacity"]}, False),
        ("aws_autoscaling_group", GROUP, {"mixed_instances_policy": [{"launch_template": [{}]}]}, True),
    ],
)  # fmt: skip
def test_a_small_step_is_no_growth(kind: str, before: dict[str, Any], change: dict[str, Any], is_changed: bool) -> None:
    (one,) = make_footprint(build_change(f"{kind}.one", {**before, **change}, before=before)).uncounted
    assert one.is_changed is is_changed


def test_a_change_of_tags_is_no_change_of_an_uncounted_instance() -> None:
    job = {"worker_type": "G.2X"}
    tagged = {**job, "tags": {"a": "b"}, "tags_all": {"a": "b"}}
    assert find_uncounted(make_footprint(build_change("aws_glue_job.j", tagged, before=job))) == {
        "aws_glue_job.j": False
    }
    unsure = build_change("aws_glue_job.j", {}, before=job, unknown={"worker_type": True})
    assert find_uncounted(make_footprint(unsure)) == {"aws_glue_job.j": True}


@check_cases(
    ("kind", "values"),
    [
        ("aws_s3_bucket", {"bucket": "b"}),
        ("aws_ecr_repository", {"name": "r"}),
        ("aws_efs_file_system", {"encrypted": True}),
        ("aws_dynamodb_table", {"billing_mode": "PAY_PER_REQUEST"}),
        ("aws_sagemaker_domain", {"domain_name": "d"}),
        ("aws_quicksight_account_subscription", {"account_name": "reports"}),
        ("aws_sagemaker_feature_group", {"online_store_config": [{"enable_online_store": True}]}),
        ("aws_sagemaker_user_profile", {"user_profile_name": "u"}),
        ("aws_iam_role", {"name": "r"}),
        ("aws_launch_template", {"instance_type": "p5.48xlarge"}),
    ],
)
def test_resources_with_unknown_usage_or_no_footprint_are_not_uncounted(kind: str, values: dict[str, Any]) -> None:
    assert find_uncounted(make_footprint(build_change(f"{kind}.one", values))) == {}


def test_a_detail_of_a_counted_resource_is_not_uncounted() -> None:
    lone = make_footprint(build_change("aws_sagemaker_endpoint_configuration.c", configuration(variant())))
    assert [one.kind for _, one in lone.unknowns] == [UnknownKind.DETAIL]
    assert find_uncounted(lone) == {}
    assert find_uncounted(make_footprint(*build_endpoint_plan(serverless(2048)))) == {}


def test_an_unchanged_endpoint_with_an_unknown_configuration_is_uncounted() -> None:
    result = make_footprint(
        build_change("aws_sagemaker_endpoint.e", endpoint(), before=endpoint()),
        build_change(
            "aws_sagemaker_endpoint_configuration.c",
            configuration(variant("ml.z9.huge")),
            before=configuration(variant()),
        ),
    )
    assert find_uncounted(result) == {"aws_sagemaker_endpoint.e": True}


def test_provisioned_throughput_of_a_feature_group_is_uncounted() -> None:
    throughput = {"throughput_mode": "Provisioned", "provisioned_write_capacity_units": 900}
    result = make_footprint(
        build_change("aws_sagemaker_feature_group.f", {"throughput_config": [throughput], "region": REGION})
    )
    assert [one.unknown.reason for one in result.uncounted] == [
        "its provisioned throughput (900 write units) is not counted"
    ]
    on_demand = {"throughput_config": [{"throughput_mode": "OnDemand"}], "region": REGION}
    assert find_uncounted(make_footprint(build_change("aws_sagemaker_feature_group.f", on_demand))) == {}


def test_an_accelerator_of_elastic_inference_is_uncounted() -> None:
    result = make_footprint(*build_endpoint_plan(variant(accelerator_type="ml.eia2.medium")))
    assert [one.reason for _, one in result.unknowns] == [
        "its accelerator ml.eia2.medium is not counted: "
        "an accelerator of Elastic Inference, which is no longer available"
    ]


def test_with_a_base_plan_only_differences_are_changes() -> None:
    job = {"worker_type": "G.2X"}

    def against(base: dict[str, Any]) -> dict[str, bool]:
        new = build_plan(build_change("aws_glue_job.j", job))
        return find_uncounted(estimate_plan(new, base=build_plan(build_change("aws_glue_job.j", base))))

    assert against(job) == {"aws_glue_job.j": False}
    assert against({"worker_type": "G.1X"}) == {"aws_glue_job.j": True}


@check_cases("kind", sorted({*KEYS_BY_TYPE} & {*READERS}))
def test_with_all_usage_keys_nothing_is_uncounted(tmp_path: Path, kind: str) -> None:
    """The plans are those of `test_usage`, with every key."""
    keys = dict.fromkeys((key for key in KEYS_BY_TYPE[kind] if key != "storage_gb"), 0.5)
    used = make_usage(
        tmp_path, {f"{kind}.one": keys | ({"storage_gb": 1} if "storage_gb" in KEYS_BY_TYPE[kind] else {})}
    )
    result = make_footprint(*make_resources(kind, KEYS_BY_TYPE[kind][0]), used=used)
    assert result.after.get("energy") is not None
    assert [one for one in result.uncounted if not one.unknown.subject.startswith("cost of")] == []


junk: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-3, 9) | st.just("") | st.text(max_size=4) | st.just([]) | st.just([{}])
)


def corrupt_value(value: Any, data: st.DataObject) -> tuple[Any, Any]:
    """Return `value` with one place replaced or unknown, and the marks of the unknown places."""
    if not isinstance(value, dict | list) or not value or data.draw(st.booleans()):
        return (None, True) if data.draw(st.booleans()) else (data.draw(junk), False)
    key = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    inner, mark = corrupt_value(value[key], data)
    if isinstance(value, dict):
        return {**value, key: inner}, {key: mark}
    marks: list[Any] = [False] * len(value)
    marks[key] = mark
    return [*value[:key], inner, *value[key + 1 :]], marks


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(sorted({*KEYS_BY_TYPE} & {*READERS})), data=st.data())
def test_any_value_is_counted_or_uncounted(kind: str, data: st.DataObject) -> None:
    first_change, *others = make_resources(kind, KEYS_BY_TYPE[kind][0])
    values = first_change["change"]["after"]
    key = data.draw(st.sampled_from(sorted(values)))
    inner, mark = corrupt_value(values[key], data)
    first_change["change"] |= {"after": {**values, key: inner}, "after_unknown": {key: mark}}
    result = make_footprint(first_change, *others)
    json.dumps(result.to_dict(), allow_nan=False)
    for one in result.changes:
        assert one.after is not None
        assert (one.after.estimate is None) == (one.after.unknown is not None)


@check_cases(
    ("kind", "values"),
    [
        ("aws_sfn_state_machine", {"definition": '{"States": {"A": {"Resource": "arn:aws:states:::lambda:invoke"}}}'}),
        ("aws_scheduler_schedule", {"target": [{"arn": "arn:aws:sagemaker:us-east-1:1:pipeline/p"}]}),
        ("aws_scheduler_schedule", {"target": [{"arn": "arn:aws:scheduler:::aws-sdk:sagemaker:stopNotebookInstance"}]}),
        ("aws_cloudwatch_event_target", {"arn": "arn:aws:sns:us-east-1:1:topic"}),
        ("aws_cloudwatch_event_target", {"arn": "arn:aws:lambda:us-east-1:1:function:f"}),
    ],
)
def test_targets_that_start_no_instances_are_not_listed(kind: str, values: dict[str, Any]) -> None:
    assert make_footprint(build_change(f"{kind}.one", values)).resources == ()


@check_cases(
    ("kind", "values", "attribute"),
    [
        ("aws_sfn_state_machine", {"definition": "{}"}, "definition"),
        ("aws_sfn_state_machine", {"definition": "[" * 5000 + "]" * 5000}, ""),
        ("aws_cloudwatch_event_target", {"arn": "arn:aws:sns:us-east-1:1:topic"}, "arn"),
    ],
)
def test_unreadable_targets_are_uncounted(kind: str, values: dict[str, Any], attribute: str) -> None:
    hidden = build_change(f"{kind}.one", values, sensitive={attribute: True} if attribute else None)
    assert find_uncounted(make_footprint(hidden)) == {f"{kind}.one": True}


def test_an_unknown_target_in_the_plan_is_counted_there() -> None:
    hidden = build_change("aws_scheduler_schedule.s", {"target": [{}]}, unknown={"target": [{"arn": True}]})
    machine = build_change("aws_sfn_state_machine.m", {"definition": '{"States": {}}'})
    to_machine = {"arn": {"references": ["aws_sfn_state_machine.m.arn", "aws_sfn_state_machine.m"]}}
    declared_here = [
        build_configuration("aws_scheduler_schedule.s", target=[to_machine]),
        build_configuration("aws_sfn_state_machine.m"),
    ]
    assert find_uncounted(make_footprint(hidden)) == {"aws_scheduler_schedule.s": True}
    assert find_uncounted(make_footprint(hidden, machine, root={"resources": declared_here})) == {}


def test_unreadable_emr_scaling_is_uncounted() -> None:
    deep = {"instance_type": "m5.xlarge", "instance_count": 1, "autoscaling_policy": "[" * 5000 + "]" * 5000}
    result = make_footprint(build_change("aws_emr_instance_group.t", {"region": REGION, **deep}))
    assert find_uncounted(result) == {"aws_emr_instance_group.t": True}
    assert "cost" in result.after.partial


def test_another_recurrence_changes_an_unchanged_group() -> None:
    mixed = [{"launch_template": [{"override": [{"instance_type": "m5.large"}]}]}]
    group = {"name": "g", "region": REGION, "min_size": 1, "max_size": 9, "desired_capacity": 1}
    group["mixed_instances_policy"] = mixed
    often = {"autoscaling_group_name": "g", "desired_capacity": 9, "recurrence": "0 8 * * *"}
    result = make_footprint(
        build_change("aws_autoscaling_group.g", group, before=group),
        build_change("aws_autoscaling_schedule.s", often, before={**often, "recurrence": "0 8 1 * *"}),
    )
    assert find_uncounted(result) == {"aws_autoscaling_group.g": True}


def test_only_a_target_of_an_endpoint_in_the_plan_is_counted() -> None:
    scales = build_endpoint_plan(variant(), scaled=(1, 50))
    assert find_uncounted(make_footprint(*scales)) == {}
    elsewhere = build_change(
        "aws_appautoscaling_target.other", target(1, 50) | {"resource_id": "endpoint/other/variant/v"}
    )
    assert find_uncounted(make_footprint(*scales, elsewhere)) == {"aws_appautoscaling_target.other": True}


def test_provisioned_concurrency_has_an_unknown_cost() -> None:
    result = make_footprint(*build_endpoint_plan(serverless(2048, provisioned_concurrency=1)))
    assert [one.unknown.subject for one in result.uncounted] == ["cost of provisioned concurrency"]
