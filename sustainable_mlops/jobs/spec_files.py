"""The files of jobs and pipelines; one of another kind is told with the command that takes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import yaml

from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.schemas import SPECS
from sustainable_mlops.settings import Settings, load_yaml

Spec = TypeVar("Spec", bound=Settings)

#: What a file may describe, to the command that takes it.
COMMANDS: Mapping[str, str] = {
    "pipeline": "pipeline run",
    "processing": "process",
    "training": "train",
    "transform": "transform",
    "tuning": "tune",
}


def load_spec(path: Path, spec: type[Spec]) -> Spec:
    """The file at `path` as a `spec`. Raises UserError naming the file, and the field or the kind that it is of."""
    try:
        return load_yaml(path, spec)
    except UserError:
        other = _other(path, spec)
        if other is None:
            raise
    raise UserError(f"{path}: describes a {other}, which is for another command: smlops {COMMANDS[other]} {path}")


def _other(path: Path, spec: type[Settings]) -> str | None:
    """What the file describes by its keys, where that is one kind alone and not `spec`."""
    try:
        keys = set(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError, yaml.YAMLError):
        return None
    found = [name for name, other in SPECS.items() if _fits(keys, other)]
    return found[0] if len(found) == 1 and SPECS[found[0]] is not spec else None


def _fits(keys: set[object], spec: type[Settings]) -> bool:
    fields = spec.model_fields
    return {name for name, field in fields.items() if field.is_required()} <= keys <= fields.keys()
