"""Resources that run as another role than before, which changes their permissions."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Block, Joins, Resource
from sustainable_mlops.plan.iam import ROLE, read_role_policies
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.privileges.dangerous_permissions import WIDE_NAMES, assess_danger
from sustainable_mlops.review.privileges.grants import merge_statements
from sustainable_mlops.review.privileges.policy_types import ATTACHMENTS, IDENTITY, POLICY_TYPES
from sustainable_mlops.review.risk import Level, Risk, RiskArea, pick_worst

#: Attributes that name roles. In workflow definitions, whose steps have roles of their own, keys name roles.
_ROLE_ATTRIBUTE = LazyPattern(r"(?:.*_)?(?:roles?|role_arns?|instance_profile)")
_DEFINITION_ATTRIBUTES = ("pipeline_definition", "definition")
_ROLE_KEY = LazyPattern(r".*RoleArn")
_PROFILE = "aws_iam_instance_profile"


def find_role_risks(comparison: Comparison, gained: Mapping[str, Level]) -> Iterator[Risk]:
    """Yield a risk for each attribute, at any depth, that names another role than before.

    `gained` is the level of the new permissions of each role, by address: a resource that runs as the role gets them.
    """
    for pair in comparison.changes:
        if pair.type == _PROFILE and pair.is_new and pair.after is not None:
            yield from _find_profile_risk(pair, pair.after, comparison, gained)
        if pair.before is None or pair.after is None or not pair.type.startswith("aws"):
            continue
        if pair.type in POLICY_TYPES or pair.type in ATTACHMENTS:
            continue
        old = dict(_list_roles(pair.before.values))
        for path, roles in _list_roles(pair.after.values):
            before = old.get(path, [])
            new_roles = [role for role in roles if role is UNKNOWN or role not in before]
            if new_roles:
                old_roles = [role for role in before if role not in roles]
                yield from _build_role_risk(pair, path, old_roles, new_roles, comparison, gained)


def _build_role_risk(
    pair: ResourcePair, path: str, old: list[Any], new: list[Any], comparison: Comparison, gained: Mapping[str, Level]
) -> Iterator[Risk]:
    joins = comparison.joins_after
    if pair.new is None or joins.is_configured(pair.new, path.partition(".")[0]) is False:
        return
    roles = {role.address: role for role_name in new for role in _resolve_roles(role_name, pair.new, path, joins)}
    if UNKNOWN in new and roles:
        new = list(roles)
    description = f"{path}: runs as {', '.join(map(str, new))} instead of {', '.join(map(str, old)) or 'none'}"
    level = Level.LOOK
    for address, role in roles.items():
        role_level, reason = _assess_role(role, joins, gained)
        level = pick_worst(level, role_level)
        description += f"; {address}: {reason}" if reason else ""
    yield Risk("PRIVILEGES_ROLE", RiskArea.PRIVILEGES, level, pair.address, description, is_known=UNKNOWN not in new)


def _find_profile_risk(
    pair: ResourcePair, after: Block, comparison: Comparison, gained: Mapping[str, Level]
) -> Iterator[Risk]:
    """Yield a risk of a new instance profile for an existing role. Risks of a new role are reported at the role."""
    role_name = after.get("role")
    if pair.new is None or role_name in (None, ""):
        return
    role = comparison.joins_after.find_target(pair.new, "role", ROLE)
    if not isinstance(role, Resource):
        description = f"instances may run as {role_name}, whose permissions are not in the plan"
        yield Risk(
            "PRIVILEGES_ROLE",
            RiskArea.PRIVILEGES,
            Level.LOOK,
            pair.address,
            description,
            is_known=role_name is not UNKNOWN,
        )
    elif not comparison.pair(role).is_new:
        level, reason = _assess_role(role, comparison.joins_after, gained)
        if level is not Level.NOTE:
            description = f"instances may run as {role.address}: {reason}"
            yield Risk("PRIVILEGES_ROLE", RiskArea.PRIVILEGES, level, pair.address, description)


def _assess_role(role: Resource, joins: Joins, gained: Mapping[str, Level]) -> tuple[Level, str]:
    """Return the level of the permissions of a role and the reason: new ones of this plan, or dangerous ones."""
    level = gained.get(role.address, Level.NOTE)
    if level is Level.STOP:
        return level, "it gets new permissions that stop the plan"
    policies = read_role_policies(role, joins)
    wide_policies = [arn for arn in policies.managed_arns if WIDE_NAMES.search(arn)]
    if wide_policies:
        return Level.STOP, f"has {', '.join(wide_policies)}"
    grants = merge_statements(statement for entry in policies.documents for statement in entry.statements).allows
    assessments = [(level, ""), *(assess_danger(grant, IDENTITY, frozenset()) for grant in grants)]
    level = pick_worst(*(entry for entry, _ in assessments))
    return next(entry for entry in assessments if entry[0] is level)


def _resolve_roles(role_name: Any, resource: Resource, path: str, joins: Joins) -> list[Resource]:
    """Return the roles of the plan that `role_name`, at `path` of `resource`, may refer to."""
    kind = _PROFILE if path.endswith("instance_profile") else ROLE
    if role_name is UNKNOWN:
        resources = [
            candidate for candidate in joins.list_referenced(resource, path, kind) if candidate.mode == "managed"
        ]
    else:
        names = joins.index_by_name(kind)
        resources = names.get(role_name) or names.get(str(role_name).rpartition("/")[2], [])
    if kind == ROLE:
        return resources
    roles = [joins.find_target(profile, "role", ROLE) for profile in resources]
    return [role for role in roles if isinstance(role, Resource)]


def _list_roles(values: Any, path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield the attributes below `path` that name roles, with those names."""
    if isinstance(values, dict):
        for name, value in values.items():
            below = f"{path}.{name}" if path else name
            if _ROLE_ATTRIBUTE.fullmatch(name) and not _is_nested(value):
                yield below, _list_texts(value)
            elif name in _DEFINITION_ATTRIBUTES and isinstance(value, str) and not isinstance(value, Sensitive):
                yield below, list(dict.fromkeys(_list_definition_roles(value)))
            else:
                yield from _list_roles(value, below)
    elif isinstance(values, list):
        for position, value in enumerate(values):
            yield from _list_roles(value, f"{path}.{position}" if path else str(position))


def _is_nested(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(item, dict | list) for item in inner)


def _list_texts(value: Any) -> list[Any]:
    texts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return [text for text in texts if text not in (None, "")]


def _list_definition_roles(text: str) -> Iterator[str]:
    try:
        pending = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            yield from (
                role_arn for key, role_arn in value.items() if _ROLE_KEY.fullmatch(key) and isinstance(role_arn, str)
            )
            pending += value.values()
