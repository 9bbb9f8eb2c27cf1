"""What a person writes to process data: to prepare it, to evaluate a model, or whatever a script does with files."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from sustainable_mlops.jobs.measurement.smlops_measure import ENTRY_POINT, MESSAGE
from sustainable_mlops.jobs.specs.common import (
    ChannelName,
    FlooredLimits,
    FrameworkImage,
    Image,
    Instances,
    Scalar,
    ScriptSpec,
    Text,
    check_channel,
)
from sustainable_mlops.settings import Settings

#: Variables that say where inputs and outputs are in the container, each in a folder of its name.
INPUT_DIR, OUTPUT_DIR = "INPUT_DIR", "OUTPUT_DIR"


class ProcessingCompute(Instances):
    """The machines that process."""

    gone: ClassVar[Mapping[str, str]] = {
        **Instances.gone,
        "spot": "SageMaker has managed spot for training and tuning only, not for processing; remove it",
        "keep_alive_minutes": "SageMaker keeps no warm pool for processing; remove it",
    }


class ProcessingLimits(FlooredLimits):
    """When the job is stopped, whatever it does."""

    max_runtime_minutes: int = Field(ge=1, le=9 * 24 * 60, description="Longest run, in minutes.")


class Input(Settings):
    """Data that is read."""

    data: Text = Field(description="A prefix or key in the platform's data bucket, or an s3:// address.")
    sharding: Literal["replicated", "by_key"] = Field(
        "replicated",
        description="What each of several instances gets: all objects, or its share of them. Whoever shares the work "
        "writes files that are named after the share, as the instances' outputs come together in one folder.",
    )


class Processing(ScriptSpec):
    """A processing job."""

    set_by_launcher: ClassVar[frozenset[str]] = frozenset({INPUT_DIR, OUTPUT_DIR, ENTRY_POINT, MESSAGE})

    image: Image = Field(
        description="A framework and version (spark: SageMaker's Spark image, which submits the script), or the full "
        "address of an image that has sh, tar and python3."
    )
    compute: ProcessingCompute
    limits: ProcessingLimits
    inputs: dict[ChannelName, Input] = Field(
        min_length=1,
        max_length=9,
        description="Name to data, in the folder of this name under INPUT_DIR. Spark reads them from S3 itself, from "
        "the addresses in /opt/ml/config/processingjobconfig.json.",
    )
    arguments: dict[Text, Scalar] = Field({}, max_length=50, description="Passed to the script as `--name value`.")
    outputs: dict[ChannelName, Literal["re-creatable", "runs"]] = Field(
        min_length=1,
        max_length=10,
        description="Name, of the folder under OUTPUT_DIR, to what its files are: re-creatable data, kept in the data "
        "bucket, or a report of the run, kept in the artifacts bucket. A run is done once each has a file.",
    )

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """The arguments."""
        return self.arguments

    @property
    def decides(self) -> Mapping[str, Any]:
        """Not in it, because the outputs do not depend on them: name, tags, limits, volume size, network."""
        return {
            "kind": "processing",
            "entry_point": self.source.entry_point,
            "arguments": self.arguments,
            "environment": self.environment,
            "instance_type": self.compute.instance_type,
            "instance_count": self.compute.instance_count,
            "sharding": {name: given.sharding for name, given in self.inputs.items()},
            "outputs": self.outputs,
        }

    @property
    def spark(self) -> bool:
        """Whether the image is SageMaker's Spark image."""
        if isinstance(self.image, FrameworkImage):
            return self.image.framework == "spark"
        return "sagemaker-spark" in self.image

    @field_validator("inputs")
    @classmethod
    def _channels(cls, inputs: dict[str, Input]) -> dict[str, Input]:
        for name, given in inputs.items():
            check_channel(name, given.data)
        return inputs

    @model_validator(mode="after")
    def _combinations(self) -> Self:
        dealt_out = [name for name, given in self.inputs.items() if given.sharding == "by_key"]
        count = self.compute.instance_count
        if self.spark and dealt_out:
            raise ValueError(f"inputs.{dealt_out[0]}.sharding: Spark deals records out by itself; set it to replicated")
        if self.spark and self.network.isolation:
            raise ValueError(
                "network.isolation: Spark reads S3 itself and its instances speak with each other, which an isolated "
                "container cannot; set it to false"
            )
        if count > 1 and not self.spark and not dealt_out:
            raise ValueError(
                f"compute.instance_count: {count} instances would each do all of the work, as each gets every object; "
                "deal one of the inputs out (sharding: by_key), or take one instance"
            )
        return self
