"""Fields that the files of all jobs have in common."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator, model_validator

from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.base.settings import WORKLOAD, Settings
from sustainable_mlops.jobs.platform import InlinePlatform, Vpc

#: Length of the launcher's suffix of a job name: the time in UTC and the start of the run key.
NAME_SUFFIX = len("-yyyymmdd-hhmmss-abcdef")
#: Maximum length of a name: SageMaker allows 63 characters in a job's name.
MAX_NAME = 63 - NAME_SUFFIX
#: Input with the source code.
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
    "SageMaker Debugger is closed to new customers; read metrics from the log (metrics), stop early in the script, or "
    "let a tuning job stop jobs that do not improve"
)
COMPILER = "SageMaker Training Compiler gets no new releases; use torch.compile, or Trainium with its Neuron image"
ELASTIC = "Elastic Inference is no longer available; use an ml.inf2 type, or Graviton for an endpoint"
#: Former fields of a job, by the names people may use for them, with the remedy.
REMOVED_FIELDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("debugger", "debug_hook", "debug_hook_config", "debug_rules", "debug_rule_configurations"), _DEBUGGER
    ),
    **dict.fromkeys(("profiler", "profiler_config", "profiler_rules", "profiler_rule_configurations"), _DEBUGGER),
    **dict.fromkeys(("compiler", "compiler_config", "training_compiler"), COMPILER),
    **dict.fromkeys(("accelerator_type", "elastic_inference"), ELASTIC),
}


class SourceSpec(Settings):
    """The code of a job."""

    directory: str = Field(".", description="Folder of the code, relative to this file.")
    entry_point: str = Field(
        pattern=r"^[A-Za-z_]\w*\.py$",
        # The XGBoost container runs `python -m <module>`, others run `python <file>`: the pattern suits both.
        description="Script to run, at the top of the directory.",
    )
    include: list[Text] = Field(
        ["**/*"],
        min_length=1,
        description="Files to send, as names or patterns. Logs, data, models and job files need their name or ending "
        "(*.csv). Files that .smlopsignore matches, hidden files, caches and secrets are not sent.",
    )


class FrameworkImage(Settings):
    """One of SageMaker's own images, by framework and version."""

    framework: Text = Field(description="Name in the SageMaker Python SDK: xgboost, pytorch, sklearn, …")
    version: Text = Field(description="Version of the framework's image, in quotes if it looks like a number.")


def _tag_image(image: object) -> str:
    return "<address>" if isinstance(image, str) else "<framework>"


Address = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=255)]
Image = Annotated[
    Annotated[Address, Tag("<address>")] | Annotated[FrameworkImage, Tag("<framework>")], Discriminator(_tag_image)
]
InstanceType = Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]


class Instances(Settings):
    """The instances of a job."""

    removed_keys: ClassVar[Mapping[str, str]] = REMOVED_FIELDS

    instance_type: InstanceType = Field(description="For example ml.m7i.large.")
    instance_count: int = Field(1, ge=1, le=100, description="Number of instances.")
    volume_gb: int = Field(10, ge=1, le=16384, description="Storage of each instance, in GB.")


class UtilizationFloor(Settings):
    """Lowest utilization of a job's instances. The launcher that follows the job stops it below this floor."""

    cpu_percent: float | None = Field(
        None, gt=0, le=100, description="Minimum utilization of an instance's vCPUs, in percent."
    )
    gpu_percent: float | None = Field(
        None, gt=0, le=100, description="Minimum utilization of an instance's GPUs, in percent."
    )
    minutes: int = Field(
        ge=1, le=24 * 60, description="Minutes below the floor, on every instance, before the job is stopped."
    )

    @property
    def processor(self) -> Literal["cpu", "gpu"]:
        """Kind of processor that the floor measures."""
        return "cpu" if self.cpu_percent is not None else "gpu"

    @property
    def percent(self) -> float:
        """The floor, in percent."""
        return self.cpu_percent or self.gpu_percent or 0.0

    @model_validator(mode="after")
    def _check_processor(self) -> Self:
        if (self.cpu_percent is None) == (self.gpu_percent is None):
            raise ValueError("set either cpu_percent or gpu_percent")
        return self


class ScriptLimits(Settings):
    """Limits of a job with a script."""

    utilization_floor: UtilizationFloor | None = Field(
        None, description="Floor below which the launcher stops the job, while it follows the job."
    )


