"""What is the same in every environment stands once in `envs/catalogue/`; settings.yaml says what differs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sustainable_mlops.errors import UserError, did_you_mean

#: Folder of the catalogue, a file an entry, to the field of the settings that the entries are in.
FIELDS = {"features": "feature_groups", "models": "models", "pipelines": "pipelines"}
#: Where Terraform's templates begin, unless doubled.
_TEMPLATE = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
CatalogueEntries = Mapping[str, Mapping[str, Any]]  # by field, then key


class RawYaml(BaseModel):
    """A YAML file as it is written."""

    model_config = ConfigDict(extra="allow")

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


def check_literal(data: Any, source: str, path: str = "") -> None:
    """Raise UserError where a text of a YAML file is one that Terraform would put values into."""
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
            f"{source}: {path}: settings know no values of Terraform; write '{sign[0]}{sign}' where '{sign}' is meant "
            "as it stands"
        )


def list_catalogue_files(folder: Path) -> dict[str, dict[str, Path]]:
    """The files of a catalogue, by field of the settings and key. Raises UserError on one that would go unread."""
    for unread in sorted(path for name in FIELDS for path in (folder / name).glob("*.yml")):
        raise UserError(f"{unread}: is not read as it is named; name it {unread.stem}.yaml")
    return {
        field: {path.stem: path for path in sorted((folder / name).glob("*.yaml"))} for name, field in FIELDS.items()
    }


def merge_catalogue(entries: CatalogueEntries, settings: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The settings with every entry of the catalogue in them, field by field as the settings say; null takes one out.

    `source` names the settings in messages. Raises UserError on a key that the catalogue has not.
    """
    merged_settings = dict(settings)
    for field, catalogue_entries in entries.items():
        overrides = settings.get(field, {})
        if not isinstance(overrides, Mapping):
            continue  # whoever validates it says so
        for key in overrides:
            if key not in catalogue_entries:
                raise UserError(
                    f"{source}: {field}.{key}: is not in the catalogue{did_you_mean(str(key), catalogue_entries)}"
                )
        merged = {key: _overlay(entry, overrides.get(key, {})) for key, entry in catalogue_entries.items()}
        merged_settings[field] = {key: entry for key, entry in merged.items() if entry is not None}
    return merged_settings


def _overlay(base: Any, override: Any) -> Any:
    if not (isinstance(base, Mapping) and isinstance(override, Mapping)):
        return override
    return {**base, **{key: _overlay(base.get(key), value) for key, value in override.items()}}
