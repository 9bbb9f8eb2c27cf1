"""What a person writes to train: `job.yaml`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from sustainable_mlops.jobs.measurement.counters import COUNTERS
from sustainable_mlops.jobs.measurement.smlops_measure import ENTRY_POINT
from sustainable_mlops.jobs.specs.common import (
    COMPILER,
    ChannelName,
    FlooredLimits,
    Image,
    Instances,
    Scalar,
    ScriptSpec,
    Text,
    check_channel,
)
from sustainable_mlops.settings import Settings

CHECKPOINT_DIR = "CHECKPOINT_DIR"
# CreateModelPackage's own pattern: EntityName.
SpecificationName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")]


class Compute(Instances):
    """The machines that train."""

    spot: bool = Field(True, description="Managed spot: spare capacity, which may be taken back at any time.")
    keep_alive_minutes: int = Field(
        0, ge=0, le=60, description="Warm pool: minutes the instances wait, billed and idle, for the next job."
    )


class Limits(FlooredLimits):
    """When the job is stopped, whatever it does."""

    max_runtime_minutes: int = Field(ge=1, le=28 * 24 * 60, description="Longest training, in minutes.")
    max_wait_minutes: int | None = Field(
        None,
        ge=1,
        le=2 * 28 * 24 * 60,
        description="Longest training and waiting for spot capacity together, in minutes; "
        "twice max_runtime_minutes unless given. Only with spot.",
    )


class AdditionalServing(Settings):
    """The same model on other machines, with the image for these."""

    image: Image | None = Field(None, description="Image that serves; the one that trains unless given.")
    realtime_instance_types: list[Text] = Field(min_length=1, description="Tried and good for an endpoint.")
    transform_instance_types: list[Text] = Field([], description="Tried and good for batch transform.")


class Serving(Settings):
    """How the trained model is to be served, for its model package."""

    image: Image | None = Field(None, description="Image that serves; the one that trains unless given.")
    entry_point: str = Field("inference.py", pattern=r"^[A-Za-z_]\w*\.py$", description="Script that serves.")
    content_types: list[Text] = Field(["text/csv", "application/json"], min_length=1, description="It understands.")
    response_types: list[Text] = Field(["application/json"], min_length=1, description="It answers in.")
    realtime_instance_types: list[Text] = Field(
        ["ml.c7i.large", "ml.m7i.large"], min_length=1, description="Tried and good for an endpoint."
    )
    transform_instance_types: list[Text] = Field(
        ["ml.c7i.large", "ml.m7i.large"], min_length=1, description="Tried and good for batch transform."
    )
    additional: Mapping[SpecificationName, AdditionalServing] = Field(
        {},
        max_length=15,
        description="Other machines that serve the same package, by the inference_specification_name that an endpoint "
        "asks for them with. One image runs on one architecture, so Graviton needs an entry of its own.",
    )


class Training(ScriptSpec):
    """A training job, as `job.yaml` describes it."""

    set_by_launcher: ClassVar[frozenset[str]] = frozenset({CHECKPOINT_DIR, ENTRY_POINT})

    image: Image = Field(description="A framework and version, or the full address of an image.")
    compute: Compute
    limits: Limits
    checkpoints: Literal["derived", "none"] = Field(
        "derived", description="derived: kept under the run key, so that an identical launch resumes."
    )
    data: dict[ChannelName, Text] = Field(
        min_length=1,
        max_length=19,
        description="Channel to its data: a prefix or key in the platform's data bucket, or an s3:// address.",
    )
    sharding: dict[ChannelName, Literal["by_key"]] = Field(
        {},
        description="Channel to by_key, where each of several instances gets a share of its objects; all of them "
        "otherwise.",
    )
    hyperparameters: dict[Text, Scalar] = Field(
        {}, max_length=98, description="Passed to the script as `--name value`; a name of one letter as `-n value`."
    )
    metrics: dict[Text, Text] = Field(
        {},
        max_length=40 - len(COUNTERS),  # SageMaker takes 40, with those of what the job takes
        description="Metric to the regular expression that finds it in the log, with one group.",
    )
    serving: Serving | None = Field(None, description="How the model is served; needed to register it.")

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """The hyperparameters."""
        return self.hyperparameters

    @property
    def resumable(self) -> bool:
        """Unless checkpoints are declined."""
        return self.checkpoints == "derived"

    @property
    def decides(self) -> Mapping[str, Any]:
        """Not in it, because the model does not depend on them: name, tags, limits, spot, warm pool, volume size,
        network, the metrics read from the log, how the model is served."""
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
    def _channels(cls, data: dict[str, str]) -> dict[str, str]:
        for channel, address in data.items():
            check_channel(channel, address)
        return data

    @field_validator("metrics")
    @classmethod
    def _expressions(cls, metrics: dict[str, str]) -> dict[str, str]:
        for name, expression in metrics.items():
            try:
                groups = re.compile(expression).groups
            except re.error as error:
                raise ValueError(f"'{name}' is not a regular expression ({error})") from None
            if groups != 1:
                raise ValueError(f"'{name}' has {groups} groups; put the number, and only it, in one (…)")
        return metrics

    @field_validator("hyperparameters")
    @classmethod
    def _free_names(cls, hyperparameters: dict[str, object]) -> dict[str, object]:
        for name in hyperparameters:
            if "training_compiler" in name:
                raise ValueError(f"'{name}': {COMPILER}")
            if name.startswith("sagemaker_"):
                raise ValueError(f"'{name}' is set by the launcher; remove it")
        return hyperparameters

    @model_validator(mode="after")
    def _combinations(self) -> Self:
        compute, limits = self.compute, self.limits
        for channel in self.sharding.keys() - self.data.keys():
            raise ValueError(f"sharding: there is no channel '{channel}' in data; correct its name")
        if not compute.spot:
            if limits.max_wait_minutes is not None:
                raise ValueError("limits.max_wait_minutes is for spot only; remove it or set compute.spot: true")
            return self
        if self.checkpoints == "none":
            raise ValueError(
                "compute.spot needs a checkpoint address, or an interruption starts the training over; "
                "remove checkpoints: none or set compute.spot: false"
            )
        if compute.keep_alive_minutes:
            raise ValueError(
                "compute.keep_alive_minutes: SageMaker keeps no warm pool of spot instances; "
                "remove it or set compute.spot: false"
            )
        if limits.max_wait_minutes is not None and limits.max_wait_minutes < limits.max_runtime_minutes:
            raise ValueError(
                f"limits.max_wait_minutes ({limits.max_wait_minutes}) includes the training itself; make it at least "
                f"max_runtime_minutes ({limits.max_runtime_minutes})"
            )
        return self
