"""Inputs of other endpoints that a serverless endpoint does not support.

They are declared so that the error explains the reason, in `settings.yaml` and in HCL, instead of an unknown name.
"""

from collections.abc import Callable
from typing import Any

from sustainable_mlops.authoring import Field, ModuleInputs, rule
from sustainable_mlops.authoring.expressions import is_null

#: Source: "Feature exclusions" in https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html and
#: "Exclusions" of deployment guardrails, which excludes rolling deployments and does not mention blue/green.
REASONS = {
    "data_capture_config": "a serverless endpoint cannot capture requests; remove it, or use a real-time endpoint.",
    "deployment": "a serverless endpoint moves all requests in one step, because it has no instances to deploy in "
    "steps; remove it, or use a real-time endpoint.",
    "enable_network_isolation": "a serverless endpoint does not support network isolation; remove it, or use a "
    "real-time endpoint.",
    "instance_type": "a serverless endpoint has neither instances nor a GPU; set memory_mb, or use a real-time "
    "endpoint.",
    "more_rollback_alarms": "a serverless endpoint has no rollback alarms; remove it, or use a real-time endpoint.",
    "production_variants": "a serverless endpoint has exactly one variant; remove it, or use a real-time endpoint.",
    "silicon": "a serverless endpoint has no choice of silicon; remove it, or use a real-time endpoint.",
    "vpc_config": "a serverless endpoint cannot join a VPC; remove it, or use a real-time endpoint.",
}


def _make_unsupported_field(name: str) -> Any:
    return Field(None, description=f"Not supported: {REASONS[name]}")


def _is_left_out(name: str) -> Callable[[Any], bool]:
    return lambda v: is_null(getattr(v, name))


class UnsupportedInputs(ModuleInputs):
    """Inputs that must not be set."""

    data_capture_config: Any | None = _make_unsupported_field("data_capture_config")
    deployment: Any | None = _make_unsupported_field("deployment")
    enable_network_isolation: Any | None = _make_unsupported_field("enable_network_isolation")
    instance_type: Any | None = _make_unsupported_field("instance_type")
    more_rollback_alarms: Any | None = _make_unsupported_field("more_rollback_alarms")
    production_variants: Any | None = _make_unsupported_field("production_variants")
    silicon: Any | None = _make_unsupported_field("silicon")
    vpc_config: Any | None = _make_unsupported_field("vpc_config")

    rules = tuple(rule(name, _is_left_out(name), reason) for name, reason in REASONS.items())
