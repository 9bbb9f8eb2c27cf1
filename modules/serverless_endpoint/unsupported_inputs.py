"""What other endpoints take and a serverless one does not.

They are inputs all the same, so that whoever carries one over from another endpoint is told why it cannot be, in
`settings.yaml` as in plain HCL, and not merely that the name is unknown.
"""

from collections.abc import Callable
from typing import Any

from sustainable_mlops.authoring import Field, ModuleInputs, rule
from sustainable_mlops.authoring.expressions import is_null

#: Source: "Feature exclusions" in https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html and
#: "Exclusions" of deployment guardrails, which excludes rolling and of blue/green says nothing.
REASONS = {
    "data_capture_config": "a serverless endpoint captures no requests; leave it out, or use a real-time endpoint.",
    "deployment": "a serverless endpoint moves all requests at once, since parts of a deployment are "
    "instances; leave it out, or use a real-time endpoint.",
    "enable_network_isolation": "a serverless endpoint takes no network isolation; leave it out, or use a real-time "
    "endpoint.",
    "instance_type": "a serverless endpoint has neither instances nor a GPU; set memory_mb, or use a real-time "
    "endpoint.",
    "more_rollback_alarms": "a serverless endpoint is rolled back by no alarm; leave it out, or use a real-time "
    "endpoint.",
    "production_variants": "a serverless endpoint has exactly one variant; leave it out, or use a real-time endpoint.",
    "silicon": "a serverless endpoint has no choice of silicon; leave it out, or use a real-time endpoint.",
    "vpc_config": "a serverless endpoint cannot join a VPC; leave it out, or use a real-time endpoint.",
}


def _unsupported_field(name: str) -> Any:
    return Field(None, description=f"Refused: {REASONS[name]}")


def _is_left_out(name: str) -> Callable[[Any], bool]:
    return lambda v: is_null(getattr(v, name))


class UnsupportedInputs(ModuleInputs):
    """Inputs that must be left out."""

    data_capture_config: Any | None = _unsupported_field("data_capture_config")
    deployment: Any | None = _unsupported_field("deployment")
    enable_network_isolation: Any | None = _unsupported_field("enable_network_isolation")
    instance_type: Any | None = _unsupported_field("instance_type")
    more_rollback_alarms: Any | None = _unsupported_field("more_rollback_alarms")
    production_variants: Any | None = _unsupported_field("production_variants")
    silicon: Any | None = _unsupported_field("silicon")
    vpc_config: Any | None = _unsupported_field("vpc_config")

    rules = tuple(rule(name, _is_left_out(name), reason) for name, reason in REASONS.items())
