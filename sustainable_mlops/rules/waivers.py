"""Waivers: a tag `sust_waiver:<rule id>` = `<reason> until <yyyy-mm-dd>` accepts a finding until a date.

AWS limits the characters of tag values, so a space before `until` is enough.
"""

import re
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.plan.document import quote_value
from sustainable_mlops.rules.rule import RULE_IDS, RuleResults, Severity, failure, rule, success

PREFIX = "sust_waiver:"
#: The date on which waivers are valid or expired; `evaluate` sets it.
TODAY: ContextVar[date] = ContextVar("TODAY")
FORM = "<reason> until <yyyy-mm-dd>"
_VALUE = LazyPattern(r"(?P<reason>\S.*?)[\s;,.:-]+until:?\s+(?P<until>\d{4}-\d{2}-\d{2})", re.S)


class Waiver(NamedTuple):
    """A waiver; `problem` says why it is not valid."""

    reason: str = ""
    until: date | None = None
    problem: str = ""


def find_waiver(plan: Plan, resource: Resource, rule: str) -> Waiver | None:
    """Return the waiver of a rule for a resource.

    The waiver is in the resource's own tags. Some types have no tags, such as a scaling policy or a lifecycle
    configuration. Then it is in the tags of a resource that it refers to, or of the endpoint or bucket that it names.
    """
    cache = _create_cache(plan)
    tags = cache.get(id(resource))
    if tags is None:
        tags = cache[id(resource)] = {}
        for tag_source in _list_tag_sources(plan, resource):
            tags |= {key: value for key, value in _list_waiver_tags(tag_source).items() if key not in tags}
    return _parse_waiver(tags[PREFIX + rule]) if tags and PREFIX + rule in tags else None


@lru_cache(maxsize=2)
def _create_cache(_: Plan) -> dict[int, dict[str, Any]]:
    """Return the cache of waivers of a plan, by resource: many rules check the same resources."""
    return {}


def _list_waiver_tags(resource: Resource) -> dict[str, Any]:
    """Return the waivers among the known tags. One unknown tag makes `tags_all` unknown as a whole."""
    values = resource.get_values(before=not resource.exists())
    tag_maps = [tags for name in ("tags_all", "tags") if isinstance(tags := values.get(name), dict)]
    return {
        key: value
        for tags in tag_maps
        for key, value in tags.items()
        if key.startswith(PREFIX) and value is not UNKNOWN
    }


def _list_tag_sources(plan: Plan, resource: Resource) -> Iterator[Resource]:
    yield resource
    values = resource.after if resource.exists() else resource.before
    if values is None or "tags" in values or "tags_all" in values:
        return
    yield from plan.find_references(resource).resources
    joins = plan.joins if resource.exists() else plan.joins_before
    candidates = (joins.find_bucket(resource, "bucket"), joins.find_scaled_variant(resource).endpoint)
    yield from (candidate for candidate in candidates if isinstance(candidate, Resource))


def _parse_waiver(value: object) -> Waiver:
    match = _VALUE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return Waiver(problem=f"its waiver does not have the form {FORM!r}")
    try:
        until = date.fromisoformat(match["until"])
    except ValueError:
        return Waiver(problem=f"its waiver ends on {match['until']}, which is not a date")
    problem = f"its waiver ended on {until} ({match['reason']})" if until < TODAY.get(date.today()) else ""
    return Waiver(match["reason"], until, problem)


@rule(
    id="SUS_WAIVER",
    severity=Severity.WARN,
    title="A waiver should name a rule, a reason and a date in the future",
    problem="A waiver lacks a rule, a reason or a future date",
    practices=("78",),
    fix=f"Correct the tag {PREFIX}<rule> = {FORM}, or remove it.",
    types=("*",),
)
def waivers_count(_: Plan, resource: Resource) -> RuleResults:
    """Check waivers. If a waived finding is fixed early, no other rule reports its waiver."""
    waiver_tags = _list_waiver_tags(resource) if resource.mode == "managed" else {}
    for key, value in waiver_tags.items():
        name, problem = key.removeprefix(PREFIX), _parse_waiver(value).problem
        if name not in RULE_IDS:
            yield failure(f"{quote_value(name)} is not a rule", "tags")
        elif problem:
            yield failure(f"{name}: {problem}", "tags")
        else:
            yield success()
