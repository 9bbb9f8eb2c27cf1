"""What a person writes in `job.yaml`. Reading it calls nothing and imports no AWS library.

`python -m sustainable_mlops.jobs.spec` prints the JSON schema kept in `job.schema.json`.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator, model_validator

from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.jobs.platform import InlinePlatform
from sustainable_mlops.settings import WORKLOAD, Settings, load_yaml, schema_text

#: SageMaker allows 63 characters in a job's name; the launcher adds `-yyyymmdd-hhmmss-<6 of the run key>`.
MAX_NAME = 63 - len("-yyyymmdd-hhmmss-abcdef")
#: What the source code itself travels in (see request.py).
CODE_CHANNEL = "code"
CHECKPOINT_DIR = "CHECKPOINT_DIR"

Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=MAX_NAME)]
ChannelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Text = Annotated[str, StringConstraints(min_length=1)]
# CreateTrainingJob's own patterns: Tag$Key, Tag$Value, TrainingEnvironmentKey.
TagKey = Annotated[str, StringConstraints(pattern=r"^[\w\s.:/=+\-@]+$", max_length=128)]
TagValue = Annotated[str, StringConstraints(pattern=r"^[\w\s.:/=+\-@]*$", max_length=256)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=512)]
VariableValue = Annotated[str, StringConstraints(max_length=512)]


class Source(Settings):
    """The code that trains."""

    directory: str = Field(".", description="Folder of the code, relative to this file.")
    entry_point: str = Field(
        pattern=r"^[A-Za-z_]\w*\.py$",
        # The XGBoost container runs `python -m <module>`, others `python <file>`: this is what all of them take.
        description="Script that trains, at the top of the directory.",
    )
    include: list[Text] = Field(
        ["**/*"],
        min_length=1,
        description="Files to send, as names or patterns. Logs, data, models and job files go only by name or "
        "ending (*.csv); what .smlopsignore matches stays; hidden files, caches and secrets never go.",
    )


class FrameworkImage(Settings):
    """One of SageMaker's own images, by what it holds."""

    framework: Text = Field(description="As the SageMaker Python SDK names it: xgboost, pytorch, sklearn, …")
    version: Text = Field(description="Of the framework's image, in quotes where it looks like a number.")


class Compute(Settings):
    """The machines."""

    instance_type: str = Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", description="For example ml.m7i.large.")
    instance_count: int = Field(1, ge=1, le=100, description="Number of instances.")
    volume_gb: int = Field(10, ge=1, le=16384, description="Storage of each instance, in GB.")
    spot: bool = Field(True, description="Managed spot: spare capacity, which may be taken back at any time.")
    keep_alive_minutes: int = Field(
        0, ge=0, le=60, description="Warm pool: minutes the instances wait, billed and idle, for the next job."
    )


class Limits(Settings):
    """When SageMaker stops the job, whatever it does."""

    max_runtime_minutes: int = Field(ge=1, le=28 * 24 * 60, description="Longest training, in minutes.")
    max_wait_minutes: int | None = Field(
        None,
        ge=1,
        le=2 * 28 * 24 * 60,
        description="Longest training and waiting for spot capacity together, in minutes; "
        "twice max_runtime_minutes unless given. Only with spot.",
    )


class Network(Settings):
    """What the container may reach."""

    isolation: bool = Field(True, description="No network at all inside the container.")


class Serving(Settings):
    """How the trained model is to be served, for its model package."""

    entry_point: str = Field("inference.py", pattern=r"^[A-Za-z_]\w*\.py$", description="Script that serves.")
    content_types: list[Text] = Field(["text/csv", "application/json"], min_length=1, description="It understands.")
    response_types: list[Text] = Field(["application/json"], min_length=1, description="It answers in.")
    realtime_instance_types: list[Text] = Field(
        ["ml.c7i.large", "ml.m7i.large"], min_length=1, description="Tried and good for an endpoint."
    )
    transform_instance_types: list[Text] = Field(
        ["ml.c7i.large", "ml.m7i.large"], min_length=1, description="Tried and good for batch transform."
    )


