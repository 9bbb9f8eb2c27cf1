"""Make a response exactly what the service model says it is."""

from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape


def shape_output(value: Mapping[str, Any], shape: Shape | None) -> dict[str, Any]:
    """The response as a copy of its own: members that the model does not have are dropped."""
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