class Network(Settings):
    """Network access of the container."""

    isolation: bool = Field(True, description="Container without any network.")
    vpc: Literal[False] | Vpc | None = Field(
        None,
        description="Subnets and security groups of the job, or false for none. Default: the network of the platform.",
    )

    def build_vpc_config(self, platform_vpc: Vpc | None) -> dict[str, Any] | None:
        """Return the `VpcConfig` of a request; None without a VPC."""
        vpc = platform_vpc if self.vpc is None else self.vpc
        return vpc.to_request() if vpc else None


def tag_platform(platform: object) -> str:
    return "<parameter>" if isinstance(platform, str) else "<inline>"


ParameterName = Annotated[str, StringConstraints(pattern=r"^(/[\w.\-/]+|arn:[\w-]+:ssm:.+:parameter/[\w.\-/]+)$")]


class Launchable(Protocol):
    """Properties of a job file that a launch needs, for every kind: see `JobSpec`."""

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
    def code(self) -> SourceSpec | None: ...
    @property
    def parameters(self) -> Mapping[str, Scalar]: ...
    @property
    def is_resumable(self) -> bool: ...
    @property
    def floor(self) -> UtilizationFloor | None: ...
    @property
    def result_inputs(self) -> Mapping[str, Any]: ...


class JobSpec(Settings):
    """Fields of every job file that describes a single job (a `Launchable`)."""

    removed_keys: ClassVar[Mapping[str, str]] = REMOVED_FIELDS
    #: Environment variables that the launcher sets.
    set_by_launcher: ClassVar[frozenset[str]] = frozenset()

    name: Name = Field(
        description="Letters, digits, single hyphens. Start of the job's name; also the workload, if no tag names one."
    )
    platform: Annotated[
        Annotated[ParameterName, Tag("<parameter>")] | Annotated[InlinePlatform, Tag("<inline>")],
        Discriminator(tag_platform),
    ] = Field(description="SSM parameter that an environment publishes, or the same document written here.")
    environment: dict[VariableName, VariableValue] = Field(
        {},
        max_length=96,  # SageMaker allows 100, including those of the launcher
        description="Environment variables. Everyone who may describe the job can read them.",
    )
    network: Network = Field(Network())
    tags: dict[TagKey, TagValue] = Field({}, max_length=40, description="Tags in addition to the platform's tags.")

    @property
    def workload(self) -> str:
        """Name that groups runs in S3 and in the registry: `tags.workload`, or else the job's name."""
        return self.tags.get("workload", self.name)

    @property
    def code(self) -> SourceSpec | None:
        """The code that is sent with the job; None for a job without code."""
        return None

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """Parameters of the script, by name."""
        return {}

    @property
    def is_resumable(self) -> bool:
        """True if the job writes checkpoints from which a later job of the run resumes."""
        return False

    @property
    def floor(self) -> UtilizationFloor | None:
        """The utilization floor; None if the job has none."""
        return None

    @property
    def result_inputs(self) -> Mapping[str, Any]:
        """Fields of the file that decide the result, besides source, image and data. They are part of the run key."""
        raise NotImplementedError

    @field_validator("tags")
    @classmethod
    def _check_workload(cls, tags: dict[str, str]) -> dict[str, str]:
        if not re.fullmatch(WORKLOAD, tags.get("workload", "x")):
            raise ValueError("workload is a folder name in S3; use letters, digits, - and _")
        return tags

    @field_validator("environment")
    @classmethod
    def _check_variables(cls, environment: dict[str, str]) -> dict[str, str]:
        for name, value in environment.items():
            if name in cls.set_by_launcher:
                raise ValueError(f"the launcher sets {name}; remove it")
            if re.search(r"(PASSWORD|SECRET|TOKEN|API_?KEY)$", name, re.IGNORECASE) and not value.startswith("arn:"):
                raise ValueError(f"everyone who sees the job can read {name}; pass the ARN of a secret instead")
        return environment


class ScriptSpec(JobSpec):
    """Fields of a job that runs a script."""

    source: SourceSpec
    limits: ScriptLimits

    @property
    def code(self) -> SourceSpec:
        """The code with the script."""
        return self.source

    @property
    def floor(self) -> UtilizationFloor | None:
        """The utilization floor of the limits."""
        return self.limits.utilization_floor


def format_scalar(value: Scalar) -> str:
    """Return a value as an argument of a script or a parameter of a pipeline: booleans as in JSON."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_channel(name: str, address: str) -> None:
    """Raise ValueError if `name` is reserved, or if `address` is neither a key nor an s3:// address."""
    if name == CODE_CHANNEL:
        raise ValueError(f"the channel '{CODE_CHANNEL}' is reserved for the source code; choose another name")
    if "://" in address and not is_s3(address):
        raise ValueError(f"channel '{name}': {address} is not in S3; write a key or an s3:// address")
