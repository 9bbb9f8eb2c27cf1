"""Footprints of plans; the arithmetic of the manually computed cases is in the tests."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sustainable_mlops.footprint import METRICS, PlanFootprint, ResourcePart, estimate_plan, read_usage
from sustainable_mlops.footprint.services.readers import READERS
from tests.footprint.plans import configuration, endpoint, extend_target, policy, target, variant
from tests.footprint.support import REGION
from tests.plan.plan_builder import build_change, build_configuration, build_plan


def make_usage(folder: Path, resources: dict[str, Any]) -> Any:
    path = folder / "usage.json"
    path.write_text(json.dumps({"resources": resources}))
    return read_usage(path)


def find_part(footprint: PlanFootprint, address: str, name: str = "") -> ResourcePart:
    resource = next(one for one in footprint.resources if one.address == address)
    result = next(one for one in resource.changes if name in one.name).after
    assert result is not None
    return result


def get_central(footprint: PlanFootprint, metric: str, side: str = "after") -> float:
    figure = getattr(footprint, side).get(metric)
    assert figure is not None
    return float(figure.central)


def list_unknown(footprint: PlanFootprint) -> dict[str, str]:
    return {address: one.reason for address, one in footprint.unknowns}


#: W of ml.m5.xlarge at 10 % load: 20 W of TDP x (0.273 + 0.1) + 16 GB x 0.07.
M5_W = 20 * 0.373 + 16 * 0.07
#: kWh a month of one, in us-east-1.
M5_KWH = M5_W * 0.73 * 1.15


def test_an_endpoint_counts_all_variants() -> None:
    result = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_endpoint.e", endpoint()),
            build_change(
                "aws_sagemaker_endpoint_configuration.c",
                configuration(variant(count=2), variant("ml.c5.large", 3, "w")),
            ),
        )
    )
    # c5.large: 8124M, 2 x 240 W / 72 vCPU x 2 vCPU = 13.33 W of TDP; 4 GB
    c5_w = 480 / 72 * 2 * 0.373 + 4 * 0.07
    assert get_central(result, "energy") == pytest.approx(2 * M5_KWH + 3 * c5_w * 0.73 * 1.15, rel=1e-6)
    # 0.23 USD/h; EC2's 0.085 USD/h x 1.2
    assert get_central(result, "cost") == pytest.approx(730 * (2 * 0.23 + 3 * 0.085 * 1.2))
    # The configuration itself runs nothing: it is counted once, with its endpoint.
    assert [resource.address for resource in result.resources] == ["aws_sagemaker_endpoint.e"]


def test_autoscaling_has_a_minimum_an_expected_and_a_maximum_count() -> None:
    result = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_endpoint.e", endpoint()),
            build_change("aws_sagemaker_endpoint_configuration.c", configuration(variant("ml.g5.xlarge"))),
            build_change("aws_appautoscaling_target.t", target(1, 4)),
            build_change("aws_appautoscaling_policy.p", policy("InvocationsPerInstance")),
        )
    )
    count = find_part(result, "aws_sagemaker_endpoint.e").count
    assert count is not None
    assert (count.low, count.central, count.high) == (1, 2, 4)
    # The price is exact in us-east-1, so that the range of the cost is that of the count.
    cost = result.after.get("cost")
    assert cost is not None
    assert (cost.low, cost.central, cost.high) == pytest.approx((1028.132, 2056.264, 4112.528))
    assert cost.driver == "instances, between the limits of autoscaling"


def test_an_asynchronous_endpoint_that_scales_to_zero_is_on_for_a_share_of_the_month() -> None:
    changes = [
        build_change("aws_sagemaker_endpoint.e", endpoint()),
        build_change(
            "aws_sagemaker_endpoint_configuration.c",
            configuration(variant("ml.g5.xlarge"), async_inference_config=[{"output_config": [{}]}]),
        ),
    ]
    always = estimate_plan(build_plan(*changes))
    follows = build_change("aws_appautoscaling_policy.p", policy("ApproximateBacklogSizePerInstance"))
    scaled = estimate_plan(build_plan(*changes, build_change("aws_appautoscaling_target.t", target(0, 1)), follows))
    assert find_part(always, "aws_sagemaker_endpoint.e").kind == "asynchronous"
    assert get_central(always, "cost") == pytest.approx(730 * 1.4084)
    # On for a tenth of the month, and busy all that time: idle power does not count.
    assert get_central(scaled, "cost") == pytest.approx(73 * 1.4084)
    busy_w = 2 * 280 / 192 * 4 * (0.553 + 0.1) + 16 * 0.11 + 200 + 30
    assert get_central(scaled, "energy") == pytest.approx(busy_w * 0.073 * 1.15, rel=1e-4)


def test_serverless_costs_its_busy_seconds(tmp_path: Path) -> None:
    result = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_endpoint.e", endpoint()),
            build_change(
                "aws_sagemaker_endpoint_configuration.c",
                configuration(
                    {"variant_name": "v", "serverless_config": [{"memory_size_in_mb": 2048, "max_concurrency": 5}]}
                ),
            ),
        ),
        make_usage(tmp_path, {"aws_sagemaker_endpoint.e": {"requests_per_month": 1_000_000, "duration_seconds": 0.1}}),
    )
    assert get_central(result, "cost") == pytest.approx(1_000_000 * 0.1 * 2 * 0.00002)


def test_requests_determine_the_load_of_an_instance(tmp_path: Path) -> None:
    changes = [
        build_change("aws_sagemaker_endpoint.e", endpoint()),
        build_change("aws_sagemaker_endpoint_configuration.c", configuration(variant())),
    ]
    # 1,314,000 requests of 1 s in 730 h: half of the time.
    usage = make_usage(tmp_path, {"aws_sagemaker_endpoint.e": {"requests_per_month": 1_314_000, "duration_seconds": 1}})
    assert get_central(estimate_plan(build_plan(*changes), usage), "energy") == pytest.approx(
        (20 * 0.653 + 16 * 0.11) * 0.73 * 1.15, rel=1e-6
    )


def test_the_steps_of_a_pipeline() -> None:
    def job(instance_type: str, count: int) -> dict[str, Any]:
        return {"InstanceType": instance_type, "InstanceCount": count}

    stop = {"StoppingCondition": {"MaxRuntimeInSeconds": 3600}}
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Type", "Type": "String", "DefaultValue": "ml.m5.xlarge"}],
        "Steps": [
            {
                "Name": "Prepare",
                "Type": "Processing",
                "Arguments": {"ProcessingResources": {"ClusterConfig": job("ml.m5.xlarge", 2)}, **stop},
            },
            {
                "Name": "Train",
                "Type": "Training",
                "Arguments": {
                    "ResourceConfig": {"InstanceType": {"Get": "Parameters.Type"}, "InstanceCount": 1},
                    "EnableManagedSpotTraining": True,
                    **stop,
                },
            },
            {
                "Name": "Tune",
                "Type": "Tuning",
                "Arguments": {
                    "HyperParameterTuningJobConfig": {"ResourceLimits": {"MaxNumberOfTrainingJobs": 10}},
                    "TrainingJobDefinition": {"ResourceConfig": job("ml.c5.xlarge", 1), **stop},
                },
            },
            {
                "Name": "Good",
                "Type": "Condition",
                "Arguments": {
                    "IfSteps": [
                        {
                            "Name": "Batch",
                            "Type": "Transform",
                            "Arguments": {"TransformResources": job("ml.m5.xlarge", 1)},
                        }
                    ],
                    "ElseSteps": [],
                },
            },
        ],
    }
    result = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_pipeline.p", {"region": REGION, "pipeline_definition": json.dumps(definition)})
        )
    )
    cost = {
        change.name: change.after.estimate.figures["cost"].central
        for change in result.resources[0].changes
        if change.after and change.after.estimate
    }
    # 4 runs a month of a quarter of the cap of an hour: one hour
    assert cost == pytest.approx(
        {
            "step Prepare": 2 * 0.23,
            "step Train": 0.23 * 1.05 * 0.4,  # 5 % done over again, at 40 % of the price
            "step Tune": 0.204 * 10 * 0.75,  # tuning_share_of_jobs of 10 jobs
            "step Batch": 0.23 * 2,  # in a branch: half of 4 runs, an hour each without a cap
        }
    )


def test_the_size_of_a_bucket_comes_from_the_usage_file(tmp_path: Path) -> None:
    changes = [build_change("aws_s3_bucket.b", {"bucket": "b", "region": REGION})]
    without_usage = estimate_plan(build_plan(*changes))
    assert without_usage.after.get("total") is None
    assert "storage_gb" in list_unknown(without_usage)["aws_s3_bucket.b"]
    known = estimate_plan(build_plan(*changes), make_usage(tmp_path, {"aws_s3_bucket.*": {"storage_gb": 1000}}))
    assert get_central(known, "cost") == pytest.approx(23)
    assert not known.unknowns


def test_replication_counts_only_to_another_region(tmp_path: Path) -> None:
    def replicated(region: str) -> PlanFootprint:
        rule = {"destination": [{"bucket": "arn:aws:s3:::away"}]}
        return estimate_plan(
            build_plan(
                build_change("aws_s3_bucket.home", {"bucket": "home", "region": REGION}),
                build_change("aws_s3_bucket.away", {"bucket": "away", "region": region}),
                build_change("aws_s3_bucket_replication_configuration.r", {"bucket": "home", "rule": [rule]}),
            ),
            make_usage(tmp_path, {"*replication*": {"transfer_gb_per_month": 50}}),
        )

    def addresses(result: PlanFootprint) -> set[str]:
        return {resource.address for resource in result.resources}

    assert "aws_s3_bucket_replication_configuration.r" not in addresses(replicated(REGION))
    away = replicated("eu-west-1")
    assert "aws_s3_bucket_replication_configuration.r" in addresses(away)
    # 50 GB x 0.001 kWh x 1.15
    assert get_central(away, "energy") == pytest.approx(0.0575)


def test_the_delta_is_after_minus_before_and_the_sum_of_its_parts() -> None:
    def sized(name: str, instance_type: str, count: int) -> dict[str, Any]:
        return configuration(variant(instance_type, count), name=name)

    result = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_endpoint.e", endpoint(), before=endpoint()),
            build_change(
                "aws_sagemaker_endpoint_configuration.c",
                sized("c", "ml.c7g.xlarge", 2),
                before=sized("c", "ml.g5.xlarge", 3),
            ),
            build_change("aws_sagemaker_endpoint.new", endpoint("n", "d")),
            build_change("aws_sagemaker_endpoint_configuration.d", sized("d", "ml.m5.xlarge", 1)),
            build_change("aws_sagemaker_endpoint.gone", before=endpoint("g", "f")),
            build_change("aws_sagemaker_endpoint_configuration.f", before=sized("f", "ml.p3.2xlarge", 1)),
        )
    )
    assert len(result.resources) == 3
    for metric in METRICS:
        parts = [resource.delta.get(metric) for resource in result.resources]
        delta = result.delta.get(metric)
        assert delta is not None
        assert delta.central == pytest.approx(
            get_central(result, metric) - get_central(result, metric, "before"), rel=1e-12, abs=1e-9
        )
        for end in ("low", "central", "high"):
            assert getattr(delta, end) == pytest.approx(sum(getattr(one, end) for one in parts), rel=1e-12)
    # 2 x c7g (EC2 0.145 x 1.2) + m5 (0.23) - 3 x g5 (1.4084) - p3 (3.825)
    usd = 2 * 0.145 * 1.2 + 0.23 - 3 * 1.4084 - 3.825
    assert get_central(result, "cost", "delta") == pytest.approx(730 * usd)


def test_an_unchanged_plan_has_no_delta() -> None:
    same = configuration(variant())
    result = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_endpoint.e", endpoint(), before=endpoint()),
            build_change("aws_sagemaker_endpoint_configuration.c", same, before=same),
        )
    )
    for metric in METRICS:
        figure = result.delta.get(metric)
        assert figure is not None
        assert (figure.low, figure.central, figure.high) == (0, 0, 0)


def test_a_type_that_becomes_unknown_is_no_saving() -> None:
    result = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_endpoint.e", endpoint(), before=endpoint()),
            build_change(
                "aws_sagemaker_endpoint_configuration.c",
                configuration({"variant_name": "v", "initial_instance_count": 1}),
                before=configuration(variant("ml.g5.xlarge")),
                unknown={"production_variants": [{"instance_type": True}]},
            ),
        )
    )
    assert result.delta.get("total") is None
    assert list_unknown(result) == {"aws_sagemaker_endpoint.e": "instance_type is not known until apply"}


def test_a_type_that_is_not_in_the_catalogue_is_unknown_by_name() -> None:
    result = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_endpoint.e", endpoint()),
            build_change(
                "aws_sagemaker_endpoint_configuration.c", configuration(variant("ml.z9.huge"), variant(name="w"))
            ),
        )
    )
    assert "ml.z9.huge" in list_unknown(result)["aws_sagemaker_endpoint.e"]
    # The variant that is known counts all the same.
    assert get_central(result, "energy") == pytest.approx(M5_KWH, rel=1e-6)


def test_a_configuration_is_found_by_reference_where_its_name_is_unknown() -> None:
    result = estimate_plan(
        build_plan(
            build_change(
                "aws_sagemaker_endpoint.e", {"name": "e", "region": REGION}, unknown={"endpoint_config_name": True}
            ),
            build_change(
                "aws_sagemaker_endpoint_configuration.c",
                {"region": REGION, "production_variants": [variant()]},
                unknown={"name": True},
            ),
            root={
                "resources": [
                    build_configuration(
                        "aws_sagemaker_endpoint.e", endpoint_config_name=["aws_sagemaker_endpoint_configuration.c.name"]
                    ),
                    build_configuration("aws_sagemaker_endpoint_configuration.c"),
                ]
            },
        )
    )
    assert get_central(result, "energy") == pytest.approx(M5_KWH, rel=1e-6)


def test_a_configuration_without_an_endpoint_counts_until_one_follows() -> None:
    lone = estimate_plan(build_plan(build_change("aws_sagemaker_endpoint_configuration.c", configuration(variant()))))
    assert get_central(lone, "energy") == pytest.approx(M5_KWH, rel=1e-6)
    assert "one outside the plan" in list_unknown(lone)["aws_sagemaker_endpoint_configuration.c"]
    same = configuration(variant())
    followed = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_endpoint_configuration.c", same, before=same),
            build_change("aws_sagemaker_endpoint.e", endpoint()),
        )
    )
    assert get_central(followed, "energy", "delta") == pytest.approx(M5_KWH, rel=1e-6)


def test_forgotten_resources_keep_running() -> None:
    result = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_endpoint.e", before=endpoint(), actions=["forget"]),
            build_change("aws_sagemaker_endpoint_configuration.c", before=configuration(variant()), actions=["forget"]),
        )
    )
    assert get_central(result, "energy") == pytest.approx(M5_KWH, rel=1e-6)
    assert get_central(result, "energy", "delta") == 0


def test_computed_provisioned_concurrency_without_a_value_is_zero() -> None:
    values = configuration({"variant_name": "v", "serverless_config": [{"memory_size_in_mb": 2048}]})
    unset = {"production_variants": [{"serverless_config": [{"provisioned_concurrency": True}]}]}

    def planned(**attributes: Any) -> PlanFootprint:
        block = {"memory_size_in_mb": {"constant_value": 2048}, **attributes}
        return estimate_plan(
            build_plan(
                build_change("aws_sagemaker_endpoint.e", endpoint()),
                build_change("aws_sagemaker_endpoint_configuration.c", values, unknown=unset),
                root={
                    "resources": [
                        build_configuration(
                            "aws_sagemaker_endpoint_configuration.c",
                            production_variants=_make_blocks([{"serverless_config": [block]}]),
                        )
                    ]
                },
            )
        )

    assert get_central(planned(), "cost") > 0
    later = planned(provisioned_concurrency={"references": ["var.ready"]})
    assert "provisioned concurrency" in list_unknown(later)["aws_sagemaker_endpoint.e"]


def _make_blocks(blocks: list[dict[str, Any]]) -> Any:
    """Return nested blocks as in a configuration; `build_configuration` treats a list as references."""
    return tuple(blocks)


def test_a_base_plan_is_the_state_before() -> None:
    def sized(count: int) -> list[dict[str, Any]]:
        return [
            build_change("aws_sagemaker_endpoint.e", endpoint()),
            build_change("aws_sagemaker_endpoint_configuration.c", configuration(variant(count=count))),
        ]

    removed = [
        build_change("aws_sagemaker_endpoint.old", endpoint("old", "d")),
        build_change("aws_sagemaker_endpoint_configuration.d", configuration(variant(), name="d")),
    ]
    result = estimate_plan(build_plan(*sized(3)), base=build_plan(*sized(1), *removed))
    # 3 - (1 + 1) instances
    assert get_central(result, "energy", "delta") == pytest.approx(M5_KWH, rel=1e-6)
    assert get_central(result, "energy", "before") == pytest.approx(2 * M5_KWH, rel=1e-6)


def make_configuration(count: int, *, before: int | None = None) -> dict[str, Any]:
    old_configuration = None if before is None else configuration(variant(count=before))
    return build_change(
        "aws_sagemaker_endpoint_configuration.c", configuration(variant(count=count)), before=old_configuration
    )


def test_a_moved_endpoint_has_the_usage_of_its_new_address(tmp_path: Path) -> None:
    base = build_plan(build_change("aws_sagemaker_endpoint.old", endpoint()), make_configuration(2))
    new = build_plan(
        build_change(
            "aws_sagemaker_endpoint.new", endpoint(), before=endpoint(), previous_address="aws_sagemaker_endpoint.old"
        ),
        make_configuration(3, before=2),
    )
    result = estimate_plan(new, base=base)
    (resource,) = result.resources
    assert (resource.address, resource.action) == ("aws_sagemaker_endpoint.new", "no-op")
    # One instance more of the same: what is unknown of it is what is unknown of one.
    one = estimate_plan(build_plan(build_change("aws_sagemaker_endpoint.e", endpoint()), make_configuration(1))).after
    for metric in METRICS:
        more, alone = result.delta.figures[metric], one.figures[metric]
        assert (more.low, more.central, more.high) == pytest.approx((alone.low, alone.central, alone.high))
    used = estimate_plan(new, make_usage(tmp_path, {"aws_sagemaker_endpoint.new": {"duty": 0.5}}), base)
    assert get_central(used, "energy", "delta") == pytest.approx((20 * 0.653 + 16 * 0.11) * 0.73 * 1.15)


def test_steps_of_a_moved_pipeline_have_the_usage_of_its_new_address(tmp_path: Path) -> None:
    resources = {"ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}}
    definition = json.dumps({"Steps": [{"Name": "Train", "Type": "Training", "Arguments": resources}]})
    values = {"region": REGION, "pipeline_definition": definition}
    result = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_pipeline.b", values, before=values, previous_address="aws_sagemaker_pipeline.a")
        ),
        make_usage(tmp_path, {"aws_sagemaker_pipeline.b#Train": {"hours_per_run": 5, "runs_per_month": 1}}),
        build_plan(build_change("aws_sagemaker_pipeline.a", values)),
    )
    assert get_central(result, "cost", "before") == get_central(result, "cost") == pytest.approx(5 * 0.23)


def test_a_deposed_object_is_not_matched_with_the_base() -> None:
    base = build_plan(build_change("aws_sagemaker_endpoint.e", endpoint()), make_configuration(2))
    deposed = build_change("aws_sagemaker_endpoint.e", before=endpoint("before"), deposed="abcd1234")
    for first in (True, False):
        current = [build_change("aws_sagemaker_endpoint.e", endpoint(), before=endpoint())]
        result = estimate_plan(
            build_plan(*([deposed, *current] if first else [*current, deposed]), make_configuration(3, before=2)),
            base=base,
        )
        assert get_central(result, "energy", "before") == pytest.approx(2 * M5_KWH)
        assert get_central(result, "energy") == pytest.approx(3 * M5_KWH)


def test_resources_only_in_the_base_are_deleted() -> None:
    base = build_plan(build_change("aws_sagemaker_endpoint.e", endpoint()), make_configuration(1))
    result = estimate_plan(build_plan(make_configuration(1)), base=base)
    assert [(one.address, one.action) for one in result.resources] == [("aws_sagemaker_endpoint.e", "delete")]


def test_a_forgotten_resource_runs_beside_its_replacement() -> None:
    def notebook(instance_type: str) -> dict[str, Any]:
        return {"instance_type": instance_type, "region": REGION, "volume_size": 0}

    result = estimate_plan(
        build_plan(
            build_change(
                "aws_sagemaker_notebook_instance.n",
                notebook("ml.m5.xlarge"),
                before=notebook("ml.t3.medium"),
                actions=["create", "forget"],
            )
        )
    )
    assert get_central(result, "cost", "before") == pytest.approx(730 * 0.05)
    assert get_central(result, "cost") == pytest.approx(730 * (0.05 + 0.23))
    assert get_central(result, "cost", "delta") == pytest.approx(730 * 0.23)


def test_parts_with_one_name_are_counted_separately() -> None:
    twice = configuration(variant("ml.m5.xlarge", 1), variant("ml.g5.xlarge", 1))
    result = estimate_plan(
        build_plan(
            build_change("aws_sagemaker_endpoint.e", endpoint(), before=endpoint()),
            build_change("aws_sagemaker_endpoint_configuration.c", twice, before=twice),
        )
    )
    assert get_central(result, "cost", "before") == get_central(result, "cost") == pytest.approx(730 * (0.23 + 1.4084))
    assert get_central(result, "cost", "delta") == 0
    assert [one.name for one in result.resources[0].changes] == ["variant v", "variant v (2)"]


def test_uncovered_instances_are_unknown() -> None:
    result = estimate_plan(
        build_plan(
            build_change("aws_glue_job.a", {"worker_type": "G.2X"}),
            build_change("aws_sagemaker_mlflow_tracking_server.m", {"tracking_server_size": "Large"}),
        )
    )
    assert set(list_unknown(result)) == {"aws_glue_job.a", "aws_sagemaker_mlflow_tracking_server.m"}
    assert result.after.get("total") is None


floats = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | floats | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
attributes = st.fixed_dictionaries(
    {},
    optional={
        key: values | st.just("ml.m5.xlarge") | st.integers(-2, 5) | st.lists(st.dictionaries(st.text(), values))
        for key in (
            "region", "name", "endpoint_config_name", "production_variants", "async_inference_config",
            "pipeline_definition", "resource_config", "instance_type", "volume_size", "online_store_config",
            "offline_store_config", "rule", "config", "training_job_definition", "stopping_condition",
            "resource_spec", "default_user_settings", "job_resources", "min_capacity", "max_capacity", "resource_id",
        )
    },
)  # fmt: skip
actions = st.fixed_dictionaries(
    {},
    optional={
        "schedule": values | st.sampled_from(["rate(1 day)", "cron(0 8 L * ? *)", "cron(0 8 ? * 8 *)", "cron()"]),
        "timezone": values | st.just("Europe/Nowhere"),
        "scalable_target_action": values | st.lists(st.fixed_dictionaries({"min_capacity": values}), max_size=1),
        "policy_type": values | st.just("StepScaling"),
        "step_scaling_policy_configuration": values,
        "target_tracking_scaling_policy_configuration": values,
    },
)
variants = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "variant_name": values | st.just("v"),
            "instance_type": values | st.just("ml.g5.xlarge"),
            "initial_instance_count": values | st.integers(-5, 5),
            "initial_variant_weight": values,
            "volume_size_in_gb": values,
            "model_name": values,
            "serverless_config": values | st.lists(st.dictionaries(st.just("memory_size_in_mb"), values), max_size=1),
            "managed_instance_scaling": values,
        },
    ),
    max_size=3,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(READERS)),
    after=attributes,
    scaled=attributes,
    acted=actions,
    variant_blocks=variants,
    step=values,
)
def test_any_plan_content_is_counted_or_unknown(
    kind: str,
    after: dict[str, Any],
    scaled: dict[str, Any],
    acted: dict[str, Any],
    variant_blocks: list[Any],
    step: Any,
) -> None:
    definition = json.dumps({"Steps": [{"Name": "s", "Type": "Training", "Arguments": step}]})
    result = estimate_plan(
        build_plan(
            build_change(f"{kind}.any", {"id": "any", **after}),
            build_change("aws_sagemaker_endpoint.e", endpoint()),
            build_change(
                "aws_sagemaker_endpoint_configuration.c", {**configuration(), "production_variants": variant_blocks}
            ),
            build_change("aws_appautoscaling_target.t", {**target(0, 2), **scaled}),
            build_change("aws_appautoscaling_policy.p", {**policy("Invocations"), **acted}),
            build_change("aws_appautoscaling_scheduled_action.a", extend_target(**acted)),
            build_change("aws_sagemaker_pipeline.p", {"region": REGION, "pipeline_definition": definition}),
        )
    )
    json.dumps(result.to_dict(), allow_nan=False)
    for resource in result.resources:
        for one in resource.changes:
            assert one.after is not None
            assert (one.after.estimate is None) == (one.after.unknown is not None)
