"""Parser of YAML and JSON files into pydantic models; an error is one clear line."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from sustainable_mlops.base.documents import parse_yaml_document
from sustainable_mlops.base.errors import UserError, did_you_mean, suggest
from sustainable_mlops.base.files import read_text

Model = TypeVar("Model", bound=BaseModel)

#: Pattern of a workload's name, which is part of tags, S3 addresses and resource names.
WORKLOAD = r"[A-Za-z0-9][A-Za-z0-9_-]*"

#: Problems in one message; more would hide the first.
_MAX_PROBLEMS = 3

_REQUIREMENTS = {
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
    """Base of every file format of the project. It refuses unknown keys and converts nothing silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    #: Reasons and remedies for keys that a reader may expect but that do not exist.
    removed_keys: ClassVar[Mapping[str, str]] = {}


def load_yaml(path: Path, model: type[Model]) -> Model:
    """Read a YAML file into a `model`. Raises UserError with the file, the field (or line) and the remedy."""
    return parse_yaml(read_text(path), model, str(path))


def parse_yaml(text: str, model: type[Model], source: str) -> Model:
    """Parse YAML into a `model`; `source` names the text in messages. Raises UserError."""
    data = parse_yaml_document(text, source)
    if data is None:
        raise UserError(f"{source}: is empty; it needs {', '.join(_list_required(model))}")
    return validate(data, model, source)


def parse_json(text: str | bytes, model: type[Model], source: str) -> Model:
    """Parse JSON into a `model`; `source` names the text in messages. Raises UserError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{source}: not valid JSON: {error}; write the file again") from None
    return validate(data, model, source, json_document=True)


def validate(data: Any, model: type[Model], source: str, *, json_document: bool = False) -> Model:
    """Validate data as a `model`; `source` names the data in messages.

    `json_document` accepts text for types that JSON lacks, such as a time. Raises UserError.
    """
    try:
        return model.model_validate(data, strict=False if json_document else None)
    except ValidationError as error:
        problems = _describe_problems(error, data, model)
    text = "; ".join(problems[:_MAX_PROBLEMS])
    more = f" (and {len(problems) - _MAX_PROBLEMS} more)" if len(problems) > _MAX_PROBLEMS else ""
    raise UserError(f"{source}: {text}{more}")


def render_schema(model: type[BaseModel]) -> str:
    """Return the JSON schema of `model`, for editors (`# yaml-language-server: $schema=…`)."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _format_path(location: tuple[int | str, ...], data: Any) -> str:
    """Return a path such as `a.b[0].c: ` for pydantic's location, without the names of union members."""
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


def _describe_problems(error: ValidationError, data: Any, model: type[BaseModel]) -> list[str]:
    """Return one text for each path. Problems of the members of a union become alternatives."""
    texts: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        texts.setdefault(_format_path(item["loc"], data), []).append(_describe_problem(item, model))
    return [path + " or ".join(dict.fromkeys(problems)) for path, problems in texts.items()]


def _describe_problem(item: Any, model: type[BaseModel]) -> str:
    kind, value, location = item["type"], item["input"], item["loc"]
    if kind == "missing":
        return "is missing; add it"
    if kind == "value_error":
        return str(item["ctx"]["error"])
    models = _find_models(model, location[:-1])
    if kind == "extra_forbidden":
        removed: list[Mapping[Any, str]] = [getattr(m, "removed_keys", {}) for m in models]
        reasons = [keys[location[-1]] for keys in removed if location[-1] in keys]
        if reasons:
            return reasons[0]
        return f"unknown key{did_you_mean(str(location[-1]), {name for m in models for name in m.model_fields})}"
    if kind == "string_pattern_mismatch":
        fields = _find_fields(model, location)
        return _describe_requirement(value, fields) or _describe_mismatch(value, item["ctx"]["pattern"], fields)
    if kind == "literal_error" and (problem := _describe_requirement(value, _find_fields(model, location))):
        return problem + suggest(str(value), re.findall("'([^']*)'", item["ctx"]["expected"]))
    if kind == "union_tag_invalid":
        context = item["ctx"]
        tags = re.findall("'([^']*)'", context["expected_tags"])
        key = str(context["discriminator"]).strip("'")
        return f"{key}: must be one of {', '.join(tags)}, not {context['tag']!r}{suggest(context['tag'], tags)}"
    if kind == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        return f"must be text; put it in quotes in the file (YAML reads the number {value!r})"
    suffix = f", not {value!r}" if isinstance(value, str | int | float) else ""
    requirement = _REQUIREMENTS.get(kind) or item["msg"].replace("Input should be", "must be").replace(
        "String should", "must"
    )
    return f"{requirement}{suffix}"


def _describe_requirement(value: Any, fields: list[FieldInfo]) -> str:
    """Return the problem in the words of the field's requirement; empty if the field has none."""
    for field in fields:
        # An optional field of an annotated type, such as `RoleArn | None`, has the requirement in its type.
        is_union = get_origin(field.annotation) in (Union, UnionType)
        members = [FieldInfo.from_annotation(one) for one in get_args(field.annotation)] if is_union else []
        for one in (field, *members):
            if isinstance(one.json_schema_extra, dict) and "must" in one.json_schema_extra:
                return f"{value!r} must {one.json_schema_extra['must']}"
    return ""


def _describe_mismatch(value: Any, pattern: str, fields: list[FieldInfo]) -> str:
    """Describe the expected text by its pattern and description."""
    return f"{value!r} does not match {pattern}" + "".join(f" ({f.description})" for f in fields if f.description)


def _find_fields(model: type[BaseModel], location: tuple[int | str, ...]) -> list[FieldInfo]:
    """Return the declarations at `location`: of a field, of a key of a map, or of an item of a map or list."""
    last = location[-1]
    named_fields = [m.model_fields[last] for m in _find_models(model, location[:-1]) if last in m.model_fields]
    if named_fields or len(location) < 2:
        return named_fields
    of_key = last == "[key]" and len(location) > 2
    container_fields = _find_fields(model, location[:-2] if of_key else location[:-1])
    return [
        FieldInfo.from_annotation(arguments[0 if of_key else -1])
        for h in container_fields
        if (arguments := get_args(h.annotation))
    ]


def _find_models(model: type[BaseModel], location: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """Return the models whose fields are the keys at `location`."""
    models = [model]
    for item in location:
        # A list index, a key of a map or the name of a union's member is not a field: keep the models.
        fields = [m.model_fields[item].annotation for m in models if isinstance(item, str) and item in m.model_fields]
        models = [inner for annotation in fields for inner in _list_models(annotation)] or models
    return models


def _list_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _list_models(argument)]


def _list_required(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if field.is_required()] or ["at least one setting"]
