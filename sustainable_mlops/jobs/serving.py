"""Serving of a model: validation, images, and the containers of packages and models."""

from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.aws.service_model import list_enum_values
from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.catalogue import instances
from sustainable_mlops.jobs.image import find_image_address
from sustainable_mlops.jobs.record import ResolvedAdditionalServing, ResolvedServing, RunRecord
from sustainable_mlops.jobs.specs.common import Image
from sustainable_mlops.jobs.specs.training import AdditionalServingSpec, ServingSpec

#: First generation of Inferentia. AWS no longer maintains its Neuron SDK.
_LEGACY_FAMILY = "ml.inf1"
#: Fields of a package's container that a model takes.
_MODEL_FIELDS = ("Image", "ModelDataUrl", "ModelDataSource", "Environment")


def check_serving(serving: ServingSpec) -> None:
    """Raise UserError for an instance type that cannot serve, and for types that need different images."""
    for location, entry in _list_entries(serving):
        _check_types(location, entry)
        _check_architecture(location, entry)


def resolve_images(serving: ServingSpec, training_image: Image, region: str) -> ResolvedServing:
    """Return the serving with the image addresses in `region`. Raises UserError for an unknown image."""

    def find_address(entry: ServingSpec | AdditionalServingSpec) -> str:
        # Serverless endpoints have no instance type: the image is that of the first real-time instance type.
        return find_image_address(
            entry.image or training_image, region, entry.realtime_instance_types[0], scope="inference"
        )

    additional = {
        name: ResolvedAdditionalServing(**entry.model_dump(exclude={"image"}), image=find_address(entry))
        for name, entry in serving.additional.items()
    }
    fields = serving.model_dump(exclude={"image", "additional"})
    return ResolvedServing(**fields, image=find_address(serving), additional=additional)


def _list_entries(serving: ServingSpec) -> Iterator[tuple[str, ServingSpec | AdditionalServingSpec]]:
    yield "serving", serving
    for name, entry in serving.additional.items():
        yield f"serving.additional.{name}", entry


def _check_types(location: str, entry: ServingSpec | AdditionalServingSpec) -> None:
    for field, types, shape in (
        ("realtime_instance_types", entry.realtime_instance_types, "ProductionVariantInstanceType"),
        ("transform_instance_types", entry.transform_instance_types, "TransformInstanceType"),
    ):
        known = [name for name in list_enum_values(shape) if not name.startswith(f"{_LEGACY_FAMILY}.")]
        for instance_type in types:
            if instance_type.startswith(_LEGACY_FAMILY):
                raise UserError(
                    f"{location}.{field}: {instance_type} is legacy; use ml.inf2.xlarge with its Neuron image"
                )
            if instance_type not in known:
                raise UserError(
                    f"{location}.{field}: SageMaker has no instance type {instance_type} for this purpose"
                    f"{did_you_mean(instance_type, known)}"
                )


def _check_architecture(location: str, entry: ServingSpec | AdditionalServingSpec) -> None:
    first_types: dict[bool, str] = {}
    for instance_type in (*entry.realtime_instance_types, *entry.transform_instance_types):
        if (instance := instances.find(instance_type)) is not None:
            first_types.setdefault(instance.is_arm, instance_type)
    if len(first_types) > 1:
        raise UserError(
            f"{location}: {first_types[True]} is Arm and {first_types[False]} is x86, and no image runs on both; move "
            f"{first_types[True]} to an entry of serving.additional, with its image"
        )


def build_container(image: Any, model: Any, entry_point: str) -> dict[str, Any]:
    """Return a container whose script is in the model's archive, so that a promotion copies the script too."""
    environment = {"SAGEMAKER_PROGRAM": entry_point, "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    return {"Image": image, "ModelDataUrl": model, "Environment": environment}


def find_serving(record: RunRecord, s3: Client) -> ResolvedServing:
    """Return the serving of the run's model. Raises UserError for a run without a model, or if the model is gone."""
    if record.status != "Completed":
        raise UserError(f"{record.job_name} is {record.status}; pass the record of a Completed run")
    if record.model is None:
        raise UserError(f"{record.job_name} has no model; pass the record of a training or tuning job")
    if record.serving is None:
        raise UserError(
            f"the record of {record.job_name} has no serving settings; add `serving:` to the job file and run "
            "smlops train again (nothing is trained twice)"
        )
    with aws.translate_aws_errors(f"looking for {record.model}"):
        if not aws.has_object(s3, record.model):
            raise UserError(f"{record.model} {aws.ABSENT_OBJECT}; run smlops train again to train it")
    return record.serving


def build_record_container(record: RunRecord, s3: Client) -> dict[str, Any]:
    """Return the container that serves the run's model. Raises UserError."""
    serving = find_serving(record, s3)
    return build_container(serving.image, record.model, serving.entry_point)


def read_package_container(arn: str, sagemaker: Client) -> dict[str, Any]:
    """Return the container of a model package. Raises UserError."""
    with aws.translate_aws_errors(f"model package {arn}"):
        package = sagemaker.describe_model_package(ModelPackageName=arn)
    if package.get("ModelApprovalStatus") == "Rejected":
        raise UserError(f"model: {arn} was rejected; use another version")
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1:
        raise UserError(f"model: {arn} has {len(containers)} containers; use a package with one container")
    return {name: value for name, value in containers[0].items() if name in _MODEL_FIELDS}


def find_model_address(definition: Mapping[str, Any]) -> str | None:
    """Return the s3:// address of the model; None if the model is in the container's image."""
    source = definition.get("ModelDataSource", {}).get("S3DataSource", {})
    find_address: str | None = definition.get("ModelDataUrl") or source.get("S3Uri")
    s3_uri = S3Uri.parse_url(find_address) if find_address else None
    return str(s3_uri) if s3_uri else find_address
