"""The file of a training job: `job.yaml`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from sustainable_mlops.base.settings import Settings
from sustainable_mlops.catalogue.limits import make_name_pattern
from sustainable_mlops.jobs.measurement.counters import COUNTERS
from sustainable_mlops.jobs.measurement.smlops_measure import ENTRY_POINT
from sustainable_mlops.jobs.specs.common import (
    COMPILER,
    ChannelName,
    Image,
    Instances,
    Scalar,
    ScriptLimits,
    ScriptSpec,
    Text,
    check_channel,
)

CHECKPOINT_DIR = "CHECKPOINT_DIR"
SpecificationName = Annotated[str, StringConstraints(pattern=make_name_pattern(63))]


class TrainingCompute(Instances):
    """The instances of a training job."""

    spot: bool = Field(True, description="Managed spot: spare capacity that AWS can interrupt at any time.")
    keep_alive_minutes: int = Field(
        0,
        ge=0,
        le=60,
        description="Warm pool: minutes that the instances wait for the next job. Idle instances are billed.",
    )


class Limits(ScriptLimits):
    """Runtime limits of a training job."""

    max_runtime_minutes: int = Field(ge=1, le=28 * 24 * 60, description="Maximum training time, in minutes.")
    max_wait_minutes: int | None = Field(
        None,
        ge=1,
        le=2 * 28 * 24 * 60,
        description="Maximum time of training and waiting for spot capacity together, in minutes; by default twice "
        "max_runtime_minutes. Only with spot.",
    )


class AdditionalServingSpec(Settings):
    """Serving of the same model on other instances, with their image."""

    image: Image | None = Field(None, description="Serving image; by default the training image.")
    realtime_instance_types: list[Text] = Field(
        min_length=1, description="Instance types that the model was tested on for endpoints."
    )
    transform_instance_types: list[Text] = Field(
        [], description="Instance types that the model was tested on for batch transform."
    )


class ServingSpec(Settings):
    """Serving of the trained model, for its model package."""

    image: Image | None = Field(None, description="Serving image; by default the training image.")
    entry_point: str = Field("inference.py", pattern=r"^[A-Za-z_]\w*\.py$", description="Serving script.")
    content_types: list[Text] = Field(
        ["text/csv", "application/json"], min_length=1, description="Content types of requests."
    )
    response_types: list[Text] = Field(["application/json"], min_length=1, description="Content types of responses.")
    realtime_instance_types: list[Text] = Field(
        ["ml.c7i.large", "ml.m7i.large"],
        min_length=1,
        description="Instance types that the model was tested on for endpoints.",
    )
    transform_instance_types: list[Text] = Field(
        ["ml.c7i.large", "ml.m7i.large"],
        min_length=1,
        description="Instance types that the model was tested on for batch transform.",
    )
    additional: Mapping[SpecificationName, AdditionalServingSpec] = Field(
        {},
        max_length=15,
        description="Other instance types for the same package, by the inference_specification_name of the endpoint. "
        "An image runs on one architecture, so Graviton needs an entry of its own.",
    )


class TrainingSpec(ScriptSpec):
    """A training job, as described by `job.yaml`."""

    set_by_launcher: ClassVar[frozenset[str]] = frozenset({CHECKPOINT_DIR, ENTRY_POINT})

    image: Image = Field(description="A framework and version, or the full address of an image.")
    compute: TrainingCompute
    limits: Limits
    checkpoints: Literal["derived", "none"] = Field(
        "derived", description="derived: stored under the run key, so that an identical launch resumes."
    )
    data: dict[ChannelName, Text] = Field(
        min_length=1,
        max_length=19,
        description="Data of each channel: a prefix or key in the platform's data bucket, or an s3:// address.",
    )
    sharding: dict[ChannelName, Literal["by_key"]] = Field(
        {},
        description="Distribution of each channel. by_key: each instance receives a shard of the objects. Without an "
        "entry, each instance receives all objects.",
    )
    hyperparameters: dict[Text, Scalar] = Field(
        {}, max_length=98, description="Passed to the script as `--name value`; a name of one letter as `-n value`."
    )
    metrics: dict[Text, Text] = Field(
        {},
        max_length=40 - len(COUNTERS),  # SageMaker allows 40, including those of the counters
        description="Regular expression of each metric, with one group that finds the value in the log.",
    )
    serving: ServingSpec | None = Field(None, description="Serving of the model; required to register it.")

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """The hyperparameters."""
        return self.hyperparameters

    @property
    def is_resumable(self) -> bool:
        """True unless checkpoints are off."""
        return self.checkpoints == "derived"

    @property
    def result_inputs(self) -> Mapping[str, Any]:
        """Fields that decide the model.

        Other fields do not change the model: name, tags, limits, spot, warm pool, volume size, network, the metrics
        read from the log, and the serving.
        """
        return {
            "entry_point": self.source.entry_point,
            "hyperparameters": self.hyperparameters,
            "environment": self.environment,
            "instance_type": self.compute.instance_type,
            "instance_count": self.compute.instance_count,
            **({"sharding": self.sharding} if self.sharding else {}),
        }

    @field_validator("data")
    @classmethod
    def _check_channels(cls, data: dict[str, str]) -> dict[str, str]:
        for channel, address in data.items():
            check_channel(channel, address)
        return data

    @field_validator("metrics")
    @classmethod
    def _check_expressions(cls, metrics: dict[str, str]) -> dict[str, str]:
        for name, expression in metrics.items():
            try:
                groups = re.compile(expression).groups
            except re.error as error:
                raise ValueError(f"'{name}' is not a regular expression ({error}); correct it") from None
            if groups != 1:
                raise ValueError(f"'{name}' has {groups} groups; put only the number in a group (…)")
        return metrics

    @field_validator("hyperparameters")
    @classmethod
    def _check_names(cls, hyperparameters: dict[str, object]) -> dict[str, object]:
        for name in hyperparameters:
            if "training_compiler" in name:
                raise ValueError(f"'{name}': {COMPILER}")
            if name.startswith("sagemaker_"):
                raise ValueError(f"the launcher sets '{name}'; remove it")
        return hyperparameters

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        compute, limits = self.compute, self.limits
        for channel in self.sharding.keys() - self.data.keys():
            raise ValueError(f"sharding: data has no channel '{channel}'; correct the name")
        if not compute.spot:
            if limits.max_wait_minutes is not None:
                raise ValueError("limits.max_wait_minutes is only for spot; remove it or set compute.spot: true")
            return self
        if self.checkpoints == "none":
            raise ValueError(
                "compute.spot needs checkpoints: without them an interruption restarts the training; "
                "remove checkpoints: none or set compute.spot: false"
            )
        if compute.keep_alive_minutes:
            raise ValueError(
                "compute.keep_alive_minutes: SageMaker keeps no warm pool of spot instances; "
                "remove it or set compute.spot: false"
            )
        if limits.max_wait_minutes is not None and limits.max_wait_minutes < limits.max_runtime_minutes:
            raise ValueError(
                f"limits.max_wait_minutes ({limits.max_wait_minutes}) includes the training itself; set it to at least "
                f"max_runtime_minutes ({limits.max_runtime_minutes})"
            )
        return self
