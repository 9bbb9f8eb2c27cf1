"""Inputs of `realtime_endpoint`."""

from typing import Annotated, Any, Literal

from modules.common import LocatedInputs
from modules.endpoints.hardware import InstanceInputs, is_neuron, may_run_on, names_other_silicon
from modules.endpoints.inputs import (
    VARIANT,
    ContainerInputs,
    EndpointInputs,
    RollbackInputs,
    SingleContainerInputs,
    has_one_source,
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

#: The variant that gets copies of requests.
SHADOW = "shadow"
#: Alarms that an endpoint's deployment takes (API model of SageMaker: AlarmList).
MOST_ALARMS = 10

VariantName = Annotated[
    str,
    Field(
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$",
        json_schema_extra=must("be 1 to 63 letters, digits and hyphens, and neither start nor end with a hyphen"),
    ),
]


class Challenger(SingleContainerInputs):
    """Another model that answers a share of the requests."""

    weight: int = Field(ge=1, description="Its share of the requests, beside the 100 of the variant main.")


class Shadow(SingleContainerInputs):
    """A model that gets copies of requests, and whose answers nobody gets."""

    instances: int = Field(1, ge=1, description="Its instances; nothing scales them.")
    percent: int = Field(10, ge=1, le=100, description="Share of the requests that it gets too, in percent.")


class PipelineContainer(ModuleInputs):
    """One of several containers."""

    environment_variables: dict[str, str] = Field(default_factory=dict, description="Its environment variables.")
    hostname: VariantName = Field(description="Its name: callers choose by it where containers_mode is Direct.")
    image_uri: str = Field(
        description="Its image in Amazon ECR.",
        pattern=r"^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[^ ]+$",
        json_schema_extra=must("be an image in Amazon ECR; no other registry is taken"),
    )
    model_data_url: str | None = Field(
        None,
        description="Its model archive; none where the image holds the model.",
        pattern=r"^s3://[^*?]+\.tar\.gz$",
        json_schema_extra=must("be a model archive in S3: s3://bucket/…/model.tar.gz"),
    )


class DataCapture(ModuleInputs):
    """A sample of requests and answers."""

    percent: int = Field(10, ge=1, le=100, description="Share of the requests that are kept, in percent.")
    s3_uri: str = Field(
        description="Prefix that they are kept under; what is there should expire, as captures/ of `storage` does.",
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/*?\s]+)+$",
        json_schema_extra=must(
            "be a prefix in a bucket, without wildcards or a slash at its end: s3://bucket/captures"
        ),
    )


class VpcConfig(ModuleInputs):
    """Where the containers' network is."""

    security_group_ids: list[str] = Field(min_length=1, description="Security groups, made elsewhere.")
    subnets: list[str] = Field(
        min_length=2, description="Subnets, of two availability zones at least, so that one may be lost."
    )


def _has_one_source(v: Any) -> Any:
    """Whether something says what the variant main serves, and one thing alone."""
    nothing_else = is_null(v.image_uri) & is_null(v.model_data_url) & is_null(v.model_package_arn)
    many = ~is_null(v.image_uri) & is_null(v.model_data_url) & is_null(v.model_package_arn)
    return when(
        length(v.containers) > 0,
        nothing_else & is_null(v.models_s3_uri),
        when(is_null(v.models_s3_uri), has_one_source(v), many),
    )


def _incompatible_containers(v: Any) -> str:
    """The containers whose images are for other silicon."""
    hostnames = list_of(
        v.containers,
        lambda container: container.hostname,
        where=lambda container: names_other_silicon(container.image_uri, v.silicon),
    )
    return join(", ", hostnames)


def _incompatible_challengers(v: Any) -> str:
    """The same of challengers."""
    names = list_of(
        v.challengers,
        lambda name, _challenger: name,
        where=lambda _name, challenger: ~may_run_on(challenger.image_uri, v.silicon),
    )
    return join(", ", names)


class Inputs(EndpointInputs, LocatedInputs, ContainerInputs, InstanceInputs, RollbackInputs):
    challengers: dict[VariantName, Challenger] = Field(
        default_factory=dict,
        description="More models that share the requests with the variant main, by variant name, on the same type of "
        "instance and within the same bounds.",
    )
    containers: list[PipelineContainer] = Field(
        default_factory=list,
        max_length=15,
        description="Several containers instead of one, which the variant main runs beside each other.",
    )
    containers_mode: Literal["Serial", "Direct"] = Field(
        "Serial",
        description="Whether containers work on a request one after the other, or a caller chooses one of them.",
    )
    data_capture: DataCapture | None = Field(
        None, description="Keep a sample of requests and answers, encrypted; none by default."
    )
    deployment: DeploymentInputs = Field(
        default_factory=DeploymentInputs, description="How a new model takes over, and when it is taken back."
    )
    enable_network_isolation: bool = Field(
        True, description="Keep the containers off every network; SageMaker itself fetches the model."
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
        description="Drivers of GPU instances; SageMaker chooses by default. Those of Inferentia follow silicon.",
    )
    instance_type: str = Field(
        "ml.c7g.large",
        description="Type of the instances, of this silicon; one with a local disk encrypts that itself, without "
        "kms_key_arn.",
        pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$",
        json_schema_extra=must("be an instance type such as ml.c7g.large"),
    )
    latency_slo_ms: int = Field(
        ge=1,
        le=60000,
        description="Within how many milliseconds nine of ten answers have to be there: a model that is slower is "
        "taken back.",
    )
    max_instances: int = Field(4, ge=1, description="Most instances of a variant at once.")
    min_instances: int = Field(
        2,
        ge=1,
        description="Fewest instances of a variant, and those it starts with. Two are in two availability zones.",
    )
    model_cache: bool = Field(
        True, description="Whether models under models_s3_uri stay in memory between their requests."
    )
    models_s3_uri: str | None = Field(
        None,
        description="Prefix of many model archives, of which a caller names one, for an image_uri that can serve them.",
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/*?\s]+)+/$",
        json_schema_extra=must("be a prefix in a bucket with a slash at its end: s3://bucket/models/"),
    )
    off_hours: OffHours | None = Field(
        None, description="Hours of fewer instances, by the clock; none by default, as load alone decides."
    )
    one_instance_because: str | None = Field(
        None,
        description="Why one instance is enough, which is gone for minutes when its availability zone is; needed where "
        "min_instances is 1.",
        pattern=r"^.{10,}$",
        json_schema_extra=must("be a sentence"),
    )
    requests_per_instance: int = Field(
        600,
        ge=1,
        description="Requests a minute that an instance is to have; with more, instances are added. Half of what one "
        "can, by a load test.",
    )
    scale_in_cooldown_seconds: int = Field(
        300, ge=0, le=3600, description="How long after it took an instance away it takes no other, in seconds."
    )
    shadow: Shadow | None = Field(
        None, description="A model that gets copies of requests, to be watched before it answers any; none by default."
    )
    vpc_config: VpcConfig | None = Field(
        None, description="Network of the containers, where they need one; `access` takes the same subnets."
    )

    rules = (
        rule(
            "model_package_arn",
            _has_one_source,
            "give one of: a model package; image_uri (and model_data_url, unless the image holds the model); image_uri "
            "and models_s3_uri; containers.",
        ),
        rule(
            "containers",
            lambda v: length(v.containers) != 1,
            "one container needs no list: give its image_uri and model_data_url.",
        ),
        rule(
            "containers",
            lambda v: every(v.containers, lambda container: ~names_other_silicon(container.image_uri, v.silicon)),
            lambda v: f"{_incompatible_containers(v)}: the image is not for {v.silicon}; use one that is.",
        ),
        rule(
            "containers",
            lambda v: (
                (v.silicon != "inferentia2")
                | (length(v.containers) == 0)
                | ~every(v.containers, lambda container: ~is_neuron(container.image_uri))
            ),
            "Inferentia runs Neuron images alone, whose names say neuron, and none does; use one, or other silicon.",
        ),
        rule(
            "challengers",
            lambda v: every(v.challengers, lambda challenger: may_run_on(challenger.image_uri, v.silicon)),
            lambda v: (
                f"{_incompatible_challengers(v)}: the image is not for {v.silicon}, which all variants run on; use one that is."
            ),
        ),
        rule(
            "challengers",
            lambda v: ~contains(keys(v.challengers), VARIANT),
            f"the variant {VARIANT} is the one that image_uri or model_package_arn says; name it otherwise.",
        ),
        rule(
            "challengers",
            lambda v: length(v.challengers) + length(v.challengers) + 2 + length(v.more_rollback_alarms) <= MOST_ALARMS,
            f"SageMaker takes {MOST_ALARMS} rollback alarms, and each variant has two; have fewer.",
        ),
        rule(
            "shadow",
            lambda v: is_null(v.shadow) | (length(v.challengers) == 0),
            "SageMaker takes a shadow beside one variant alone; leave out challengers.",
        ),
        rule(
            "shadow",
            lambda v: is_null(v.shadow) | (is_null(v.models_s3_uri) & (length(v.containers) == 0)),
            "SageMaker takes a shadow beside one model in one container alone; leave out models_s3_uri and containers.",
        ),
        rule(
            "shadow",
            lambda v: every(optional(v.shadow), lambda shadow: may_run_on(shadow.image_uri, v.silicon)),
            lambda v: f"its image is not for {v.silicon}.",
        ),
        rule(
            "min_instances",
            lambda v: v.min_instances <= v.max_instances,
            lambda v: f"must be at most max_instances, which is {v.max_instances}.",
        ),
        rule(
            "min_instances",
            lambda v: (v.min_instances > 1) | ~is_null(v.one_instance_because),
            "one instance is in one availability zone; have two, or say in one_instance_because why not.",
        ),
        rule(
            "deployment",
            lambda v: (v.min_instances > 1) | (v.deployment.strategy == "all_at_once"),
            lambda v: (
                f"{v.deployment.strategy} moves at most half of the instances at a time, so it takes two; use "
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
                f"step_percent, {v.deployment.step_percent}, of {v.min_instances} instances is less than one; take "
                "more of them at a time."
            ),
        ),
        rule(
            "deployment",
            lambda v: (v.deployment.strategy != "rolling") | (length(v.challengers) == 0),
            "SageMaker rolls no endpoint of several variants; use canary, linear or all_at_once.",
        ),
        rule(
            "off_hours",
            lambda v: is_null(v.off_hours) | (assume_not_null(v.off_hours).instances <= v.min_instances),
            lambda v: f"instances must be at most min_instances, which is {v.min_instances}.",
        ),
        rule(
            "inference_ami_version",
            lambda v: is_null(v.inference_ami_version) | (v.silicon == "gpu"),
            "these drivers are of GPUs; leave it out.",
        ),
    )
