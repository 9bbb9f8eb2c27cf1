"""The CreateTrainingJob request of a run: a pure function of the job, the platform and the digests."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from sustainable_mlops.aws import constraints
from sustainable_mlops.aws.service_model import enumeration
from sustainable_mlops.catalogue.instances import has_local_disk
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.platform import Platform
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.source import ARCHIVE
from sustainable_mlops.jobs.spec import CHECKPOINT_DIR, CODE_CHANNEL, Job, Serving
from sustainable_mlops.settings import did_you_mean

CHECKPOINTS = "/opt/ml/checkpoints"


def job_name(name: str, run_key: str, now: datetime) -> str:
    """`<name>-<UTC time>-<start of the run key>`: at most 63 characters, sorted by time, told apart by content."""
    return f"{name}-{now.astimezone(UTC):%Y%m%d-%H%M%S}-{run_key[:6]}"


def build(run: Run, name: str, checkpoints: str | None) -> dict[str, Any]:
    """The request for the job `name`. Raises UserError where SageMaker's service model refuses it."""
    job, platform = run.job, run.platform
    request = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": run.image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": metric, "Regex": regex} for metric, regex in sorted(job.metrics.items())],
        },
        "RoleArn": platform.roles.training,
        "HyperParameters": _hyperparameters(job),
        "InputDataConfig": [
            *(_channel(channel.name, channel.address) for channel in run.channels),
            _channel(CODE_CHANNEL, run.source),
        ],
        "OutputDataConfig": {"S3OutputPath": run.layout.models, **_optional(KmsKeyId=platform.kms_key_arn)},
        "ResourceConfig": _resources(job, platform),
        "StoppingCondition": _stopping(job),
        "EnableManagedSpotTraining": job.compute.spot,
        "EnableNetworkIsolation": job.network.isolation,
        # Else SageMaker profiles every job and runs a rule container beside it.
        "ProfilerConfig": {"DisableProfiler": True},
        "Environment": {**job.environment, CHECKPOINT_DIR: CHECKPOINTS},
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(run.tags.items())],
    }
    if checkpoints is not None:
        request["CheckpointConfig"] = {"S3Uri": checkpoints, "LocalPath": CHECKPOINTS}
    constraints.check("CreateTrainingJob", request)
    return request


def check(job: Job) -> None:
    """Raise UserError, with the remedy, for an instance type that SageMaker does not have for its purpose."""
    _check_training(job.compute.instance_type)
    if job.serving is not None:
        _check_serving(job.serving)


def _check_training(instance_type: str) -> None:
    known = enumeration("TrainingInstanceType")
    if instance_type in known:
        return
    family, _, size = instance_type.removeprefix("ml.").partition(".")
    field = f"compute.instance_type: {instance_type} cannot train"
    if re.fullmatch(r"[cmrx]\d+g[a-z]*", family):
        intel = next(
            (t for t in (f"ml.{family[0]}7i.{size}", f"ml.{family[0]}7i.xlarge") if t in known), "ml.m7i.large"
        )
        raise UserError(f"{field}: SageMaker has Graviton for endpoints only; use for example {intel}")
    if family.startswith("inf"):
        raise UserError(f"{field}: Inferentia serves models only; use for example ml.trn1.2xlarge")
    raise UserError(f"{field}: SageMaker has no such training instance{did_you_mean(instance_type, known)}")


def _check_serving(serving: Serving) -> None:
    for field, types, shape in (
        ("realtime_instance_types", serving.realtime_instance_types, "ProductionVariantInstanceType"),
        ("transform_instance_types", serving.transform_instance_types, "TransformInstanceType"),
    ):
        known = enumeration(shape)
        for instance_type in types:
            if instance_type not in known:
                raise UserError(
                    f"serving.{field}: SageMaker has no {instance_type} for that{did_you_mean(instance_type, known)}"
                )


def _hyperparameters(job: Job) -> dict[str, str]:
    return {
        **{name: _encoded(value) for name, value in job.hyperparameters.items()},
        "sagemaker_program": job.source.entry_point,
        # An isolated container cannot fetch its code from S3, so SageMaker delivers it as one more channel; the
        # containers' toolkits unpack a local archive just as well. It needs no S3 permission inside the container
        # either, so a job with a network does the same.
        "sagemaker_submit_directory": f"/opt/ml/input/data/{CODE_CHANNEL}/{ARCHIVE}",
    }


def _encoded(value: str | bool | int | float) -> str:
    """The containers' toolkits read each value as JSON where they can: text that would become something else is quoted.

    Source: read_hyperparameters in sagemaker-training-toolkit and sagemaker-containers.
    """
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)


def _channel(name: str, address: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": address, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _resources(job: Job, platform: Platform) -> dict[str, Any]:
    compute = job.compute
    # A local disk is encrypted by its hardware, and a key for it refused: ResourceConfig in the API reference.
    key = None if has_local_disk(compute.instance_type) else platform.kms_key_arn
    return {
        "InstanceType": compute.instance_type,
        "InstanceCount": compute.instance_count,
        "VolumeSizeInGB": compute.volume_gb,
        **_optional(VolumeKmsKeyId=key, KeepAlivePeriodInSeconds=compute.keep_alive_minutes * 60 or None),
    }


def _stopping(job: Job) -> dict[str, int]:
    runtime = job.limits.max_runtime_minutes
    wait = job.limits.max_wait_minutes or 2 * runtime
    return {"MaxRuntimeInSeconds": runtime * 60, **({"MaxWaitTimeInSeconds": wait * 60} if job.compute.spot else {})}


def _optional(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
