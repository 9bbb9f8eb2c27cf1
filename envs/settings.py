"""Settings of an environment: `settings.yaml`, merged over the catalogue."""

import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, get_args

from pydantic import BaseModel, create_model, model_validator

from envs import environment, log_groups, names, overlay
from envs.common import CommonSettings
from envs.provider import NEWEST, OLDEST, add_provider_to_settings, find_major_version
from envs.settings_models import compose_settings
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import load_yaml, parse_yaml, render_schema, validate

#: File of the settings in an environment's folder.
FILE = "settings.yaml"


def check_name(name: str) -> None:
    """Raise ValueError if an environment cannot have this name."""
    if name in {"catalogue", "components", *(file.stem for file in Path(__file__).parent.glob("*.py"))}:
        raise ValueError(f"environment: '{name}' is a reserved name in envs/; choose another name")


@compose_settings(environment.COMPONENTS)
class EnvironmentSettings(CommonSettings):
    """Settings of one environment, in one account and Region."""

    @model_validator(mode="after")
    def _check_environment(self) -> Self:
        check_name(self.environment)
        components = [component(self) for component in environment.COMPONENTS]
        problems = [problem for component in components for problem in component.find_problems()]
        problems += names.find_problems(name for component in components for name in component.list_names())
        groups = [group for component in components for group in component.list_log_groups()]
        problems += log_groups.find_problems(groups, self.existing_log_groups)
        if problems:
            raise ValueError("; ".join(problems))
        return self


def load(folder: Path) -> EnvironmentSettings:
    """Return the settings of the environment in `folder`. Raises UserError with the file, the field and the remedy."""
    path = folder / FILE
    provider = find_major_version(folder)
    settings = _merge_over_catalogue(load_yaml(path, overlay.RawYaml), str(path), folder.parent / "catalogue", provider)
    if settings.environment != folder.name:
        raise UserError(
            f"{path}: environment: '{settings.environment}' is not the name of its folder, '{folder.name}'; "
            "give both the same name"
        )
    return settings


def parse(text: str, source: str, catalogue: Path, provider: int = OLDEST) -> EnvironmentSettings:
    """Merge the settings in `text` over the catalogue in that folder; `source` names the text. Raises UserError.

    `provider` is the major version of the AWS provider unless the text sets another.
    """
    return _merge_over_catalogue(parse_yaml(text, overlay.RawYaml, source), source, catalogue, provider)


def _merge_over_catalogue(
    settings: overlay.RawYaml, source: str, catalogue: Path, provider: int
) -> EnvironmentSettings:
    overlay.check_literal(settings.data, source)
    files = overlay.list_catalogue_files(catalogue)
    entries = {
        field: {key: _validate_catalogue_entry(field, key, file) for key, file in by_key.items()}
        for field, by_key in files.items()
    }
    return validate(
        add_provider_to_settings(overlay.merge_catalogue(entries, settings.data, source), provider),
        EnvironmentSettings,
        source,
    )


def _validate_catalogue_entry(field: str, key: str, file: Path) -> dict[str, Any]:
    """Return the validated content of a catalogue file. It must be valid alone, so that errors name the file."""
    data = load_yaml(file, overlay.RawYaml).data
    overlay.check_literal(data, str(file))
    declared: dict[str, Any] = {field: (EnvironmentSettings.model_fields[field].annotation, ...)}
    # Each environment checks the entry again with its own provider version.
    entry = add_provider_to_settings({field: {key: data}}, NEWEST)
    validate(entry, create_model("Entry", **declared), str(file))
    return data


def load_all(folders: Iterable[Path]) -> dict[str, EnvironmentSettings]:
    """Return the settings of the environments in `folders` by name. Raises UserError, also if two conflict."""
    environments = {folder.name: load(folder) for folder in folders}
    check_distinct_names(environments)
    return environments


def check_distinct_names(environments: Mapping[str, EnvironmentSettings]) -> None:
    """Raise UserError if two environments of an account have overlapping prefixes, or own the same log groups."""
    for (name, settings), (other, earlier) in itertools.permutations(environments.items(), 2):
        if settings.account_id == earlier.account_id and f"{settings.name_prefix}-".startswith(
            f"{earlier.name_prefix}-"
        ):
            raise UserError(
                f"envs/{name}/{FILE}: name_prefix: names with {settings.name_prefix} also start with "
                f"{earlier.name_prefix} of {other}, in the same account {settings.account_id}; choose another prefix"
            )
    owners: dict[tuple[str, str], str] = {}
    for name, settings in environments.items():
        if settings.account_log_groups == "shared":
            continue
        owner = owners.setdefault((settings.account_id, settings.region), name)
        if owner != name:
            raise UserError(
                f"envs/{name}/{FILE}: account_log_groups: {owner} already owns the log groups of jobs of account "
                f"{settings.account_id} in {settings.region}; set account_log_groups: shared"
            )


def render_schemas() -> dict[str, str]:
    """Return the JSON schemas for editors, by file name in `envs/`."""
    items = {name: _get_entry_model(field) for name, field in overlay.FIELDS.items()}
    schema = json.loads(render_schema(EnvironmentSettings))
    for item in items.values():
        for name in (item.__name__, *item.model_json_schema().get("$defs", {})):
            schema["$defs"][name].pop("required", None)  # the catalogue has the fields that settings omit
    for field in overlay.FIELDS.values():
        patterns = schema["properties"][field]["patternProperties"]
        patterns |= {pattern: {"anyOf": [entry, {"type": "null"}]} for pattern, entry in patterns.items()}
    return {
        "settings.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n",
        **{f"catalogue/{name}.schema.json": render_schema(item) for name, item in items.items()},
    }


def _get_entry_model(field: str) -> type[BaseModel]:
    """Return the model of one entry of the catalogue."""
    model: type[BaseModel] = get_args(EnvironmentSettings.model_fields[field].annotation)[1]
    return model
