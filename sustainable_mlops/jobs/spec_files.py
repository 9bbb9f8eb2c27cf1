"""Files that describe jobs and pipelines. A file of another kind is reported with its command."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from sustainable_mlops.base.documents import read_mapping
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import Settings, load_yaml
from sustainable_mlops.jobs.schemas import SPECS

Spec = TypeVar("Spec", bound=Settings)

#: Command for each kind of file.
COMMANDS: Mapping[str, str] = {
    "pipeline": "pipeline run",
    "processing": "process",
    "training": "train",
    "transform": "transform",
    "tuning": "tune",
}


def load_spec_file(path: Path, spec: type[Spec]) -> Spec:
    """Load the file at `path` as a `spec`. Raises UserError naming the file, and the field or its actual kind."""
    try:
        return load_yaml(path, spec)
    except UserError:
        other_kind = _identify_other_kind(path, spec)
        if other_kind is None:
            raise
    noun = other_kind if other_kind == "pipeline" else f"{other_kind} job"
    raise UserError(f"{path}: describes a {noun}; run smlops {COMMANDS[other_kind]} {path}")


def _identify_other_kind(path: Path, spec: type[Settings]) -> str | None:
    """Return the kind that the file's keys fit; None unless exactly one other kind fits."""
    try:
        keys = set(read_mapping(path))
    except UserError:
        return None
    kinds = [name for name, other in SPECS.items() if _fits_spec(keys, other)]
    return kinds[0] if len(kinds) == 1 and SPECS[kinds[0]] is not spec else None


def _fits_spec(keys: set[str], spec: type[Settings]) -> bool:
    fields = spec.model_fields
    return {name for name, field in fields.items() if field.is_required()} <= keys <= fields.keys()
