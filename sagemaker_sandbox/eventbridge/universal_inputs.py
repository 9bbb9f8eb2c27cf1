"""The input of a universal target: the Scheduler compares it with the operation's request when a schedule is made.

Source: EventBridge Scheduler user guide, "Using universal targets": the API reference of the operation says which
parameters there are; they begin with a capital letter. AWS's wording of missing fields is known, that of unknown ones
is assumed.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sustainable_mlops.aws.service_model import service_model

#: Tokens that the SDK fills in where they are left out.
_TOKENS = "idempotencyToken"


def check(service: str, operation: str, text: str) -> None:
    """Raise ValueError for an input that is no JSON object, lacks a required field or has an unknown one."""
    try:
        request = json.loads(text or "{}")
    except ValueError:
        request = None
    if not isinstance(request, Mapping):
        raise ValueError("Invalid RequestJson provided. Reason The input is not a JSON object.")
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        return
    tokens = [name for name, member in shape.members.items() if member.metadata.get(_TOKENS)]
    given = {*request, *map(_as_written, tokens)}
    missing = sorted(name for name in map(_as_written, shape.required_members) if name not in given)
    if missing:
        raise ValueError(
            "Invalid RequestJson provided. Reason Request payload is missing the following field(s): "
            f"{', '.join(missing)}."
        )
    unknown = sorted(_unknown(request, shape))
    if unknown:
        raise ValueError(
            "Invalid RequestJson provided. Reason Request payload has the following unknown field(s): "
            f"{', '.join(unknown)}."
        )


def parameters(service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request with the names of botocore's model, which begins some with a small letter."""
    shape = service_model(service).operation_model(operation).input_shape
    return {} if shape is None else dict(_renamed(request, shape))


def _as_written(member: str) -> str:
    return member[:1].upper() + member[1:]


def _unknown(value: Any, shape: Shape, path: str = "") -> Iterator[str]:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        members = {_as_written(name): member for name, member in shape.members.items()}
        for name, inner in value.items():
            if name in members:
                yield from _unknown(inner, members[name], f"{path}{name}.")
            else:
                yield f"{path}{name}"
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for inner in value:
            yield from _unknown(inner, shape.member, path)
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for inner in value.values():
            yield from _unknown(inner, shape.value, path)


def _renamed(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        names = {_as_written(name): name for name in shape.members}
        return {names[name]: _renamed(inner, shape.members[names[name]]) for name, inner in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_renamed(inner, shape.member) for inner in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {name: _renamed(inner, shape.value) for name, inner in value.items()}
    return value
