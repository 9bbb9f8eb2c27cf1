"""Input of a target: the event, a part of it, a constant, or a filled template."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_sandbox.pipelines import paths
from sagemaker_sandbox.services.eventbridge.event import Event

_PLACEHOLDER = re.compile(r'\\.|"|<(?P<name>[\w.-]+)>')


def render_input(target: Mapping[str, Any], event: Event, rule_arn: str) -> str:
    """Return the text that a target receives. Raises LookupError for an InputPath that the event does not have."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath"):
        return json.dumps(resolve_path(target["InputPath"], event))
    transformer = target.get("InputTransformer")
    if transformer:
        return _fill_template(transformer["InputTemplate"], _find_template_values(transformer, event, rule_arn))
    return json.dumps(event)


def resolve_path(path: str, event: Event) -> Any:
    """Return the value at a path such as `$.detail.object.key`. Raises LookupError if the event does not have it."""
    try:
        return paths.walk(event, paths.parse_path(path.removeprefix("$")))
    except ValueError:
        raise LookupError(f"{path} is not a path") from None


def resolve_parameter(value: str, event: Event) -> str:
    """Return the value of a target's parameter, which may be a path. Raises LookupError."""
    if not value.startswith("$."):
        return value
    resolved = resolve_path(value, event)
    return resolved if isinstance(resolved, str) else json.dumps(resolved)


def _find_template_values(transformer: Mapping[str, Any], event: Event, rule_arn: str) -> Callable[[str], Any]:
    paths_by_name = transformer.get("InputPathsMap") or {}
    predefined = {
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
    }

    def value(name: str) -> Any:
        if name not in paths_by_name:
            return predefined.get(name, f"<{name}>")
        try:
            return resolve_path(paths_by_name[name], event)
        except LookupError:
            return ""

    return value


def _fill_template(template: str, value: Callable[[str], Any]) -> str:
    """Return the template with its placeholders filled: as text inside quotes, as JSON outside."""
    is_quoted = False

    def fill(match: re.Match[str]) -> str:
        nonlocal is_quoted
        if match["name"] is None:
            is_quoted ^= match[0] == '"'
            return match[0]
        replacement = value(match["name"])
        if not is_quoted:
            return json.dumps(replacement)
        return json.dumps(replacement if isinstance(replacement, str) else json.dumps(replacement))[1:-1]

    return _PLACEHOLDER.sub(fill, template)
