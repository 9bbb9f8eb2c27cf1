"""Inputs of `realtime_endpoint`."""

from typing import Annotated, Any, Literal

from modules.common import EntityName, LocatedInputs, make_instance_type_field, make_prefix_field
from modules.endpoints.hardware import InstanceInputs, is_neuron, may_run_on, shows_other_silicon
from modules.endpoints.inputs import (
    ContainerInputs,
    EndpointInputs,
    ImageUri,
    ModelDataUrl,
    RollbackInputs,
    SingleContainerInputs,
    has_one_source,
)
from modules.endpoints.network import VpcInputs
from modules.location import (
    require_image_in_region,
    require_key_in_region,
    require_package_in_region,
    require_role_of_account,
)
from modules.realtime_endpoint.deployment import DeploymentInputs
from modules.realtime_endpoint.off_hours import OffHours
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    contains,
    every,
    is_null,
    join,
    keys,
    length,
    list_of,
    optional,
    when,
)

#: Name of the variant that receives copies of requests.
SHADOW = "shadow"
#: Maximum number of rollback alarms of a deployment (API model of SageMaker: AlarmList).
MOST_ALARMS = 10


class Challenger(SingleContainerInputs):
    """Another model that serves a share of the requests."""

    weight: int = Field(
        ge=1, description="Weight of the variant in the distribution of requests; the first variant has 100."
    )


class Shadow(SingleContainerInputs):
    """Model that receives copies of requests; its responses are discarded."""

    instances: int = Field(1, ge=1, description="Number of instances, without autoscaling.")
    percent: int = Field(10, ge=1, le=100, description="Share of the requests that are copied, in percent.")


class PipelineContainer(ModuleInputs):
    """One of several containers."""

    environment_variables: dict[str, str] = Field(
        default_factory=dict, description="Environment variables of the container."
    )
    hostname: EntityName = Field(description="Name of the container. Callers select it if containers_mode is Direct.")
    image_uri: ImageUri = Field(description="Container image in Amazon ECR.")
    model_data_url: ModelDataUrl | None = Field(
        None, description="Model archive. Omit it if the image contains the model."
    )


class DataCapture(ModuleInputs):
    """Capture of a sample of requests and responses."""

    percent: int = Field(10, ge=1, le=100, description="Share of the requests that are captured, in percent.")
    s3_uri: Annotated[str, make_prefix_field("s3://bucket/captures")] = Field(
        description="S3 prefix of the captures. Objects there should expire, as captures/ of `storage` does."
    )


def _has_one_source(v: Any) -> Any:
    """Return the condition that the first variant has exactly one source of its model."""
    nothing_else = is_null(v.image_uri) & is_null(v.model_data_url) & is_null(v.model_package_arn)
    many = ~is_null(v.image_uri) & is_null(v.model_data_url) & is_null(v.model_package_arn)
    return when(
        length(v.containers) > 0,
        nothing_else & is_null(v.models_s3_uri),
        when(is_null(v.models_s3_uri), has_one_source(v), many),
    )


def _find_incompatible_containers(v: Any) -> str:
    """Return the hostnames of containers whose images are for other silicon."""
    hostnames = list_of(
        v.containers,
        lambda container: container.hostname,
        where=lambda container: shows_other_silicon(container.image_uri, v.silicon),
    )
    return join(", ", hostnames)


def _find_incompatible_challengers(v: Any) -> str:
    """Return the names of challengers whose images are for other silicon."""
    names = list_of(
        v.challengers,
        lambda name, _challenger: name,
        where=lambda _name, challenger: ~may_run_on(challenger.image_uri, v.silicon),
    )
    return join(", ", names)


