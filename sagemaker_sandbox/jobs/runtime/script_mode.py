"""Script mode: the start of a user script as in the framework containers of SageMaker.

The arguments and `SM_*` variables are those of the SageMaker Training Toolkit
(https://github.com/aws/sagemaker-training-toolkit). The tests compare them with the toolkit itself.
"""

import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sagemaker_sandbox.jobs.runtime.container import ML_ROOT, Container, count_cpus
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError

#: Hyperparameters for the toolkit. Others that start with `sagemaker_` are for the framework.
_TOOLKIT = {
    "_tuning_objective_metric",
    "default_user_module_name",
    "sagemaker_container_log_level",
    "sagemaker_enable_cloudwatch_metrics",
    "sagemaker_job_name",
    "sagemaker_program",
    "sagemaker_region",
    "sagemaker_s3_output",
    "sagemaker_submit_directory",
}


def _format_variable(value: object) -> str:
    """Return the text of a variable as the toolkit writes it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _parse_hyperparameter(value: str) -> Any:
    """Return the hyperparameter as JSON if it is valid JSON, else as plain text."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def has_script(request: Mapping[str, Any]) -> bool:
    """Return whether a CreateTrainingJob request names a script."""
    return "sagemaker_program" in request.get("HyperParameters", {}) or "SAGEMAKER_PROGRAM" in request.get(
        "Environment", {}
    )


