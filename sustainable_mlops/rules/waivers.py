"""Waivers: a tag `sust_waiver:<rule id>` = `<reason> until <yyyy-mm-dd>` accepts a finding for a while.

The value keeps to the characters that AWS takes in a tag, so nothing but a space need stand before `until`.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from sustainable_mlops.plan import UNKNOWN, Plan, Resource

PREFIX = "sust_waiver:"
FORM = "<reason> until <yyyy-mm-dd>"
_VALUE = re.compile(r"(?P<reason>\S.*?)[\s;,.:-]+until:?\s+(?P<until>\d{4}-\d{2}-\d{2})", re.S)


class Waiver(NamedTuple):
    """A waiver; `problem` says why it does not count."""

    reason: str = ""
    until: date | None = None
    problem: str = ""


def find(plan: Plan, resource: Resource, rule: str, today: date) -> Waiver | None:
    """The waiver of a rule for a resource.

    It stands in the resource's own tags or, where its type has none (a scaling policy, a lifecycle configuration), in
    those of a resource that it refers to.
    """
    for bearer in _bearers(plan, resource):
        tags = bearer.tags(before=not bearer.exists())
        if tags is not UNKNOWN and PREFIX + rule in tags:
            return _read(tags[PREFIX + rule], today)
    return None


def _bearers(plan: Plan, resource: Resource) -> Iterator[Resource]:
    yield resource
    values = resource.after if resource.exists() else resource.before
    if values is not None and "tags" not in values and "tags_all" not in values:
        yield from plan.references(resource).resources


def _read(value: object, today: date) -> Waiver:
    match = _VALUE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return Waiver(problem=f"its waiver is not of the form {FORM!r}")
    try:
        until = date.fromisoformat(match["until"])
    except ValueError:
        return Waiver(problem=f"its waiver ends on {match['until']}, which is no date")
    problem = f"its waiver ended on {until} ({match['reason']})" if until < today else ""
    return Waiver(match["reason"], until, problem)
