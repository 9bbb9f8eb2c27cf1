"""Script mode: how SageMaker's framework containers start the user's script.

The arguments and `SM_*` variables are those of the SageMaker Training Toolkit
(https://github.com/aws/sagemaker-training-toolkit), which the tests ask for its own answer.
"""

import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sagemaker_sandbox.runtime.container import ML_ROOT, Container, count_cpus
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError

#: Hyperparameters that the toolkit keeps for itself; others whose names start with `sagemaker_` go to the framework.
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
    """The entry point of a CreateTrainingJob request, and how to start it in a container.

    `configuration` holds the contents of input/config by name. Raises UserError where the request has no script: then
    its image is a built-in algorithm, which cannot run here.
    """

    def __init__(self, request: Mapping[str, Any], container: Container, configuration: Mapping[str, Any]) -> None:
        self._container = container
        self._resources = configuration["resourceconfig"]
        self._inputs = configuration["inputdataconfig"]
        given = {name: _decoded(text) for name, text in configuration["hyperparameters"].items()}
        self._kept = {name: value for name, value in given.items() if name in _TOOLKIT}
        self._framework = {
            name: value for name, value in given.items() if name.startswith("sagemaker_") and name not in _TOOLKIT
        }
        self._hyperparameters = {
            name: self._translated(value)
            for name, value in given.items()
            if name not in self._kept and name not in self._framework
        }
        environment = request.get("Environment", {})
        self._job_name: str = request["TrainingJobName"]
        program = environment.get("SAGEMAKER_PROGRAM") or self._kept.get("sagemaker_program")
        source = environment.get("SAGEMAKER_SUBMIT_DIRECTORY") or self._kept.get("sagemaker_submit_directory")
        if not program or not source:
            image = request["AlgorithmSpecification"].get("TrainingImage", "the algorithm")
            raise UserError(
                f"{image}: built-in algorithms do not run in the sandbox; give hyperparameters sagemaker_program and "
                "sagemaker_submit_directory to run a script in a framework container, or a ContainerEntrypoint"
            )
        self.program = str(program)
        self.source = self._source(str(source))
        if PurePosixPath(self.program).suffix != ".py" or ".." in PurePosixPath(self.program).parts:
            raise UserError(f"hyperparameter sagemaker_program: {self.program!r} is not a Python file of the source")

    def _source(self, text: str) -> S3Uri | Path:
        """The source in S3, or where a channel has brought it (an isolated container can reach no S3)."""
        field = "hyperparameter sagemaker_submit_directory"
        return (
            self._container.to_local_path(text, field) if text.startswith(f"{ML_ROOT}/") else S3Uri.parse(text, field)
        )

    def _translated(self, value: Any) -> Any:
        return self._container.translate(value) if isinstance(value, str) else value

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
        if not (self._container.code / self.program).is_file():
            raise UserError(f"hyperparameter sagemaker_program: no file {self.program} in {self.source}")
        return [sys.executable, self.program, *self.arguments]

    @property
    def variables(self) -> dict[str, str]:
        """The `SM_*` variables of the script's process, and where it finds its own modules."""
        toolkit = self._toolkit
        renamed = {
            "HPS": toolkit["hyperparameters"],
            "FRAMEWORK_PARAMS": toolkit["additional_framework_parameters"],
            "CHANNELS": sorted(toolkit["channel_input_dirs"]),
            "TRAINING_ENV": toolkit,
            "USER_ARGS": self.arguments,
        }
        variables = {name.upper(): toolkit[name] for name in sorted(toolkit.keys() - _ONLY_IN_TRAINING_ENV)} | renamed
        variables |= {f"CHANNEL_{name.upper()}": path for name, path in toolkit["channel_input_dirs"].items()}
        variables |= {f"HP_{name.upper()}": value for name, value in self._hyperparameters.items()}
        path = {"PYTHONPATH": self._container.to_container_path(self._container.code)}
        return path | {f"SM_{name}": _json(value) for name, value in variables.items()}

    @property
    def _toolkit(self) -> dict[str, Any]:
        """What the toolkit calls SM_TRAINING_ENV."""
        container, hosts = self._container, self._container.hosts
        group = self._resources["instance_groups"][0]
        return {
            "additional_framework_parameters": self._framework,
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
            "log_level": self._kept.get("sagemaker_container_log_level", 20),
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

    def failure_reason(self, return_code: int, errors: str) -> str:
        """FailureReason of a script that failed, as the toolkit words it."""
        if return_code < 0 and not errors:
            errors = f"the script was killed by {signal.Signals(-return_code).name}"
        command = " ".join([Path(sys.executable).name, self.program, *self.arguments])
        return (
            f'AlgorithmError: ExecuteUserScriptError:\nExitCode {return_code}\nErrorMessage "{errors}"\n'
            f'Command "{command}"'
        )


#: What the toolkit gives no variable of its own, or one under another name.
_ONLY_IN_TRAINING_ENV = {
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
