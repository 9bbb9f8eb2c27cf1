"""Endpoints as plans hold them."""

from typing import Any

from tests.footprint.support import REGION
from tests.plan.build import change

ENDPOINT = "aws_sagemaker_endpoint.e"
CONFIGURATION = "aws_sagemaker_endpoint_configuration.c"
TARGET = "aws_appautoscaling_target.t"


def endpoint(name: str = "e", configuration: str = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "endpoint_config_name": configuration, "region": REGION, **more}


def configuration(*variants: dict[str, Any], name: str = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "region": REGION, "production_variants": list(variants), **more}


def variant(instance_type: str = "ml.m5.xlarge", count: int = 1, name: str = "v", **more: Any) -> dict[str, Any]:
    return {"variant_name": name, "instance_type": instance_type, "initial_instance_count": count, **more}


def serverless(memory_mb: int, **more: Any) -> dict[str, Any]:
    return {"variant_name": "v", "serverless_config": [{"memory_size_in_mb": memory_mb, **more}]}


def target(least: int, most: int, name: str = "v") -> dict[str, Any]:
    return {
        "resource_id": f"endpoint/e/variant/{name}",
        "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
        "service_namespace": "sagemaker",
        "min_capacity": least,
        "max_capacity": most,
    }


def served(
    *variants: dict[str, Any],
    scaled: tuple[int, int] | None = None,
    before: list[dict[str, Any]] | None = None,
    **more: Any,
) -> list[dict[str, Any]]:
    """An endpoint with these variants; `before`, where it is there already, with those."""
    was = None if before is None else configuration(*before)
    return [
        change(ENDPOINT, endpoint(), before=None if before is None else endpoint()),
        change(CONFIGURATION, configuration(*variants, **more), before=was),
        *([change(TARGET, target(*scaled))] if scaled else []),
    ]
