"""Processing jobs: from a CreateProcessingJob request to its outputs in S3."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sagemaker_sandbox.jobs.runtime.container import ML_ROOT, Container
from sagemaker_sandbox.jobs.runtime.image_software import add_image_software
from sagemaker_sandbox.jobs.runtime.inputs import S3Input
from sagemaker_sandbox.jobs.runtime.instance import ContainerProgram, JobInstance
from sagemaker_sandbox.jobs.runtime.job_definition import JobContext, JobLimits, JobOutput
from sagemaker_sandbox.jobs.runtime.job_endings import Ending
from sagemaker_sandbox.jobs.runtime.process import to_exit_code
from sagemaker_sandbox.jobs.runtime.s3 import translate_s3_errors
from sagemaker_sandbox.jobs.runtime.syncing import FolderSync
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError

#: Folder that must contain inputs and outputs.
ROOT = f"{ML_ROOT}/processing/"
_MESSAGE_CHARACTERS = 1024  # ExitMessage's longest text in the API


class ProcessingDefinition:
    """A valid CreateProcessingJob request (a `job_definition.JobDefinition`). `arn` is the ARN of the job.

    The entry point runs with the software of this computer: there is no container image.
    """

    noun: ClassVar[str] = "processing job"
    log_group: ClassVar[str] = "/aws/sagemaker/ProcessingJobs"
    metrics: Sequence[Mapping[str, str]] = ()
    is_spot = False

    def __init__(self, request: Mapping[str, Any], arn: str) -> None:
        self._request = request
        self._arn = arn
        self.name: str = request["ProcessingJobName"]
        self.host_count: int = request["ProcessingResources"]["ClusterConfig"].get("InstanceCount", 1)
        self.limits = JobLimits(runtime=request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", math.inf))

    def check(self) -> None:
        """Raise UserError for requests that only real SageMaker can run."""
        application = self._request["AppSpecification"]
        if "ContainerEntrypoint" not in application:
            raise UserError(
                f"AppSpecification: the sandbox has no entry point of image {application['ImageUri']}; set "
                "ContainerEntrypoint, such as [python3, /opt/ml/processing/input/code/script.py]"
            )
        parse_inputs(self._request)
        parse_outputs(self._request)

    def create_units(self, context: JobContext) -> Sequence[JobInstance]:
        """Return an instance for each host."""
        return [
            JobInstance(ProcessingHost(self._request, self._arn, container, context), context.log)
            for container in context.create_containers(self.host_count)
        ]

    def upload(self, context: JobContext, units: Sequence[JobInstance], ending: Ending) -> JobOutput:
        """Upload the EndOfJob outputs of a completed job. Return the first exit message of an instance."""
        key = self._request.get("ProcessingOutputConfig", {}).get("KmsKeyId")
        for container in [unit.container for unit in units] if ending.is_completed else ():
            for path, address, continuous in parse_outputs(self._request):
                if not continuous:
                    with translate_s3_errors("Output upload", address):
                        context.s3.upload_folder(container.to_local_path(path, "LocalPath"), address, key)
        messages = [unit.container.output / "message" for unit in units]
        message = next((file.read_text(errors="replace") for file in messages if file.is_file()), None)
        return JobOutput(exit_message=message[:_MESSAGE_CHARACTERS] if message else None)


def parse_inputs(request: Mapping[str, Any]) -> dict[str, S3Input]:
    """Return the S3 inputs by LocalPath. Raises UserError for an unsupported input."""
    inputs = {}
    for item in request.get("ProcessingInputs", []):
        if item.get("AppManaged"):
            continue
        field = f"ProcessingInputs {item['InputName']}"
        source = item.get("S3Input")
        if source is None:
            raise UserError(f"{field}: the sandbox reads data from S3 only; set S3Input")
        path = _check_path(source.get("LocalPath"), field)
        inputs[path] = S3Input.from_source(source, field, source.get("S3InputMode", "File"))
    return inputs


def parse_outputs(request: Mapping[str, Any]) -> list[tuple[str, S3Uri, bool]]:
    """Return LocalPath, address and continuous flag of the outputs. Raises UserError."""
    outputs = []
    for item in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if item.get("AppManaged"):
            continue
        field = f"ProcessingOutputConfig output {item['OutputName']}"
        target = item.get("S3Output")
        if target is None:
            raise UserError(f"{field}: give S3Output; FeatureStoreOutput is for applications that manage it themselves")
        path = _check_path(target.get("LocalPath"), field)
        outputs.append((path, S3Uri.parse(target["S3Uri"], f"{field}: S3Uri"), target["S3UploadMode"] == "Continuous"))
    return outputs


def _check_path(path: str | None, field: str) -> str:
    if path is None or not path.startswith(ROOT):
        raise UserError(f"{field}: LocalPath must begin with {ROOT}, not {path!r}")
    return path


class ProcessingHost:
    """A host of a processing job (an `instance.JobHost`)."""

    def __init__(self, request: Mapping[str, Any], arn: str, container: Container, context: JobContext) -> None:
        self.container = container
        self._request = request
        self._arn = arn
        self._context = context

    def build_program(self) -> ContainerProgram:
        """Provide inputs, output folders and configuration files; return the entry point."""
        container, s3 = self.container, self._context.s3
        for path, source in parse_inputs(self._request).items():
            folder = container.to_local_path(path, f"{source.field}: LocalPath")
            source.download(s3, folder, container.number, len(container.hosts))
        key = self._request.get("ProcessingOutputConfig", {}).get("KmsKeyId")
        syncs = []
        for path, address, continuous in parse_outputs(self._request):
            folder = container.to_local_path(path, "LocalPath")
            folder.mkdir(parents=True, exist_ok=True)
            if continuous:
                syncs.append(FolderSync(s3, address, folder, "Output", key))
        self._configure()
        application = self._request["AppSpecification"]
        command = [*application["ContainerEntrypoint"], *application.get("ContainerArguments", [])]
        translated = [container.translate(part) for part in command]
        return ContainerProgram(translated, container.start_folder, self._build_environment(), syncs)

    def _configure(self) -> None:
        """Write the files of /opt/ml/config. Source: developer guide, Build Your Own Processing Container."""
        folder = self.container.folder / "config"
        folder.mkdir()
        job = {name: value for name, value in self._request.items() if name != "Tags"}
        resources = {"current_host": self.container.host, "hosts": self.container.hosts}
        (folder / "processingjobconfig.json").write_text(json.dumps({"ProcessingJobArn": self._arn} | job, indent=2))
        (folder / "resourceconfig.json").write_text(json.dumps(resources, indent=2))

    def _build_environment(self) -> dict[str, str]:
        region = self._context.s3.region
        variables = {"AWS_DEFAULT_REGION": region, "AWS_REGION": region, "PROCESSING_JOB_ARN": self._arn}
        variables = {**self._context.access, **variables, **self._request.get("Environment", {})}
        image = self._request["AppSpecification"]["ImageUri"]
        return self.container.build_environment(add_image_software(image, variables))

    def describe_failure(self, return_code: int, errors: str) -> str:
        """Return the message of SageMaker, with the end of the log."""
        detail = f": {self.container.explain_errors(errors)}" if errors else ""
        return f"AlgorithmError: See job logs for more information, exit code: {to_exit_code(return_code)}{detail}"
