"""Batch transform jobs, and the model of SageMaker that each asks."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sustainable_mlops.aws import Clients
from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs import serving
from sustainable_mlops.jobs.channels import find_channels
from sustainable_mlops.jobs.image import check_neuron, image_address
from sustainable_mlops.jobs.kinds.kind import Kind, Machines, Needed, Places
from sustainable_mlops.jobs.kinds.members import check_instance, optional, volume_key
from sustainable_mlops.jobs.platform import Phase, Platform
from sustainable_mlops.jobs.record import load_record
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.spec_files import load_spec
from sustainable_mlops.jobs.specs.transform import Transform

INPUT, MODEL, PREDICTIONS = "input", "model", "predictions"
_SPLIT = {"none": "None", "line": "Line", "recordio": "RecordIO", "tfrecord": "TFRecord"}
_STRATEGY = {"multi_record": "MultiRecord", "single_record": "SingleRecord"}
#: Characters of a digest that tell one model from the others in its name.
_DIGEST = 12


class TransformKind(Kind[Transform]):
    """Predictions for records in S3, by machines that come for it and go. There is no managed spot for it."""

    name: ClassVar[str] = "transform"
    noun: ClassVar[str] = "TransformJob"
    time: ClassVar[str] = "Transform"
    done: ClassVar[str] = "transformed"
    phase: ClassVar[Phase] = "inference"
    spec = Transform

    def __init__(self, model: str | None = None) -> None:
        """`model` stands for what the job's file says of it."""
        self._model = model

    def load(self, path: Path) -> Transform:
        """The file at `path`; a run's record in a file is named relative to it."""
        spec = load_spec(path, Transform)
        if self._model is not None:
            return spec.model_copy(update={"model": self._model})
        if spec.model is None or spec.model.startswith("arn:") or is_s3(spec.model):
            return spec
        return spec.model_copy(update={"model": str(path.parent / spec.model)})

    def check(self, spec: Transform) -> None:
        """Instance types that SageMaker does not have for batch transform are refused."""
        check_instance(
            "compute.instance_type",
            spec.compute.instance_type,
            "TransformInstanceType",
            "transform",
            inferentia="Inf1 is legacy; use for example ml.inf2.xlarge with its Neuron image",
        )

    def image(self, spec: Transform, platform: Platform) -> str:
        """The image of a bare model.tar.gz; what else predicts brings its own."""
        if spec.image is None:
            return ""
        return image_address(spec.image, platform.region, spec.compute.instance_type, "inference")

    def data(self, spec: Transform) -> Mapping[str, str]:
        """The records."""
        return {INPUT: spec.input.data}

    def gather(
        self, spec: Transform, platform: Platform, image: str, source_digest: str | None, clients: Clients
    ) -> Run[Transform]:
        """The run, with its records and its model looked at."""
        container = _container(spec, image, clients)
        check_neuron(container["Image"], spec.compute.instance_type)
        address = serving.model_data(container)
        data = {**self.data(spec), **({MODEL: address} if address else {})}
        channels = find_channels(data, platform.buckets.data, clients.s3)
        return Run(spec, platform, container["Image"], source_digest, channels, container)

    def outputs(self, run: Run[Transform], attempt: str) -> dict[str, str]:
        """The predictions, under the run key."""
        return {PREDICTIONS: run.layout.predictions(run.key, attempt)}

    def needs(self, run: Run[Transform]) -> tuple[Needed, ...]:
        """The model, named by what it is, so that the next job over the same one takes it again."""
        role, spec = run.platform.role(self.phase), run.spec
        request = {
            "PrimaryContainer": run.container,
            "ExecutionRoleArn": role,
            "EnableNetworkIsolation": spec.network.isolation,
        }
        digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        tags = [{"Key": key, "Value": value} for key, value in sorted(run.tags.items()) if key != "run_key"]
        return (Needed("Model", f"{spec.name}-{digest[:_DIGEST]}", {**request, "Tags": tags}),)

    def request(self, spec: Transform, places: Places) -> dict[str, Any]:
        """A CreateTransformJob request. Data capture is off."""
        given, output = spec.input, spec.output
        filters = optional(InputFilter=given.filter, OutputFilter=output.filter)
        joins = {"JoinSource": "Input"} if output.join else {}
        return {
            "ModelName": places.needed,
            "BatchStrategy": _STRATEGY[spec.strategy],
            "MaxPayloadInMB": spec.max_payload_mb,
            "MaxConcurrentTransforms": spec.max_concurrent,
            **optional(Environment=spec.environment or None, DataProcessing={**filters, **joins} or None),
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": places.channels[INPUT]}},
                "ContentType": given.content_type,
                "SplitType": _SPLIT[given.split],
                "CompressionType": given.compression.capitalize(),
            },
            "TransformOutput": {
                "S3OutputPath": places.outputs[PREDICTIONS],
                "AssembleWith": output.assemble.capitalize(),
                **optional(Accept=output.accept, KmsKeyId=places.kms_key),
            },
            "TransformResources": {
                "InstanceType": spec.compute.instance_type,
                "InstanceCount": spec.compute.instance_count,
                **optional(VolumeKmsKeyId=volume_key(spec.compute.instance_type, places.kms_key)),
            },
        }

    def machines(self, request: Mapping[str, Any]) -> Machines:
        """What TransformResources says. Of the volumes it says nothing, and SageMaker has no cap."""
        resources = request["TransformResources"]
        return Machines(resources["InstanceType"], resources["InstanceCount"], cap=_LONGEST, volume_gb=0.0, spot=None)

    def stops_after(self, spec: Transform) -> int:
        """The cap that SageMaker does not know."""
        return spec.limits.max_runtime_minutes * 60


TRANSFORM = TransformKind()
#: The longest that any job may run, in seconds.
_LONGEST = 28 * 24 * 3600


def _container(spec: Transform, image: str, clients: Clients) -> dict[str, Any]:
    """The container of what `model` names."""
    if spec.model is None:
        raise UserError("model: is missing; name what predicts here or with --model")
    if spec.model.startswith("arn:"):
        found = serving.of_package(spec.model, clients.sagemaker)
    elif spec.model.endswith(".json"):
        found = serving.of_record(load_record(spec.model, clients.s3), clients.s3)
    elif not is_s3(spec.model):
        raise UserError(
            f"model: {spec.model} is neither a run's record (….json), nor the ARN of a model package, nor the s3:// "
            "address of a model.tar.gz"
        )
    else:
        if not image:
            raise UserError("image: is missing; name what serves the model.tar.gz (a framework and version)")
        return serving.container(image, spec.model, spec.entry_point)
    if image:
        raise UserError("image: what `model` names brings its own image; remove it")
    return found
