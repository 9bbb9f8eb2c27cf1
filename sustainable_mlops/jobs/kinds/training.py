"""Training jobs."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from sustainable_mlops.aws import Clients
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs import utilization
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.image import find_image_address
from sustainable_mlops.jobs.kinds.kind import JobInstances, JobKind, JobReferences, make_measured_figure
from sustainable_mlops.jobs.kinds.members import check_instance_type, choose_volume_key, drop_missing
from sustainable_mlops.jobs.measurement import counters
from sustainable_mlops.jobs.measurement.smlops_measure import ENTRY_POINT
from sustainable_mlops.jobs.platform import Phase, Platform
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.serving import check_serving, resolve_images
from sustainable_mlops.jobs.source import ARCHIVE, MEASURING_SCRIPT
from sustainable_mlops.jobs.specs.common import CODE_CHANNEL, Scalar
from sustainable_mlops.jobs.specs.training import CHECKPOINT_DIR, TrainingSpec

CHECKPOINTS = "/opt/ml/checkpoints"


class TrainingKind(JobKind[TrainingSpec]):
    """Training jobs on managed spot with checkpoints, with a runtime limit, isolated and not profiled."""

    name: ClassVar[str] = "training"
    noun: ClassVar[str] = "TrainingJob"
    time_prefix: ClassVar[str] = "Training"
    completed_verb: ClassVar[str] = "trained"
    phase: ClassVar[Phase] = "training"
    saves_model: ClassVar[bool] = True
    spec = TrainingSpec

    def check(self, spec: TrainingSpec) -> None:
        """Raise UserError for instance types that cannot train, or cannot serve the model."""
        check_instance_type(
            "compute.instance_type",
            spec.compute.instance_type,
            "TrainingInstanceType",
            "train",
            inferentia="Inferentia serves models only; use for example ml.trn1.2xlarge",
        )
        if spec.floor is not None:
            utilization.count_processors(spec.compute.instance_type, spec.floor.processor)
        if spec.serving is not None:
            check_serving(spec.serving)

    def find_image(self, spec: TrainingSpec, platform: Platform) -> str:
        """Return the training image."""
        return find_image_address(spec.image, platform.region, spec.compute.instance_type)

    def list_data(self, spec: TrainingSpec) -> Mapping[str, str]:
        """Return the channels."""
        return spec.data

    def list_sharded_channels(self, spec: TrainingSpec) -> frozenset[str]:
        """Return the sharded channels."""
        return frozenset(spec.sharding)

    def build_request(self, spec: TrainingSpec, references: JobReferences) -> dict[str, Any]:
        """Return a CreateTrainingJob request."""
        request = {
            "AlgorithmSpecification": {
                "TrainingImage": references.image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [
                    *({"Name": name, "Regex": regex} for name, regex in sorted(spec.metrics.items())),
                    *counters.list_metric_definitions(),
                ],
            },
            "RoleArn": references.role,
            "HyperParameters": _build_hyperparameters(spec),
            "InputDataConfig": [
                *(
                    _build_channel(name, address, spec.sharding.get(name))
                    for name, address in references.channels.items()
                ),
                _build_channel(CODE_CHANNEL, references.source),
            ],
            "OutputDataConfig": {"S3OutputPath": references.models, **drop_missing(KmsKeyId=references.kms_key)},
            "ResourceConfig": _build_resources(spec, references),
            "StoppingCondition": _build_stopping_condition(spec),
            "EnableManagedSpotTraining": spec.compute.spot,
            "EnableNetworkIsolation": spec.network.isolation,
            **drop_missing(VpcConfig=spec.network.build_vpc_config(references.vpc)),
            # By default SageMaker profiles every job and runs an additional rule container.
            "ProfilerConfig": {"DisableProfiler": True},
            "Environment": {**spec.environment, CHECKPOINT_DIR: CHECKPOINTS, ENTRY_POINT: spec.source.entry_point},
        }
        if references.checkpoints is not None:
            request["CheckpointConfig"] = {"S3Uri": references.checkpoints, "LocalPath": CHECKPOINTS}
        return request

    def list_metric_patterns(self, request: Mapping[str, Any]) -> dict[str, str]:
        """Return the metrics of MetricDefinitions, without the measured values."""
        definitions = request["AlgorithmSpecification"].get("MetricDefinitions", [])
        return counters.split_metrics({one["Name"]: one["Regex"] for one in definitions})[0]

    def read_instances(self, request: Mapping[str, Any]) -> JobInstances:
        """Return the instances of ResourceConfig."""
        resources = request["ResourceConfig"]
        return JobInstances(
            resources["InstanceType"],
            resources["InstanceCount"],
            cap=request["StoppingCondition"]["MaxRuntimeInSeconds"],
            volume_gb=resources["VolumeSizeInGB"],
            spot=request["EnableManagedSpotTraining"],
            warm=resources.get("KeepAlivePeriodInSeconds", 0),
        )

    def build_run(
        self, spec: TrainingSpec, platform: Platform, image: str, source_digest: str | None, clients: Clients
    ) -> Run[TrainingSpec]:
        """Return the run if the platform allows its warm pool. Raises UserError."""
        check_warm_pool(spec, platform)
        return super().build_run(spec, platform, image, source_digest, clients)

    def derive_fields(self, run: Run[TrainingSpec]) -> dict[str, Any]:
        """Return the serving of the model and its model package group."""
        spec, platform = run.spec, run.platform
        # Terraform's keys have underscores.
        group = platform.model_package_groups.get(spec.workload.replace("-", "_"))
        serving = resolve_images(spec.serving, spec.image, platform.region) if spec.serving else None
        return {"serving": serving, "model_package_group": group}

    def read_record_fields(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """Return the model, its metrics and the interruptions."""
        transitions = description.get("SecondaryStatusTransitions", [])
        status = description.get("SecondaryStatus", "")
        start_times = [transition["StartTime"] for transition in transitions if transition["Status"] == "Training"]
        return {
            "secondary_status": status,
            "working_since": start_times[-1] if start_times and status == "Training" else None,
            "interruptions": sum(transition["Status"] == "Interrupted" for transition in transitions),
            "model": description.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
            "metrics": counters.split_metrics(_read_metrics(description))[0],
        }

    def read_counters(self, description: Mapping[str, Any]) -> Mapping[str, float]:
        """Return the values that SageMaker read from the log."""
        return counters.split_metrics(_read_metrics(description))[1]

    def read_seconds(self, description: Mapping[str, Any]) -> tuple[RunFigure | None, RunFigure | None]:
        """Return the seconds that SageMaker measured, without waits for spot."""
        running, billable = (
            None
            if (value := description.get(member)) is None
            else make_measured_figure(value, "s", f"DescribeTrainingJob: {member}")
            for member in ("TrainingTimeInSeconds", "BillableTimeInSeconds")
        )
        return running, billable


TRAINING = TrainingKind()


def check_warm_pool(spec: TrainingSpec, platform: Platform) -> None:
    """Raise UserError if the job keeps a warm pool and the environment allows none."""
    if spec.compute.keep_alive_minutes and not platform.warm_pools:
        raise UserError(
            f"compute.keep_alive_minutes: the environment {platform.environment} allows no warm pools; remove the "
            f"field, or set warm_pools: true in envs/{platform.environment}/settings.yaml and apply the environment"
        )


def encode_hyperparameter(value: Scalar) -> str:
    """Return a hyperparameter as SageMaker takes it.

    The containers' toolkits parse each value as JSON if they can. A string that JSON would parse is quoted.

    Source: read_hyperparameters in sagemaker-training-toolkit and sagemaker-containers.
    """
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)


def _read_metrics(description: Mapping[str, Any]) -> dict[str, float]:
    return {metric["MetricName"]: metric["Value"] for metric in description.get("FinalMetricDataList", [])}


def _build_hyperparameters(spec: TrainingSpec) -> dict[str, str]:
    return {
        **{name: encode_hyperparameter(value) for name, value in spec.hyperparameters.items()},
        "sagemaker_program": MEASURING_SCRIPT,
        # An isolated container cannot fetch its code from S3, so SageMaker delivers it as one more channel. The
        # containers' toolkits unpack a local archive too. The container then needs no S3 permission, so a job with a
        # network does the same.
        "sagemaker_submit_directory": f"/opt/ml/input/data/{CODE_CHANNEL}/{ARCHIVE}",
    }


def _build_channel(name: str, address: Any, sharding: str | None = None) -> dict[str, Any]:
    distribution = "ShardedByS3Key" if sharding else "FullyReplicated"
    source = {"S3DataType": "S3Prefix", "S3Uri": address, "S3DataDistributionType": distribution}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _build_resources(spec: TrainingSpec, references: JobReferences) -> dict[str, Any]:
    compute = spec.compute
    return {
        "InstanceType": compute.instance_type,
        "InstanceCount": compute.instance_count,
        "VolumeSizeInGB": compute.volume_gb,
        **drop_missing(
            VolumeKmsKeyId=choose_volume_key(compute.instance_type, references.kms_key),
            KeepAlivePeriodInSeconds=compute.keep_alive_minutes * 60 or None,
        ),
    }


def _build_stopping_condition(spec: TrainingSpec) -> dict[str, int]:
    runtime = spec.limits.max_runtime_minutes
    wait = spec.limits.max_wait_minutes or 2 * runtime
    return {"MaxRuntimeInSeconds": runtime * 60, **({"MaxWaitTimeInSeconds": wait * 60} if spec.compute.spot else {})}
