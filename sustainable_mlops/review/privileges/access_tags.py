"""Tags that decide who has access: changed values of tags that a condition of a policy names."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sustainable_mlops.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.plan.iam import PolicyCondition, is_unknown_text
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.patterns import Patterns, Tristate, combine_all, combine_any, covers
from sustainable_mlops.review.privileges.grants import EffectivePolicy, Grant
from sustainable_mlops.review.privileges.policy_owners import PolicyOwner
from sustainable_mlops.review.privileges.policy_types import IDENTITY
from sustainable_mlops.review.risk import Level, Risk, RiskArea

_RESOURCE_TAG = LazyPattern(r"[a-z0-9-]+:(?:resourcetag|existingobjecttag|buckettag)/(.+)", re.I)
_PRINCIPAL_TAG = LazyPattern(r"aws:principaltag/(.+)", re.I)
_VARIABLE = LazyPattern(r"\$\{aws:principaltag/([^}]+)\}", re.I)
_PRINCIPALS = ("aws_iam_role", "aws_iam_user")


class _TagChange(NamedTuple):
    """A tag of an existing resource with another value; None stands for no tag.

    Without a name, `old` and `new` are all tags of the resource, and those of one side are unknown or sensitive.
    """

    pair: ResourcePair
    name: str | None
    old: Any
    new: Any

    def __str__(self) -> str:
        old, new = ("not set" if value is None else value for value in (self.old, self.new))
        return f"tag {self.name}: {old} → {new}"


def list_tag_changes(comparison: Comparison) -> list[_TagChange]:
    """Return the changed tags of existing resources."""
    return [change for pair in comparison.changes for change in _compare_tags(pair)]


def find_tag_risks(
    changes: Iterable[_TagChange], policies: Iterable[tuple[PolicyOwner, EffectivePolicy]]
) -> Iterator[Risk]:
    """Yield the permissions that a changed tag gives, and the denials that it ends.

    `policies` are the policies after the plan, each with its owner.
    """
    relevant = [
        (owner, grant, is_deny)
        for owner, policy in policies
        for is_deny, grants in ((False, policy.allows), (True, policy.denies))
        for grant in grants
        if _list_tags(grant)
    ]
    names = sorted({name for _, grant, _ in relevant for name in _list_tags(grant)})
    for change in (part for whole in changes for part in _split_change(whole, names)):
        widened: dict[str, list[str]] = {}
        for owner, grant, is_deny in relevant:
            if _may_widen(grant, owner, change, is_deny=is_deny):
                widened.setdefault(owner.label, []).append(f"{'no longer deny' if is_deny else 'now allow'} {grant}")
        for label, (first, *others) in widened.items():
            suffix = f" (and {len(others)} other statement{'s' * (len(others) > 1)})" if others else ""
            description = f"{change}: the policies of {label} may {first}{suffix}"
            known = change.new is None or _is_known(change.new)
            yield Risk(
                "PRIVILEGES_GRANTED", RiskArea.PRIVILEGES, Level.LOOK, change.pair.address, description, is_known=known
            )


def _compare_tags(pair: ResourcePair) -> Iterator[_TagChange]:
    if pair.before is None or pair.after is None:
        return
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    sides = pair.before.get("tags"), pair.after.get("tags")
    is_readable = not any(map(_is_hidden, sides)) or isinstance(pair.after.get("tags_all"), dict)
    if not is_readable and (sides[0] != sides[1] or sides[1] is UNKNOWN):
        yield _TagChange(pair, None, *sides)
        return
    for attribute in ("tags_all", "tags"):
        sides = pair.before.get(attribute), pair.after.get(attribute)
        if not any(side is not None and not isinstance(side, dict) for side in sides):
            old |= sides[0] or {}
            new |= sides[1] or {}
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name) or new.get(name) is UNKNOWN:
            yield _TagChange(pair, name, old.get(name), new.get(name))


def _is_hidden(tags: Any) -> bool:
    return tags is UNKNOWN or isinstance(tags, Sensitive)


def _split_change(change: _TagChange, names: Iterable[str]) -> Iterator[_TagChange]:
    """Yield the change itself, or one change for each of `names` if it is a change of all tags."""
    if change.name is not None:
        yield change
        return
    for name in names:
        old, new = (
            side if _is_hidden(side) else {key.lower(): value for key, value in (side or {}).items()}.get(name)
            for side in (change.old, change.new)
        )
        yield _TagChange(change.pair, name, old, new)


def _list_tags(grant: Grant) -> set[str]:
    """Return the tags of resources and principals that the grant names, in lower case."""
    keys = [match[1] for condition in grant.conditions if (match := _RESOURCE_TAG.fullmatch(str(condition.key)))]
    return {*map(str.lower, keys), *_list_principal_tags(grant)}


def _may_widen(grant: Grant, owner: PolicyOwner, change: _TagChange, *, is_deny: bool) -> bool:
    """Return whether the tag may let a permission begin to apply, or a denial cease to apply."""
    name = str(change.name).lower()
    if _is_principal(change.pair, owner) and name in _list_principal_tags(grant):
        conditions = _list_conditions(_PRINCIPAL_TAG, grant, name)
    elif _is_for(grant, change.pair):
        conditions = _list_conditions(_RESOURCE_TAG, grant, name)
        if not conditions:
            return False
    else:
        return False
    if not conditions:  # a variable with the tag, which matches nothing without the tag
        return is_deny or change.new is not None or _has_negation(grant)
    before, after = (combine_all(_is_met(one, value) for one in conditions) for value in (change.old, change.new))
    if is_deny:
        before, after = after, before
    return after is not False and before is not True


def _has_negation(grant: Grant) -> bool:
    return any("not" in str(condition.operator).lower() for condition in grant.conditions)


def _is_principal(pair: ResourcePair, owner: PolicyOwner) -> bool:
    """Return whether the policies of the owner may apply to requests of the resource, a role or a user."""
    if pair.type not in _PRINCIPALS:
        return False
    if owner.group != IDENTITY:
        return True
    return owner.pair is pair or (owner.pair is not None and owner.pair.type not in _PRINCIPALS)


def _is_for(grant: Grant, pair: ResourcePair) -> bool:
    """Return whether the grant has an action of the resource's service, and may include the resource."""
    arn = None if pair.after is None else pair.after.text("arn")
    if not isinstance(arn, str) or arn.count(":") < 2:
        return True
    service = arn.split(":")[2]
    return grant.resources.overlaps(Patterns((arn, f"{arn}/*"))) and grant.actions.overlaps(Patterns((f"{service}:*",)))


