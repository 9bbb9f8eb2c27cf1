"""Merge of settings.yaml over `envs/catalogue/`, which has the values that all environments share."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sustainable_mlops.base.errors import UserError, did_you_mean

#: Fields of the settings by folder of the catalogue. Each file in a folder is one entry.
FIELDS = {"features": "feature_groups", "models": "models", "pipelines": "pipelines"}
#: Start of a Terraform template, unless its first character is doubled.
_TEMPLATE = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
CatalogueEntries = Mapping[str, Mapping[str, Any]]  # by field and key


class RawYaml(BaseModel):
    """Content of a YAML file without validation."""

    model_config = ConfigDict(extra="allow")

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


def check_literal(data: Any, source: str, path: str = "") -> None:
    """Raise UserError if a text of a YAML file is a Terraform template."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            check_literal(str(key), source, path)
            check_literal(value, source, f"{path}.{key}" if path else str(key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            check_literal(value, source, f"{path}[{number}]")
    elif isinstance(data, str) and (template := _TEMPLATE.search(data)):
        sign = template[0]
        raise UserError(
            f"{source}: {path}: settings cannot refer to Terraform values; for a literal '{sign}', write "
            f"'{sign[0]}{sign}'"
        )


def list_catalogue_files(folder: Path) -> dict[str, dict[str, Path]]:
    """Return the files of a catalogue by field and key. Raises UserError for a file that would be ignored."""
    for unread in sorted(path for name in FIELDS for path in (folder / name).glob("*.yml")):
        raise UserError(f"{unread}: this name is not read; rename it to {unread.stem}.yaml")
    return {
        field: {path.stem: path for path in sorted((folder / name).glob("*.yaml"))} for name, field in FIELDS.items()
    }


def merge_catalogue(entries: CatalogueEntries, settings: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Merge the settings over the entries of the catalogue, field by field. Null removes an entry.

    `source` names the settings in messages. Raises UserError for a key that is not in the catalogue.
    """
    merged_settings = dict(settings)
    for field, catalogue_entries in entries.items():
        overrides = settings.get(field, {})
        if not isinstance(overrides, Mapping):
            continue  # the validation reports it
        for key in overrides:
            if key not in catalogue_entries:
                raise UserError(
                    f"{source}: {field}.{key}: is not in the catalogue{did_you_mean(str(key), catalogue_entries)}"
                )
        merged = {key: _merge_values(entry, overrides.get(key, {})) for key, entry in catalogue_entries.items()}
        merged_settings[field] = {key: entry for key, entry in merged.items() if entry is not None}
    return merged_settings


def _merge_values(base: Any, override: Any) -> Any:
    if not (isinstance(base, Mapping) and isinstance(override, Mapping)):
        return override
    return {**base, **{key: _merge_values(base.get(key), value) for key, value in override.items()}}
