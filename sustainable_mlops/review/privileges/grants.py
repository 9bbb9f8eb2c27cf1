"""Comparison of policy statements by the permissions they allow, independent of their spelling."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Unknown
from sustainable_mlops.plan.iam import DerivedText, PolicyCondition, PolicyStatement, Texts, is_unknown_text
from sustainable_mlops.review.patterns import EVERYTHING, Patterns, Tristate, combine_all, combine_any
from sustainable_mlops.review.privileges.conditions import are_implied

_ACCOUNT_ROOT = LazyPattern(r"arn:[a-z-]+:iam::(\d{12}):root")
#: Actions that read the data of a resource, by service, in lower case (Service Authorization Reference, access level
#: Read). Services with an action that reads secrets or issues credentials are left out, such as `glue:GetConnection`.
_DATA_READERS = {
    "athena": ("getqueryresults",),
    "dynamodb": ("getitem", "query", "scan"),
    "ecr": ("batchgetimage",),
    "kinesis": ("getrecords",),
    "logs": ("getlogevents", "filterlogevents"),
    "s3": ("getobject",),
}
#: Actions that only complete the assumption of a role in its trust policy.
_SESSION_ACTIONS = frozenset(("sts:tagsession", "sts:setsourceidentity", "sts:setcontext"))
#: A read action of these services, without wildcards.
_READ_ACTION = LazyPattern(r"[a-z0-9-]+:(?:batchget|describe|filter|get|head|list|query|scan|search|select)[a-z0-9]*")
#: A statement with more single permissions is compared by action, with all its resources together.
_MAX_PERMISSIONS = 2000


class _Action(str):
    """An action that compares without case and prints as it is in the policy."""

    __slots__ = ("_original",)
    _original: str

    def __new__(cls, text: str) -> "_Action":
        self = super().__new__(cls, text.lower())
        self._original = text
        return self

    def __str__(self) -> str:
        return self._original


class Grant(NamedTuple):
    """Principals, actions, resources and conditions of one statement.

    A single permission is a grant with one principal, one action and one resource.
    """

    principals: Patterns
    actions: Patterns
    resources: Patterns
    conditions: tuple[PolicyCondition, ...]

    def covers(self, other: "Grant") -> Tristate:
        """Return whether this grant allows everything that `other` allows."""
        return combine_all(self._compare_dimensions(other))

    def _compare_dimensions(self, other: "Grant") -> tuple[Tristate, Tristate, Tristate, Tristate]:
        return (
            self.principals.contains(other.principals),
            self.actions.contains(other.actions),
            self.resources.contains(other.resources),
            are_implied(self.conditions, other.conditions),
        )

    def overlaps(self, other: "Grant") -> bool:
        """Return whether both may apply to the same permission, without regard to conditions."""
        return all(own.overlaps(foreign) for own, foreign in zip(self[:3], other[:3], strict=True))

    @property
    def size(self) -> int:
        """The number of texts in the grant."""
        values = sum(len(condition.values) for condition in self.conditions)
        return sum(len(patterns.patterns) for patterns in self[:3]) + values

    def split(self) -> Iterator["Grant"]:
        """Yield the single permissions of the grant."""
        parts = self.principals.split(), self.actions.split(), self.resources.split()
        if len(parts[0]) * len(parts[1]) * len(parts[2]) > _MAX_PERMISSIONS:
            parts = [self.principals], parts[1], [self.resources]
        for principals, actions, resources in product(*parts):
            yield Grant(principals, actions, resources, self.conditions)

    def __str__(self) -> str:
        text = str(self.actions)
        if not self.is_role_assumption:
            text += f" on {self.resources}"
        if self.principals != EVERYTHING or self.is_role_assumption:
            text += f" by {self.principals}"
        if self.conditions:
            text += f" if {_format_conditions(self.conditions)}"
        return text

    @property
    def is_role_assumption(self) -> bool:
        """True if the grant belongs to a trust policy, which names no resource."""
        actions = {str(action).lower() for action in self.actions.patterns} - _SESSION_ACTIONS
        return not self.actions.negated and bool(actions) and all(name.startswith("sts:assume") for name in actions)


class EffectivePolicy(NamedTuple):
    """All statements that apply together."""

    allows: tuple[Grant, ...]
    denies: tuple[Grant, ...]
    #: False if there may be more statements, or some are unreadable.
    is_complete: bool

    @property
    def is_certain(self) -> bool:
        """True if no value is unknown. Only then do equal policies allow the same."""
        return _is_certain((self.allows, self.denies))


#: The permission to do everything.
ALL_PERMISSIONS = Grant(EVERYTHING, EVERYTHING, EVERYTHING, ())


def _is_certain(part: object) -> bool:
    return not is_unknown_text(part) and (not isinstance(part, tuple) or all(map(_is_certain, part)))


class WideningKind(StrEnum):
    """The part of a permission that is new."""

    PERMISSION = "new permission"
    ACTION = "new action"
    READ = "new read action on data that it reads already"
    RESOURCE = "new resource"
    PRINCIPAL = "new principal"
    CONDITION = "condition removed or weakened"
    DENY = "deny removed or weakened"


class Widening(NamedTuple):
    """Permissions that did not exist before. `is_known` is False if a value unknown until apply decides."""

    kind: WideningKind
    grant: Grant
    is_known: bool
    #: The conditions that no longer limit the permissions.
    lost_conditions: tuple[PolicyCondition, ...] = ()
    #: The conditions under which a weaker deny still applies.
    new_conditions: tuple[PolicyCondition, ...] = ()

    def __str__(self) -> str:
        limits = f"; before, only if {_format_conditions(self.lost_conditions)}" if self.lost_conditions else ""
        limits += f"; now only if {_format_conditions(self.new_conditions)}" if self.new_conditions else ""
        return f"{self.kind}: {self.grant}{limits}"


def merge_statements(statements: Iterable[PolicyStatement], *, is_complete: bool = True) -> EffectivePolicy:
    """Return the statements in one normal form."""
    allows: list[Grant] = []
    denies: list[Grant] = []
    for statement in statements:
        if statement.effect == "Allow":
            allows.append(_build_grant(statement))
        elif statement.effect == "Deny":
            denies.append(_build_grant(statement))
        else:
            is_complete = False
    return EffectivePolicy(tuple(allows), tuple(denies), is_complete)


def _build_grant(statement: PolicyStatement) -> Grant:
    return Grant(
        _build_patterns(
            _list_identifiers(statement.principals), _list_identifiers(statement.not_principals), EVERYTHING
        ),
        _build_patterns(
            _normalize_actions(statement.actions), _normalize_actions(statement.not_actions), Patterns((UNKNOWN,))
        ),
        _build_patterns(statement.resources, statement.not_resources, EVERYTHING),
        statement.conditions,
    )


def _build_patterns(patterns: Texts, negated: Texts, absent: Patterns) -> Patterns:
    if patterns or negated:
        return Patterns(tuple(dict.fromkeys(patterns or negated)), negated=not patterns)
    return absent


@lru_cache(maxsize=4096)
def _normalize_actions(texts: Texts) -> Texts:
    actions = {text if isinstance(text, Unknown) else _Action(text): None for text in texts}
    return tuple(sorted(actions, key=str))


def _list_identifiers(principals: Sequence[tuple[str | Unknown, Texts]]) -> Texts:
    return tuple(_build_identifier(kind, name) for kind, names in principals for name in names)


def _build_identifier(kind: str | Unknown, name: str | Unknown) -> str | Unknown:
    if isinstance(kind, Unknown) or isinstance(name, Unknown):
        return UNKNOWN
    if isinstance(name, DerivedText):
        # Keep an identity provider visible, because its conditions decide which tokens it accepts.
        return f"{kind}:{name}" if any("openid" in resource.type for resource in name.resources) else name
    if kind in ("*", "AWS"):
        root = _ACCOUNT_ROOT.fullmatch(name)
        return root[1] if root else name
    return f"{kind}:{name}"


def count_comparisons(first: Iterable[Grant], second: Iterable[Grant]) -> int:
    """Return the approximate number of text comparisons between the permissions of `first` and `second`."""
    parts = 0
    for grant in first:
        count = prod(len(patterns.patterns) for patterns in grant[:3])
        parts += (count if count <= _MAX_PERMISSIONS else len(grant.actions.patterns)) * (
            1 + sum(len(condition.values) for condition in grant.conditions)
        )
    return parts * sum(grant.size for grant in second)


def find_new_permissions(
    grants: Iterable[Grant], before: EffectivePolicy, after: EffectivePolicy
) -> Iterator[Widening]:
    """Yield the parts of `grants`, all allowed in `after`, that `before` did not allow."""
    for grant in grants:
        yield from _find_new_parts(grant, before, after)


def find_lost_denies(denies: Iterable[Grant], after: EffectivePolicy) -> Iterator[Widening]:
    """Yield the parts of `denies` that `after` no longer denies."""
    for deny in denies:
        if combine_any(other.covers(deny) for other in after.denies) is True:
            continue
        results = [(part, combine_any(other.covers(part) for other in after.denies)) for part in deny.split()]
        lost = [part for part, result in results if result is not True]
        if lost:
            known = after.is_complete and any(result is False for _, result in results)
            remaining = {_find_remaining_conditions(part, after.denies) for part in lost}
            limits = remaining.pop() if len(remaining) == 1 else ()
            yield Widening(WideningKind.DENY, _merge_grants(lost), known, new_conditions=limits)


def _find_remaining_conditions(part: Grant, denies: Iterable[Grant]) -> tuple[PolicyCondition, ...]:
    """Return the conditions of the first deny that still covers the permission; empty if none does."""
    return next((deny.conditions for deny in denies if combine_all(deny._compare_dimensions(part)[:3]) is True), ())


def _find_new_parts(grant: Grant, before: EffectivePolicy, after: EffectivePolicy) -> Iterator[Widening]:
    if combine_any(old.covers(grant) for old in before.allows) is True:
        return
    if not before.allows and not after.denies:
        yield Widening(WideningKind.PERMISSION, grant, before.is_complete)
        return
    by_kind: dict[tuple[WideningKind, bool], list[Grant]] = {}
    for part in grant.split():
        result = combine_any(old.covers(part) for old in before.allows)
        if result is True or combine_any(deny.covers(part) for deny in after.denies) is True:
            continue
        known = result is False and before.is_complete
        by_kind.setdefault((_classify_widening(part, before.allows), known), []).append(part)
    for (kind, known), parts in by_kind.items():
        lost = _find_lost_conditions(parts[0], before.allows) if kind is WideningKind.CONDITION else ()
        yield Widening(kind, _merge_grants(parts), known, lost)


def _find_lost_conditions(part: Grant, before: Iterable[Grant]) -> tuple[PolicyCondition, ...]:
    """Return the conditions of the former permission that `part` does not imply."""
    former = next(old for old in before if combine_all(old._compare_dimensions(part)[:3]) is True)
    return tuple(one for one in former.conditions if are_implied((one,), part.conditions) is not True)


def _classify_widening(part: Grant, before: Sequence[Grant]) -> WideningKind:
    """Return the one part of the permission that is new, or PERMISSION if several are."""
    kinds = (WideningKind.PRINCIPAL, WideningKind.ACTION, WideningKind.RESOURCE, WideningKind.CONDITION)
    new_kinds = set()
    for old in before:
        results = old._compare_dimensions(part)
        if sum(result is not True for result in results) == 1:
            new_kinds.add(next(kind for kind, result in zip(kinds, results, strict=True) if result is not True))
    kind = next((kind for kind in reversed(kinds) if kind in new_kinds), WideningKind.PERMISSION)
    return WideningKind.READ if kind is WideningKind.ACTION and _reads_known_data(part, before) else kind


def _reads_known_data(part: Grant, before: Iterable[Grant]) -> bool:
    """Return whether a permission only reads, and a former one reads the data of the same resources."""
    actions = [str(action).lower() for action in part.actions.patterns]
    if part.actions.negated or not all(map(_READ_ACTION.fullmatch, actions)):
        return False
    names = [f"{service}:{name}" for service in {action.partition(":")[0] for action in actions}
             for name in _DATA_READERS.get(service, ())]  # fmt: skip
    reads = [part._replace(actions=Patterns((_Action(name),))) for name in names]
    return any(old.covers(read) is True for old in before for read in reads)


def _merge_grants(parts: Sequence[Grant]) -> Grant:
    """Return one grant for display. It may cover more pairs than `parts`, never fewer."""

    def merge_patterns(sets: Iterable[Patterns]) -> Patterns:
        known = list(dict.fromkeys(sets))
        if len(known) == 1:
            return known[0]
        return Patterns(tuple(dict.fromkeys(text for patterns in known for text in patterns.patterns)))

    return Grant(
        merge_patterns(part.principals for part in parts),
        merge_patterns(part.actions for part in parts),
        merge_patterns(part.resources for part in parts),
        parts[0].conditions,
    )


def _format_conditions(conditions: Iterable[PolicyCondition]) -> str:
    return "; ".join(
        f"{condition.operator} {condition.key} {', '.join(map(str, condition.values))}" for condition in conditions
    )
