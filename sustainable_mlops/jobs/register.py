"""Register a trained model in the model registry, once, and approve it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client, Clients, constraints
from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.record import RunRecord, ServingSpec, load_record, read_file
from sustainable_mlops.jobs.serving import container, servable
from sustainable_mlops.jobs.specs.training import AdditionalServing, Serving

PENDING = "PendingManualApproval"
APPROVED = "Approved"


@dataclass(frozen=True)
class ModelPackage:
    """A version in a model package group."""

    arn: str
    status: str
    #: False where the run had been registered before.
    created: bool


def find_record(run: str, folder: Path) -> RunRecord:
    """The record at `run`: a file, an s3:// address, or a job's name with its record in `folder`. Raises UserError."""
    if is_s3(run):
        return load_record(run, aws.client("s3"))
    named = folder / "runs" / f"{Path(run).name.removesuffix('.json')}.json"
    for path in (Path(run), named):
        if path.is_file():
            return read_file(path)
    raise UserError(
        f"{run}: no such record, neither as a file nor as {named}; smlops train writes one at the end of a run"
    )


def register(
    record: RunRecord, clients: Clients, *, group: str | None = None, metrics: str | None = None
) -> ModelPackage:
    """The model package of the run, made where there is none yet, pending approval.

    `group` is the record's unless given, and one of the run's workload; `metrics` is the s3:// address of a model
    quality report. Raises UserError.
    """
    group = group or record.model_package_group
    if group is None:
        raise UserError(
            f"{record.environment} has no model package group for workload {record.workload}; {_ask_for_group(record)}"
        )
    if not _is_named_for(group, record):
        raise UserError(
            f"--group: {group} is another workload's, as the name of a group of {record.workload} ends in "
            f"{_slug(record.workload)}; leave --group out, or {_ask_for_group(record)}"
        )
    serving = servable(record, clients.s3)
    with aws.translate_aws_errors(f"model package group {group}"):
        existing = _find(record, group, clients.sagemaker)
        if existing is not None:
            return existing
        if metrics is not None and not aws.exists(clients.s3, metrics):
            raise UserError(f"--metrics: there is nothing at {metrics}")
        create = package_request(record, serving, group, metrics)
        arn = clients.sagemaker.create_model_package(**create)["ModelPackageArn"]
    return ModelPackage(arn, PENDING, created=True)


def approve(package: ModelPackage, reason: str, sagemaker: Client) -> ModelPackage:
    """Approve the package, for the given reason; one that is approved already stays as it is. Raises UserError."""
    if package.status == APPROVED:
        return package
    with aws.translate_aws_errors(f"approving {package.arn}"):
        sagemaker.update_model_package(
            ModelPackageArn=package.arn, ModelApprovalStatus=APPROVED, ApprovalDescription=reason
        )
    return ModelPackage(package.arn, APPROVED, package.created)


def package_request(record: RunRecord, serving: ServingSpec, group: str, metrics: str | None) -> dict[str, Any]:
    """The CreateModelPackage request. Raises UserError where SageMaker would refuse it."""
    images = {name: machines.image for name, machines in serving.additional.items()}
    request: dict[str, Any] = {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": f"{record.workload}, trained by {record.best or record.job_name}",
        "ModelApprovalStatus": PENDING,
        **specifications(serving, serving.image, images, record.model),
        "CustomerMetadataProperties": {
            "workload": record.workload,
            "run_key": record.run_key,
            "training_job": record.best or record.job_name,
            "source_digest": str(record.source_digest),
            "image": record.image,
            **{name: f"{value:.6g}" for name, value in record.metrics.items()},
        },
    }
    if metrics is not None:
        report = {"ContentType": "application/json", "S3Uri": metrics}
        request["ModelMetrics"] = {"ModelQuality": {"Statistics": report}}
    constraints.check("CreateModelPackage", request)
    return request


def specifications(serving: Serving, image: Any, additional: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """How a model is served, on every kind of machine; images and the model's address may be a pipeline's expressions.

    `additional` is the image of each entry of `serving.additional`.
    """
    also = [
        {"Name": name} | _specification(serving, machines, additional[name], model)
        for name, machines in serving.additional.items()
    ]
    own = {"InferenceSpecification": _specification(serving, serving, image, model)}
    return own | ({"AdditionalInferenceSpecifications": also} if also else {})


def _specification(serving: Serving, machines: Serving | AdditionalServing, image: Any, model: Any) -> dict[str, Any]:
    transform = machines.transform_instance_types
    return {
        "Containers": [container(image, model, serving.entry_point)],
        "SupportedContentTypes": serving.content_types,
        "SupportedResponseMIMETypes": serving.response_types,
        "SupportedRealtimeInferenceInstanceTypes": machines.realtime_instance_types,
        **({"SupportedTransformInstanceTypes": transform} if transform else {}),
    }


def _slug(workload: str) -> str:
    return workload.replace("_", "-").lower()


def _ask_for_group(record: RunRecord) -> str:
    key = _slug(record.workload).replace("-", "_")
    return (
        f"describe it in envs/catalogue/models/{key}.yaml, run smlops synth, apply envs/{record.environment}, and run "
        "smlops train again, which takes the group into the record (nothing is trained twice)"
    )


def _is_named_for(group: str, record: RunRecord) -> bool:
    """Whether the platform or the group's name, `<prefix>-<workload>` or an ARN that ends so, gives it to the run."""
    slug, name = _slug(record.workload), re.split("[:/]", group)[-1].lower()
    return group == record.model_package_group or name == slug or name.endswith(f"-{slug}")


def _find(record: RunRecord, group: str, sagemaker: Client) -> ModelPackage | None:
    """The package with this run's model. A model's address holds its job's name, so no other run has it.

    Raises UserError where the group holds another workload's models.
    """
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
    )
    for page in pages:
        for summary in page["ModelPackageSummaryList"]:
            package = sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
            owner = package.get("CustomerMetadataProperties", {}).get("workload", record.workload)
            if group != record.model_package_group and _slug(owner) != _slug(record.workload):
                raise UserError(f"--group: {group} holds models of {owner}; {record.workload} needs a group of its own")
            containers = package.get("InferenceSpecification", {}).get("Containers", [])
            if any(container.get("ModelDataUrl") == record.model for container in containers):
                return ModelPackage(package["ModelPackageArn"], package["ModelApprovalStatus"], created=False)
    return None
