"""Batch transform jobs, and the SageMaker model of each."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sustainable_mlops.aws import Clients
from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs import serving
from sustainable_mlops.jobs.channels import find_channels
from sustainable_mlops.jobs.image import check_neuron, find_image_address
from sustainable_mlops.jobs.kinds.kind import JobInstances, JobKind, JobReferences, Prerequisite
from sustainable_mlops.jobs.kinds.members import check_instance_type, choose_volume_key, drop_missing
from sustainable_mlops.jobs.platform import Phase, Platform
from sustainable_mlops.jobs.record import load_record
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.transform import TransformSpec

INPUT, MODEL, PREDICTIONS = "input", "model", "predictions"
_SPLIT = {"none": "None", "line": "Line", "recordio": "RecordIO", "tfrecord": "TFRecord"}
_STRATEGY = {"multi_record": "MultiRecord", "single_record": "SingleRecord"}
#: Number of characters of the digest in a model's name.
_DIGEST_LENGTH = 12


class TransformKind(JobKind[TransformSpec]):
    """Batch transform jobs: predictions for records in S3. There is no managed spot."""

    name: ClassVar[str] = "transform"
    noun: ClassVar[str] = "TransformJob"
    time_prefix: ClassVar[str] = "Transform"
    completed_verb: ClassVar[str] = "transformed"
    phase: ClassVar[Phase] = "inference"
    spec = TransformSpec

    def __init__(self, model: str | None = None) -> None:
        """Create the kind; `model` replaces the model of the job file."""
        self._model = model

    def load(self, path: Path) -> TransformSpec:
        """Load the file at `path`; a path of a record is relative to it."""
        spec = load_spec_file(path, TransformSpec)
        if self._model is not None:
            return spec.model_copy(update={"model": self._model})
        if spec.model is None or spec.model.startswith("arn:") or is_s3(spec.model):
            return spec
        return spec.model_copy(update={"model": str(path.parent / spec.model)})

    def check(self, spec: TransformSpec) -> None:
        """Raise UserError for instance types that cannot transform."""
        check_instance_type(
            "compute.instance_type",
            spec.compute.instance_type,
            "TransformInstanceType",
            "transform",
            inferentia="Inf1 is legacy; use for example ml.inf2.xlarge with its Neuron image",
        )

    def find_image(self, spec: TransformSpec, platform: Platform) -> str:
        """Return the image of a bare model.tar.gz; records and packages have their own image."""
        if spec.image is None:
            return ""
        return find_image_address(spec.image, platform.region, spec.compute.instance_type, "inference")

    def list_data(self, spec: TransformSpec) -> Mapping[str, str]:
        """Return the input records."""
        return {INPUT: spec.input.data}

    def build_run(
        self, spec: TransformSpec, platform: Platform, image: str, source_digest: str | None, clients: Clients
    ) -> Run[TransformSpec]:
        """Return the run, with its input and its model inspected."""
        container = _find_container(spec, image, clients)
        check_neuron(container["Image"], spec.compute.instance_type)
        address = serving.find_model_address(container)
        data = {**self.list_data(spec), **({MODEL: address} if address else {})}
        channels = find_channels(data, platform.buckets.data, clients.s3)
        return Run(spec, platform, container["Image"], source_digest, channels, container)

    def list_outputs(self, run: Run[TransformSpec], attempt: str) -> dict[str, str]:
        """Return the address of the predictions, under the run key."""
        return {PREDICTIONS: run.layout.locate_predictions(run.key, attempt)}

    def list_prerequisites(self, run: Run[TransformSpec]) -> tuple[Prerequisite, ...]:
        """Return the model. Its name derives from its content, so the next job reuses it."""
        role, spec = run.platform.get_role_arn(self.phase), run.spec
        request = {
            "PrimaryContainer": run.container,
            "ExecutionRoleArn": role,
            "EnableNetworkIsolation": spec.network.isolation,
            # A transform job has no network of its own: it uses that of the model.
            **drop_missing(VpcConfig=spec.network.build_vpc_config(run.platform.vpc)),
        }
        digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        tags = [{"Key": key, "Value": value} for key, value in sorted(run.tags.items()) if key != "run_key"]
        return (Prerequisite("Model", f"{spec.name}-{digest[:_DIGEST_LENGTH]}", {**request, "Tags": tags}),)

    def build_request(self, spec: TransformSpec, references: JobReferences) -> dict[str, Any]:
        """Return a CreateTransformJob request, without data capture."""
        job_input, output = spec.input, spec.output
        filters = drop_missing(InputFilter=job_input.filter, OutputFilter=output.filter)
        joins = {"JoinSource": "Input"} if output.join else {}
        return {
            "ModelName": references.prerequisite,
            "BatchStrategy": _STRATEGY[spec.strategy],
            "MaxPayloadInMB": spec.max_payload_mb,
            "MaxConcurrentTransforms": spec.max_concurrent,
            **drop_missing(Environment=spec.environment or None, DataProcessing={**filters, **joins} or None),
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": references.channels[INPUT]}},
                "ContentType": job_input.content_type,
                "SplitType": _SPLIT[job_input.split],
                "CompressionType": job_input.compression.capitalize(),
            },
            "TransformOutput": {
                "S3OutputPath": references.outputs[PREDICTIONS],
                "AssembleWith": output.assemble.capitalize(),
                **drop_missing(Accept=output.accept, KmsKeyId=references.kms_key),
            },
            "TransformResources": {
                "InstanceType": spec.compute.instance_type,
                "InstanceCount": spec.compute.instance_count,
                **drop_missing(VolumeKmsKeyId=choose_volume_key(spec.compute.instance_type, references.kms_key)),
            },
        }

    def read_instances(self, request: Mapping[str, Any]) -> JobInstances:
        """Return the instances of TransformResources, which has no volumes. SageMaker has no limit for the kind."""
        resources = request["TransformResources"]
        return JobInstances(
            resources["InstanceType"], resources["InstanceCount"], cap=_MAX_SECONDS, volume_gb=0.0, spot=None
        )

    def get_runtime_limit_seconds(self, spec: TransformSpec) -> int:
        """Return the limit, which SageMaker does not enforce."""
        return spec.limits.max_runtime_minutes * 60


TRANSFORM = TransformKind()
#: Maximum runtime of any job, in seconds.
_MAX_SECONDS = 28 * 24 * 3600


def _find_container(spec: TransformSpec, image: str, clients: Clients) -> dict[str, Any]:
    """Return the container of the model."""
    if spec.model is None:
        raise UserError("model: is missing; set model, or pass --model")
    if spec.model.startswith("arn:"):
        container = serving.read_package_container(spec.model, clients.sagemaker)
    elif spec.model.endswith(".json"):
        container = serving.build_record_container(load_record(spec.model, clients.s3), clients.s3)
    elif not is_s3(spec.model):
        raise UserError(
            f"model: {spec.model} is invalid; write the path of a run's record (….json), the ARN of a model "
            "package, or the s3:// address of a model.tar.gz"
        )
    else:
        if not image:
            raise UserError("image: is missing; set the image that serves the model.tar.gz (a framework and version)")
        return serving.build_container(image, spec.model, spec.entry_point)
    if image:
        raise UserError("image: the model has its own image; remove the field")
    return container
