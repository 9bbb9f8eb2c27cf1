"""Training jobs."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from sustainable_mlops.aws import Clients
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs import utilization
from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.jobs.image import image_address
from sustainable_mlops.jobs.kinds.kind import Kind, Machines, Places, measured
from sustainable_mlops.jobs.kinds.members import check_instance, optional, volume_key
from sustainable_mlops.jobs.measurement import counters as counters
from sustainable_mlops.jobs.measurement.smlops_measure import ENTRY_POINT
from sustainable_mlops.jobs.platform import Phase, Platform
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.serving import check_serving, served
from sustainable_mlops.jobs.source import ARCHIVE, MEASURING
from sustainable_mlops.jobs.specs.common import CODE_CHANNEL, Scalar
from sustainable_mlops.jobs.specs.training import CHECKPOINT_DIR, Training

CHECKPOINTS = "/opt/ml/checkpoints"


class TrainingKind(Kind[Training]):
    """Managed spot with checkpoints, capped, isolated and unprofiled."""

    name: ClassVar[str] = "training"
    noun: ClassVar[str] = "TrainingJob"
    time: ClassVar[str] = "Training"
    done: ClassVar[str] = "trained"
    phase: ClassVar[Phase] = "training"
    spec = Training

    def check(self, spec: Training) -> None:
        """Instance types that SageMaker does not have for their purpose are refused."""
        check_instance(
            "compute.instance_type",
            spec.compute.instance_type,
            "TrainingInstanceType",
            "train",
            inferentia="Inferentia serves models only; use for example ml.trn1.2xlarge",
        )
        if spec.floor is not None:
            utilization.processors(spec.compute.instance_type, spec.floor.of)
        if spec.serving is not None:
            check_serving(spec.serving)

    def image(self, spec: Training, platform: Platform) -> str:
        """The image that trains."""
        return image_address(spec.image, platform.region, spec.compute.instance_type)

    def data(self, spec: Training) -> Mapping[str, str]:
        """The channels."""
        return spec.data

    def dealt_out(self, spec: Training) -> frozenset[str]:
        """The channels that are sharded."""
        return frozenset(spec.sharding)

    def request(self, spec: Training, places: Places) -> dict[str, Any]:
        """A CreateTrainingJob request."""
        request = {
            "AlgorithmSpecification": {
                "TrainingImage": places.image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [
                    *({"Name": name, "Regex": regex} for name, regex in sorted(spec.metrics.items())),
                    *counters.definitions(),
                ],
            },
            "RoleArn": places.role,
            "HyperParameters": _hyperparameters(spec),
            "InputDataConfig": [
                *(_channel(name, address, spec.sharding.get(name)) for name, address in places.channels.items()),
                _channel(CODE_CHANNEL, places.source),
            ],
            "OutputDataConfig": {"S3OutputPath": places.models, **optional(KmsKeyId=places.kms_key)},
            "ResourceConfig": _resources(spec, places),
            "StoppingCondition": _stopping(spec),
            "EnableManagedSpotTraining": spec.compute.spot,
            "EnableNetworkIsolation": spec.network.isolation,
            # Else SageMaker profiles every job and runs a rule container beside it.
            "ProfilerConfig": {"DisableProfiler": True},
            "Environment": {
                **spec.environment,
                CHECKPOINT_DIR: CHECKPOINTS,
                ENTRY_POINT: spec.source.entry_point,
            },
        }
        if places.checkpoints is not None:
            request["CheckpointConfig"] = {"S3Uri": places.checkpoints, "LocalPath": CHECKPOINTS}
        return request

    def machines(self, request: Mapping[str, Any]) -> Machines:
        """What ResourceConfig says."""
        resources = request["ResourceConfig"]
        return Machines(
            resources["InstanceType"],
            resources["InstanceCount"],
            cap=request["StoppingCondition"]["MaxRuntimeInSeconds"],
            volume_gb=resources["VolumeSizeInGB"],
            spot=request["EnableManagedSpotTraining"],
            warm=resources.get("KeepAlivePeriodInSeconds", 0),
        )

    def gather(
        self, spec: Training, platform: Platform, image: str, source_digest: str | None, clients: Clients
    ) -> Run[Training]:
        """Where the platform allows for its warm pool."""
        check_warm_pool(spec, platform)
        return super().gather(spec, platform, image, source_digest, clients)

    def promised(self, run: Run[Training]) -> dict[str, Any]:
        """How the model is to be served, and where registered."""
        spec, platform = run.spec, run.platform
        # Terraform's keys have underscores.
        group = platform.model_package_groups.get(spec.workload.replace("-", "_"))
        serving = served(spec.serving, spec.image, platform.region) if spec.serving else None
        return {"serving": serving, "model_package_group": group}

    def found(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """The model, its metrics and the interruptions."""
        transitions = description.get("SecondaryStatusTransitions", [])
        status = description.get("SecondaryStatus", "")
        begun = [transition["StartTime"] for transition in transitions if transition["Status"] == "Training"]
        return {
            "secondary_status": status,
            "working_since": begun[-1] if begun and status == "Training" else None,
            "interruptions": sum(transition["Status"] == "Interrupted" for transition in transitions),
            "model": description.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
            "metrics": counters.split(_metrics(description))[0],
        }

    def counted(self, description: Mapping[str, Any]) -> Mapping[str, float]:
        """What SageMaker read of it from the log."""
        return counters.split(_metrics(description))[1]

    def seconds(self, description: Mapping[str, Any]) -> tuple[Figure | None, Figure | None]:
        """As SageMaker measured them: without the time that spot waits."""
        running, billable = (
            None
            if (value := description.get(member)) is None
            else measured(value, "s", f"DescribeTrainingJob: {member}")
            for member in ("TrainingTimeInSeconds", "BillableTimeInSeconds")
        )
        return running, billable


TRAINING = TrainingKind()


def check_warm_pool(spec: Training, platform: Platform) -> None:
    """Raise UserError if the job keeps a warm pool and the platform allows none."""
    if spec.compute.keep_alive_minutes and not platform.warm_pools:
        raise UserError(
            f"compute.keep_alive_minutes: the platform {platform.environment} allows no warm pools; remove the field, "
            f"or set warm_pools: true in envs/{platform.environment}/settings.yaml and apply the environment"
        )


def encoded(value: Scalar) -> str:
    """A hyperparameter as SageMaker takes it.

    The containers' toolkits read each value as JSON where they can: text that would become something else is quoted.

    Source: read_hyperparameters in sagemaker-training-toolkit and sagemaker-containers.
    """
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)


def _metrics(description: Mapping[str, Any]) -> dict[str, float]:
    return {metric["MetricName"]: metric["Value"] for metric in description.get("FinalMetricDataList", [])}


def _hyperparameters(spec: Training) -> dict[str, str]:
    return {
        **{name: encoded(value) for name, value in spec.hyperparameters.items()},
        "sagemaker_program": MEASURING,
        # An isolated container cannot fetch its code from S3, so SageMaker delivers it as one more channel; the
        # containers' toolkits unpack a local archive just as well. It needs no S3 permission inside the container
        # either, so a job with a network does the same.
        "sagemaker_submit_directory": f"/opt/ml/input/data/{CODE_CHANNEL}/{ARCHIVE}",
    }


def _channel(name: str, address: Any, sharding: str | None = None) -> dict[str, Any]:
    dealt = "ShardedByS3Key" if sharding else "FullyReplicated"
    source = {"S3DataType": "S3Prefix", "S3Uri": address, "S3DataDistributionType": dealt}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _resources(spec: Training, places: Places) -> dict[str, Any]:
    compute = spec.compute
    return {
        "InstanceType": compute.instance_type,
        "InstanceCount": compute.instance_count,
        "VolumeSizeInGB": compute.volume_gb,
        **optional(
            VolumeKmsKeyId=volume_key(compute.instance_type, places.kms_key),
            KeepAlivePeriodInSeconds=compute.keep_alive_minutes * 60 or None,
        ),
    }


def _stopping(spec: Training) -> dict[str, int]:
    runtime = spec.limits.max_runtime_minutes
    wait = spec.limits.max_wait_minutes or 2 * runtime
    return {"MaxRuntimeInSeconds": runtime * 60, **({"MaxWaitTimeInSeconds": wait * 60} if spec.compute.spot else {})}