class Inputs(EndpointInputs, LocatedInputs, ContainerInputs, InstanceInputs, RollbackInputs, VpcInputs):
    challengers: dict[EntityName, Challenger] = Field(
        default_factory=dict,
        description="Models that share the requests with the first variant, by variant name, with the same instance "
        "type and scaling limits.",
    )
    containers: list[PipelineContainer] = Field(
        default_factory=list,
        max_length=15,
        description="Several containers of the first variant, instead of one.",
    )
    containers_mode: Literal["Serial", "Direct"] = Field(
        "Serial",
        description="Serial: the containers process a request one after another. Direct: the caller selects one.",
    )
    data_capture: DataCapture | None = Field(
        None, description="Capture an encrypted sample of requests and responses. Default: none."
    )
    deployment: DeploymentInputs = Field(
        default_factory=DeploymentInputs, description="Deployment strategy, and the conditions of a rollback."
    )
    enable_network_isolation: bool = Field(
        True, description="Isolate the containers from every network. SageMaker itself fetches the model."
    )
    inference_ami_version: (
        Literal[
            "al2-ami-sagemaker-inference-gpu-2",
            "al2-ami-sagemaker-inference-gpu-2-1",
            "al2-ami-sagemaker-inference-gpu-3-1",
        ]
        | None
    ) = Field(
        None,
        description="Driver version of GPU instances. Default: SageMaker chooses. Inferentia always uses Neuron "
        "drivers.",
    )
    instance_type: Annotated[str, make_instance_type_field("ml.c7g.large")] = Field(
        "ml.c7g.large",
        description="Instance type, with this silicon. Types with a local disk encrypt it themselves, without "
        "kms_key_arn.",
    )
    latency_slo_ms: int = Field(
        ge=1,
        le=60000,
        description="Maximum latency in milliseconds. The rollback alarm compares the p90 of the responses with it, so "
        "SageMaker rolls a deployment of a slower model back.",
    )
    max_instances: int = Field(4, ge=1, description="Maximum number of instances of a variant.")
    min_instances: int = Field(
        2,
        ge=1,
        description="Minimum and initial number of instances of a variant. Two are in two Availability Zones.",
    )
    model_cache: bool = Field(True, description="Keep models under models_s3_uri in memory between requests.")
    models_s3_uri: str | None = Field(
        None,
        description="S3 prefix of several model archives, for an image_uri that can serve them. The caller names one.",
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/*?\s]+)+/$",
        json_schema_extra=must("be a prefix in a bucket with a slash at its end: s3://bucket/models/"),
    )
    off_hours: OffHours | None = Field(
        None, description="Schedule with fewer instances. Default: none, so only the load scales the endpoint."
    )
    one_instance_because: str | None = Field(
        None,
        description="Reason why one instance is enough, although it is unavailable for minutes when its Availability "
        "Zone fails. Required if min_instances is 1.",
        pattern=r"^.{10,}$",
        json_schema_extra=must("be a sentence"),
    )
    requests_per_instance: int = Field(
        600,
        ge=1,
        description="Target of requests per minute and instance. With more, instances are added. Use half of the "
        "maximum from a load test.",
    )
    scale_in_cooldown_seconds: int = Field(
        300, ge=0, le=3600, description="Minimum time between two scale-ins, in seconds."
    )
    shadow: Shadow | None = Field(
        None, description="Model that receives copies of requests, to test it without effect on callers. Default: none."
    )

    rules = (
        require_key_in_region(),
        require_role_of_account(),
        require_image_in_region(),
        require_image_in_region("challengers", lambda v: list_of(v.challengers, lambda one: one.image_uri)),
        require_image_in_region("containers", lambda v: list_of(v.containers, lambda one: one.image_uri)),
        require_image_in_region("shadow", lambda v: list_of(optional(v.shadow), lambda one: one.image_uri)),
        require_package_in_region(),
        require_package_in_region("challengers", lambda v: list_of(v.challengers, lambda one: one.model_package_arn)),
        require_package_in_region("shadow", lambda v: list_of(optional(v.shadow), lambda one: one.model_package_arn)),
        rule(
            "model_package_arn",
            _has_one_source,
            "set one of: a model package; image_uri (with model_data_url unless the image contains the model); "
            "image_uri and models_s3_uri; containers.",
        ),
        rule(
            "containers",
            lambda v: length(v.containers) != 1,
            "a list needs at least two containers; for one, set image_uri and model_data_url.",
        ),
        rule(
            "containers",
            lambda v: every(v.containers, lambda container: ~shows_other_silicon(container.image_uri, v.silicon)),
            lambda v: (
                f"{_find_incompatible_containers(v)}: the image is not for {v.silicon}; use an image for {v.silicon}."
            ),
        ),
        rule(
            "containers",
            lambda v: (
                (v.silicon != "inferentia2")
                | (length(v.containers) == 0)
                | ~every(v.containers, lambda container: ~is_neuron(container.image_uri))
            ),
            "Inferentia runs only Neuron images, whose names contain neuron; use one, or other silicon.",
        ),
        rule(
            "challengers",
            lambda v: every(v.challengers, lambda challenger: may_run_on(challenger.image_uri, v.silicon)),
            lambda v: (
                f"{_find_incompatible_challengers(v)}: the image is not for {v.silicon}, the silicon of all variants; "
                f"use an image for {v.silicon}."
            ),
        ),
        rule(
            "variant_name",
            lambda v: v.variant_name != SHADOW,
            f"the name {SHADOW} belongs to the variant of shadow; choose another name.",
        ),
        rule(
            "challengers",
            lambda v: ~contains(keys(v.challengers), v.variant_name),
            lambda v: (
                f"the name {v.variant_name} belongs to the variant of image_uri or model_package_arn; choose another "
                "name."
            ),
        ),
        rule(
            "challengers",
            lambda v: length(v.challengers) + length(v.challengers) + 2 + length(v.more_rollback_alarms) <= MOST_ALARMS,
            f"SageMaker allows {MOST_ALARMS} rollback alarms, and each variant has two; remove some.",
        ),
        rule(
            "shadow",
            lambda v: is_null(v.shadow) | (length(v.challengers) == 0),
            "SageMaker allows a shadow only next to a single variant; remove challengers.",
        ),
        rule(
            "shadow",
            lambda v: is_null(v.shadow) | (is_null(v.models_s3_uri) & (length(v.containers) == 0)),
            "SageMaker allows a shadow only next to one model in one container; remove models_s3_uri and containers.",
        ),
        rule(
            "shadow",
            lambda v: every(optional(v.shadow), lambda shadow: may_run_on(shadow.image_uri, v.silicon)),
            lambda v: f"its image is not for {v.silicon}; use an image for {v.silicon}.",
        ),
        rule(
            "min_instances",
            lambda v: v.min_instances <= v.max_instances,
            lambda v: f"must be at most max_instances, which is {v.max_instances}.",
        ),
        rule(
            "min_instances",
            lambda v: (v.min_instances > 1) | ~is_null(v.one_instance_because),
            "one instance is in one Availability Zone; use two, or set one_instance_because to the reason.",
        ),
        rule(
            "deployment",
            lambda v: (v.min_instances > 1) | (v.deployment.strategy == "all_at_once"),
            lambda v: (
                f"{v.deployment.strategy} moves at most half of the instances at a time, so it needs two; use "
                "all_at_once, or min_instances of 2 or more."
            ),
        ),
        rule(
            "deployment",
            lambda v: (
                (v.deployment.strategy == "all_at_once")
                | (v.min_instances == 1)
                | (100 / v.deployment.step_percent <= v.min_instances)
            ),
            lambda v: (
                f"step_percent, {v.deployment.step_percent}, of {v.min_instances} instances is less than one instance; "
                "increase it."
            ),
        ),
        rule(
            "deployment",
            lambda v: (v.deployment.strategy != "rolling") | (length(v.challengers) == 0),
            "SageMaker has no rolling deployment for several variants; use canary, linear or all_at_once.",
        ),
        rule(
            "off_hours",
            lambda v: is_null(v.off_hours) | (assume_not_null(v.off_hours).instances <= v.min_instances),
            lambda v: f"instances must be at most min_instances, which is {v.min_instances}.",
        ),
        rule(
            "inference_ami_version",
            lambda v: is_null(v.inference_ami_version) | (v.silicon == "gpu"),
            "these drivers are only for GPUs; remove it.",
        ),
    )