def _list_conditions(pattern: LazyPattern, grant: Grant, name: str) -> list[PolicyCondition]:
    """Return the conditions of the grant on the tag `name`, which is in lower case."""
    return [
        condition
        for condition in grant.conditions
        if (match := pattern.fullmatch(str(condition.key))) and match[1].lower() == name
    ]


def _list_principal_tags(grant: Grant) -> set[str]:
    """Return the tags of principals that the grant names, in lower case."""
    texts = [*grant.resources.patterns, *(value for condition in grant.conditions for value in condition.values)]
    variables = [name for text in texts for name in _VARIABLE.findall(str(text))]
    keys = [match[1] for condition in grant.conditions if (match := _PRINCIPAL_TAG.fullmatch(str(condition.key)))]
    return {name.lower() for name in (*variables, *keys)}


def _is_known(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Sensitive)


def _is_met(condition: PolicyCondition, value: Any) -> Tristate:
    """Return whether a tag with this value meets the condition, or None if that is unknown."""
    operator = str(condition.operator).lower().rpartition(":")[2]
    has_unknown = any(map(is_unknown_text, condition.values))
    if operator == "null":
        return None if value is UNKNOWN or has_unknown else (value is None) == ("true" in condition.values)
    base = operator.removesuffix("ifexists")
    negated = "not" in base
    if value is None:
        return negated or operator != base
    positive = base.replace("not", "")
    if not _is_known(value) or positive not in ("stringequals", "stringlike", "stringequalsignorecase"):
        return None
    if any("${" in str(text) for text in condition.values):
        return None
    if positive == "stringlike":
        result = combine_any(covers(text, value) for text in condition.values)
    else:
        ignores_case = positive == "stringequalsignorecase"
        texts = [str(text).lower() if ignores_case else text for text in condition.values]
        is_listed = (value.lower() if ignores_case else value) in texts
        result = is_listed or (None if has_unknown else False)
    return result if result is None else result != negated
