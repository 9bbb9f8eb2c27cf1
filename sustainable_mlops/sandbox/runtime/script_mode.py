"""Script mode: how SageMaker's framework containers start the user's script.

The folders, configuration files, arguments and `SM_*` variables are those of the SageMaker Training Toolkit
(https://github.com/aws/sagemaker-training-toolkit, ENVIRONMENT_VARIABLES.md).
"""

import json
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError
from sustainable_mlops.sandbox.runtime import container

HOST = "algo-1"
CHECKPOINTS = f"{container.ML_ROOT}/checkpoints"
#: FailureReason's longest text in the API.
REASON_CHARACTERS = 1024


class JobFolder:
    """The folder that stands for /opt/ml, and the log beside the job's own files in `output`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "input" / "config"
        self.data = root / "input" / "data"
        self.code = root / "code"
        self.model = root / "model"
        self.output = root / "output"
        self.output_data = self.output / "data"
        self.failure = self.output / "failure"
        self.log = self.output / "log.txt"

    def reset(self) -> None:
        """A fresh disk: nothing of an earlier instance is left but the log, which is not the instance's."""
        self.output.mkdir(parents=True, exist_ok=True)
        for path in [*self.root.iterdir(), *self.output.iterdir()]:
            if path not in (self.output, self.log):
                _remove(path)
        for path in (self.config, self.data, self.code, self.model, self.output_data):
            path.mkdir(parents=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _json(value: object) -> str:
    """A variable's text, as the toolkit writes it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _decoded(value: str) -> Any:
    """Hyperparameters are JSON where they can be read as such, else plain text."""
    try:
        return json.loads(value)
    except ValueError:
        return value


class Script:
    """The entry point of a CreateTrainingJob request, and how to start it.

    Raises UserError where the request has none: then its image is a built-in algorithm, which cannot run here.
    """

    def __init__(self, request: Mapping[str, Any], folder: JobFolder) -> None:
        self._request = request
        self._folder = folder
        hyperparameters = {name: _decoded(text) for name, text in request.get("HyperParameters", {}).items()}
        self._framework = {name: value for name, value in hyperparameters.items() if name.startswith("sagemaker_")}
        self._hyperparameters = {
            name: self._translated(value) for name, value in hyperparameters.items() if name not in self._framework
        }
        given = request.get("Environment", {})
        program = given.get("SAGEMAKER_PROGRAM") or self._framework.get("sagemaker_program")
        source = given.get("SAGEMAKER_SUBMIT_DIRECTORY") or self._framework.get("sagemaker_submit_directory")
        if not program or not source:
            image = request["AlgorithmSpecification"].get("TrainingImage", "the algorithm")
            raise UserError(
                f"{image}: built-in algorithms do not run in the sandbox; give hyperparameters sagemaker_program and "
                "sagemaker_submit_directory to run a script in a framework container"
            )
        self.program = str(program)
        self.source = self._source(str(source))
        if PurePosixPath(self.program).suffix != ".py" or ".." in PurePosixPath(self.program).parts:
            raise UserError(f"hyperparameter sagemaker_program: {self.program!r} is not a Python file of the source")

    def _source(self, text: str) -> S3Uri | Path:
        """The source in S3, or where a channel has brought it (an isolated container can reach no S3)."""
        local = container.translate(text, self._folder.root)
        if local == text:
            return S3Uri.parse(text, "hyperparameter sagemaker_submit_directory")
        if ".." in PurePosixPath(text).parts:
            raise UserError(f"hyperparameter sagemaker_submit_directory: {text!r} is not under {container.ML_ROOT}")
        return Path(local)

    def _translated(self, value: Any) -> Any:
        return container.translate(value, self._folder.root) if isinstance(value, str) else value

    @property
    def arguments(self) -> list[str]:
        """`--name value` for each hyperparameter, by name; `-n value` where the name is one letter."""
        arguments = []
        for name, value in sorted(self._hyperparameters.items()):
            if isinstance(value, dict):
                value = ",".join(f"{key}={item}" for key, item in sorted(value.items()))
            arguments += [f"--{name}" if len(name) > 1 else f"-{name}", "" if value is None else str(value)]
        return arguments

    @property
    def command(self) -> list[str]:
        """The command to run in the code folder; raises UserError if the source does not hold the program."""
        if not (self._folder.code / self.program).is_file():
            raise UserError(f"hyperparameter sagemaker_program: no file {self.program} in {self.source}")
        return [sys.executable, self.program, *self.arguments]

    def write_configuration(self) -> None:
        """Write the files of input/config."""
        for name, content in (
            ("hyperparameters", self._request.get("HyperParameters", {})),
            ("resourceconfig", self._resource_config),
            ("inputdataconfig", self._input_data_config),
        ):
            (self._folder.config / f"{name}.json").write_text(json.dumps(content, indent=2))

    @property
    def _resource_config(self) -> dict[str, Any]:
        instance_type = self._request["ResourceConfig"].get("InstanceType", "local")
        group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": [HOST]}
        return {
            "current_host": HOST,
            "current_instance_type": instance_type,
            "current_group_name": group["instance_group_name"],
            "hosts": [HOST],
            "instance_groups": [group],
            "network_interface_name": "eth0",
        }

    @property
    def _input_data_config(self) -> dict[str, dict[str, str]]:
        return {
            channel["ChannelName"]: {
                "TrainingInputMode": channel.get("InputMode")
                or self._request["AlgorithmSpecification"]["TrainingInputMode"],
                "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                    "S3DataDistributionType", "FullyReplicated"
                ),
                "RecordWrapperType": channel.get("RecordWrapperType", "None"),
                **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
            }
            for channel in self._request.get("InputDataConfig", [])
        }

    def environment(self, region: str) -> dict[str, str]:
        """All variables of the script's process."""
        training = self._training_environment
        channels = training["channel_input_dirs"]
        variables: dict[str, Any] = {
            "CHANNELS": sorted(channels),
            "CURRENT_HOST": HOST,
            "CURRENT_INSTANCE_TYPE": self._resource_config["current_instance_type"],
            "FRAMEWORK_PARAMS": training["additional_framework_parameters"],
            "HOSTS": training["hosts"],
            "HPS": training["hyperparameters"],
            "INPUT_CONFIG_DIR": training["input_config_dir"],
            "INPUT_DATA_CONFIG": training["input_data_config"],
            "INPUT_DIR": training["input_dir"],
            "LOG_LEVEL": training["log_level"],
            "MODEL_DIR": training["model_dir"],
            "MODULE_DIR": training["module_dir"],
            "MODULE_NAME": training["module_name"],
            "NETWORK_INTERFACE_NAME": training["network_interface_name"],
            "NUM_CPUS": training["num_cpus"],
            "NUM_GPUS": training["num_gpus"],
            "OUTPUT_DATA_DIR": training["output_data_dir"],
            "OUTPUT_DIR": training["output_dir"],
            "RESOURCE_CONFIG": training["resource_config"],
            "TRAINING_ENV": training,
            "USER_ARGS": self.arguments,
            "USER_ENTRY_POINT": self.program,
            **{f"CHANNEL_{name.upper()}": path for name, path in channels.items()},
            **{f"HP_{name.upper()}": value for name, value in self._hyperparameters.items()},
        }
        account = self._request["RoleArn"].split(":")[4]
        job = {
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "PYTHONPATH": str(self._folder.code),
            "TRAINING_JOB_NAME": self._request["TrainingJobName"],
            "TRAINING_JOB_ARN": f"arn:aws:sagemaker:{region}:{account}:training-job/{self._request['TrainingJobName']}",
        }
        toolkit = {f"SM_{name}": _json(value) for name, value in variables.items()}
        return container.environment({**job, **toolkit, **self._request.get("Environment", {})}, self._folder.root)

    @property
    def _training_environment(self) -> dict[str, Any]:
        folder = self._folder
        return {
            "additional_framework_parameters": self._framework,
            "channel_input_dirs": {name: str(folder.data / name) for name in self._input_data_config},
            "current_host": HOST,
            "hosts": [HOST],
            "hyperparameters": self._hyperparameters,
            "input_config_dir": str(folder.config),
            "input_data_config": self._input_data_config,
            "input_dir": str(folder.config.parent),
            "is_master": True,
            "job_name": self._request["TrainingJobName"],
            "log_level": self._framework.get("sagemaker_container_log_level", 20),
            "master_hostname": HOST,
            "model_dir": str(folder.model),
            "module_dir": str(self.source),
            "module_name": self.program.removesuffix(".py"),
            "network_interface_name": "eth0",
            "num_cpus": container.cpu_count(),
            "num_gpus": 0,
            "output_data_dir": str(folder.output_data),
            "output_dir": str(folder.output),
            "resource_config": self._resource_config,
            "user_entry_point": self.program,
        }

    def failure_reason(self, return_code: int, errors: str) -> str:
        """FailureReason of a script that failed, as the toolkit words it."""
        if return_code < 0 and not errors:
            errors = f"the script was killed by {signal.Signals(-return_code).name}"
        command = " ".join([Path(sys.executable).name, self.program, *self.arguments])
        reason = (
            f'AlgorithmError: ExecuteUserScriptError:\nExitCode {return_code}\nErrorMessage "{errors}"\n'
            f'Command "{command}"'
        )
        return reason[:REASON_CHARACTERS]
