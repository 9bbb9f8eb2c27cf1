"""What the files of all jobs have in common."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator, model_validator

from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.jobs.platform import InlinePlatform
from sustainable_mlops.settings import WORKLOAD, Settings

#: What the launcher adds to a job's name: the time in UTC and the start of the run key.
NAME_SUFFIX = len("-yyyymmdd-hhmmss-abcdef")
#: SageMaker allows 63 characters in a job's name.
MAX_NAME = 63 - NAME_SUFFIX
#: The input that the source code itself travels in.
CODE_CHANNEL = "code"

Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=MAX_NAME)]
ChannelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Text = Annotated[str, StringConstraints(min_length=1)]
# CreateTrainingJob's own patterns: Tag$Key, Tag$Value, TrainingEnvironmentKey.
TagKey = Annotated[str, StringConstraints(pattern=r"^[\w\s.:/=+\-@]+$", max_length=128)]
TagValue = Annotated[str, StringConstraints(pattern=r"^[\w\s.:/=+\-@]*$", max_length=256)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=512)]
VariableValue = Annotated[str, StringConstraints(max_length=512)]
Scalar = str | bool | int | float


_DEBUGGER = (
    "SageMaker Debugger is closed to new customers; read metrics from the log (metrics), stop early in the script, and "
    "let tuning stop what does not improve"
)
COMPILER = "SageMaker Training Compiler gets no new releases; use torch.compile, or Trainium with its Neuron image"
ELASTIC = "Elastic Inference is no longer available; take an ml.inf2 type, or Graviton for an endpoint"
#: What a job once could ask for, by the names it may be asked for with.
GONE: Mapping[str, str] = {
    **dict.fromkeys(
        ("debugger", "debug_hook", "debug_hook_config", "debug_rules", "debug_rule_configurations"), _DEBUGGER
    ),
    **dict.fromkeys(("profiler", "profiler_config", "profiler_rules", "profiler_rule_configurations"), _DEBUGGER),
    **dict.fromkeys(("compiler", "compiler_config", "training_compiler"), COMPILER),
    **dict.fromkeys(("accelerator_type", "elastic_inference"), ELASTIC),
}


class Source(Settings):
    """The code that runs."""

    directory: str = Field(".", description="Folder of the code, relative to this file.")
    entry_point: str = Field(
        pattern=r"^[A-Za-z_]\w*\.py$",
        # The XGBoost container runs `python -m <module>`, others `python <file>`: this is what all of them take.
        description="Script that runs, at the top of the directory.",
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


def _image_form(image: object) -> str:
    return "<address>" if isinstance(image, str) else "<framework>"


Address = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=255)]
Image = Annotated[
    Annotated[Address, Tag("<address>")] | Annotated[FrameworkImage, Tag("<framework>")], Discriminator(_image_form)
]
InstanceType = Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]


class Instances(Settings):
    """The machines of a job."""

    gone: ClassVar[Mapping[str, str]] = GONE

    instance_type: InstanceType = Field(description="For example ml.m7i.large.")
    instance_count: int = Field(1, ge=1, le=100, description="Number of instances.")
    volume_gb: int = Field(10, ge=1, le=16384, description="Storage of each instance, in GB.")


class UtilizationFloor(Settings):
    """How little the machines may do before the job is stopped, while somebody follows it."""

    cpu_percent: float | None = Field(None, gt=0, le=100, description="Of an instance's vCPUs.")
    gpu_percent: float | None = Field(None, gt=0, le=100, description="Of an instance's GPUs.")
    minutes: int = Field(ge=1, le=24 * 60, description="Below it on every instance for so long.")

    @property
    def of(self) -> Literal["cpu", "gpu"]:
        """Which processors it is about."""
        return "cpu" if self.cpu_percent is not None else "gpu"

    @property
    def percent(self) -> float:
        """The floor."""
        return self.cpu_percent or self.gpu_percent or 0.0

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.cpu_percent is None) == (self.gpu_percent is None):
            raise ValueError("give either cpu_percent or gpu_percent")
        return self


class FlooredLimits(Settings):
    """When a script is stopped."""

    utilization_floor: UtilizationFloor | None = Field(
        None, description="The launcher stops a job that leaves its machines idle, while it follows it."
    )


class Network(Settings):
    """What the container may reach."""

    isolation: bool = Field(True, description="No network at all inside the container.")


def platform_form(platform: object) -> str:
    return "<parameter>" if isinstance(platform, str) else "<inline>"


ParameterName = Annotated[str, StringConstraints(pattern=r"^(/[\w.\-/]+|arn:[\w-]+:ssm:.+:parameter/[\w.\-/]+)$")]


class Launchable(Protocol):
    """What a launch needs to know of a job's file, whatever it looks like: see `JobSpec`."""

    @property
    def name(self) -> str: ...
    @property
    def platform(self) -> str | InlinePlatform: ...
    @property
    def network(self) -> Network: ...
    @property
    def tags(self) -> Mapping[str, str]: ...
    @property
    def workload(self) -> str: ...
    @property
    def code(self) -> Source | None: ...
    @property
    def parameters(self) -> Mapping[str, Scalar]: ...
    @property
    def resumable(self) -> bool: ...
    @property
    def floor(self) -> UtilizationFloor | None: ...
    @property
    def decides(self) -> Mapping[str, Any]: ...


