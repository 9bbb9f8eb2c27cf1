"""A valid job file of each kind, a platform, and a fake SageMaker."""

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sustainable_mlops.aws import Clients
from sustainable_mlops.aws.s3 import S3Uri

REGION = "eu-north-1"
PARAMETER = "/sustainable-mlops/dev/platform"
PLATFORM = {
    "environment": "dev",
    "region": REGION,
    "account_id": "123456789012",
    "buckets": {"data": "acme-dev-data", "artifacts": "acme-dev-artifacts", "logs": "acme-dev-logs"},
    "kms_key_arn": f"arn:aws:kms:{REGION}:123456789012:key/0f1e2d3c-0000-4000-8000-000000000000",
    "roles": {
        "training": "arn:aws:iam::123456789012:role/acme-dev-training",
        "data_preparation": "arn:aws:iam::123456789012:role/acme-dev-data-preparation",
        "inference": "arn:aws:iam::123456789012:role/acme-dev-inference",
        "pipeline": "…",
    },
    "model_package_groups": {"flight_delay": "acme-dev-flight-delay"},
    "warm_pools": True,
    "tags": {"owner": "data-team", "environment": "dev"},
}
JOB = {
    "name": "flight-delay",
    "platform": PARAMETER,
    "source": {"directory": ".", "entry_point": "train.py", "include": ["*.py"]},
    "image": "123456789012.dkr.ecr.eu-north-1.amazonaws.com/xgboost:3.0-5",
    "compute": {"instance_type": "ml.m5.large"},
    "limits": {"max_runtime_minutes": 30},
    "data": {"train": "flight_delay/train/"},
    "hyperparameters": {"num_round": 240},
    "metrics": {"validation:auc": "validation:auc=([0-9.]+)"},
    "serving": {"content_types": ["text/csv"]},
}
TUNE = {
    "name": "flights",
    "training": "job.yaml",
    "objective": {"metric": "validation:auc", "goal": "maximize"},
    "ranges": {
        "eta": {"type": "continuous", "min": 0.01, "max": 0.5, "scaling": "logarithmic"},
        "max_depth": {"type": "integer", "min": 2, "max": 9},
    },
    "limits": {"max_jobs": 20, "max_runtime_minutes": 120},
}

PROCESSING_JOB = {
    "name": "prepare",
    "platform": PARAMETER,
    "source": {"entry_point": "prepare.py", "include": ["*.py"]},
    "image": "123456789012.dkr.ecr.eu-north-1.amazonaws.com/scikit-learn:1.4-2",
    "compute": {"instance_type": "ml.m5.large"},
    "limits": {"max_runtime_minutes": 30},
    "inputs": {"flights": {"data": "flight_delay/train/", "sharding": "by_key"}, "airports": {"data": "airports.csv"}},
    "arguments": {"months": 12, "late": 15.5, "verbose": True, "unit": "min"},
    "outputs": {"train": "re-creatable", "report": "runs"},
}

TRANSFORM_JOB = {
    "name": "predict",
    "platform": PARAMETER,
    "model": "s3://acme-dev-artifacts/models/flight_delay/one/output/model.tar.gz",
    "image": "123456789012.dkr.ecr.eu-north-1.amazonaws.com/xgboost:3.0-5",
    "compute": {"instance_type": "ml.m5.large"},
    "limits": {"max_runtime_minutes": 30},
    "input": {"data": "flight_delay/train/", "content_type": "text/csv"},
}

WriteJob = Callable[..., Path]


