"""Commands that a plan runs without showing their effect: provisioners, programs of data sources, actions."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sustainable_mlops.plan.configuration import Configuration, list_references
from sustainable_mlops.plan.inventory import Inventory
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import Sensitive, apply_marks

#: The attributes in which a provisioner says what it runs or copies. The first one that is set counts.
_TEXT_ATTRIBUTES = {
    "local-exec": ("command",),
    "remote-exec": ("inline", "script", "scripts"),
    "file": ("source", "content"),
}
#: Resources that run something when they are created or changed, and the attribute that names it.
_RUNNERS = {
    "aws_lambda_invocation": "function_name",
    "aws_redshiftdata_statement": "sql",
    "aws_ssm_association": "name",
}
#: Data sources that run something when they are read, and the attribute with the program.
_PROGRAMS = {
    "external": "program",
    "aws_lambda_invocation": "function_name",
    "aws_ecs_task_execution": "task_definition",
}
_PROVISIONER_EVENTS = {"create": "created", "replace": "replaced", "delete": "destroyed"}
_RUNNER_EVENTS = {"create": "created", "replace": "replaced", "update": "updated"}
#: References that a provisioner may use on destruction. A provisioner on creation may use them too.
_OWN_REFERENCES = ("self", "each", "count", "path", "terraform")
_MAX_LENGTH = 100


class PlanCommand(NamedTuple):
    """A command that runs because of a plan."""

    address: str
    #: `local-exec`, `remote-exec`, `file` or another provisioner; `external`; the type of an action.
    kind: str
    #: One short line: the command if it is a constant and not sensitive, else its references. It may be empty.
    text: str
    #: `created`, `replaced` or `destroyed`: the change that may run a provisioner. A plan does not say for which change
    #: a provisioner is. `planned`: runs with every plan. `read`: runs on apply. For an action: its event, `invoked`, or
    #: `deferred` with the reason.
    when: str


def list_commands(document: Mapping[str, Any], inventory: Inventory, configuration: Configuration) -> list[PlanCommand]:
    """Return all commands that this plan would run, in the order of its resources.

    Resources without changes run nothing.
    """
    plan_commands = [
        command for resource in inventory.managed for command in _list_provisioners(resource, configuration)
    ]
    plan_commands += [
        _describe_runner(resource)
        for kind in _RUNNERS
        for resource in inventory.by_type.get(kind, ())
        if resource.action in _RUNNER_EVENTS
    ]
    plan_commands += [
        _describe_data_source(resource)
        for resource in inventory.data_sources
        if resource.type in _PROGRAMS and _is_read(resource)
    ]
    for position, entry in enumerate(document.get("action_invocations") or []):
        plan_commands.append(_describe_action(entry, f"action_invocations[{position}]"))
    for position, entry in enumerate(document.get("deferred_action_invocations") or []):
        location = f"deferred_action_invocations[{position}]"
        inner = entry if isinstance(entry, dict) else {}
        plan_commands.append(
            _describe_action(inner.get("action_invocation"), location, f"deferred: {inner.get('reason') or 'unknown'}")
        )
    return plan_commands


def _list_provisioners(resource: Resource, configuration: Configuration) -> Iterator[PlanCommand]:
    when = _PROVISIONER_EVENTS.get(resource.action)
    if when is None:
        return
    provisioners = configuration.find_resource(resource).get("provisioners")
    for provisioner in provisioners if isinstance(provisioners, list) else []:
        kind = str(provisioner.get("type")) if isinstance(provisioner, dict) else "a provisioner"
        body = provisioner.get("expressions") if isinstance(provisioner, dict) else None
        expressions = body if isinstance(body, dict) else {}
        if when == "destroyed" and not all(map(_is_own, list_references(expressions))):
            continue  # such a provisioner runs on creation only
        yield PlanCommand(resource.address, kind, _describe_provisioner(kind, expressions), when)


def _is_own(reference: str) -> bool:
    return reference.partition(".")[0].partition("[")[0] in _OWN_REFERENCES


def _describe_provisioner(kind: str, expressions: Mapping[str, Any]) -> str:
    name = next((name for name in _TEXT_ATTRIBUTES.get(kind, ()) if name in expressions), None)
    if name is None:
        return ""
    text = name if name == "content" else _describe_expression(expressions[name])
    return f"{text} → {_describe_expression(expressions.get('destination'))}" if kind == "file" else text


def _describe_expression(expression: Any) -> str:
    """Return a constant, or the references of the expression: a plan does not contain the text of expressions."""
    if isinstance(expression, dict) and "constant_value" in expression:
        return _format_line(expression["constant_value"])
    return shorten(f"made of {', '.join(dict.fromkeys(list_references(expression)))}") if expression else ""


def _is_read(resource: Resource) -> bool:
    return resource.exists() or resource.action == "read"


def _describe_runner(resource: Resource) -> PlanCommand:
    return PlanCommand(
        resource.address,
        resource.type,
        _format_line(resource.get(_RUNNERS[resource.type])),
        _RUNNER_EVENTS[resource.action],
    )


def _describe_data_source(resource: Resource) -> PlanCommand:
    text = _format_line(resource.get(_PROGRAMS[resource.type]))
    return PlanCommand(resource.address, resource.type, text, "read" if resource.action == "read" else "planned")


def _describe_action(entry: Any, location: str, deferred: str = "") -> PlanCommand:
    if not isinstance(entry, dict):
        return PlanCommand(location, "action", "", deferred or "invoked")
    unknown, sensitive = entry.get("config_unknown", False), entry.get("config_sensitive", False)
    values = apply_marks(entry.get("config_values"), unknown, sensitive)
    settings = values if isinstance(values, dict) else {}
    text = shorten(
        ", ".join(f"{name} = {_format_line(value)}" for name, value in settings.items() if value is not None)
    )
    trigger = entry.get("lifecycle_action_trigger")
    address, kind = str(entry.get("address") or location), str(entry.get("type") or "action")
    return PlanCommand(address, kind, text, deferred or _describe_trigger(trigger))


def _describe_trigger(trigger: Any) -> str:
    """Describe the trigger of an action: `AfterUpdate` of a resource becomes `after the update of` its address."""
    fields = trigger if isinstance(trigger, dict) else {}
    words = re.findall("[A-Z][a-z]+", str(fields.get("action_trigger_event") or ""))
    source = fields.get("triggering_resource_address")
    if len(words) != 2 or not isinstance(source, str):
        return "invoked"
    return f"{words[0].lower()} the {words[1].lower()} of {source}"


def _format_line(value: Any) -> str:
    """Return a value as one short line."""
    if isinstance(value, Sensitive) or value is None:
        return "" if value is None else str(value)
    if isinstance(value, list):
        return shorten("; ".join(map(_format_line, value)))
    if isinstance(value, dict):
        return shorten(", ".join(f"{name} = {_format_line(inner)}" for name, inner in value.items()))
    return shorten(str(value).lower() if isinstance(value, bool) else str(value))


def shorten(text: str) -> str:
    """Return a text as one short line."""
    text = " ".join(text.split())
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}…"
