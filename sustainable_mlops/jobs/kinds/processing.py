"""Processing jobs."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sustainable_mlops.jobs import utilization
from sustainable_mlops.jobs.image import image_address
from sustainable_mlops.jobs.kinds.kind import Kind, Machines, Places
from sustainable_mlops.jobs.kinds.members import check_instance, optional, volume_key
from sustainable_mlops.jobs.measurement import counters as counters
from sustainable_mlops.jobs.measurement.smlops_measure import ENTRY_POINT, MESSAGE
from sustainable_mlops.jobs.platform import Phase, Platform
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.source import ARCHIVE, MEASURING
from sustainable_mlops.jobs.specs.common import CODE_CHANNEL, as_text
from sustainable_mlops.jobs.specs.processing import INPUT_DIR, OUTPUT_DIR, Processing

INPUTS, OUTPUTS = "/opt/ml/processing/input", "/opt/ml/processing/output"
_CODE = f"{INPUTS}/{CODE_CHANNEL}"
#: Whose text DescribeProcessingJob gives as ExitMessage.
_MESSAGE = "/opt/ml/output/message"
_DISTRIBUTION = {"replicated": "FullyReplicated", "by_key": "ShardedByS3Key"}
#: Unpacks the source beside itself and becomes what follows. Every framework image of AWS, Spark's too, has sh and tar;
#: the SDK's own processors unpack so as well. Requirements only come with a network (see `launch`).
_UNPACK = (
    f"cd {_CODE}; tar -xzf {ARCHIVE}; "
    'if [ -f requirements.txt ]; then python3 -m pip install -r requirements.txt; fi; exec "$@"'
)


class ProcessingKind(Kind[Processing]):
    """Capped, isolated, each input dealt out or replicated. There is no managed spot for it."""

    name: ClassVar[str] = "processing"
    noun: ClassVar[str] = "ProcessingJob"
    time: ClassVar[str] = "Processing"
    done: ClassVar[str] = "processed"
    phase: ClassVar[Phase] = "data_preparation"
    data_field: ClassVar[str] = "inputs"
    spec = Processing

    def check(self, spec: Processing) -> None:
        """Instance types that SageMaker does not have for processing are refused."""
        check_instance(
            "compute.instance_type",
            spec.compute.instance_type,
            "ProcessingInstanceType",
            "process",
            inferentia="Inferentia serves models only; use for example ml.m7i.large",
        )
        if spec.floor is not None:
            utilization.processors(spec.compute.instance_type, spec.floor.of)

    def image(self, spec: Processing, platform: Platform) -> str:
        """The image that the script runs in."""
        return image_address(spec.image, platform.region, spec.compute.instance_type, "processing")

    def data(self, spec: Processing) -> Mapping[str, str]:
        """The inputs."""
        return {name: given.data for name, given in spec.inputs.items()}

    def dealt_out(self, spec: Processing) -> frozenset[str]:
        """The inputs that are sharded."""
        return frozenset(name for name, given in spec.inputs.items() if given.sharding == "by_key")

    def outputs(self, run: Run[Processing], attempt: str) -> dict[str, str]:
        """Under the run key, in the bucket of their class of data."""
        place = {"re-creatable": run.layout.re_creatable, "runs": run.layout.reports}
        return {name: place[kept](run.key, name, attempt) for name, kept in run.spec.outputs.items()}

    def request(self, spec: Processing, places: Places) -> dict[str, Any]:
        """A CreateProcessingJob request."""
        inputs = [
            # Spark reads and writes by address: nothing is copied to and from the disks of its instances.
            _input(name, places.channels[name], given.sharding, by_itself=spec.spark)
            for name, given in spec.inputs.items()
        ]
        return {
            "AppSpecification": {
                "ImageUri": places.image,
                "ContainerEntrypoint": ["/bin/sh", "-ec", _UNPACK, "sh", *_command(spec)],
                **optional(ContainerArguments=_arguments(spec) or None),
            },
            "RoleArn": places.role,
            "ProcessingInputs": [*inputs, _input(CODE_CHANNEL, places.source, "replicated", by_itself=False)],
            "ProcessingOutputConfig": {
                "Outputs": [_output(name, places.outputs[name], by_itself=spec.spark) for name in spec.outputs],
                **optional(KmsKeyId=places.kms_key),
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": spec.compute.instance_type,
                    "InstanceCount": spec.compute.instance_count,
                    "VolumeSizeInGB": spec.compute.volume_gb,
                    **optional(VolumeKmsKeyId=volume_key(spec.compute.instance_type, places.kms_key)),
                }
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": spec.limits.max_runtime_minutes * 60},
            "NetworkConfig": {"EnableNetworkIsolation": spec.network.isolation},
            "Environment": {
                **spec.environment,
                INPUT_DIR: INPUTS,
                OUTPUT_DIR: OUTPUTS,
                ENTRY_POINT: spec.source.entry_point,
                MESSAGE: _MESSAGE,
            },
        }

    def machines(self, request: Mapping[str, Any]) -> Machines:
        """What ClusterConfig says."""
        cluster = request["ProcessingResources"]["ClusterConfig"]
        return Machines(
            cluster["InstanceType"],
            cluster["InstanceCount"],
            cap=request["StoppingCondition"]["MaxRuntimeInSeconds"],
            volume_gb=cluster["VolumeSizeInGB"],
            spot=None,
        )

    def found(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """What the script of a failed job left in /opt/ml/output/message tells more than the exit code."""
        ended = "ProcessingEndTime" in description
        reason = description.get("FailureReason")
        own = None if reason is None or self.counted(description) else description.get("ExitMessage")
        return {
            "failure_reason": own or reason,
            "working_since": None if ended else description.get("ProcessingStartTime"),
        }

    def counted(self, description: Mapping[str, Any]) -> Mapping[str, float]:
        """What is left there where the script has left nothing."""
        return counters.of_text(description.get("ExitMessage", ""))


PROCESSING = ProcessingKind()


def _command(spec: Processing) -> list[str]:
    # Spark's own program reads the script, and starts what works elsewhere.
    return (
        ["smspark-submit", f"{_CODE}/{spec.source.entry_point}"] if spec.spark else ["python3", f"{_CODE}/{MEASURING}"]
    )


def _arguments(spec: Processing) -> list[str]:
    return [part for name, value in spec.arguments.items() for part in (f"--{name}", as_text(value))]


def _input(name: str, address: Any, sharding: str, *, by_itself: bool) -> dict[str, Any]:
    source = {
        "S3Uri": address,
        "LocalPath": f"{INPUTS}/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": _DISTRIBUTION[sharding],
    }
    return {"InputName": name, "AppManaged": by_itself, "S3Input": source}


def _output(name: str, address: Any, *, by_itself: bool) -> dict[str, Any]:
    target = {"S3Uri": address, "LocalPath": f"{OUTPUTS}/{name}", "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "AppManaged": by_itself, "S3Output": target}
