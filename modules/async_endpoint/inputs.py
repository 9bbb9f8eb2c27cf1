"""Inputs of `async_endpoint`."""

from typing import Annotated

from modules.common import LocatedInputs, make_prefix_field
from modules.endpoints.hardware import InstanceInputs
from modules.endpoints.inputs import EndpointInputs, RollbackInputs, SingleContainerInputs
from modules.endpoints.network import VpcInputs
from modules.endpoints.rollback import LONGEST_WATCH
from modules.location import (
    require_image_in_region,
    require_key_in_region,
    require_package_in_region,
    require_role_of_account,
)
from sustainable_mlops.authoring import Field, rule
from sustainable_mlops.catalogue.limits import get_limit


class Inputs(EndpointInputs, LocatedInputs, SingleContainerInputs, InstanceInputs, RollbackInputs, VpcInputs):
    enable_network_isolation: bool = Field(
        True,
        description="Isolate the container from every network. SageMaker itself fetches the model and the requests.",
    )
    max_instances: int = Field(2, ge=1, description="Maximum number of instances.")
    min_instances: int = Field(
        0, ge=0, description="Minimum number of instances. With 0, the endpoint scales to zero without requests."
    )
    bake_seconds: int = Field(
        300,
        ge=0,
        le=LONGEST_WATCH,
        description="Time that the old instances stay after a new model takes over, in seconds. An alarm during this "
        "time rolls back.",
    )
    rollback_failures: int = Field(
        0,
        ge=0,
        description="Maximum number of failed requests per minute. If two of five minutes exceed it, SageMaker rolls a "
        "deployment back.",
    )
    requests_per_instance: int | None = Field(
        None,
        ge=1,
        le=get_limit("asynchronous_requests_per_instance"),
        description="Concurrent requests per instance. Default: SageMaker chooses.",
    )
    s3_uri: Annotated[str, make_prefix_field("s3://bucket/async-inference")] = Field(
        description="S3 prefix of requests, responses and failures, in a folder with the endpoint's name. Objects "
        "there should expire.",
    )
    scale_in_cooldown_seconds: int = Field(
        300, ge=0, le=3600, description="Minimum time between two scale-ins, in seconds."
    )
    scale_in_while_busy: bool = Field(
        False,
        description="Remove instances even while requests run, once the backlog is small. Use it for a steady stream "
        "of short requests. The removal of an instance may interrupt a request.",
    )
    target_backlog_per_instance: float = Field(
        5, ge=0.1, description="Target of waiting requests per instance. With more, instances are added."
    )

    rules = (
        require_key_in_region(),
        require_role_of_account(),
        require_image_in_region(),
        require_package_in_region(),
        rule(
            "min_instances",
            lambda v: v.min_instances <= v.max_instances,
            lambda v: f"must be at most max_instances, which is {v.max_instances}.",
        ),
    )
