"""Processing jobs: from a CreateProcessingJob request to its outputs in S3."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sagemaker_sandbox.runtime.container import ML_ROOT, Container
from sagemaker_sandbox.runtime.endings import Ending
from sagemaker_sandbox.runtime.inputs import S3Input
from sagemaker_sandbox.runtime.instance import ContainerProgram, JobInstance
from sagemaker_sandbox.runtime.job_definition import JobContext, JobLimits, JobOutput
from sagemaker_sandbox.runtime.process import to_exit_code
from sagemaker_sandbox.runtime.s3 import translate_s3_errors
from sagemaker_sandbox.runtime.syncing import FolderSync
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError

#: Where inputs and outputs must be.
ROOT = f"{ML_ROOT}/processing/"
_MESSAGE_CHARACTERS = 1024  # ExitMessage's longest text in the API


class ProcessingDefinition:
    """A valid CreateProcessingJob request (a `work.Work`); `arn` is the job's.

    Its entry point runs as it is, with what this machine has: there is no container image.
    """

    noun: ClassVar[str] = "processing job"
    log_group: ClassVar[str] = "/aws/sagemaker/ProcessingJobs"
    metrics: Sequence[Mapping[str, str]] = ()
    spot = False

    def __init__(self, request: Mapping[str, Any], arn: str) -> None:
        self._request = request
        self._arn = arn
        self.name: str = request["ProcessingJobName"]
        self.host_count: int = request["ProcessingResources"]["ClusterConfig"].get("InstanceCount", 1)
        self.limits = JobLimits(runtime=request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", math.inf))

    def check(self) -> None:
        """Raise UserError for what only real SageMaker can run."""
        application = self._request["AppSpecification"]
        if "ContainerEntrypoint" not in application:
            raise UserError(
                f"AppSpecification: the sandbox has no entry point of image {application['ImageUri']}; give "
                "ContainerEntrypoint, such as [python3, /opt/ml/processing/input/code/script.py]"
            )
        parse_inputs(self._request)
        parse_outputs(self._request)

    def create_units(self, setting: JobContext) -> Sequence[JobInstance]:
        """An instance for each host."""
        return [
            JobInstance(ProcessingHost(self._request, self._arn, container, setting), setting.log)
            for container in setting.create_containers(self.host_count)
        ]

    def upload(self, setting: JobContext, units: Sequence[JobInstance], ending: Ending) -> JobOutput:
        """The outputs of EndOfJob, once the job has completed; of an instance's message in any case, the first one."""
        key = self._request.get("ProcessingOutputConfig", {}).get("KmsKeyId")
        for container in [unit.container for unit in units] if ending.completed else ():
            for path, address, continuous in parse_outputs(self._request):
                if not continuous:
                    with translate_s3_errors("Output upload", address):
                        setting.s3.upload_folder(container.to_local_path(path, "LocalPath"), address, key)
        messages = [unit.container.output / "message" for unit in units]
        told = next((file.read_text(errors="replace") for file in messages if file.is_file()), None)
        return JobOutput(exit_message=told[:_MESSAGE_CHARACTERS] if told else None)


def parse_inputs(request: Mapping[str, Any]) -> dict[str, S3Input]:
    """Inputs in S3 that SageMaker is to download, by LocalPath; raises UserError for one that cannot be had here."""
    found = {}
    for given in request.get("ProcessingInputs", []):
        if given.get("AppManaged"):
            continue
        field = f"ProcessingInputs {given['InputName']}"
        source = given.get("S3Input")
        if source is None:
            raise UserError(f"{field}: the sandbox reads data from S3 only; give S3Input")
        path = _under_root(source.get("LocalPath"), field)
        found[path] = S3Input.from_source(source, field, source.get("S3InputMode", "File"))
    return found


def parse_outputs(request: Mapping[str, Any]) -> list[tuple[str, S3Uri, bool]]:
    """Outputs that SageMaker is to upload: LocalPath, address, whether continuously; raises UserError."""
    found = []
    for given in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if given.get("AppManaged"):
            continue
        field = f"ProcessingOutputConfig output {given['OutputName']}"
        target = given.get("S3Output")
        if target is None:
            raise UserError(f"{field}: give S3Output; FeatureStoreOutput is for applications that manage it themselves")
        path = _under_root(target.get("LocalPath"), field)
        found.append((path, S3Uri.parse(target["S3Uri"], f"{field}: S3Uri"), target["S3UploadMode"] == "Continuous"))
    return found


def _under_root(path: str | None, field: str) -> str:
    if path is None or not path.startswith(ROOT):
        raise UserError(f"{field}: LocalPath must begin with {ROOT}, not {path!r}")
    return path


class ProcessingHost:
    """A host of a processing job (an `instance.Host`)."""

    def __init__(self, request: Mapping[str, Any], arn: str, container: Container, setting: JobContext) -> None:
        self.container = container
        self._request = request
        self._arn = arn
        self._setting = setting

    def program(self) -> ContainerProgram:
        """Inputs, folders for outputs, configuration files, and the entry point."""
        container, s3 = self.container, self._setting.s3
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
        return ContainerProgram(translated, container.folder, self._environment(), syncs)

    def _configure(self) -> None:
        """The files of /opt/ml/config. Source: Build Your Own Processing Container, in the developer guide."""
        folder = self.container.folder / "config"
        folder.mkdir()
        job = {name: value for name, value in self._request.items() if name != "Tags"}
        resources = {"current_host": self.container.host, "hosts": self.container.hosts}
        (folder / "processingjobconfig.json").write_text(json.dumps({"ProcessingJobArn": self._arn} | job, indent=2))
        (folder / "resourceconfig.json").write_text(json.dumps(resources, indent=2))

    def _environment(self) -> dict[str, str]:
        region = self._setting.s3.region
        given = {"AWS_DEFAULT_REGION": region, "AWS_REGION": region, "PROCESSING_JOB_ARN": self._arn}
        return self.container.build_environment(
            {**self._setting.access, **given, **self._request.get("Environment", {})}
        )

    def failure_reason(self, return_code: int, errors: str) -> str:
        """SageMaker's words, and what the log ends with."""
        told = f": {self.container.explain_errors(errors)}" if errors else ""
        return f"AlgorithmError: See job logs for more information, exit code: {to_exit_code(return_code)}{told}"