def merge_changes(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes` merged in; the value `...` removes a key."""
    result = dict(base)
    for key, value in changes.items():
        if value is ...:
            result.pop(key)
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merge_changes(result[key], value)
        else:
            result[key] = value
    return result


def pack_archive(*files: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    """Return a compressed archive with a folder and these entries."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, entry_kind in ((".", tarfile.DIRTYPE), *((name, kind) for name in files)):
            entry = tarfile.TarInfo(name)
            entry.type = entry_kind
            archive.addfile(entry)
    return content.getvalue()


@dataclass
class InMemorySageMaker:
    """Jobs, models and model packages in memory."""

    s3: Any
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    packages: list[dict[str, Any]] = field(default_factory=list)
    refusal: str | None = None

    def create_training_job(self, **request: Any) -> dict[str, str]:
        return self._create("TrainingJob", request)

    def create_processing_job(self, **request: Any) -> dict[str, str]:
        return self._create("ProcessingJob", request)

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return self._describe("TrainingJob", TrainingJobName)

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return self._describe("ProcessingJob", ProcessingJobName)

    def create_model(self, **request: Any) -> dict[str, str]:
        name = request["ModelName"]
        if name in self.models:
            message = f'Cannot create already existing model "{name}".'
            raise ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "CreateModel")
        self.models[name] = request
        return {"ModelArn": f"arn:aws:sagemaker:{REGION}:123456789012:model/{name}"}

    def create_transform_job(self, **request: Any) -> dict[str, str]:
        assert request["ModelName"] in self.models
        return self._create("TransformJob", request)

    def describe_transform_job(self, TransformJobName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return self._describe("TransformJob", TransformJobName)

    def stop_transform_job(self, TransformJobName: str) -> None:  # noqa: N803 - boto3's name
        self.jobs[TransformJobName]["TransformJobStatus"] = "Stopped"

    def _create(self, noun: str, request: dict[str, Any]) -> dict[str, str]:
        if self.refusal:
            raise ClientError({"Error": {"Code": "ResourceLimitExceeded", "Message": self.refusal}}, f"Create{noun}")
        name = request[f"{noun}Name"]
        if name in self.jobs:
            message = "Job names must be unique within an AWS account and region"
            raise ClientError({"Error": {"Code": "ResourceInUse", "Message": message}}, f"Create{noun}")
        arn = f"arn:aws:sagemaker:{REGION}:123456789012:{noun[:-3].lower()}-job/{name}"
        state = {f"{noun}Name": name, f"{noun}Arn": arn, f"{noun}Status": "InProgress", "request": request}
        self.jobs[name] = {**request, **state}
        return {f"{noun}Arn": arn}

    def _describe(self, noun: str, name: str) -> dict[str, Any]:
        if name not in self.jobs:
            raise ClientError(
                {"Error": {"Code": "ValidationException", "Message": "Requested resource not found."}},
                f"Describe{noun}",
            )
        return self.jobs[name]

    def complete(self, name: str, **fields: Any) -> None:
        """Complete a training job, with a model in S3."""
        job = self.jobs[name]
        model = f"{job['request']['OutputDataConfig']['S3OutputPath']}/{name}/output/model.tar.gz"
        self._put(model, pack_archive("model"))
        job |= {
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "ModelArtifacts": {"S3ModelArtifacts": model},
            "TrainingStartTime": datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
            "TrainingEndTime": datetime(2026, 11, 24, 12, 10, tzinfo=UTC),
            "TrainingTimeInSeconds": 600,
            "BillableTimeInSeconds": 150,
            "FinalMetricDataList": [{"MetricName": "validation:auc", "Value": 0.75}],
            **fields,
        }

    def complete_processing(self, name: str, **fields: Any) -> None:
        """Complete a processing job ten minutes after its start, with a file in each output."""
        job = self.jobs[name]
        for output in job["request"]["ProcessingOutputConfig"]["Outputs"]:
            self._put(f"{output['S3Output']['S3Uri']}part-0")
        job |= {
            "ProcessingJobStatus": "Completed",
            "ProcessingStartTime": datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
            "ProcessingEndTime": datetime(2026, 11, 24, 12, 10, tzinfo=UTC),
            **fields,
        }

    def complete_transform(self, name: str) -> None:
        """Complete a batch transform ten minutes after its start."""
        job = self.jobs[name]
        self._put(f"{job['request']['TransformOutput']['S3OutputPath']}flights.csv.out")
        job |= {
            "TransformJobStatus": "Completed",
            "TransformStartTime": datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
            "TransformEndTime": datetime(2026, 11, 24, 12, 10, tzinfo=UTC),
        }

    def _put(self, address: str, content: bytes = b"content") -> None:
        bucket, key = S3Uri.parse(address)
        self.s3.put_object(Bucket=bucket, Key=key, Body=content)

    def create_model_package(self, **request: Any) -> dict[str, str]:
        arn = f"arn:aws:sagemaker:{REGION}:123456789012:model-package/g/{len(self.packages) + 1}"
        self.packages.append({**request, "ModelPackageArn": arn})
        return {"ModelPackageArn": arn}

    def update_model_package(self, ModelPackageArn: str, **changes: Any) -> None:  # noqa: N803 - boto3's name
        self.describe_model_package(ModelPackageArn).update(changes)

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return next(package for package in self.packages if package["ModelPackageArn"] == ModelPackageName)

    def get_paginator(self, operation: str) -> "InMemorySageMaker":
        assert operation == "list_model_packages"
        return self

    def paginate(self, ModelPackageGroupName: str, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803 - boto3's name
        """Return one package per page, the newest first."""
        packages = [package for package in self.packages if package["ModelPackageGroupName"] == ModelPackageGroupName]
        return iter([{"ModelPackageSummaryList": [package]} for package in reversed(packages)])


def list_keys(clients: Clients, prefix: str = "") -> list[str]:
    """Return the keys in the artifacts bucket."""
    items = clients.s3.list_objects_v2(Bucket="acme-dev-artifacts", Prefix=prefix).get("Contents", [])
    return [item["Key"] for item in items]
