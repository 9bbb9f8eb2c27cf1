"""The file of a processing job: data preparation, evaluation of a model, or any script that works on files."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from sustainable_mlops.base.settings import Settings
from sustainable_mlops.jobs.measurement.smlops_measure import ENTRY_POINT, MESSAGE
from sustainable_mlops.jobs.specs.common import (
    ChannelName,
    FrameworkImage,
    Image,
    Instances,
    Scalar,
    ScriptLimits,
    ScriptSpec,
    Text,
    check_channel,
)

#: Environment variables with the folders of inputs and outputs in the container, each in a subfolder of its name.
INPUT_DIR, OUTPUT_DIR = "INPUT_DIR", "OUTPUT_DIR"


class ProcessingCompute(Instances):
    """The instances of a processing job."""

    removed_keys: ClassVar[Mapping[str, str]] = {
        **Instances.removed_keys,
        "spot": "SageMaker has managed spot for training and tuning only, not for processing; remove it",
        "keep_alive_minutes": "SageMaker has no warm pools for processing; remove it",
    }


class ProcessingLimits(ScriptLimits):
    """Runtime limits of a processing job."""

    max_runtime_minutes: int = Field(ge=1, le=9 * 24 * 60, description="Maximum runtime, in minutes.")


class ProcessingInput(Settings):
    """Input data of a processing job."""

    data: Text = Field(description="A prefix or key in the platform's data bucket, or an s3:// address.")
    sharding: Literal["replicated", "by_key"] = Field(
        "replicated",
        description="Objects that each instance receives: all, or a shard. With shards, the script must name its "
        "output files after the shard, because all instances write to one folder.",
    )


class ProcessingSpec(ScriptSpec):
    """A processing job."""

    set_by_launcher: ClassVar[frozenset[str]] = frozenset({INPUT_DIR, OUTPUT_DIR, ENTRY_POINT, MESSAGE})

    image: Image = Field(
        description="A framework and version (spark: SageMaker's Spark image, which submits the script), or the full "
        "address of an image with sh, tar and python3."
    )
    compute: ProcessingCompute
    limits: ProcessingLimits
    inputs: dict[ChannelName, ProcessingInput] = Field(
        min_length=1,
        max_length=9,
        description="Data of each input; the container has a folder of its name under INPUT_DIR. Spark reads the data "
        "from S3 instead, from the addresses in /opt/ml/config/processingjobconfig.json.",
    )
    arguments: dict[Text, Scalar] = Field({}, max_length=50, description="Arguments of the script: `--name value`.")
    outputs: dict[ChannelName, Literal["re-creatable", "runs"]] = Field(
        min_length=1,
        max_length=10,
        description="Kind of each folder under OUTPUT_DIR: re-creatable (data, stored in the data bucket) or runs "
        "(reports, stored in the artifacts bucket). A run is done when each output has a file.",
    )

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """The arguments of the script."""
        return self.arguments

    @property
    def result_inputs(self) -> Mapping[str, Any]:
        """Fields that decide the outputs. Name, tags, limits, volume size and network do not change them."""
        return {
            "kind": "processing",
            "entry_point": self.source.entry_point,
            "arguments": self.arguments,
            "environment": self.environment,
            "instance_type": self.compute.instance_type,
            "instance_count": self.compute.instance_count,
            "sharding": {name: job_input.sharding for name, job_input in self.inputs.items()},
            "outputs": self.outputs,
        }

    @property
    def uses_spark(self) -> bool:
        """True if the image is SageMaker's Spark image."""
        if isinstance(self.image, FrameworkImage):
            return self.image.framework == "spark"
        return "sagemaker-spark" in self.image

    @field_validator("inputs")
    @classmethod
    def _check_channels(cls, inputs: dict[str, ProcessingInput]) -> dict[str, ProcessingInput]:
        for name, job_input in inputs.items():
            check_channel(name, job_input.data)
        return inputs

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        sharded = [name for name, job_input in self.inputs.items() if job_input.sharding == "by_key"]
        count = self.compute.instance_count
        if self.uses_spark and sharded:
            raise ValueError(f"inputs.{sharded[0]}.sharding: Spark divides the records itself; set it to replicated")
        if self.uses_spark and self.network.isolation:
            raise ValueError(
                "network.isolation: Spark needs a network to read S3 and to connect its instances; set it to false"
            )
        if count > 1 and not self.uses_spark and not sharded:
            raise ValueError(
                f"compute.instance_count: each of {count} instances would receive every object and do all of the work; "
                "set sharding: by_key for an input, or use one instance"
            )
        return self
