"""Host of a training job: its files, its script, command or built-in algorithm, and its environment."""

import json
import sys
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from sagemaker_sandbox.jobs.algorithms.images import MODULE_FOLDER, Algorithm, find_algorithm
from sagemaker_sandbox.jobs.runtime import archives
from sagemaker_sandbox.jobs.runtime.container import ML_ROOT, Container
from sagemaker_sandbox.jobs.runtime.image_software import add_image_software
from sagemaker_sandbox.jobs.runtime.inputs import S3Input
from sagemaker_sandbox.jobs.runtime.instance import ContainerProgram
from sagemaker_sandbox.jobs.runtime.job_definition import JobContext
from sagemaker_sandbox.jobs.runtime.process import to_exit_code
from sagemaker_sandbox.jobs.runtime.s3 import translate_s3_errors
from sagemaker_sandbox.jobs.runtime.script_mode import Script, has_script
from sagemaker_sandbox.jobs.runtime.syncing import FolderSync
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError

CHECKPOINTS = f"{ML_ROOT}/checkpoints"
_GROUP = "homogeneousCluster"


def find_built_in(request: Mapping[str, Any]) -> Algorithm | None:
    """Return the built-in algorithm that a CreateTrainingJob request runs, or None if it runs something else."""
    specification = request["AlgorithmSpecification"]
    if "ContainerEntrypoint" in specification or has_script(request):
        return None
    return find_algorithm(specification.get("TrainingImage", ""))


def parse_channels(request: Mapping[str, Any]) -> dict[str, S3Input]:
    """Return the inputs of a CreateTrainingJob request by channel. Raises UserError for unsupported ones.

    Built-in algorithms read the same files in every input mode.
    """
    inputs = {}
    is_built_in = find_built_in(request) is not None
    for channel in request.get("InputDataConfig", []):
        field = f"InputDataConfig channel {channel['ChannelName']}"
        source = channel.get("DataSource", {}).get("S3DataSource")
        if source is None:
            raise UserError(f"{field}: the sandbox reads data from S3 only; set DataSource.S3DataSource")
        inputs[channel["ChannelName"]] = S3Input.from_source(
            source, field, "File" if is_built_in else _get_input_mode(request, channel)
        )
    return inputs


def _get_input_mode(request: Mapping[str, Any], channel: Mapping[str, Any]) -> str:
    return str(channel.get("InputMode") or request["AlgorithmSpecification"]["TrainingInputMode"])


