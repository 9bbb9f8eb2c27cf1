"""Descriptions of parts and their changes, in every format for people."""
# ruff: noqa: RUF001  (the sign of multiplication, as reports have it)

from typing import Any

from sustainable_mlops.footprint.quantities import make_exact
from sustainable_mlops.footprint.usage import ResourceUsage
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.formats import render
from sustainable_mlops.review.formats.effects import list_rows
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.review.hostile_plan import TODAY

REGION = {"region": "eu-north-1"}


def endpoint(*variants: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with these variants."""
    names = [{"variant_name": f"v{number}", "model_name": "m", **variant} for number, variant in enumerate(variants)]
    return {"name": "c", "production_variants": names, **REGION}


def instances(kind: str, count: int = 1) -> dict[str, Any]:
    return {"instance_type": kind, "initial_instance_count": count}


def pool(*types: str) -> dict[str, Any]:
    """Return a variant with these types, the first with the highest priority."""
    pools = [{"instance_type": kind, "priority": number} for number, kind in enumerate(types, 1)]
    return {"instance_pools": pools, "initial_instance_count": 1}


def serverless(memory: int, ready: int | None = None) -> dict[str, Any]:
    config = {"memory_size_in_mb": memory, "max_concurrency": 5, "provisioned_concurrency": ready}
    return {"serverless_config": [config]}


def asynchronous(kind: str) -> dict[str, Any]:
    output = {"output_config": [{"s3_output_path": "s3://b/o"}]}
    return {**endpoint(instances(kind)), "async_inference_config": [output]}


def job(kind: str, *, spot: bool) -> dict[str, Any]:
    resources = [{"instance_type": kind, "instance_count": 2, "volume_size_in_gb": 30}]
    limits = [{"max_runtime_in_seconds": 3600}]
    return {"name": "j", "resource_config": resources, "enable_managed_spot_training": spot,
            "stopping_condition": limits, **REGION}  # fmt: skip


def notebook(kind: str, gb: int = 5) -> dict[str, Any]:
    return {"name": "n", "instance_type": kind, "volume_size": gb, **REGION}


CONFIGURATION, NOTEBOOK = "aws_sagemaker_endpoint_configuration.c", "aws_sagemaker_notebook_instance.n"
BECOMES = [
    (CONFIGURATION, None, endpoint(instances("ml.g5.xlarge", 2)), "ml.g5.xlarge × 2"),
    (CONFIGURATION, endpoint(instances("ml.g5.xlarge")), None, "ml.g5.xlarge × 1 → removed"),
    (CONFIGURATION, endpoint(instances("ml.g4dn.xlarge")), endpoint(instances("ml.g5.xlarge")),
     "ml.g4dn.xlarge → ml.g5.xlarge, 1 instance"),
    (CONFIGURATION, endpoint(instances("ml.m5.large")), endpoint(instances("ml.m5.large", 4)),
     "ml.m5.large, 1 → 4 instances"),
    (CONFIGURATION, endpoint(pool("ml.g5.xlarge")), endpoint(pool("ml.g5.xlarge", "ml.p5.48xlarge")),
     "ml.g5.xlarge → ml.g5.xlarge or ml.p5.48xlarge, 1 instance"),
    (CONFIGURATION, endpoint(instances("ml.m5.large")), endpoint(serverless(2048)),
     "ml.m5.large × 1 → serverless, 2048 MB"),
    (CONFIGURATION, endpoint(instances("ml.m5.large")), asynchronous("ml.m5.large"),
     "real-time → asynchronous, ml.m5.large, 1 instance"),
    (CONFIGURATION, endpoint(serverless(2048)), endpoint(serverless(4096)), "serverless, 2048 → 4096 MB"),
    (CONFIGURATION, endpoint(serverless(2048, 1)), endpoint(serverless(2048, 3)),
     "serverless, 2048 MB, 1 → 3 workers kept ready"),
    (CONFIGURATION, endpoint(instances("ml.m5.large"), instances("ml.c5.large")),
     endpoint(instances("ml.m5.large"), instances("ml.c7g.large")),
     "variant v1: ml.c5.large → ml.c7g.large, 1 instance"),
    (CONFIGURATION, endpoint(instances("ml.unheard.of")), endpoint(instances("ml.m5.large")),
     "ml.unheard.of → ml.m5.large, 1 instance"),
    (NOTEBOOK, notebook("ml.t3.medium"), notebook("ml.t3.medium", 50), "volume, 5 → 50 GB"),
    (NOTEBOOK, notebook("ml.t3.medium"), notebook("ml.t3.large"), "notebook: ml.t3.medium → ml.t3.large, 1 instance"),
    ("aws_sagemaker_training_job.j", None, job("ml.m5.xlarge", spot=True), "ml.m5.xlarge × 2, spot"),
]  # fmt: skip


def review_change(address: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Review:
    return review(build_plan(build_change(address, after, before=before)), today=TODAY)


@check_cases(("address", "before", "after", "expected_text"), BECOMES, ids=[case[-1] for case in BECOMES])
def test_the_change_of_a_resource_is_described(address: str, before: Any, after: Any, expected_text: str) -> None:
    (row,) = list_rows(review_change(address, before, after))
    assert expected_text in row.part_changes
    assert row.has_part_change


@check_cases("form", ["markdown", "html", "text", "json"])
def test_every_format_says_it(form: str) -> None:
    page = render(
        review_change(CONFIGURATION, endpoint(instances("ml.m5.large")), endpoint(instances("ml.m5.large", 4))), form
    )
    assert "ml.m5.large, 1 → 4 instances" in page


def test_a_job_that_leaves_spot_is_described() -> None:
    used = ResourceUsage({"aws_sagemaker_training_job.j": {"runs_per_month": make_exact(2)}})
    values = job("ml.m5.xlarge", spot=True), job("ml.m5.xlarge", spot=False)
    result = review(
        build_plan(build_change("aws_sagemaker_training_job.j", values[1], before=values[0])), usage=used, today=TODAY
    )
    (row,) = list_rows(result)
    assert row.part_changes == ("ml.m5.xlarge, 2 instances, spot → on demand",)


def test_a_change_of_the_storage_class_is_described() -> None:
    used = ResourceUsage({"aws_sagemaker_feature_group.f": {"online_gb": make_exact(10)}})
    stores = [{"enable_online_store": True, "storage_type": kind} for kind in ("Standard", "InMemory")]
    before, after = ({"feature_group_name": "f", "online_store_config": [one], **REGION} for one in stores)
    result = review(
        build_plan(build_change("aws_sagemaker_feature_group.f", after, before=before)), usage=used, today=TODAY
    )
    (row,) = list_rows(result)
    assert row.part_changes == ("feature store online standard → feature store online in memory, 10 GB",)


def test_an_unchanged_resource_has_no_arrow_and_a_scaled_one_three_counts() -> None:
    target = {"resource_id": "endpoint/e/variant/v0", "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
              "service_namespace": "sagemaker", "min_capacity": 1, "max_capacity": 4}  # fmt: skip
    metric = [{"predefined_metric_type": "SageMakerVariantInvocationsPerInstance"}]
    tracking = [{"target_value": 70, "predefined_metric_specification": metric}]
    policy = {**target, "name": "p", "policy_type": "TargetTrackingScaling",
              "target_tracking_scaling_policy_configuration": tracking}  # fmt: skip
    parts = {
        CONFIGURATION: endpoint(instances("ml.m5.large")),
        "aws_sagemaker_endpoint.e": {"name": "e", "endpoint_config_name": "c", **REGION},
        "aws_appautoscaling_target.t": target,
        "aws_appautoscaling_policy.p": policy,
    }
    result = review(
        build_plan(*(build_change(address, values, before=values) for address, values in parts.items())), today=TODAY
    )
    (row,) = list_rows(result)
    assert row.part_changes == ("ml.m5.large × 1 / 2 / 4",)
    assert not row.has_part_change
    assert not row.is_changing
