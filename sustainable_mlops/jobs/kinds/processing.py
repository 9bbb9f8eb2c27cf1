"""Processing jobs."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sustainable_mlops.jobs import utilization
from sustainable_mlops.jobs.image import find_image_address
from sustainable_mlops.jobs.kinds.kind import JobInstances, JobKind, JobReferences
from sustainable_mlops.jobs.kinds.members import check_instance_type, choose_volume_key, drop_missing
from sustainable_mlops.jobs.measurement import counters
from sustainable_mlops.jobs.measurement.smlops_measure import ENTRY_POINT, MESSAGE
from sustainable_mlops.jobs.platform import Phase, Platform
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.source import ARCHIVE, MEASURING_SCRIPT
from sustainable_mlops.jobs.specs.common import CODE_CHANNEL, format_scalar
from sustainable_mlops.jobs.specs.processing import INPUT_DIR, OUTPUT_DIR, ProcessingSpec

INPUTS, OUTPUTS = "/opt/ml/processing/input", "/opt/ml/processing/output"
_CODE = f"{INPUTS}/{CODE_CHANNEL}"
#: File that becomes the ExitMessage of DescribeProcessingJob.
_MESSAGE = "/opt/ml/output/message"
_DISTRIBUTION = {"replicated": "FullyReplicated", "by_key": "ShardedByS3Key"}
#: Shell script that unpacks the source and runs the remaining arguments. Every framework image of AWS, also Spark's,
#: has sh and tar; the SDK's processors unpack in the same way. Requirements are sent only with a network (see
#: `launch`).
_UNPACK = (
    f"cd {_CODE}; tar -xzf {ARCHIVE}; "
    'if [ -f requirements.txt ]; then python3 -m pip install -r requirements.txt; fi; exec "$@"'
)


class ProcessingKind(JobKind[ProcessingSpec]):
    """Processing jobs: isolated, with a runtime limit. Each input is sharded or replicated. None uses managed spot."""

    name: ClassVar[str] = "processing"
    noun: ClassVar[str] = "ProcessingJob"
    time_prefix: ClassVar[str] = "Processing"
    completed_verb: ClassVar[str] = "processed"
    phase: ClassVar[Phase] = "data_preparation"
    data_field: ClassVar[str] = "inputs"
    spec = ProcessingSpec

    def check(self, spec: ProcessingSpec) -> None:
        """Raise UserError for an instance type that cannot process, or has no processor for the utilization floor."""
        check_instance_type(
            "compute.instance_type",
            spec.compute.instance_type,
            "ProcessingInstanceType",
            "process",
            inferentia="Inferentia serves models only; use for example ml.m7i.large",
        )
        if spec.floor is not None:
            utilization.count_processors(spec.compute.instance_type, spec.floor.processor)

    def find_image(self, spec: ProcessingSpec, platform: Platform) -> str:
        """Return the image that the script runs in."""
        return find_image_address(spec.image, platform.region, spec.compute.instance_type, "processing")

    def list_data(self, spec: ProcessingSpec) -> Mapping[str, str]:
        """Return the inputs."""
        return {name: job_input.data for name, job_input in spec.inputs.items()}

    def list_sharded_channels(self, spec: ProcessingSpec) -> frozenset[str]:
        """Return the sharded inputs."""
        return frozenset(name for name, job_input in spec.inputs.items() if job_input.sharding == "by_key")

    def list_outputs(self, run: Run[ProcessingSpec], attempt: str) -> dict[str, str]:
        """Return output addresses under the run key, in the bucket of their data class."""
        locate = {"re-creatable": run.layout.locate_recreatable, "runs": run.layout.locate_report}
        return {name: locate[data_class](run.key, name, attempt) for name, data_class in run.spec.outputs.items()}

    def build_request(self, spec: ProcessingSpec, references: JobReferences) -> dict[str, Any]:
        """Return a CreateProcessingJob request."""
        inputs = [
            # Spark reads and writes S3 directly: SageMaker copies nothing to or from the disks.
            _build_input(name, references.channels[name], job_input.sharding, by_itself=spec.uses_spark)
            for name, job_input in spec.inputs.items()
        ]
        return {
            "AppSpecification": {
                "ImageUri": references.image,
                "ContainerEntrypoint": ["/bin/sh", "-ec", _UNPACK, "sh", *_build_command(spec)],
                **drop_missing(ContainerArguments=_build_arguments(spec) or None),
            },
            "RoleArn": references.role,
            "ProcessingInputs": [*inputs, _build_input(CODE_CHANNEL, references.source, "replicated", by_itself=False)],
            "ProcessingOutputConfig": {
                "Outputs": [
                    _build_output(name, references.outputs[name], by_itself=spec.uses_spark) for name in spec.outputs
                ],
                **drop_missing(KmsKeyId=references.kms_key),
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": spec.compute.instance_type,
                    "InstanceCount": spec.compute.instance_count,
                    "VolumeSizeInGB": spec.compute.volume_gb,
                    **drop_missing(VolumeKmsKeyId=choose_volume_key(spec.compute.instance_type, references.kms_key)),
                }
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": spec.limits.max_runtime_minutes * 60},
            "NetworkConfig": {
                "EnableNetworkIsolation": spec.network.isolation,
                **drop_missing(VpcConfig=spec.network.build_vpc_config(references.vpc)),
            },
            "Environment": {
                **spec.environment,
                INPUT_DIR: INPUTS,
                OUTPUT_DIR: OUTPUTS,
                ENTRY_POINT: spec.source.entry_point,
                MESSAGE: _MESSAGE,
            },
        }

    def read_instances(self, request: Mapping[str, Any]) -> JobInstances:
        """Return the instances of ClusterConfig."""
        cluster = request["ProcessingResources"]["ClusterConfig"]
        return JobInstances(
            cluster["InstanceType"],
            cluster["InstanceCount"],
            cap=request["StoppingCondition"]["MaxRuntimeInSeconds"],
            volume_gb=cluster["VolumeSizeInGB"],
            spot=None,
        )

    def read_record_fields(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """Return the failure reason, preferably the script's own message, and the start of work that has not ended.

        The message in /opt/ml/output/message has more details than the exit code.
        """
        has_ended = "ProcessingEndTime" in description
        reason = description.get("FailureReason")
        message = None if reason is None or self.read_counters(description) else description.get("ExitMessage")
        return {
            "failure_reason": message or reason,
            "working_since": None if has_ended else description.get("ProcessingStartTime"),
        }

    def read_counters(self, description: Mapping[str, Any]) -> Mapping[str, float]:
        """Return the counters in the exit message, which the wrapper writes if the script wrote none."""
        return counters.parse_line(description.get("ExitMessage", ""))


PROCESSING = ProcessingKind()


def _build_command(spec: ProcessingSpec) -> list[str]:
    """Return the command after the unpacking: submit the script to Spark, or run it in the measuring script."""
    # smspark-submit reads the script and starts the executors on the other instances.
    return (
        ["smspark-submit", f"{_CODE}/{spec.source.entry_point}"]
        if spec.uses_spark
        else ["python3", f"{_CODE}/{MEASURING_SCRIPT}"]
    )


def _build_arguments(spec: ProcessingSpec) -> list[str]:
    return [part for name, value in spec.arguments.items() for part in (f"--{name}", format_scalar(value))]


def _build_input(name: str, address: Any, sharding: str, *, by_itself: bool) -> dict[str, Any]:
    source = {
        "S3Uri": address,
        "LocalPath": f"{INPUTS}/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": _DISTRIBUTION[sharding],
    }
    return {"InputName": name, "AppManaged": by_itself, "S3Input": source}


def _build_output(name: str, address: Any, *, by_itself: bool) -> dict[str, Any]:
    target = {"S3Uri": address, "LocalPath": f"{OUTPUTS}/{name}", "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "AppManaged": by_itself, "S3Output": target}