class JobSpec(Settings):
    """What the file of every job says that is one by itself (a `Launchable`)."""

    gone: ClassVar[Mapping[str, str]] = GONE
    #: Variables that the launcher itself sets.
    set_by_launcher: ClassVar[frozenset[str]] = frozenset()

    name: Name = Field(
        description="Letters, digits, single hyphens: starts the job's name, and is the workload without that tag."
    )
    platform: Annotated[
        Annotated[ParameterName, Tag("<parameter>")] | Annotated[InlinePlatform, Tag("<inline>")],
        Discriminator(platform_form),
    ] = Field(description="SSM parameter that an environment publishes, or the same document written here.")
    environment: dict[VariableName, VariableValue] = Field(
        {},
        max_length=96,  # SageMaker takes 100, with those of the launcher
        description="Environment variables. Anyone who may describe the job reads them.",
    )
    network: Network = Field(Network())
    tags: dict[TagKey, TagValue] = Field({}, max_length=40, description="Added to the platform's tags.")

    @property
    def workload(self) -> str:
        """Groups runs, in S3 and in the registry: `tags.workload`, else the name."""
        return self.tags.get("workload", self.name)

    @property
    def code(self) -> Source | None:
        """The code that is sent with the job; None for a job without."""
        return None

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """What the script is given, by name."""
        return {}

    @property
    def resumable(self) -> bool:
        """Whether the job keeps checkpoints, from which the next one of the same run goes on."""
        return False

    @property
    def floor(self) -> UtilizationFloor | None:
        """The utilisation below which the job is stopped; None where it goes on in any case."""
        return None

    @property
    def decides(self) -> Mapping[str, Any]:
        """What of the file decides the result, beside the source, the image and the data: part of the run key."""
        raise NotImplementedError

    @field_validator("tags")
    @classmethod
    def _workload(cls, tags: dict[str, str]) -> dict[str, str]:
        if not re.fullmatch(WORKLOAD, tags.get("workload", "x")):
            raise ValueError("workload names a folder in S3; use letters, digits, - and _")
        return tags

    @field_validator("environment")
    @classmethod
    def _variables(cls, environment: dict[str, str]) -> dict[str, str]:
        for name, value in environment.items():
            if name in cls.set_by_launcher:
                raise ValueError(f"{name} is set by the launcher; remove it")
            if re.search(r"(PASSWORD|SECRET|TOKEN|API_?KEY)$", name, re.IGNORECASE) and not value.startswith("arn:"):
                raise ValueError(f"{name} would be readable by all who see the job; pass the ARN of a secret instead")
        return environment


class ScriptSpec(JobSpec):
    """The same of a job that runs a script."""

    source: Source
    limits: FlooredLimits

    @property
    def code(self) -> Source:
        """The script and what it needs."""
        return self.source

    @property
    def floor(self) -> UtilizationFloor | None:
        """Of the limits."""
        return self.limits.utilization_floor


def as_text(value: Scalar) -> str:
    """A value as an argument of a script or a parameter of a pipeline: a truth value as JSON has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_channel(name: str, address: str) -> None:
    """Raise ValueError where `name` is taken or `address` is no key and no s3:// address."""
    if name == CODE_CHANNEL:
        raise ValueError(f"the channel '{CODE_CHANNEL}' carries the source code; give the data set another name")
    if "://" in address and not is_s3(address):
        raise ValueError(f"channel '{name}': {address} is not in S3; give a key or an s3:// address")
