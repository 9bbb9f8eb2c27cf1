"""Read what people write (YAML) and what they are sent (JSON) into pydantic models; a mistake is one clear line."""

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from sustainable_mlops.errors import UserError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)

#: A workload's name: it stands in tags, in S3 addresses and in names.
WORKLOAD = r"[A-Za-z0-9][A-Za-z0-9_-]*"

#: Mistakes told in one message; more would hide the first.
_MOST_TOLD = 3

_WANTED = {
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
}


class Settings(BaseModel):
    """Base of every file format of the project: unknown keys are refused and nothing is silently converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    #: Keys that somebody may look for here, to why there are none and what to do instead.
    gone: ClassVar[Mapping[str, str]] = {}


def load_yaml(path: Path, model: type[Model]) -> Model:
    """The file at `path` as a `model`. Raises UserError naming the file, the field (or line) and the remedy."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    return parse_yaml(text, model, str(path))


def parse_yaml(text: str, model: type[Model], source: str) -> Model:
    """`text` as a `model`; `source` names it in messages. Raises UserError."""
    try:
        data = yaml.load(text, _Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        raise UserError(f"{source}:{where} not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{source}: not valid YAML: {error}") from None
    if data is None:
        raise UserError(f"{source}: is empty; it needs {', '.join(_required(model))}")
    return validate(data, model, source)


def parse_json(text: str | bytes, model: type[Model], source: str) -> Model:
    """`text` as a `model`; `source` names it in messages. Raises UserError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{source}: not valid JSON: {error}") from None
    return validate(data, model, source, json_document=True)


def validate(data: Any, model: type[Model], source: str, *, json_document: bool = False) -> Model:
    """`data` as a `model`; `source` names it in messages.

    `json_document` accepts what JSON has no type for (a time written as text). Raises UserError.
    """
    try:
        return model.model_validate(data, strict=False if json_document else None)
    except ValidationError as error:
        problems = _problems(error, data, model)
    told = "; ".join(problems[:_MOST_TOLD])
    more = f" (and {len(problems) - _MOST_TOLD} more)" if len(problems) > _MOST_TOLD else ""
    raise UserError(f"{source}: {told}{more}")


def schema_text(model: type[BaseModel]) -> str:
    """The JSON schema of `model`, for editors (`# yaml-language-server: $schema=…`)."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _path(location: tuple[int | str, ...], data: Any) -> str:
    """`a.b[0].c: ` from pydantic's location, without the names of union members, which data calls `type` if at all."""
    path = ""
    for position, item in enumerate(location):
        last = position == len(location) - 1
        if isinstance(data, Mapping) and (item in data or (last and item not in ("[key]", data.get("type")))):
            path += f".{item}"
            data = data.get(item)
        elif isinstance(data, list) and isinstance(item, int):
            path += f"[{item}]"
            data = data[item] if item < len(data) else None
    return f"{path.lstrip('.')}: " if path else ""


def _problems(error: ValidationError, data: Any, model: type[BaseModel]) -> list[str]:
    """One text a place; where each form of a union has its complaint, they are alternatives."""
    places: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        places.setdefault(_path(item["loc"], data), []).append(_problem(item, model))
    return [path + " or ".join(dict.fromkeys(problems)) for path, problems in places.items()]


def _problem(item: Any, model: type[BaseModel]) -> str:
    kind, given, location = item["type"], item["input"], item["loc"]
    if kind == "missing":
        return "is missing; add it"
    if kind == "value_error":
        return str(item["ctx"]["error"])
    models = _models_at(model, location[:-1])
    if kind == "extra_forbidden":
        told = [m.gone[location[-1]] for m in models if issubclass(m, Settings) and location[-1] in m.gone]
        if told:
            return str(told[0])
        return f"unknown key{did_you_mean(str(location[-1]), {name for m in models for name in m.model_fields})}"
    if kind == "string_pattern_mismatch":
        return _mismatch(given, item["ctx"]["pattern"], _fields_at(model, location))
    shown = f", not {given!r}" if isinstance(given, str | int | float) else ""
    wanted = _WANTED.get(kind) or item["msg"].replace("Input should be", "must be").replace("String should", "must")
    return f"{wanted}{shown}"


def _mismatch(given: Any, pattern: str, fields: list[FieldInfo]) -> str:
    """What text must be like: in the words the field has for it, else by its pattern and description."""
    for field in fields:
        if isinstance(field.json_schema_extra, dict) and "must" in field.json_schema_extra:
            return f"{given!r} must {field.json_schema_extra['must']}"
    return f"{given!r} does not match {pattern}" + "".join(f" ({f.description})" for f in fields if f.description)


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[FieldInfo]:
    """The declarations of what is at `location`: a field, a key of a map, or an item of a map or list."""
    last = location[-1]
    named = [m.model_fields[last] for m in _models_at(model, location[:-1]) if last in m.model_fields]
    if named or len(location) < 2:
        return named
    of_key = last == "[key]" and len(location) > 2
    holders = _fields_at(model, location[:-2] if of_key else location[:-1])
    return [
        FieldInfo.from_annotation(arguments[0 if of_key else -1])
        for h in holders
        if (arguments := get_args(h.annotation))
    ]


def _models_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """The models whose fields are the keys at `location`."""
    models = [model]
    for item in location:
        # A list index, a key of a map or the name of a union's member leads to no field: stay.
        fields = [m.model_fields[item].annotation for m in models if isinstance(item, str) and item in m.model_fields]
        models = [inner for annotation in fields for inner in _models_in(annotation)] or models
    return models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _required(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if field.is_required()] or ["at least one setting"]


class _Loader(yaml.SafeLoader):
    """YAML as pyyaml reads it safely, except that a key given twice is an error instead of a silent loss."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key '{key.value}' is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
