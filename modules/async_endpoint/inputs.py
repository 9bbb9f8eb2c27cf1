"""Inputs of `async_endpoint`."""

from modules.common import LocatedInputs
from modules.endpoints.hardware import InstanceInputs
from modules.endpoints.inputs import EndpointInputs, RollbackInputs, SingleContainerInputs
from modules.endpoints.rollback import LONGEST_WATCH
from sustainable_mlops.authoring import Field, must, rule
from sustainable_mlops.catalogue.limits import limit


class Inputs(EndpointInputs, LocatedInputs, SingleContainerInputs, InstanceInputs, RollbackInputs):
    enable_network_isolation: bool = Field(
        True, description="Keep the container off every network; SageMaker itself fetches the model and the requests."
    )
    max_instances: int = Field(2, ge=1, description="Most instances at once.")
    min_instances: int = Field(
        0, ge=0, description="Instances kept while no request waits; 0 lets it go, and the first request wake it."
    )
    bake_seconds: int = Field(
        300,
        ge=0,
        le=LONGEST_WATCH,
        description="How long a new model serves beside the old one's instances before these go, in seconds: within it "
        "an alarm brings the old model back.",
    )
    rollback_failures: int = Field(
        0,
        ge=0,
        description="Failed requests that a minute may have; more in two of five minutes bring the old model back.",
    )
    requests_per_instance: int | None = Field(
        None,
        ge=1,
        le=limit("asynchronous_requests_per_instance"),
        description="Requests that an instance works on at once; SageMaker chooses by default.",
    )
    s3_uri: str = Field(
        description="Prefix that requests, answers and failures lie under, in a folder of the endpoint's name; what is "
        "there should expire.",
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/*?\s]+)+$",
        json_schema_extra=must(
            "be a prefix in a bucket, without wildcards or a slash at its end: s3://bucket/async-inference"
        ),
    )
    scale_in_cooldown_seconds: int = Field(
        300, ge=0, le=3600, description="How long after it took an instance away it takes no other, in seconds."
    )
    scale_in_while_busy: bool = Field(
        False,
        description="Remove instances even while requests run, once the backlog is small. Use it for a steady stream "
        "of short requests. The removal of an instance may interrupt a request.",
    )
    target_backlog_per_instance: float = Field(
        5, ge=0.1, description="Waiting requests for each instance; with more, instances are added."
    )

    rules = (
        rule(
            "min_instances",
            lambda v: v.min_instances <= v.max_instances,
            lambda v: f"must be at most max_instances, which is {v.max_instances}.",
        ),
    )
