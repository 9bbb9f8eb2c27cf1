"""Training jobs: from a CreateTrainingJob request to model.tar.gz in S3."""

import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from sagemaker_sandbox.jobs.algorithms.images import list_metric_definitions
from sagemaker_sandbox.jobs.runtime import archives
from sagemaker_sandbox.jobs.runtime.instance import JobInstance
from sagemaker_sandbox.jobs.runtime.job_definition import JobContext, JobLimits, JobOutput
from sagemaker_sandbox.jobs.runtime.job_endings import Ending
from sagemaker_sandbox.jobs.runtime.s3 import translate_s3_errors
from sagemaker_sandbox.jobs.runtime.training_host import TrainingHost, parse_channels
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError

#: Default runtime limit in seconds. Source: StoppingCondition in the SageMaker API reference.
_DEFAULT_RUNTIME = 86_400.0


class TrainingDefinition:
    """A valid CreateTrainingJob request (a `job_definition.JobDefinition`).

    If the request names a script (script mode), it runs with the Python of this computer. A ContainerEntrypoint runs
    with the software of this computer. A built-in algorithm runs by a library with the same algorithm. There is no
    container image.
    """

    noun: ClassVar[str] = "training job"
    log_group: ClassVar[str] = "/aws/sagemaker/TrainingJobs"

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._request = request
        self._algorithm: Mapping[str, Any] = request["AlgorithmSpecification"]
        self.name: str = request["TrainingJobName"]
        self.is_spot = bool(request.get("EnableManagedSpotTraining"))
        self.host_count: int = request["ResourceConfig"].get("InstanceCount", 1)
        self.metrics: Sequence[Mapping[str, str]] = list_metric_definitions(self._algorithm)
        stopping = request.get("StoppingCondition", {})
        self.limits = JobLimits(
            runtime=stopping.get("MaxRuntimeInSeconds", _DEFAULT_RUNTIME),
            wait=stopping.get("MaxWaitTimeInSeconds", math.inf) if self.is_spot else math.inf,
            pending=math.inf if self.is_spot else stopping.get("MaxPendingTimeInSeconds", 0.0),
            retries=request.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0),
        )

    def check(self) -> None:
        """Raise UserError for requests that only real SageMaker can run."""
        if "InstanceGroups" in self._request["ResourceConfig"]:
            raise UserError("ResourceConfig.InstanceGroups: the sandbox runs equal instances; set InstanceType")
        if "ContainerArguments" in self._algorithm and "ContainerEntrypoint" not in self._algorithm:
            raise UserError(
                "AlgorithmSpecification.ContainerArguments: add a ContainerEntrypoint; the sandbox has no image"
            )
        output = self._request["OutputDataConfig"]
        if output.get("CompressionType", "GZIP") != "GZIP":
            raise UserError("OutputDataConfig.CompressionType: the sandbox writes GZIP only")
        S3Uri.parse(output["S3OutputPath"], "OutputDataConfig.S3OutputPath")
        parse_channels(self._request)

    def create_units(self, context: JobContext) -> Sequence[JobInstance]:
        """Return an instance for each host."""
        hosts = [
            TrainingHost(self._request, container, context) for container in context.create_containers(self.host_count)
        ]
        return [JobInstance(host, context.log) for host in hosts]

    def upload(self, context: JobContext, units: Sequence[JobInstance], ending: Ending) -> JobOutput:
        """Upload output.tar.gz and, unless a container failed, model.tar.gz, with the files of all instances."""
        containers = [unit.container for unit in units]
        model = None
        if not ending.is_failed:
            model = self._upload("model.tar.gz", [container.model for container in containers], context)
        self._upload("output.tar.gz", [container.output_data for container in containers], context)
        return JobOutput(artifacts=model)

    def _upload(self, name: str, folders: Sequence[Path], context: JobContext) -> str | None:
        """Upload folders as one archive and return its address; None if all are empty."""
        filled = [folder for folder in folders if any(folder.iterdir())]
        if not filled:
            context.log.write(f"Nothing was saved for {name}: it is not uploaded to S3.")
            return None
        config = self._request["OutputDataConfig"]
        target = S3Uri.parse(config["S3OutputPath"], "OutputDataConfig.S3OutputPath") / self.name / "output" / name
        with tempfile.TemporaryFile() as archive, tempfile.TemporaryDirectory(dir=context.folder) as merged:
            if len(filled) > 1:
                for folder in filled:  # of files with the same name, that of the last instance remains
                    shutil.copytree(folder, merged, dirs_exist_ok=True)
            archives.pack(Path(merged) if len(filled) > 1 else filled[0], archive)
            archive.seek(0)
            with translate_s3_errors("Artifact upload", target):
                context.s3.upload(archive, target, config.get("KmsKeyId"))
        return str(target)
