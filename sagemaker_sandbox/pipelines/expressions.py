"""The expressions of a pipeline's definition: which values they need, and what they come to."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from sagemaker_sandbox.pipelines import paths
from sagemaker_sandbox.pipelines.outside import StepError

_GET, _JOIN, _JSON_GET = "Get", "Std:Join", "Std:JsonGet"


class Scope(Protocol):
    """What expressions can read while an execution runs."""

    def get(self, path: str) -> Any:
        """The value at a path; raises LookupError."""

    def property_file(self, path: str) -> str:
        """The S3 address of a step's property file; raises LookupError."""

    def read_json(self, uri: str) -> Any:
        """The document at an S3 address; raises StepError."""


class Reference(NamedTuple):
    """A `Get`: its path, cut where names end. `Steps.Train.ModelArtifacts` has the root Steps and the name Train."""

    path: str
    root: str
    name: str


def references(value: Any) -> Iterator[Reference]:
    """Every `Get` in a JSON value, those within functions too; raises ValueError for a malformed expression."""
    if is_expression(value):
        name, argument = next(iter(value.items()))
        if name == _GET:
            yield _reference(argument)
            return
        _check_function(name, argument)
    elif isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith("Std:"):
        raise ValueError(f"there is no function {next(iter(value))}")
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from references(inner)


def _reference(path: Any) -> Reference:
    found = [str(part) for part in paths.parts(path)] if isinstance(path, str) else []
    if len(found) < 2:
        raise ValueError(f"'{path}' names nothing")
    return Reference(path, found[0], found[1])


def _check_function(name: str, argument: Any) -> None:
    members = set(argument) if isinstance(argument, dict) else set()
    if name == _JOIN:
        if not members or members - {"On", "Values"} or not isinstance(argument.get("Values"), list):
            raise ValueError(f"{_JOIN} has On, a string, and Values, a list")
        return
    if members not in ({"PropertyFile", "Path"}, {"S3Uri", "Path"}) or not isinstance(argument["Path"], str):
        raise ValueError(f"{_JSON_GET} has Path, a string, and either PropertyFile or S3Uri")
    paths.parts(argument["Path"])
    if "PropertyFile" in argument and not _names_property_file(argument["PropertyFile"]):
        raise ValueError(f"PropertyFile is a {_GET} of Steps.<step>.PropertyFiles.<name>")


def _names_property_file(value: Any) -> bool:
    if not (is_expression(value) and isinstance(value.get(_GET), str)):
        return False
    found = paths.parts(value[_GET])
    return len(found) == 4 and (found[0], found[2]) == ("Steps", "PropertyFiles")


def is_expression(value: Any) -> bool:
    """Whether a JSON value stands for another."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _FUNCTIONS


def resolve(value: Any, scope: Scope) -> Any:
    """The value with every expression replaced by what it comes to; raises StepError."""
    if is_expression(value):
        name, argument = next(iter(value.items()))
        return _FUNCTIONS[name](argument, scope)
    if isinstance(value, dict):
        return {key: resolve(inner, scope) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolve(inner, scope) for inner in value]
    return value


def as_text(value: Any) -> str:
    """A value as `Std:Join` writes it."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _get(path: Any, scope: Scope) -> Any:
    try:
        return scope.get(path)
    except LookupError:
        raise StepError(f"ClientError: The expression {{'Get': '{path}'}} has no value.") from None


def _join(argument: Any, scope: Scope) -> str:
    values = [resolve(value, scope) for value in argument["Values"]]
    return str(argument.get("On", "")).join(map(as_text, values))


def _json_get(argument: Any, scope: Scope) -> Any:
    path = argument["Path"]
    if "PropertyFile" in argument:
        try:
            uri = scope.property_file(argument["PropertyFile"][_GET])
        except LookupError:
            raise StepError(f"ClientError: There is no property file {argument['PropertyFile']}.") from None
    else:
        uri = resolve(argument["S3Uri"], scope)
    document = scope.read_json(uri)
    try:
        return paths.walk(document, paths.parts(path))
    except LookupError:
        raise StepError(f"ClientError: JsonGet found nothing at the path {path} of {uri}.") from None


_FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {_GET: _get, _JOIN: _join, _JSON_GET: _json_get}
