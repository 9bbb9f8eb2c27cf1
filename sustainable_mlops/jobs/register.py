"""Registration of a trained model in the model registry, at most once, and its approval."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client, Clients, constraints
from sustainable_mlops.aws.s3 import is_s3
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue.images import detect_framework
from sustainable_mlops.jobs.model_card import build_model_card
from sustainable_mlops.jobs.record import ResolvedServing, RunRecord, load_record, read_record_file
from sustainable_mlops.jobs.serving import build_container, find_serving
from sustainable_mlops.jobs.specs.training import AdditionalServingSpec, ServingSpec

PENDING = "PendingManualApproval"
APPROVED = "Approved"
#: Keys of CustomerMetadataProperties: digest of the source, digest of each channel's data, ETag of the model's archive.
SOURCE_DIGEST = "source_digest"
DATA_DIGEST = "data_digest:"
MODEL_ETAG = "model_etag"


@dataclass(frozen=True)
class ModelPackage:
    """A version in a model package group."""

    arn: str
    status: str
    #: False if the run was registered before.
    is_new: bool


def find_record(run: str, folder: Path) -> RunRecord:
    """Find the record of `run`: a file, an s3:// address, or a job's name. Raises UserError.

    The record of a job's name is searched in `folder`.
    """
    if is_s3(run):
        return load_record(run, aws.make_client("s3"))
    local_file = folder / "runs" / f"{Path(run).name.removesuffix('.json')}.json"
    for path in (Path(run), local_file):
        if path.is_file():
            return read_record_file(path)
    raise UserError(
        f"{run}: there is no such record file, and no {local_file}; smlops train writes a record at the end of a run"
    )


def register(
    record: RunRecord, clients: Clients, *, group: str | None = None, metrics: str | None = None
) -> ModelPackage:
    """Return the model package of the run; create it, pending approval, if there is none.

    `group` defaults to the record's group and must belong to the run's workload. `metrics` is the s3:// address of a
    model quality report. Raises UserError.
    """
    group = group or record.model_package_group
    if group is None:
        raise UserError(
            f"{record.environment} has no model package group for workload {record.workload}; "
            f"{_explain_missing_group(record)}"
        )
    if not _is_group_of(group, record):
        raise UserError(
            f"--group: {group} belongs to another workload: the name of a group of {record.workload} ends in "
            f"{_make_slug(record.workload)}; omit --group, or {_explain_missing_group(record)}"
        )
    serving = find_serving(record, clients.s3)
    with aws.translate_aws_errors(f"model package group {group}"):
        package = _find_package(record, group, clients.sagemaker)
        if package is not None:
            return package
        if metrics is not None and not aws.has_object(clients.s3, metrics):
            raise UserError(f"--metrics: {metrics} {aws.ABSENT_OBJECT}; correct the address")
        etag = aws.read_object_etag(clients.s3, record.model) if record.model else None
        request = build_package_request(record, serving, group, metrics, etag)
        arn = clients.sagemaker.create_model_package(**request)["ModelPackageArn"]
    return ModelPackage(arn, PENDING, is_new=True)


def approve(package: ModelPackage, reason: str, sagemaker: Client) -> ModelPackage:
    """Approve the package for the given reason; an approved package stays unchanged. Raises UserError."""
    if package.status == APPROVED:
        return package
    with aws.translate_aws_errors(f"approving {package.arn}"):
        sagemaker.update_model_package(
            ModelPackageArn=package.arn, ModelApprovalStatus=APPROVED, ApprovalDescription=reason
        )
    return ModelPackage(package.arn, APPROVED, package.is_new)


def build_package_request(
    record: RunRecord, serving: ResolvedServing, group: str, metrics: str | None, etag: str | None = None
) -> dict[str, Any]:
    """Return the CreateModelPackage request; `etag` is the ETag of the model's archive.

    Raises UserError if SageMaker would reject it.
    """
    images = {name: entry.image for name, entry in serving.additional.items()}
    request: dict[str, Any] = {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": f"{record.workload}, trained by {record.best or record.job_name}",
        "ModelApprovalStatus": PENDING,
        **build_specifications(serving, serving.image, images, record.model),
        "ModelCard": build_model_card(record),
        "CustomerMetadataProperties": {
            "workload": record.workload,
            "run_key": record.run_key,
            "training_job": record.best or record.job_name,
            SOURCE_DIGEST: str(record.source_digest),
            **{f"{DATA_DIGEST}{channel}": data.digest for channel, data in record.data.items()},
            **({MODEL_ETAG: etag} if etag else {}),
            "image": record.image,
            **{name: f"{value:.6g}" for name, value in record.metrics.items()},
        },
    }
    if metrics is not None:
        report = {"ContentType": "application/json", "S3Uri": metrics}
        request["ModelMetrics"] = {"ModelQuality": {"Statistics": report}}
    constraints.check("CreateModelPackage", request)
    return request


def build_specifications(serving: ServingSpec, image: Any, additional: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """Return the inference specifications of a model for every kind of instance.

    Images and the model's address may be expressions of a pipeline. `additional` has the image of each entry of
    `serving.additional`.
    """
    additional_specifications = [
        {"Name": name} | _build_specification(serving, entry, additional[name], model)
        for name, entry in serving.additional.items()
    ]
    specifications = {"InferenceSpecification": _build_specification(serving, serving, image, model)}
    return specifications | (
        {"AdditionalInferenceSpecifications": additional_specifications} if additional_specifications else {}
    )


def _build_specification(
    serving: ServingSpec, entry: ServingSpec | AdditionalServingSpec, image: Any, model: Any
) -> dict[str, Any]:
    transform = entry.transform_instance_types
    # The image of a pipeline's version can be an expression.
    framework = detect_framework(image) if isinstance(image, str) else None
    recorded = dict(zip(("Framework", "FrameworkVersion"), framework, strict=True)) if framework else {}
    return {
        "Containers": [build_container(image, model, serving.entry_point) | recorded],
        "SupportedContentTypes": serving.content_types,
        "SupportedResponseMIMETypes": serving.response_types,
        "SupportedRealtimeInferenceInstanceTypes": entry.realtime_instance_types,
        **({"SupportedTransformInstanceTypes": transform} if transform else {}),
    }


def _make_slug(workload: str) -> str:
    return workload.replace("_", "-").lower()


def _explain_missing_group(record: RunRecord) -> str:
    key = _make_slug(record.workload).replace("-", "_")
    return (
        f"describe it in envs/catalogue/models/{key}.yaml, run smlops synth, apply envs/{record.environment}, and run "
        "smlops train again, which takes the group into the record (nothing is trained twice)"
    )


def _is_group_of(group: str, record: RunRecord) -> bool:
    """Return whether the platform or the group's name assigns the group to the run's workload.

    The name, or the end of the ARN, is `<prefix>-<workload>`.
    """
    slug, name = _make_slug(record.workload), re.split("[:/]", group)[-1].lower()
    return group == record.model_package_group or name == slug or name.endswith(f"-{slug}")


def _find_package(record: RunRecord, group: str, sagemaker: Client) -> ModelPackage | None:
    """Return the package with this run's model. A model's address contains its job's name, so no other run has it.

    Raises UserError if the group has models of another workload.
    """
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
    )
    for page in pages:
        for summary in page["ModelPackageSummaryList"]:
            package = sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
            owner = package.get("CustomerMetadataProperties", {}).get("workload", record.workload)
            if group != record.model_package_group and _make_slug(owner) != _make_slug(record.workload):
                raise UserError(
                    f"--group: {group} contains models of the workload {owner}; pass the group of {record.workload}, "
                    "or omit --group"
                )
            containers = package.get("InferenceSpecification", {}).get("Containers", [])
            if any(container.get("ModelDataUrl") == record.model for container in containers):
                return ModelPackage(package["ModelPackageArn"], package["ModelApprovalStatus"], is_new=False)
    return None
