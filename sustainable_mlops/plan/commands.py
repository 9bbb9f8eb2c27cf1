"""Commands that a plan runs without showing their effect: provisioners, programs of data sources, actions."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sustainable_mlops.plan.configuration import Configuration, references_in
from sustainable_mlops.plan.inventory import Inventory
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import Sensitive, with_marks

#: The attributes in which a provisioner says what it runs or copies. The first one that is set counts.
_SAYS = {
    "local-exec": ("command",),
    "remote-exec": ("inline", "script", "scripts"),
    "file": ("source", "content"),
}
#: Resources that run something when they are created or changed, and the attribute that names it.
_RUNNERS = {"aws_lambda_invocation": "function_name", "aws_ssm_association": "name"}
#: The data source that runs a program.
_PROGRAM = "external"
_RUN = {"create": "created", "replace": "replaced", "delete": "destroyed"}
_MADE = {"create": "created", "replace": "replaced", "update": "updated"}
#: References that a provisioner may use on destruction. A provisioner on creation may use them too.
_OWN = ("self", "each", "count", "path", "terraform")
_LONGEST = 100


class Command(NamedTuple):
    """A command that runs because of a plan."""

    address: str
    #: `local-exec`, `remote-exec`, `file` or another provisioner; `external`; the type of an action.
    kind: str
    #: One short line: the command if it is a constant and not sensitive, else its references. It may be empty.
    text: str
    #: `created`, `replaced` or `destroyed`: the change that may run a provisioner. A plan does not say for which of them
    #: a provisioner is. `planned`: runs with every plan. `read`: runs on apply. For an action: its event, `invoked`, or
    #: `deferred` with the reason.
    when: str


def commands(document: Mapping[str, Any], inventory: Inventory, configuration: Configuration) -> list[Command]:
    """Return all commands that this plan would run, in the order of its resources.

    Resources without changes run nothing.
    """
    found = [one for resource in inventory.managed for one in _provisioners(resource, configuration)]
    found += [_run(one) for kind in _RUNNERS for one in inventory.by_type.get(kind, ()) if one.action in _MADE]
    found += [_data_source(resource) for resource in inventory.data if resource.type == _PROGRAM and _is_read(resource)]
    for position, entry in enumerate(document.get("action_invocations") or []):
        found.append(_action(entry, f"action_invocations[{position}]"))
    for position, entry in enumerate(document.get("deferred_action_invocations") or []):
        place = f"deferred_action_invocations[{position}]"
        inner = entry if isinstance(entry, dict) else {}
        found.append(_action(inner.get("action_invocation"), place, f"deferred: {inner.get('reason') or 'unknown'}"))
    return found


def _provisioners(resource: Resource, configuration: Configuration) -> Iterator[Command]:
    when = _RUN.get(resource.action)
    if when is None:
        return
    written = configuration.resource(resource).get("provisioners")
    for provisioner in written if isinstance(written, list) else []:
        kind = str(provisioner.get("type")) if isinstance(provisioner, dict) else "a provisioner"
        given = provisioner.get("expressions") if isinstance(provisioner, dict) else None
        expressions = given if isinstance(given, dict) else {}
        if when == "destroyed" and not all(map(_is_own, references_in(expressions))):
            continue  # such a provisioner runs on creation only
        yield Command(resource.address, kind, _says(kind, expressions), when)


def _is_own(reference: str) -> bool:
    return reference.partition(".")[0].partition("[")[0] in _OWN


def _says(kind: str, expressions: Mapping[str, Any]) -> str:
    name = next((name for name in _SAYS.get(kind, ()) if name in expressions), None)
    if name is None:
        return ""
    text = name if name == "content" else _told(expressions[name])
    return f"{text} → {_told(expressions.get('destination'))}" if kind == "file" else text


def _told(expression: Any) -> str:
    """Return a constant, or the references of the expression: a plan does not contain the text of expressions."""
    if isinstance(expression, dict) and "constant_value" in expression:
        return _line(expression["constant_value"])
    return _short(f"made of {', '.join(dict.fromkeys(references_in(expression)))}") if expression else ""


def _is_read(resource: Resource) -> bool:
    return resource.exists() or resource.action == "read"


def _run(resource: Resource) -> Command:
    return Command(
        resource.address, resource.type, _line(resource.get(_RUNNERS[resource.type])), _MADE[resource.action]
    )


def _data_source(resource: Resource) -> Command:
    text = _line(resource.get("program"))
    return Command(resource.address, resource.type, text, "read" if resource.action == "read" else "planned")


def _action(entry: Any, place: str, deferred: str = "") -> Command:
    if not isinstance(entry, dict):
        return Command(place, "action", "", deferred or "invoked")
    unknown, sensitive = entry.get("config_unknown", False), entry.get("config_sensitive", False)
    values = with_marks(entry.get("config_values"), unknown, sensitive)
    settings = values if isinstance(values, dict) else {}
    text = _short(", ".join(f"{name} = {_line(value)}" for name, value in settings.items() if value is not None))
    trigger = entry.get("lifecycle_action_trigger")
    address, kind = str(entry.get("address") or place), str(entry.get("type") or "action")
    return Command(address, kind, text, deferred or _event(trigger))


def _event(trigger: Any) -> str:
    """Describe the trigger of an action: `AfterUpdate` of a resource becomes `after the update of` its address."""
    found = trigger if isinstance(trigger, dict) else {}
    words = re.findall("[A-Z][a-z]+", str(found.get("action_trigger_event") or ""))
    source = found.get("triggering_resource_address")
    if len(words) != 2 or not isinstance(source, str):
        return "invoked"
    return f"{words[0].lower()} the {words[1].lower()} of {source}"


def _line(value: Any) -> str:
    """Return a value as one short line."""
    if isinstance(value, Sensitive) or value is None:
        return "" if value is None else str(value)
    if isinstance(value, list):
        return _short("; ".join(map(_line, value)))
    if isinstance(value, dict):
        return _short(", ".join(f"{name} = {_line(inner)}" for name, inner in value.items()))
    return _short(str(value).lower() if isinstance(value, bool) else str(value))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
