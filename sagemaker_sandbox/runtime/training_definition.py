"""Training jobs: from a CreateTrainingJob request to model.tar.gz in S3."""

import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from sagemaker_sandbox.runtime import archives
from sagemaker_sandbox.runtime.endings import Ending
from sagemaker_sandbox.runtime.instance import JobInstance
from sagemaker_sandbox.runtime.job_definition import JobContext, JobLimits, JobOutput
from sagemaker_sandbox.runtime.s3 import translate_s3_errors
from sagemaker_sandbox.runtime.training_host import TrainingHost, parse_channels
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError

#: How long a job may run that does not say. Source: StoppingCondition in the SageMaker API reference.
_A_DAY = 86_400.0


class TrainingDefinition:
    """A valid CreateTrainingJob request (a `work.Work`).

    A script runs where the request names one (script mode), with this machine's Python; a ContainerEntrypoint runs as
    it is, with what this machine has. There is no container image.
    """

    noun: ClassVar[str] = "training job"
    log_group: ClassVar[str] = "/aws/sagemaker/TrainingJobs"

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._request = request
        self._algorithm: Mapping[str, Any] = request["AlgorithmSpecification"]
        self.name: str = request["TrainingJobName"]
        self.spot = bool(request.get("EnableManagedSpotTraining"))
        self.host_count: int = request["ResourceConfig"].get("InstanceCount", 1)
        self.metrics: Sequence[Mapping[str, str]] = self._algorithm.get("MetricDefinitions", [])
        stopping = request.get("StoppingCondition", {})
        self.limits = JobLimits(
            runtime=stopping.get("MaxRuntimeInSeconds", _A_DAY),
            wait=stopping.get("MaxWaitTimeInSeconds", math.inf) if self.spot else math.inf,
            pending=math.inf if self.spot else stopping.get("MaxPendingTimeInSeconds", 0.0),
            retries=request.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0),
        )

    def check(self) -> None:
        """Raise UserError for what only real SageMaker can run."""
        if "InstanceGroups" in self._request["ResourceConfig"]:
            raise UserError("ResourceConfig.InstanceGroups: the sandbox runs equal instances; give InstanceType")
        if "ContainerArguments" in self._algorithm and "ContainerEntrypoint" not in self._algorithm:
            raise UserError("AlgorithmSpecification.ContainerArguments: give a ContainerEntrypoint; no image has one")
        output = self._request["OutputDataConfig"]
        if output.get("CompressionType", "GZIP") != "GZIP":
            raise UserError("OutputDataConfig.CompressionType: the sandbox writes GZIP only")
        S3Uri.parse(output["S3OutputPath"], "OutputDataConfig.S3OutputPath")
        parse_channels(self._request)

    def create_units(self, setting: JobContext) -> Sequence[JobInstance]:
        """An instance for each host."""
        hosts = [
            TrainingHost(self._request, container, setting) for container in setting.create_containers(self.host_count)
        ]
        return [JobInstance(host, setting.log) for host in hosts]

    def upload(self, setting: JobContext, units: Sequence[JobInstance], ending: Ending) -> JobOutput:
        """output.tar.gz, and model.tar.gz unless a container failed; with several instances, of all their files."""
        containers = [unit.container for unit in units]
        model = None
        if not ending.failed:
            model = self._upload("model.tar.gz", [container.model for container in containers], setting)
        self._upload("output.tar.gz", [container.output_data for container in containers], setting)
        return JobOutput(artifacts=model)

    def _upload(self, name: str, folders: Sequence[Path], setting: JobContext) -> str | None:
        """Upload folders as one archive and return its address; nothing is uploaded where all are empty."""
        filled = [folder for folder in folders if any(folder.iterdir())]
        if not filled:
            setting.log.write(f"Nothing was saved for {name}: it is not uploaded to S3.")
            return None
        config = self._request["OutputDataConfig"]
        target = S3Uri.parse(config["S3OutputPath"], "OutputDataConfig.S3OutputPath") / self.name / "output" / name
        with tempfile.TemporaryFile() as archive, tempfile.TemporaryDirectory(dir=setting.folder) as merged:
            if len(filled) > 1:
                for folder in filled:  # of files with one name the last instance's stays
                    shutil.copytree(folder, merged, dirs_exist_ok=True)
            archives.pack(Path(merged) if len(filled) > 1 else filled[0], archive)
            archive.seek(0)
            with translate_s3_errors("Artifact upload", target):
                setting.s3.upload(archive, target, config.get("KmsKeyId"))
        return str(target)
