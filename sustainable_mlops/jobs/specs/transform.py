"""What a person writes to have a model predict for data that is there already: batch transform."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.jobs.specs.common import GONE, Image, InstanceType, JobSpec, Text
from sustainable_mlops.settings import Settings

#: What MaxConcurrentTransforms times MaxPayloadInMB may come to. Source: CreateTransformJob in the API reference.
_MEGABYTES_AT_ONCE = 100
#: Content types that have fields, which a filter or a join needs.
_WITH_FIELDS = ("text/csv", "application/json", "application/jsonlines")
_SPOT = "SageMaker has managed spot for training and tuning only, not for batch transform; remove it"


class TransformCompute(Settings):
    """The machines that predict."""

    gone: ClassVar[Mapping[str, str]] = {
        **GONE,
        "spot": _SPOT,
        "volume_gb": "SageMaker sizes the volumes of batch transform by itself; remove it",
    }

    instance_type: InstanceType = Field(description="For example ml.m7i.large.")
    instance_count: int = Field(1, ge=1, le=100, description="Number of instances, among which objects are dealt out.")


class TransformLimits(Settings):
    """When the job is stopped."""

    max_runtime_minutes: int = Field(
        ge=1,
        le=28 * 24 * 60,
        description="Longest run, in minutes. SageMaker knows no cap for it: whoever follows the job stops it.",
    )


class TransformInput(Settings):
    """The records that are asked about."""

    data: Text = Field(description="A prefix or key in the platform's data bucket, or an s3:// address.")
    content_type: Text = Field(description="Of what the model is asked with: text/csv, application/json, …")
    split: Literal["none", "line", "recordio", "tfrecord"] = Field("line", description="What an object's records are.")
    compression: Literal["none", "gzip"] = Field("none", description="Of the objects.")
    filter: Text | None = Field(None, max_length=63, description="JSONPath: the part of a record that the model gets.")


class TransformOutput(Settings):
    """The predictions."""

    accept: Text | None = Field(None, description="Content type to answer in; the model's own unless given.")
    assemble: Literal["none", "line"] = Field("line", description="What stands between the answers of an object.")
    join: bool = Field(False, description="Put each answer beside the record that it is for.")
    filter: Text | None = Field(
        None, max_length=63, description="JSONPath: the part of an answer, or of record and answer, that is kept."
    )


class Transform(JobSpec):
    """A batch transform job."""

    gone: ClassVar[Mapping[str, str]] = {
        **GONE,
        "data_capture": "the predictions are kept already; remove it",
        "source": "the model brings its own code; remove it, or prepare the records with smlops process",
    }

    model: Text | None = Field(
        None,
        description="What predicts: the record of a run (a file or an s3:// address), the ARN of a model package, or "
        "the s3:// address of a model.tar.gz. Unless here, named by --model.",
    )
    image: Image | None = Field(None, description="Of a model.tar.gz: what serves it. Others bring theirs.")
    entry_point: Text = Field("inference.py", description="Of a model.tar.gz: the script in its code/ that serves.")
    compute: TransformCompute
    limits: TransformLimits
    input: TransformInput
    output: TransformOutput = Field(TransformOutput())
    strategy: Literal["multi_record", "single_record"] = Field(
        "multi_record", description="Whether a request holds as many records as fit, or one."
    )
    max_payload_mb: int = Field(6, ge=1, le=100, description="Most megabytes of a request.")
    max_concurrent: int = Field(1, ge=1, le=100, description="Requests at once to each instance.")

    @property
    def decides(self) -> Mapping[str, Any]:
        """Not in it, because no prediction depends on them: name, tags, limits, number of instances, network."""
        return {
            "kind": "transform",
            "environment": self.environment,
            "instance_type": self.compute.instance_type,
            "input": self.input.model_dump(exclude={"data"}),
            "output": self.output.model_dump(),
            "strategy": self.strategy,
            "max_payload_mb": self.max_payload_mb,
        }

    @model_validator(mode="after")
    def _combinations(self) -> Self:
        given, output = self.input, self.output
        if "://" in given.data and not is_s3(given.data):
            raise ValueError(f"input.data: {given.data} is not in S3; give a key or an s3:// address")
        if self.strategy == "multi_record" and given.split == "none":
            raise ValueError(
                "strategy: an object that is not split is one record; set strategy: single_record, or input.split"
            )
        if self.max_payload_mb * self.max_concurrent > _MEGABYTES_AT_ONCE:
            raise ValueError(
                f"max_concurrent: {self.max_concurrent} requests of {self.max_payload_mb} MB are more than the "
                f"{_MEGABYTES_AT_ONCE} MB that SageMaker has under way; lower it or max_payload_mb"
            )
        if output.join or output.filter or given.filter:
            for field, kind in (("input.content_type", given.content_type), ("output.accept", output.accept)):
                if kind is not None and kind.partition(";")[0] not in _WITH_FIELDS:
                    raise ValueError(f"{field}: a join or filter needs {', '.join(_WITH_FIELDS)}, not {kind}")
        return self
