"""Expressions of a pipeline definition: their references and their values."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from sagemaker_sandbox.pipelines import paths
from sagemaker_sandbox.pipelines.services import StepError

_GET, _JOIN, _JSON_GET = "Get", "Std:Join", "Std:JsonGet"


class ExpressionScope(Protocol):
    """Values that expressions can read while an execution runs."""

    def get(self, path: str) -> Any:
        """Return the value at a path. Raises LookupError."""

    def find_property_file(self, path: str) -> str:
        """Return the S3 address of a step's property file. Raises LookupError."""

    def read_json(self, uri: str) -> Any:
        """Return the document at an S3 address. Raises StepError."""


class Reference(NamedTuple):
    """A `Get` expression. `Steps.Train.ModelArtifacts` has the root Steps and the name Train."""

    path: str
    root: str
    name: str


def list_references(value: Any) -> Iterator[Reference]:
    """Yield every `Get` in a JSON value and in its functions. Raises ValueError for a malformed expression."""
    if is_expression(value):
        name, argument = next(iter(value.items()))
        if name == _GET:
            yield _parse_reference(argument)
            return
        _check_function(name, argument)
    elif isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith("Std:"):
        raise ValueError(f"unknown function {next(iter(value))}")
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from list_references(inner)


def _parse_reference(path: Any) -> Reference:
    parts = [str(part) for part in paths.parse_path(path)] if isinstance(path, str) else []
    if len(parts) < 2:
        raise ValueError(f"'{path}' has no name after its root")
    return Reference(path, parts[0], parts[1])


def _check_function(name: str, argument: Any) -> None:
    members = set(argument) if isinstance(argument, dict) else set()
    if name == _JOIN:
        if not members or members - {"On", "Values"} or not isinstance(argument.get("Values"), list):
            raise ValueError(f"{_JOIN} has On, a string, and Values, a list")
        return
    if members not in ({"PropertyFile", "Path"}, {"S3Uri", "Path"}) or not isinstance(argument["Path"], str):
        raise ValueError(f"{_JSON_GET} has Path, a string, and either PropertyFile or S3Uri")
    paths.parse_path(argument["Path"])
    if "PropertyFile" in argument and not _is_property_file(argument["PropertyFile"]):
        raise ValueError(f"PropertyFile is a {_GET} of Steps.<step>.PropertyFiles.<name>")


def _is_property_file(value: Any) -> bool:
    if not (is_expression(value) and isinstance(value.get(_GET), str)):
        return False
    parts = paths.parse_path(value[_GET])
    return len(parts) == 4 and (parts[0], parts[2]) == ("Steps", "PropertyFiles")


def is_expression(value: Any) -> bool:
    """Return True for a JSON value that is an expression."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _FUNCTIONS


def resolve(value: Any, scope: ExpressionScope) -> Any:
    """Return a value with every expression replaced by its value. Raises StepError."""
    if is_expression(value):
        name, argument = next(iter(value.items()))
        return _FUNCTIONS[name](argument, scope)
    if isinstance(value, dict):
        return {key: resolve(inner, scope) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolve(inner, scope) for inner in value]
    return value


def to_text(value: Any) -> str:
    """Return a value in the form of `Std:Join`."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _get(path: Any, scope: ExpressionScope) -> Any:
    try:
        return scope.get(path)
    except LookupError:
        raise StepError(f"ClientError: The expression {{'Get': '{path}'}} has no value.") from None


def _join(argument: Any, scope: ExpressionScope) -> str:
    values = [resolve(value, scope) for value in argument["Values"]]
    return str(argument.get("On", "")).join(map(to_text, values))


def _evaluate_json_get(argument: Any, scope: ExpressionScope) -> Any:
    path = argument["Path"]
    if "PropertyFile" in argument:
        try:
            uri = scope.find_property_file(argument["PropertyFile"][_GET])
        except LookupError:
            raise StepError(f"ClientError: There is no property file {argument['PropertyFile']}.") from None
    else:
        uri = resolve(argument["S3Uri"], scope)
    document = scope.read_json(uri)
    try:
        return paths.walk(document, paths.parse_path(path))
    except LookupError:
        raise StepError(f"ClientError: JsonGet found nothing at the path {path} of {uri}.") from None


_FUNCTIONS: dict[str, Callable[[Any, ExpressionScope], Any]] = {_GET: _get, _JOIN: _join, _JSON_GET: _evaluate_json_get}
