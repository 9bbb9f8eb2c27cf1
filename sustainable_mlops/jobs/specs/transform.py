"""The file of a batch transform job: predictions for data in S3."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.base.settings import Settings
from sustainable_mlops.jobs.specs.common import REMOVED_FIELDS, Image, InstanceType, JobSpec, Text

#: Maximum of MaxConcurrentTransforms times MaxPayloadInMB. Source: CreateTransformJob in the API reference.
_MAX_PARALLEL_MEGABYTES = 100
#: Content types with fields. A filter or a join needs one of them.
_TYPES_WITH_FIELDS = ("text/csv", "application/json", "application/jsonlines")
_SPOT = "SageMaker has managed spot for training and tuning only, not for batch transform; remove it"


class TransformCompute(Settings):
    """The instances of a batch transform job."""

    removed_keys: ClassVar[Mapping[str, str]] = {
        **REMOVED_FIELDS,
        "spot": _SPOT,
        "volume_gb": "SageMaker chooses the volumes of batch transform; remove it",
    }

    instance_type: InstanceType = Field(description="For example ml.m7i.large.")
    instance_count: int = Field(
        1, ge=1, le=100, description="Number of instances. Each receives a shard of the objects."
    )


class TransformLimits(Settings):
    """Runtime limits of a batch transform job."""

    max_runtime_minutes: int = Field(
        ge=1,
        le=28 * 24 * 60,
        description="Maximum runtime, in minutes. SageMaker has no limit for batch transform: the launcher that "
        "follows the job stops it.",
    )


class TransformInput(Settings):
    """The input records."""

    data: Text = Field(description="A prefix or key in the platform's data bucket, or an s3:// address.")
    content_type: Text = Field(description="Content type of the requests: text/csv, application/json, …")
    split: Literal["none", "line", "recordio", "tfrecord"] = Field(
        "line",
        description="Unit that becomes a record: the whole object (none), a line, or a RecordIO or TFRecord record.",
    )
    compression: Literal["none", "gzip"] = Field("none", description="Compression of the objects.")
    filter: Text | None = Field(
        None, max_length=63, description="JSONPath of the part of a record that the model receives."
    )


class TransformOutput(Settings):
    """The predictions."""

    accept: Text | None = Field(None, description="Content type of the responses; by default the model's own.")
    assemble: Literal["none", "line"] = Field(
        "line", description="Separator between the responses in an output object."
    )
    join: bool = Field(False, description="Add each response to its record.")
    filter: Text | None = Field(
        None, max_length=63, description="JSONPath of the stored part of a response, or of record and response."
    )


class TransformSpec(JobSpec):
    """A batch transform job."""

    removed_keys: ClassVar[Mapping[str, str]] = {
        **REMOVED_FIELDS,
        "data_capture": "the job stores its predictions; remove it",
        "source": "the model has its own code; remove it, or prepare the records with smlops process",
    }

    model: Text | None = Field(
        None,
        description="Model: the record of a run (a file or an s3:// address), the ARN of a model package, or the "
        "s3:// address of a model.tar.gz. --model replaces it.",
    )
    image: Image | None = Field(
        None, description="Serving image of a model.tar.gz. Records and packages have their own."
    )
    entry_point: Text = Field("inference.py", description="Serving script in code/ of a model.tar.gz.")
    compute: TransformCompute
    limits: TransformLimits
    input: TransformInput
    output: TransformOutput = Field(TransformOutput())
    strategy: Literal["multi_record", "single_record"] = Field(
        "multi_record", description="multi_record: as many records as fit in a request; single_record: one."
    )
    max_payload_mb: int = Field(6, ge=1, le=100, description="Maximum megabytes of a request.")
    max_concurrent: int = Field(1, ge=1, le=100, description="Parallel requests to each instance.")

    @property
    def result_inputs(self) -> Mapping[str, Any]:
        """Fields that decide the predictions.

        Name, tags, limits, number of instances and network do not change the predictions.
        """
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
    def _check_combinations(self) -> Self:
        job_input, output = self.input, self.output
        if "://" in job_input.data and not is_s3(job_input.data):
            raise ValueError(f"input.data: {job_input.data} is not in S3; write a key or an s3:// address")
        if self.strategy == "multi_record" and job_input.split == "none":
            raise ValueError(
                "strategy: without a split, an object is one record; set strategy: single_record, or input.split"
            )
        if self.max_payload_mb * self.max_concurrent > _MAX_PARALLEL_MEGABYTES:
            raise ValueError(
                f"max_concurrent: {self.max_concurrent} requests of {self.max_payload_mb} MB are more than the "
                f"{_MAX_PARALLEL_MEGABYTES} MB that SageMaker allows in parallel; lower it or max_payload_mb"
            )
        if output.join or output.filter or job_input.filter:
            for field, kind in (("input.content_type", job_input.content_type), ("output.accept", output.accept)):
                if kind is not None and kind.partition(";")[0] not in _TYPES_WITH_FIELDS:
                    raise ValueError(f"{field}: a join or filter needs {', '.join(_TYPES_WITH_FIELDS)}, not {kind}")
        return self
