"""What a target receives of an event: all of it, a part, a constant, or what a template makes of it."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_sandbox.eventbridge.event import Event
from sagemaker_sandbox.pipelines import paths

_PLACEHOLDER = re.compile(r'\\.|"|<(?P<name>[\w.-]+)>')


def received(target: Mapping[str, Any], event: Event, rule_arn: str) -> str:
    """The text that a target receives. Raises LookupError for an InputPath that leads nowhere."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath"):
        return json.dumps(at(target["InputPath"], event))
    transformer = target.get("InputTransformer")
    if transformer:
        return _transformed(transformer["InputTemplate"], _values(transformer, event, rule_arn))
    return json.dumps(event)


def at(path: str, event: Event) -> Any:
    """What a path such as `$.detail.object.key` leads to. Raises LookupError where it leads nowhere."""
    try:
        return paths.walk(event, paths.parts(path.removeprefix("$")))
    except ValueError:
        raise LookupError(f"{path} is no path") from None


def dynamic(value: str, event: Event) -> str:
    """The value of a target's parameter: where all of it is a path, what that leads to. Raises LookupError."""
    if not value.startswith("$."):
        return value
    found = at(value, event)
    return found if isinstance(found, str) else json.dumps(found)


def _values(transformer: Mapping[str, Any], event: Event, rule_arn: str) -> Callable[[str], Any]:
    mapped = transformer.get("InputPathsMap") or {}
    given = {
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
    }

    def value(name: str) -> Any:
        if name not in mapped:
            return given.get(name, f"<{name}>")
        try:
            return at(mapped[name], event)
        except LookupError:
            return ""

    return value


def _transformed(template: str, value: Callable[[str], Any]) -> str:
    """The template with its placeholders filled: as text inside of quotes, as JSON outside."""
    quoted = False

    def fill(found: re.Match[str]) -> str:
        nonlocal quoted
        if found["name"] is None:
            quoted ^= found[0] == '"'
            return found[0]
        filled = value(found["name"])
        if not quoted:
            return json.dumps(filled)
        return json.dumps(filled if isinstance(filled, str) else json.dumps(filled))[1:-1]

    return _PLACEHOLDER.sub(fill, template)
