"""Responses in the shape of the service model."""

from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape


def shape_output(value: Mapping[str, Any], shape: Shape | None) -> dict[str, Any]:
    """Return a copy of the response, without members that the model does not have."""
    shaped: dict[str, Any] = {} if shape is None else _shape(value, shape)
    return shaped


def _shape(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return {
            name: _shape(value[name], member)
            for name, member in shape.members.items()
            if name in value and value[name] is not None
        }
    if isinstance(shape, ListShape):
        return [_shape(item, shape.member) for item in value]
    if isinstance(shape, MapShape):
        return {key: _shape(item, shape.value) for key, item in value.items()}
    return value
