"""Training container of a built-in algorithm: hyperparameters, channels, results and failures."""

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .data import ContentType, Table, read_channel
from .errors import ClientError


class TrainingContainer:
    """Folder /opt/ml of a training job, and the tag of its image."""

    def __init__(self, folder: Path, tag: str) -> None:
        self.tag = tag
        self.model = folder / "model"
        self.failure = folder / "output" / "failure"
        self._data = folder / "input" / "data"
        config = folder / "input" / "config"
        self._hyperparameters: dict[str, str] = json.loads((config / "hyperparameters.json").read_text())
        self._channels: dict[str, Any] = json.loads((config / "inputdataconfig.json").read_text())
        resources = json.loads((config / "resourceconfig.json").read_text())
        checkpoints = config / "checkpointconfig.json"
        #: Folder of the checkpoints; None for a job without checkpoints.
        self.checkpoints = Path(json.loads(checkpoints.read_text())["LocalPath"]) if checkpoints.is_file() else None
        self.host: str = resources["current_host"]
        self.is_first_host: bool = self.host == resources["hosts"][0]

    def read_channel(self, name: str, *, default: str) -> Table | None:
        """Return the rows of a channel, or None if the job has no such channel. Raises ClientError."""
        if name not in self._channels:
            return None
        content_type = self._channels[name].get("ContentType", "")
        return read_channel(self._data / name, ContentType.parse(content_type, default=default, label_size=1))

    def read_training_channel(self, *, default: str) -> Table:
        """Return the rows of the channel `train`. Raises ClientError."""
        table = self.read_channel("train", default=default)
        if table is None:
            raise ClientError("The channel train is required")
        return table

    def parse_hyperparameters(
        self, parsers: Mapping[str, Callable[[str], Any]], required: tuple[str, ...]
    ) -> dict[str, Any]:
        """Return the values of the hyperparameters in the request.

        Raises ClientError for missing, unknown and invalid ones. Names with a leading underscore belong to SageMaker.
        """
        parameters = {name: text for name, text in self._hyperparameters.items() if not name.startswith("_")}
        if unknown := sorted(parameters.keys() - parsers.keys()):
            raise ClientError(f"Extraneous hyperparameter found: {unknown[0]}")
        if missing := [name for name in required if name not in parameters]:
            raise ClientError(f"Missing required hyperparameter: {missing[0]}")
        return {name: _parse_value(name, text, parsers[name]) for name, text in parameters.items()}

    @property
    def tuning_metric(self) -> str | None:
        """Objective of the tuning job that started this job, such as `validation:auc`."""
        return self._hyperparameters.get("_tuning_objective_metric")

    def log_metric(self, channel: str, metric: str, value: float) -> None:
        """Print a metric in the form that the linear learner and k-means use."""
        name = "score" if metric != "objective_loss" else "loss"
        print(f"#quality_metric: host={self.host}, {channel} {metric} <{name}>={value:.10g}")


def _parse_value(name: str, text: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(text.strip('"'))
    except ValueError:
        raise ClientError(f"Hyperparameter {name}: {text!r} is not an accepted value") from None


def run_training(train: Callable[[TrainingContainer], None]) -> None:
    """Train in the container that the command line names: its folder and the tag of its image.

    The first host trains with the data of all hosts. The others have nothing to do. After a failure, write the reason
    to output/failure and exit with 1.
    """
    container = TrainingContainer(Path(sys.argv[1]), sys.argv[2])
    if not container.is_first_host:
        print("The first host trains with the whole input, so this host has nothing to do.")
        return
    try:
        train(container)
    except ClientError as error:
        _end_with_failure(container, f"ClientError: {error}")
    except Exception as error:  # the reason of the job contains any failure of a library
        traceback.print_exc()
        _end_with_failure(container, f"AlgorithmError: {error}")


def _end_with_failure(container: TrainingContainer, reason: str) -> None:
    print(reason, file=sys.stderr)
    container.failure.write_text(reason)
    sys.exit(1)


def parse_flag(text: str) -> bool:
    """Return the value of a hyperparameter that is true or false. Raises ValueError."""
    return {"true": True, "1": True, "false": False, "0": False}[
        _check_choice(text.lower(), ("true", "1", "false", "0"))
    ]


def parse_choice(*choices: str) -> Callable[[str], str]:
    """Return a parser that accepts these texts."""
    return lambda text: _check_choice(text, choices)


def parse_range(kind: type, low: float, high: float = float("inf")) -> Callable[[str], Any]:
    """Return a parser of numbers from `low` to `high`."""

    def parse(text: str) -> Any:
        value = int(float(text)) if kind is int and float(text).is_integer() else kind(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return parse


def _check_choice(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise ValueError(text)
    return text
