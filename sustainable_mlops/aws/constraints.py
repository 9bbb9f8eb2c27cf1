"""Check of a request against botocore's service model of SageMaker, before the request is sent.

botocore itself checks only names, types and lower bounds. The service also checks enumerations, patterns and upper
bounds, but only after the upload of the source.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from sustainable_mlops.aws.service_model import load_service_model
from sustainable_mlops.base.errors import UserError

#: Displayed characters of a refused value, and of its constraint, which may list hundreds of values.
_VALUE, _CONSTRAINT = 60, 200

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float, str),
    "blob": (str,),
}


_ROLE_REMEDY = "write each role in platform.roles as an ARN, such as arn:aws:iam::123456789012:role/NAME"


class Violation(NamedTuple):
    """Violation of a constraint: the value at `path`, and the constraint in the service's words."""

    path: str
    value: Any
    constraint: str
    #: The path and value of the one item that fails, where the service names the whole list or map.
    item: tuple[str, Any] | None = None


class WrongTypeError(Exception):
    """A value whose type the shape does not allow."""

    def __init__(self, value: Any, shape: Shape) -> None:
        super().__init__(f"{value!r} is not of type {shape.type_name}")
        self.value, self.shape = value, shape


def check(operation: str, request: dict[str, Any]) -> None:
    """Raise UserError with the violations in `request`."""
    shape = load_service_model("sagemaker").operation_model(operation).input_shape
    if shape is None:
        raise ValueError(f"{operation} takes no request")
    report = ParamValidator().validate(request, shape)
    problems = (
        [report.generate_report()]
        if report.has_errors()
        else [_describe(one) for one in list_violations(request, shape)]
    )
    if problems:
        text = "; ".join(problems)
        remedy = f"; {_ROLE_REMEDY}" if "rolearn" in text.lower() else ""
        raise UserError(f"SageMaker would refuse the {operation} request: {text}{remedy}")


def _describe(violation: Violation) -> str:
    path, value = violation.item or (violation.path, violation.value)
    return f"'{_start(format_value(value), _VALUE)}' at {path}: {_start(violation.constraint, _CONSTRAINT)}"


def _start(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def format_value(value: Any) -> str:
    """Return a value as the service repeats it."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def list_violations(value: Any, shape: Shape, path: str = "") -> Iterator[Violation]:
    """Yield the violations in `value`, a request or a part of one. Unknown members are ignored.

    Raises WrongTypeError.
    """
    _check_type(value, shape)
    if isinstance(shape, StructureShape):
        yield from _check_structure(value, shape, path)
    elif isinstance(shape, ListShape):
        yield from _list(value, shape, path)
    elif isinstance(shape, MapShape):
        yield from _map(value, shape, path)
    else:
        yield from (Violation(path, value, constraint) for constraint in _check_scalar(value, shape))


def _check_type(value: Any, shape: Shape) -> None:
    expected = _PYTHON_TYPES[shape.type_name]
    if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
        raise WrongTypeError(value, shape)


def _check_structure(value: Mapping[str, Any], shape: StructureShape, path: str) -> Iterator[Violation]:
    for name, member in shape.members.items():
        where = f"{path}.{_lower_first(name)}" if path else _lower_first(name)
        if value.get(name) is not None:
            yield from list_violations(value[name], member, where)
        elif name in shape.required_members:
            yield Violation(where, None, "Member must not be null")


def _list(value: list[Any], shape: ListShape, path: str) -> Iterator[Violation]:
    yield from (Violation(path, value, constraint) for constraint in _check_length(len(value), shape))
    for number, item in enumerate(value, start=1):
        if isinstance(shape.member, StructureShape | ListShape | MapShape):
            yield from list_violations(item, shape.member, f"{path}.{number}.member")
            continue
        _check_type(item, shape.member)
        inner = list(_check_scalar(item, shape.member))
        if inner:
            at = (f"{path}.{number}", item)
            yield Violation(path, value, f"Member must satisfy constraint: [{', '.join(inner)}]", at)
            return


def _map(value: Mapping[str, Any], shape: MapShape, path: str) -> Iterator[Violation]:
    yield from (Violation(path, value, constraint) for constraint in _check_length(len(value), shape))
    for key, item in value.items():
        bad_key = list(_check_scalar(key, shape.key))
        if bad_key:
            at = (path, key)
            yield Violation(path, value, f"Map keys must satisfy constraint: [{', '.join(bad_key)}]", at)
        if isinstance(shape.value, StructureShape | ListShape | MapShape):
            yield from list_violations(item, shape.value, f"{path}.{key}.member")
            continue
        _check_type(item, shape.value)
        bad_value = list(_check_scalar(item, shape.value))
        if bad_value:
            at = (f"{path}.{key}", item)
            yield Violation(path, value, f"Map value must satisfy constraint: [{', '.join(bad_value)}]", at)


def _check_scalar(value: Any, shape: Shape) -> Iterator[str]:
    if isinstance(shape, StringShape):
        if shape.enum and value not in shape.enum:
            yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        yield from _check_length(len(value), shape)
        pattern = shape.metadata.get("pattern")
        if pattern and not compile_pattern(pattern).fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {pattern}"
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _check_limits(value, shape, "value")


def _check_length(length: int, shape: Shape) -> Iterator[str]:
    return _check_limits(length, shape, "length")


def _check_limits(value: float, shape: Shape, quantity: str) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and value < minimum:
        yield f"Member must have {quantity} greater than or equal to {minimum}"
    if maximum is not None and value > maximum:
        yield f"Member must have {quantity} less than or equal to {maximum}"


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


@functools.cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    r"""Return the Java pattern for Python. A pattern without a Python form matches everything.

    Python has no `\p{…}` classes and no surrogate ranges.
    """
    for java, python in (
        (r"\p{L}", r"\w"),
        (r"\p{N}", r"\d"),
        (r"\p{M}", r"\u0300-\u036f"),
        (r"\p{Z}", r"\s"),
        (r"\p{S}", r"$+<=>^`|~\u00a0-\u00bf\u20a0-\u2bff"),
        (r"\p{P}", r"!-#%-*,-/:;?@\[-\]_{}\u00a1-\u00bf\u2010-\u205e"),
        (r"\p{Alnum}", "A-Za-z0-9"),
        (r"[\p{Print}]", "[ -~]"),
        (r"\p{Print}", "[ -~]"),
        (r"\p{ASCII}*", r"[\x00-\x7f]*"),
        (r"\z", r"\Z"),
        ("${1,256}", "{1,256}"),
        ("${1,128}", "{1,128}"),
    ):
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:
        return re.compile(r"[\s\S]*")
