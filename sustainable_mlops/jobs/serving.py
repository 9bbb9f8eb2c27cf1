"""How a model is served: what SageMaker would refuse of it, the images, and the container of a package or model."""

from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.aws.service_model import enumeration
from sustainable_mlops.catalogue import instances
from sustainable_mlops.errors import UserError, did_you_mean
from sustainable_mlops.jobs.image import image_address
from sustainable_mlops.jobs.record import AdditionalServingSpec, RunRecord, ServingSpec
from sustainable_mlops.jobs.specs.common import Image
from sustainable_mlops.jobs.specs.training import AdditionalServing, Serving

#: Inferentia's first generation, whose Neuron SDK is no longer kept.
_LEGACY = "ml.inf1"
#: What of a package's container a model takes over.
_OF_A_MODEL = ("Image", "ModelDataUrl", "ModelDataSource", "Environment")


def check_serving(serving: Serving) -> None:
    """Raise UserError for an instance type that serves nothing, and for two that no one image runs on."""
    for where, machines in _all(serving):
        _check_types(where, machines)
        _check_architecture(where, machines)


def served(serving: Serving, training_image: Image, region: str) -> ServingSpec:
    """The same with the addresses of the images in `region`. Raises UserError where there is no such image."""

    def address(machines: Serving | AdditionalServing) -> str:
        # Serverless endpoints have CPUs only, so the image is the one for the first instance type named.
        return image_address(
            machines.image or training_image, region, machines.realtime_instance_types[0], scope="inference"
        )

    additional = {
        name: AdditionalServingSpec(**machines.model_dump(exclude={"image"}), image=address(machines))
        for name, machines in serving.additional.items()
    }
    own = serving.model_dump(exclude={"image", "additional"})
    return ServingSpec(**own, image=address(serving), additional=additional)


def _all(serving: Serving) -> Iterator[tuple[str, Serving | AdditionalServing]]:
    yield "serving", serving
    for name, machines in serving.additional.items():
        yield f"serving.additional.{name}", machines


def _check_types(where: str, machines: Serving | AdditionalServing) -> None:
    for field, types, shape in (
        ("realtime_instance_types", machines.realtime_instance_types, "ProductionVariantInstanceType"),
        ("transform_instance_types", machines.transform_instance_types, "TransformInstanceType"),
    ):
        known = [name for name in enumeration(shape) if not name.startswith(f"{_LEGACY}.")]
        for instance_type in types:
            if instance_type.startswith(_LEGACY):
                raise UserError(f"{where}.{field}: {instance_type} is legacy; use ml.inf2.xlarge with its Neuron image")
            if instance_type not in known:
                raise UserError(
                    f"{where}.{field}: SageMaker has no {instance_type} for that{did_you_mean(instance_type, known)}"
                )


def _check_architecture(where: str, machines: Serving | AdditionalServing) -> None:
    first: dict[bool, str] = {}
    for instance_type in (*machines.realtime_instance_types, *machines.transform_instance_types):
        if (instance := instances.find(instance_type)) is not None:
            first.setdefault(instance.arm, instance_type)
    if len(first) > 1:
        raise UserError(
            f"{where}: {first[True]} is of the Arm architecture and {first[False]} of x86, and no image is for both; "
            f"name {first[True]} in an entry of serving.additional, with its image"
        )


def container(image: Any, model: Any, entry_point: str) -> dict[str, Any]:
    """A container whose script is in the model's archive, so that it is whole wherever it is promoted to."""
    environment = {"SAGEMAKER_PROGRAM": entry_point, "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    return {"Image": image, "ModelDataUrl": model, "Environment": environment}


def servable(record: RunRecord, s3: Client) -> ServingSpec:
    """How the run's model is served. Raises UserError for a run without a model, or whose model is gone."""
    if record.status != "Completed" or record.model is None:
        raise UserError(f"{record.job_name} is {record.status}, and only a Completed run has a model to serve")
    if record.serving is None:
        raise UserError(
            f"{record.job_name} does not say how to serve its model; add `serving:` to the job file and run "
            "smlops train again (nothing is trained twice)"
        )
    with aws.translate_aws_errors(f"looking for {record.model}"):
        if not aws.exists(s3, record.model):
            raise UserError(f"{record.model} is gone; run smlops train again to train it")
    return record.serving


def of_record(record: RunRecord, s3: Client) -> dict[str, Any]:
    """The container that serves the run's model. Raises UserError."""
    serving = servable(record, s3)
    return container(serving.image, record.model, serving.entry_point)


def of_package(arn: str, sagemaker: Client) -> dict[str, Any]:
    """The container of a model package. Raises UserError."""
    with aws.translate_aws_errors(f"model package {arn}"):
        package = sagemaker.describe_model_package(ModelPackageName=arn)
    if package.get("ModelApprovalStatus") == "Rejected":
        raise UserError(f"model: {arn} was rejected; name another version")
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1:
        raise UserError(f"model: {arn} has {len(containers)} containers, and only a model of one is taken here")
    return {name: value for name, value in containers[0].items() if name in _OF_A_MODEL}


def model_data(definition: Mapping[str, Any]) -> str | None:
    """The s3:// address of what the container serves; None where that is in its image."""
    source = definition.get("ModelDataSource", {}).get("S3DataSource", {})
    address: str | None = definition.get("ModelDataUrl") or source.get("S3Uri")
    located = S3Uri.of_url(address) if address else None
    return str(located) if located else address
