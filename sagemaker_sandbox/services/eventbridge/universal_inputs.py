"""Inputs of universal targets. The Scheduler compares them with the operation's request when a schedule is created.

Source: EventBridge Scheduler user guide, "Using universal targets". The parameters are those of the operation's API
reference; they begin with a capital letter. AWS's message for missing fields is known, that for unknown fields is
assumed.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sustainable_mlops.aws.service_model import load_service_model

#: Mark of members that the SDK generates.
_GENERATED = "idempotencyToken"


def check_input(service: str, operation: str, text: str) -> None:
    """Raise ValueError for an input that is not a JSON object, lacks a required field or has an unknown one."""
    try:
        request = json.loads(text or "{}")
    except ValueError:
        request = None
    if not isinstance(request, Mapping):
        raise ValueError("Invalid RequestJson provided. Reason The input is not a JSON object.")
    shape = load_service_model(service).operation_model(operation).input_shape
    if shape is None:
        return
    tokens = [name for name, member in shape.members.items() if member.metadata.get(_GENERATED)]
    present = {*request, *map(_capitalize, tokens)}
    missing = sorted(name for name in map(_capitalize, shape.required_members) if name not in present)
    if missing:
        raise ValueError(
            "Invalid RequestJson provided. Reason Request payload is missing the following field(s): "
            f"{', '.join(missing)}."
        )
    unknown = sorted(_list_unknown(request, shape))
    if unknown:
        raise ValueError(
            "Invalid RequestJson provided. Reason Request payload has the following unknown field(s): "
            f"{', '.join(unknown)}."
        )


def convert_names(service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request with the names of botocore's model, some of which begin with a small letter."""
    shape = load_service_model(service).operation_model(operation).input_shape
    return {} if shape is None else dict(_rename(request, shape))


def _capitalize(member: str) -> str:
    return member[:1].upper() + member[1:]


def _list_unknown(value: Any, shape: Shape, path: str = "") -> Iterator[str]:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        members = {_capitalize(name): member for name, member in shape.members.items()}
        for name, inner in value.items():
            if name in members:
                yield from _list_unknown(inner, members[name], f"{path}{name}.")
            else:
                yield f"{path}{name}"
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for inner in value:
            yield from _list_unknown(inner, shape.member, path)
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for inner in value.values():
            yield from _list_unknown(inner, shape.value, path)


def _rename(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        names = {_capitalize(name): name for name in shape.members}
        return {names[name]: _rename(inner, shape.members[names[name]]) for name, inner in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_rename(inner, shape.member) for inner in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {name: _rename(inner, shape.value) for name, inner in value.items()}
    return value