class Script:
    """Entry point of a CreateTrainingJob request, with its command and variables.

    `configuration` holds the contents of input/config by name. Raises UserError if the request has no script: its image
    is then unknown to the sandbox.
    """

    def __init__(self, request: Mapping[str, Any], container: Container, configuration: Mapping[str, Any]) -> None:
        self._container = container
        self._resources = configuration["resourceconfig"]
        self._inputs = configuration["inputdataconfig"]
        hyperparameters = {name: _parse_hyperparameter(text) for name, text in configuration["hyperparameters"].items()}
        self._toolkit_parameters = {name: value for name, value in hyperparameters.items() if name in _TOOLKIT}
        self._framework_parameters = {
            name: value
            for name, value in hyperparameters.items()
            if name.startswith("sagemaker_") and name not in _TOOLKIT
        }
        self._hyperparameters = {
            name: self._translate(value)
            for name, value in hyperparameters.items()
            if name not in self._toolkit_parameters and name not in self._framework_parameters
        }
        environment = request.get("Environment", {})
        self._job_name: str = request["TrainingJobName"]
        program = environment.get("SAGEMAKER_PROGRAM") or self._toolkit_parameters.get("sagemaker_program")
        source = environment.get("SAGEMAKER_SUBMIT_DIRECTORY") or self._toolkit_parameters.get(
            "sagemaker_submit_directory"
        )
        if not program or not source:
            image = request["AlgorithmSpecification"].get("TrainingImage", "the algorithm")
            raise UserError(
                f"{image}: the image is not a built-in algorithm that the sandbox runs; set hyperparameters "
                "sagemaker_program and sagemaker_submit_directory to run a script in a framework container, or a "
                "ContainerEntrypoint"
            )
        self.program = str(program)
        self.source = self._parse_source(str(source))
        if PurePosixPath(self.program).suffix != ".py" or ".." in PurePosixPath(self.program).parts:
            raise UserError(f"hyperparameter sagemaker_program: {self.program!r} is not a Python file of the source")

    def _parse_source(self, text: str) -> S3Uri | Path:
        """Return the S3 address of the source, or its local path if `text` is a path under /opt/ml.

        An isolated container cannot reach S3, so its source is in an input channel.
        """
        field = "hyperparameter sagemaker_submit_directory"
        return (
            self._container.to_local_path(text, field) if text.startswith(f"{ML_ROOT}/") else S3Uri.parse(text, field)
        )

    def _translate(self, value: Any) -> Any:
        return self._container.translate(value) if isinstance(value, str) else value

    @property
    def arguments(self) -> list[str]:
        """Arguments `--name value` for each hyperparameter, by name; `-n value` for names of one letter."""
        arguments = []
        for name, value in sorted(self._hyperparameters.items()):
            if isinstance(value, dict):
                value = ",".join(f"{key}={item}" for key, item in sorted(value.items()))
            arguments += [f"--{name}" if len(name) > 1 else f"-{name}", "" if value is None else str(value)]
        return arguments

    @property
    def command(self) -> list[str]:
        """Command to run in the code folder. Raises UserError if the source does not contain the program."""
        if not (self._container.code / self.program).is_file():
            raise UserError(f"hyperparameter sagemaker_program: no file {self.program} in {self.source}")
        return [sys.executable, self.program, *self.arguments]

    @property
    def variables(self) -> dict[str, str]:
        """`SM_*` variables of the script, and the PYTHONPATH for its own modules."""
        training_env = self._training_env
        renamed = {
            "HPS": training_env["hyperparameters"],
            "FRAMEWORK_PARAMS": training_env["additional_framework_parameters"],
            "CHANNELS": sorted(training_env["channel_input_dirs"]),
            "TRAINING_ENV": training_env,
            "USER_ARGS": self.arguments,
        }
        variables = {
            name.upper(): training_env[name] for name in sorted(training_env.keys() - _WITHOUT_VARIABLE)
        } | renamed
        variables |= {f"CHANNEL_{name.upper()}": path for name, path in training_env["channel_input_dirs"].items()}
        variables |= {f"HP_{name.upper()}": value for name, value in self._hyperparameters.items()}
        path = {"PYTHONPATH": self._container.to_container_path(self._container.code)}
        return path | {f"SM_{name}": _format_variable(value) for name, value in variables.items()}

    @property
    def _training_env(self) -> dict[str, Any]:
        """Values that the toolkit passes in SM_TRAINING_ENV."""
        container, hosts = self._container, self._container.hosts
        group = self._resources["instance_groups"][0]
        return {
            "additional_framework_parameters": self._framework_parameters,
            "channel_input_dirs": {name: container.to_container_path(container.data / name) for name in self._inputs},
            "current_host": container.host,
            "current_instance_group": group["instance_group_name"],
            "current_instance_group_hosts": hosts,
            "current_instance_type": group["instance_type"],
            "distribution_hosts": [],
            "distribution_instance_groups": [],
            "framework_module": None,
            "hosts": hosts,
            "hyperparameters": self._hyperparameters,
            "input_config_dir": container.to_container_path(container.config),
            "input_data_config": self._inputs,
            "input_dir": container.to_container_path(container.config.parent),
            "instance_groups": [group["instance_group_name"]],
            "instance_groups_dict": {group["instance_group_name"]: group},
            "is_hetero": False,
            "is_master": container.host == hosts[0],
            "is_modelparallel_enabled": None,
            "is_smddpmprun_installed": False,
            "is_smddprun_installed": False,
            "job_name": self._job_name,
            "log_level": self._toolkit_parameters.get("sagemaker_container_log_level", 20),
            "master_hostname": hosts[0],
            "model_dir": container.to_container_path(container.model),
            "module_dir": container.to_container_path(self.source)
            if isinstance(self.source, Path)
            else str(self.source),
            "module_name": self.program.removesuffix(".py"),
            "network_interface_name": self._resources["network_interface_name"],
            "num_cpus": count_cpus(),
            "num_gpus": 0,
            "num_neurons": 0,
            "output_data_dir": container.to_container_path(container.output_data),
            "output_dir": container.to_container_path(container.output),
            "output_intermediate_dir": container.to_container_path(container.output / "intermediate"),
            "resource_config": self._resources,
            "topology": [],
            "user_entry_point": self.program,
        }

    def describe_failure(self, return_code: int, errors: str) -> str:
        """Return the FailureReason of a failed script, as worded by the toolkit."""
        if return_code < 0 and not errors:
            errors = f"the script was killed by {signal.Signals(-return_code).name}"
        command = " ".join([Path(sys.executable).name, self.program, *self.arguments])
        return (
            f'AlgorithmError: ExecuteUserScriptError:\nExitCode {return_code}\nErrorMessage "{errors}"\n'
            f'Command "{command}"'
        )


#: Values without a variable of their own, or with a variable of another name.
_WITHOUT_VARIABLE = {
    "additional_framework_parameters",
    "channel_input_dirs",
    "distribution_hosts",
    "hyperparameters",
    "is_master",
    "is_modelparallel_enabled",
    "is_smddpmprun_installed",
    "is_smddprun_installed",
    "job_name",
    "master_hostname",
    "topology",
}
