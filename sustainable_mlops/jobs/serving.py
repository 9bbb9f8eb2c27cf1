"""What serves a model: the container that a model package, or a model of SageMaker, is made of."""

from collections.abc import Mapping
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.record import RunRecord, ServingSpec

#: What of a package's container a model takes over.
_OF_A_MODEL = ("Image", "ModelDataUrl", "ModelDataSource", "Environment")


def container(image: str, model: str | None, entry_point: str) -> dict[str, Any]:
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
    with aws.told(f"looking for {record.model}"):
        if not aws.exists(s3, record.model):
            raise UserError(f"{record.model} is gone; run smlops train again to train it")
    return record.serving


def of_record(record: RunRecord, s3: Client) -> dict[str, Any]:
    """The container that serves the run's model. Raises UserError."""
    serving = servable(record, s3)
    return container(serving.image, record.model, serving.entry_point)


def of_package(arn: str, sagemaker: Client) -> dict[str, Any]:
    """The container of a model package. Raises UserError."""
    with aws.told(f"model package {arn}"):
        package = sagemaker.describe_model_package(ModelPackageName=arn)
    if package.get("ModelApprovalStatus") == "Rejected":
        raise UserError(f"model: {arn} was rejected; name another version")
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1:
        raise UserError(f"model: {arn} has {len(containers)} containers, and only a model of one is taken here")
    return {name: value for name, value in containers[0].items() if name in _OF_A_MODEL}


def model_data(definition: Mapping[str, Any]) -> str | None:
    """The address of what the container serves; None where that is in its image."""
    source = definition.get("ModelDataSource", {}).get("S3DataSource", {})
    address: str | None = definition.get("ModelDataUrl") or source.get("S3Uri")
    return address
