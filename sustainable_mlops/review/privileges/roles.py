"""What runs as another role than before: the role may be the same as it was, what it may do here is not."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops.plan import UNKNOWN, Block, Joins, Resource
from sustainable_mlops.plan.iam import ROLE, read_role_policies
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.privileges.dangerous_permissions import WIDE_NAMES, assess_danger
from sustainable_mlops.review.privileges.grants import merge_statements
from sustainable_mlops.review.privileges.policy_types import ATTACHMENTS, IDENTITY, POLICY_TYPES
from sustainable_mlops.review.risk import Level, Risk, RiskArea, pick_worst

#: Attributes that name a role, or several; in definitions of workflows, whose steps run as roles of their own, keys.
_ROLE = re.compile(r"(?:.*_)?(?:roles?|role_arns?|instance_profile)")
_DEFINITIONS = ("pipeline_definition", "definition")
_ROLE_KEY = re.compile(r".*RoleArn")
_PROFILE = "aws_iam_instance_profile"


def find_role_risks(comparison: Comparison, gained: Mapping[str, Level]) -> Iterator[Risk]:
    """Every attribute, at any depth, that names a role and comes to name another.

    `gained` says how serious it is what each role may newly do, by its address: what runs as it may do that too.
    """
    for pair in comparison.changes:
        if pair.type == _PROFILE and pair.is_new and pair.after is not None:
            yield from _new_profile(pair, pair.after, comparison, gained)
        if pair.before is None or pair.after is None or not pair.type.startswith("aws"):
            continue
        if pair.type in POLICY_TYPES or pair.type in ATTACHMENTS:
            continue
        old = dict(_roles(pair.before.values))
        for path, named in _roles(pair.after.values):
            before = old.get(path, [])
            new = [one for one in named if one is UNKNOWN or one not in before]
            if new:
                gone = [one for one in before if one not in named]
                yield from _changed(pair, path, gone, new, comparison, gained)


def _changed(
    pair: ResourcePair, path: str, old: list[Any], new: list[Any], comparison: Comparison, gained: Mapping[str, Level]
) -> Iterator[Risk]:
    joins = comparison.joins_after
    if pair.new is None or joins.is_configured(pair.new, path.partition(".")[0]) is False:
        return
    roles = {role.address: role for one in new for role in _resolved(one, pair.new, path, joins)}
    if UNKNOWN in new and roles:
        new = list(roles)
    what = f"{path}: runs as {', '.join(map(str, new))} instead of {', '.join(map(str, old)) or 'none'}"
    level = Level.LOOK
    for address, role in roles.items():
        found, why = _privileged(role, joins, gained)
        level = pick_worst(level, found)
        what += f"; {address}: {why}" if why else ""
    yield Risk("PRIVILEGES_ROLE", RiskArea.PRIVILEGES, level, pair.address, what, known=UNKNOWN not in new)


def _new_profile(
    pair: ResourcePair, after: Block, comparison: Comparison, gained: Mapping[str, Level]
) -> Iterator[Risk]:
    """A new way for machines to run as a role that was there; of a new role, it is told where that is made."""
    named = after.get("role")
    if pair.new is None or named in (None, ""):
        return
    found = comparison.joins_after.find_target(pair.new, "role", ROLE)
    if not isinstance(found, Resource):
        what = f"machines may run as {named}: what it may do is not in the plan"
        yield Risk("PRIVILEGES_ROLE", RiskArea.PRIVILEGES, Level.LOOK, pair.address, what, known=named is not UNKNOWN)
    elif not comparison.pair(found).is_new:
        level, why = _privileged(found, comparison.joins_after, gained)
        if level is not Level.NOTE:
            what = f"machines may run as {found.address}: {why}"
            yield Risk("PRIVILEGES_ROLE", RiskArea.PRIVILEGES, level, pair.address, what)


def _privileged(role: Resource, joins: Joins, gained: Mapping[str, Level]) -> tuple[Level, str]:
    """How serious it is what a role may do, and why: what it gets by this plan, or has and nobody should."""
    level = gained.get(role.address, Level.NOTE)
    if level is Level.STOP:
        return level, "what it may newly do is to stop"
    policies = read_role_policies(role, joins)
    wide = [arn for arn in policies.managed_arns if WIDE_NAMES.search(arn)]
    if wide:
        return Level.STOP, f"has {', '.join(wide)}"
    allowed = merge_statements(statement for one in policies.documents for statement in one.statements).allows
    found = [(level, ""), *(assess_danger(grant, IDENTITY, frozenset()) for grant in allowed)]
    level = pick_worst(*(one for one, _ in found))
    return next(one for one in found if one[0] is level)


def _resolved(named: Any, resource: Resource, path: str, joins: Joins) -> list[Resource]:
    """The roles of the plan that `named`, at `path` of `resource`, is or may be."""
    kind = _PROFILE if path.endswith("instance_profile") else ROLE
    if named is UNKNOWN:
        found = [one for one in joins.list_referenced(resource, path, kind) if one.mode == "managed"]
    else:
        names = joins.index_by_name(kind)
        found = names.get(named) or names.get(str(named).rpartition("/")[2], [])
    if kind == ROLE:
        return found
    roles = [joins.find_target(profile, "role", ROLE) for profile in found]
    return [role for role in roles if isinstance(role, Resource)]


def _roles(values: Any, path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """The attributes below `path` that name roles, and what they name."""
    if isinstance(values, dict):
        for name, value in values.items():
            below = f"{path}.{name}" if path else name
            if _ROLE.fullmatch(name) and not _nested(value):
                yield below, _texts(value)
            elif name in _DEFINITIONS and isinstance(value, str) and not isinstance(value, Sensitive):
                yield below, list(dict.fromkeys(_in_definition(value)))
            else:
                yield from _roles(value, below)
    elif isinstance(values, list):
        for position, value in enumerate(values):
            yield from _roles(value, f"{path}.{position}" if path else str(position))


def _nested(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(one, dict | list) for one in inner)


def _texts(value: Any) -> list[Any]:
    found = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return [one for one in found if one not in (None, "")]


def _in_definition(text: str) -> Iterator[str]:
    try:
        pending = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            yield from (one for key, one in value.items() if _ROLE_KEY.fullmatch(key) and isinstance(one, str))
            pending += value.values()
