"""Check a request against SageMaker's service model, as botocore ships it, before anything is sent.

botocore itself checks names, types and lower bounds only; the service also refuses values outside its enumerations,
patterns and upper bounds, and does so after the source was uploaded.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from sustainable_mlops.errors import UserError

#: Unicode classes of the model's patterns, in Python's terms.
_CLASSES = {r"\p{Alnum}": "a-zA-Z0-9", r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}


@functools.cache
def model() -> ServiceModel:
    """SageMaker's service model."""
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def enumeration(shape: str) -> list[str]:
    """The values that the model allows for the string `shape`."""
    values: list[str] = getattr(model().shape_for(shape), "enum", [])
    return values


def check(operation: str, request: dict[str, Any]) -> None:
    """Raise UserError with all that SageMaker would refuse in `request`."""
    shape = model().operation_model(operation).input_shape
    if shape is None:
        raise ValueError(f"{operation} takes no request")
    report = ParamValidator().validate(request, shape)
    problems = [report.generate_report()] if report.has_errors() else list(_problems(shape, request, ""))
    if problems:
        raise UserError(f"SageMaker would refuse the {operation} request: {'; '.join(problems)}")


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name, item in value.items():
            yield from _problems(shape.members[name], item, f"{path}.{name}".lstrip("."))
    elif isinstance(shape, ListShape):
        yield from _longest(shape, len(value), path, "items")
        for index, item in enumerate(value):
            yield from _problems(shape.member, item, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        yield from _longest(shape, len(value), path, "entries")
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{path} (key {key!r})")
            yield from _problems(shape.value, item, f"{path}.{key}")
    elif isinstance(shape, StringShape):
        yield from _text_problems(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _longest(shape, value, path, "")


def _longest(shape: Shape, size: float, path: str, unit: str) -> Iterator[str]:
    most = shape.metadata.get("max")
    if most is not None and size > most:
        yield f"{path}: {size} is more than {most} {unit}".rstrip()


def _text_problems(shape: StringShape, value: str, path: str) -> Iterator[str]:
    yield from _longest(shape, len(value), path, "characters")
    if shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of the {len(shape.enum)} values SageMaker knows"
    pattern = _pattern(shape.metadata.get("pattern", ""))
    if pattern and not pattern.fullmatch(value):
        yield f"{path}: {value!r} does not match {pattern.pattern}"


def _pattern(text: str) -> re.Pattern[str] | None:
    """The model's pattern in Python's terms; None where there is none, or only Java can read it."""
    for name, meaning in _CLASSES.items():
        text = text.replace(name, meaning)
    try:
        return re.compile(text) if text else None
    except re.error:
        return None