class TrainingHost:
    """Host of a training job. Raises UserError if the request has nothing to run."""

    def __init__(self, request: Mapping[str, Any], container: Container, context: JobContext) -> None:
        self.container = container
        self._request = request
        self._context = context
        entrypoint = "ContainerEntrypoint" in request["AlgorithmSpecification"]
        self._algorithm = find_built_in(request)
        self._script = None if entrypoint or self._algorithm else Script(request, container, self._configuration)
        self._checkpoints = self._create_checkpoint_sync()

    def _create_checkpoint_sync(self) -> FolderSync | None:
        config = self._request.get("CheckpointConfig")
        if config is None:
            return None
        path = self.container.to_local_path(config.get("LocalPath", CHECKPOINTS), "CheckpointConfig.LocalPath")
        address = S3Uri.parse(config["S3Uri"], "CheckpointConfig.S3Uri")
        return FolderSync(self._context.s3, address, path, "Checkpoint")

    def build_program(self) -> ContainerProgram:
        """Fill the disk and return the program. Raises UserError for missing or broken data."""
        container = self.container
        for name, content in self._configuration.items():
            (container.config / f"{name}.json").write_text(json.dumps(content, indent=2))
        for name, channel in parse_channels(self._request).items():
            if self._algorithm is None:
                channel.download(self._context.s3, container.data / name, container.number, len(container.hosts))
            elif container.number == 0:
                channel.download(self._context.s3, container.data / name)
        (container.folder / "checkpoints").mkdir(exist_ok=True)
        if self._checkpoints:
            self._checkpoints.restore()
        syncs = [self._checkpoints] if self._checkpoints else []
        if self._algorithm is not None:
            command = [sys.executable, "-m", self._algorithm.training_module]
            arguments = [container.to_container_path(container.folder), self._algorithm.tag]
            variables = {"PYTHONPATH": str(MODULE_FOLDER)}
            environment = self._build_environment(variables)
            return ContainerProgram([*command, *arguments], container.folder, environment, syncs)
        if self._script is None:
            algorithm = self._request["AlgorithmSpecification"]
            command = [*algorithm["ContainerEntrypoint"], *algorithm.get("ContainerArguments", [])]
            translated = [container.translate(part) for part in command]
            return ContainerProgram(translated, container.folder, self._build_environment({}), syncs)
        self._unpack(self._script)
        return ContainerProgram(
            self._script.command, container.code, self._build_environment(self._script.variables), syncs
        )

    @cached_property
    def _configuration(self) -> dict[str, Any]:
        """Contents of the files of input/config."""
        container = self.container
        instance_type = self._request["ResourceConfig"].get("InstanceType", "local")
        group = {"instance_group_name": _GROUP, "instance_type": instance_type, "hosts": container.hosts}
        return {
            "hyperparameters": self._request.get("HyperParameters", {}),
            "resourceconfig": {
                "current_host": container.host,
                "current_instance_type": instance_type,
                "current_group_name": _GROUP,
                "hosts": container.hosts,
                "instance_groups": [group],
                "network_interface_name": "eth0",
            },
            "inputdataconfig": {
                channel["ChannelName"]: {
                    "TrainingInputMode": _get_input_mode(self._request, channel),
                    "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                        "S3DataDistributionType", "FullyReplicated"
                    ),
                    "RecordWrapperType": channel.get("RecordWrapperType", "None"),
                    **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
                }
                for channel in self._request.get("InputDataConfig", [])
            },
            **self._checkpoint_configuration,
        }

    @property
    def _checkpoint_configuration(self) -> dict[str, Any]:
        """Content of checkpointconfig.json, which only jobs with checkpoints have."""
        if (config := self._request.get("CheckpointConfig")) is None:
            return {}
        path = self.container.translate(config.get("LocalPath", CHECKPOINTS))
        return {"checkpointconfig": {"S3Uri": config["S3Uri"], "LocalPath": path}}

    def _build_environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        region, account = self._context.s3.region, Arn.parse(self._request["RoleArn"]).account
        name = self._request["TrainingJobName"]
        job = {
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "TRAINING_JOB_NAME": name,
            "TRAINING_JOB_ARN": f"arn:aws:sagemaker:{region}:{account}:training-job/{name}",
        }
        variables = {**self._context.access, **job, **variables, **self._request.get("Environment", {})}
        if self._algorithm is None:
            image = self._request["AlgorithmSpecification"].get("TrainingImage", "")
            variables = add_image_software(image, variables)
        return self.container.build_environment(variables)

    def _unpack(self, script: Script) -> None:
        if isinstance(script.source, Path):
            self._unpack_archive(script.source, script.source.name)
        else:
            with tempfile.TemporaryDirectory(dir=self.container.folder) as download:
                archive = Path(download) / "sourcedir.tar.gz"
                with translate_s3_errors("Source download", script.source):
                    self._context.s3.download(script.source, archive)
                self._unpack_archive(archive, str(script.source))
        if (self.container.code / "requirements.txt").is_file():
            self._context.log.write("requirements.txt is not installed: the sandbox runs scripts with its own Python")

    def _unpack_archive(self, archive: Path, name: str) -> None:
        try:
            content = archive.open("rb")
        except OSError as error:
            raise UserError(f"source {name}: no channel contains this archive ({error.strerror})") from error
        with content:
            archives.unpack(content, self.container.code, f"source {name}")

    def describe_failure(self, return_code: int, errors: str) -> str:
        """Return the FailureReason: the message of the toolkit, or the content of output/failure."""
        failure_file, errors = self.container.failure, self.container.explain_errors(errors)
        if self._script is None:
            message = failure_file.read_text(errors="replace").strip() if failure_file.is_file() else ""
            if self._algorithm is not None and message:
                return f"{message}, exit code: {to_exit_code(return_code)}"
            return f"AlgorithmError: {message or errors}, exit code: {to_exit_code(return_code)}"
        reason = self._script.describe_failure(return_code, errors)
        failure_file.write_text(reason)
        return reason
