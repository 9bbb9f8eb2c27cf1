"""Waivers: a tag `sust_waiver:<rule id>` = `<reason> until <yyyy-mm-dd>` accepts a finding for a while.

The value keeps to the characters that AWS takes in a tag, so nothing but a space need stand before `until`.
"""

import re
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.plan.document import shown
from sustainable_mlops.rules.rule import IDS, Severity, Verdicts, failed, passed, rule

PREFIX = "sust_waiver:"
#: The day that waivers are judged by; `evaluate` sets it.
TODAY: ContextVar[date] = ContextVar("TODAY")
FORM = "<reason> until <yyyy-mm-dd>"
_VALUE = re.compile(r"(?P<reason>\S.*?)[\s;,.:-]+until:?\s+(?P<until>\d{4}-\d{2}-\d{2})", re.S)


class Waiver(NamedTuple):
    """A waiver; `problem` says why it does not count."""

    reason: str = ""
    until: date | None = None
    problem: str = ""


def find(plan: Plan, resource: Resource, rule: str) -> Waiver | None:
    """The waiver of a rule for a resource.

    It stands in the resource's own tags or, where its type has none (a scaling policy, a lifecycle configuration), in
    those of a resource that it refers to, or of the endpoint or bucket that it names.
    """
    memo = _memo(plan)
    tags = memo.get(id(resource))
    if tags is None:
        tags = memo[id(resource)] = {}
        for bearer in _bearers(plan, resource):
            tags |= {key: value for key, value in _tags(bearer).items() if key not in tags}
    return _read(tags[PREFIX + rule]) if PREFIX + rule in tags else None


@lru_cache(maxsize=2)
def _memo(_: Plan) -> dict[int, dict[str, Any]]:
    """What stands for each resource of a plan that was asked about: many rules ask about the same ones."""
    return {}


def _tags(resource: Resource) -> dict[str, Any]:
    """The waivers among the tags that are known: one that is not leaves `tags_all` unknown as a whole."""
    values = resource.values(before=not resource.exists())
    found = [tags for name in ("tags_all", "tags") if isinstance(tags := values.get(name), dict)]
    return {
        key: value for tags in found for key, value in tags.items() if key.startswith(PREFIX) and value is not UNKNOWN
    }


def _bearers(plan: Plan, resource: Resource) -> Iterator[Resource]:
    yield resource
    values = resource.after if resource.exists() else resource.before
    if values is None or "tags" in values or "tags_all" in values:
        return
    yield from plan.references(resource).resources
    joins = plan.joins if resource.exists() else plan.joins_before
    named = (joins.bucket(resource, "bucket"), joins.scaled(resource).endpoint)
    yield from (other for other in named if isinstance(other, Resource))


def _read(value: object) -> Waiver:
    match = _VALUE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return Waiver(problem=f"its waiver is not of the form {FORM!r}")
    try:
        until = date.fromisoformat(match["until"])
    except ValueError:
        return Waiver(problem=f"its waiver ends on {match['until']}, which is no date")
    problem = f"its waiver ended on {until} ({match['reason']})" if until < TODAY.get(date.today()) else ""
    return Waiver(match["reason"], until, problem)


@rule(
    id="SUS_WAIVER",
    severity=Severity.WARN,
    title="Waivers are of a rule, with a reason and a date that is still to come",
    practices=("78",),
    fix=f"Correct the tag {PREFIX}<rule> = {FORM}, or remove it.",
    types=("*",),
)
def waivers_count(_: Plan, resource: Resource) -> Verdicts:
    """What a waiver accepts may be fixed before it ends; then nothing else speaks of it."""
    found = _tags(resource) if resource.mode == "managed" else {}
    for key, value in found.items():
        name, problem = key.removeprefix(PREFIX), _read(value).problem
        if name not in IDS:
            yield failed(f"{shown(name)} is no rule", "tags")
        elif problem:
            yield failed(f"{name}: {problem}", "tags")
        else:
            yield passed()