def _image_form(image: object) -> str:
    return "<address>" if isinstance(image, str) else "<framework>"


def _platform_form(platform: object) -> str:
    return "<parameter>" if isinstance(platform, str) else "<inline>"


Address = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=255)]
ParameterName = Annotated[str, StringConstraints(pattern=r"^(/[\w.\-/]+|arn:[\w-]+:ssm:.+:parameter/[\w.\-/]+)$")]


class Job(Settings):
    """A training job, as `job.yaml` describes it."""

    name: Name = Field(
        description="Letters, digits, single hyphens: starts the job's name, and is the workload without that tag."
    )
    platform: Annotated[
        Annotated[ParameterName, Tag("<parameter>")] | Annotated[InlinePlatform, Tag("<inline>")],
        Discriminator(_platform_form),
    ] = Field(description="SSM parameter that an environment publishes, or the same document written here.")
    source: Source
    image: Annotated[
        Annotated[Address, Tag("<address>")] | Annotated[FrameworkImage, Tag("<framework>")], Discriminator(_image_form)
    ] = Field(description="A framework and version, or the full address of an image.")
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
    hyperparameters: dict[Text, str | bool | int | float] = Field(
        {}, max_length=98, description="Passed to the script as `--name value`."
    )
    metrics: dict[Text, Text] = Field(
        {}, max_length=40, description="Metric to the regular expression that finds it in the log, with one group."
    )
    environment: dict[VariableName, VariableValue] = Field(
        {}, max_length=99, description="Environment variables. Anyone who may describe the job reads them."
    )
    network: Network = Field(Network())
    serving: Serving | None = Field(None, description="How the model is served; needed to register it.")
    tags: dict[TagKey, TagValue] = Field({}, max_length=40, description="Added to the platform's tags.")

    @property
    def workload(self) -> str:
        """Groups runs, in S3 and in the registry: `tags.workload`, else the name."""
        return self.tags.get("workload", self.name)

    @field_validator("data")
    @classmethod
    def _channels(cls, data: dict[str, str]) -> dict[str, str]:
        if CODE_CHANNEL in data:
            raise ValueError(f"the channel '{CODE_CHANNEL}' carries the source code; give the data set another name")
        for channel, address in data.items():
            if "://" in address and not is_s3(address):
                raise ValueError(f"channel '{channel}': {address} is not in S3; give a key or an s3:// address")
        return data

    @field_validator("tags")
    @classmethod
    def _workload(cls, tags: dict[str, str]) -> dict[str, str]:
        if not re.fullmatch(WORKLOAD, tags.get("workload", "x")):
            raise ValueError("workload names a folder in S3; use letters, digits, - and _")
        return tags

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
            if name.startswith("sagemaker_"):
                raise ValueError(f"'{name}' is set by the launcher; remove it")
        return hyperparameters

    @field_validator("environment")
    @classmethod
    def _variables(cls, environment: dict[str, str]) -> dict[str, str]:
        if CHECKPOINT_DIR in environment:
            raise ValueError(f"{CHECKPOINT_DIR} is set by the launcher; remove it")
        for name, value in environment.items():
            if re.search(r"(PASSWORD|SECRET|TOKEN|API_?KEY)$", name, re.IGNORECASE) and not value.startswith("arn:"):
                raise ValueError(f"{name} would be readable by all who see the job; pass the ARN of a secret instead")
        return environment

    @model_validator(mode="after")
    def _combinations(self) -> Self:
        compute, limits = self.compute, self.limits
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


def load_job(path: Path) -> Job:
    """The job that the file at `path` describes. Raises UserError."""
    return load_yaml(path, Job)


if __name__ == "__main__":
    print(schema_text(Job), end="")
