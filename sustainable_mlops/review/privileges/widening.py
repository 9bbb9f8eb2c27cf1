"""Privileges widened: what roles, keys, buckets and package groups allow after the plan and did not before.

Statements are compared per holder (a role, a bucket), not per policy: one that moves to another policy is no change.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.plan.iam import ROLE, PolicyDocument, read_document
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.privileges.dangerous_permissions import WIDE_NAMES, assess_danger, widen_unknowns
from sustainable_mlops.review.privileges.grants import (
    EffectivePolicy,
    Grant,
    Widening,
    WideningKind,
    count_comparisons,
    find_lost_denies,
    find_new_permissions,
    merge_statements,
)
from sustainable_mlops.review.privileges.new_resources import NewResources
from sustainable_mlops.review.privileges.policy_owners import ATTACHED_POLICY, PolicyOwner, PolicyOwnerIndex
from sustainable_mlops.review.privileges.policy_types import IDENTITY, RESTRICTIONS, TRUST
from sustainable_mlops.review.privileges.roles import find_role_risks
from sustainable_mlops.review.risk import Level, Risk, RiskArea, pick_worst

_MAY_DENY = re.compile(r"arn:[^:]*:iam::(?!aws:).*|.*(Deny|Quarantine).*", re.I)
_PRINCIPALS = ("aws_iam_role", "aws_iam_user", "aws_iam_group")
#: So many pairs of texts take some ten seconds: policies as long as AWS takes them need fewer.
_MOST = 30_000_000
_FIX = "Narrow it, or say why it is needed and accept it in the file of accepted risks."
_UNKNOWN = "is known only after apply or cannot be read"
_FIX_UNKNOWN = "Read it after apply, or apply what it refers to first and plan again."


def find_privilege_risks(comparison: Comparison) -> Iterator[Risk]:
    """The privileges that a plan widens, and those of which it cannot be told."""
    holders = PolicyOwnerIndex(comparison)
    touched = [holder for holder in holders.list_touched_owners() if not holder.is_deleted]
    attaches_any = any(ATTACHED_POLICY in holder.unknowns.values() for holder in touched)
    context = _Context(comparison, NewResources(comparison), attaches_any)
    boundaries = list(_boundaries(comparison))
    context.gain(boundaries)
    found = {}
    for holder in sorted(
        touched, key=lambda holder: not holder.is_new
    ):  # what is new may be handed on to what is there
        found[id(holder)] = [*_managed(holder), *_documents(holder, context)]
        if holder.group == IDENTITY and holder.pair is not None and holder.pair.type == ROLE:
            context.gain(found[id(holder)], holder.pair.address)
    for holder in touched:
        yield from found[id(holder)]
    yield from _restrictions(holders, comparison)
    yield from boundaries
    yield from find_role_risks(comparison, context.gained)


@dataclass
class _Context:
    """What the judgement of one holder needs to know of the others."""

    comparison: Comparison
    created: NewResources
    #: Whether some attachment may be of any policy of the plan.
    attaches_any: bool = False
    #: The most serious that is told of what a role may do, by its address.
    gained: dict[str, Level] = field(default_factory=dict)

    def gain(self, risks: Iterable[Risk], role: str = "") -> None:
        for risk in risks:
            address = role or risk.address
            self.gained[address] = pick_worst(risk.level, self.gained.get(address, Level.NOTE))

    def reaches_only_new(self, grant: Grant) -> list[str] | None:
        """The addresses of what the plan creates, where `grant` reaches nothing but that and gains nothing by it."""
        reached = [pair.address for pair in self.created.find_reached(grant) or ()]
        return reached if all(self.gained.get(address, Level.NOTE) is Level.NOTE for address in reached) else None


class _Read(NamedTuple):
    """A document, and whether the plan does anything to it."""

    document: PolicyDocument
    changed: bool


def _documents(holder: PolicyOwner, context: _Context) -> Iterator[Risk]:
    before, after = _read_all(holder, context.comparison)
    old, new = _policy(before), _policy(after)
    if old == new and new.is_complete and new.is_certain:
        before, after = [], [one for one in after if one.document.data_source]
    effort = count_comparisons(new.allows, old.allows + new.denies) + count_comparisons(old.denies, new.denies)
    if (before or after) and effort > _MOST:
        yield _cannot_tell(holder, holder.address, "all that it allows", "is too long to be compared")
        return
    for one, changed in after:
        own = merge_statements(one.statements, whole=one.is_complete)
        found = list(_widened(holder, new, find_new_permissions(own.allows, old, new), one, context))
        yield from found
        if not own.is_complete and changed:
            yield _cannot_tell(holder, one.resource.address, f"its {one.path}")
        elif one.data_source and not holder.is_new and all(risk.level is Level.NOTE for risk in found):
            why = f"is judged as {one.data_source} declares it; a function around that would not show"
            yield _cannot_tell(holder, one.resource.address, f"its {one.path}", why)
    for one, changed in before:
        own = merge_statements(one.statements, whole=one.is_complete)
        yield from _widened(holder, new, find_lost_denies(own.denies, new), one, context)
        if not own.is_complete and changed and new.is_complete:
            yield _cannot_tell(holder, one.resource.address, f"what its {one.path} denied")


def _read_all(holder: PolicyOwner, comparison: Comparison) -> tuple[list[_Read], list[_Read]]:
    places = holder.sources
    if any(not place.is_computed for place in places):
        places = [place for place in places if not place.is_computed]
    found: tuple[dict[object, _Read], dict[object, _Read]] = ({}, {})
    for place in places:
        joins = comparison.joins_before if place.is_before else comparison.joins_after
        one = read_document(place.resource, place.path, joins)
        if one is not None and (one.is_complete or not place.is_computed):
            sides = [0] if place.is_before else [1]
            sides += [1] if place.is_before and place.resource.action == "forget" else []
            for side in sides:
                found[side].setdefault((place.resource, place.path), _Read(one, place.is_changed))
    return list(found[0].values()), list(found[1].values())


def _policy(documents: list[_Read]) -> EffectivePolicy:
    whole = all(one.is_complete for one, _ in documents)
    return merge_statements([statement for one, _ in documents for statement in one.statements], whole=whole)


def _widened(
    holder: PolicyOwner, new: EffectivePolicy, found: Iterable[Widening], one: PolicyDocument, context: _Context
) -> Iterator[Risk]:
    if holder.is_new:
        yield from _new(holder, found, one, context)
        return
    address = one.resource.address
    for widening in found:
        what = f"{holder.label}: {widening.kind}: {widening.grant}"
        _, why = assess_danger(widening.grant, holder.group, context.comparison.accounts)
        name = f"PRIVILEGES_{widening.kind.name}"
        if widening.kind is not WideningKind.DENY and not why and (created := context.reaches_only_new(widening.grant)):
            what += f"; reaches only what this plan creates: {', '.join(created)}"
            known = not one.data_source  # a function around what is declared would not show
            yield Risk(name, RiskArea.PRIVILEGES, Level.LOOK, address, what, known=known)
        elif not widening.is_known:
            what += "; parts are known only after apply: cannot tell whether this is more than before"
            yield Risk("PRIVILEGES_UNKNOWN", RiskArea.PRIVILEGES, Level.LOOK, address, what, _FIX_UNKNOWN, known=False)
        elif widening.kind is WideningKind.DENY and _denied_in_vain(widening.grant, holder, new):
            what += "; nothing that is left allows it"
            yield Risk(name, RiskArea.PRIVILEGES, Level.NOTE, address, what)
        else:
            yield Risk(name, RiskArea.PRIVILEGES, Level.STOP, address, f"{what} ({why})" if why else what, _FIX)


def _new(holder: PolicyOwner, found: Iterable[Widening], one: PolicyDocument, context: _Context) -> Iterator[Risk]:
    """What a new holder may do: for the record, unless nobody should have it unnoticed, or that cannot be told."""
    harmless = []
    address, accounts = one.resource.address, context.comparison.accounts
    for widening in found:
        what = f"{holder.label}: {widening.kind}: {widening.grant}"
        level, why = assess_danger(widening.grant, holder.group, accounts)
        _, at_most = assess_danger(widen_unknowns(widening.grant), holder.group, accounts)
        if not (why or at_most) or (_is_a_policy(holder) and not context.attaches_any):
            harmless.append(str(widening.grant))
        elif _is_a_policy(holder):
            what += f" ({why or at_most}); whether anybody gets it is known only after apply"
            yield Risk("PRIVILEGES_UNKNOWN", RiskArea.PRIVILEGES, Level.LOOK, address, what, _FIX_UNKNOWN, known=False)
        elif why:
            yield Risk("PRIVILEGES_DANGEROUS", RiskArea.PRIVILEGES, level, address, f"{what} ({why})", _FIX)
        else:
            what += f"; parts are known only after apply: cannot tell whether it is not {at_most}"
            yield Risk("PRIVILEGES_UNKNOWN", RiskArea.PRIVILEGES, Level.LOOK, address, what, _FIX_UNKNOWN, known=False)
    if harmless:
        declared = f" (as {one.data_source} declares it)" if one.data_source else ""
        what = f"new: {holder.label}: {'; '.join(harmless)}{declared}"
        yield Risk("PRIVILEGES_NEW", RiskArea.PRIVILEGES, Level.NOTE, address, what)


def _is_a_policy(holder: PolicyOwner) -> bool:
    """Whether it is a policy that nobody in this plan has: new, it gives nothing, and as a boundary it takes away."""
    return holder.pair is not None and holder.pair.type == "aws_iam_policy"


def _denied_in_vain(denied: Grant, holder: PolicyOwner, left: EffectivePolicy) -> bool:
    """Whether nothing allows what was denied, as far as this plan tells of a role, user or group of its own."""
    if holder.group not in (IDENTITY, TRUST) or holder.pair is None or holder.pair.type not in _PRINCIPALS:
        return False
    outside = holder.managed_after or holder.unknowns or any(one.is_computed for one in holder.managed_before.values())
    return left.is_complete and not outside and not any(allow.overlaps(denied) for allow in left.allows)


def _cannot_tell(holder: PolicyOwner, address: str, what: str, why: str = _UNKNOWN) -> Risk:
    text = f"{holder.label}: {what} {why}: cannot tell whether more is allowed"
    return Risk("PRIVILEGES_UNKNOWN", RiskArea.PRIVILEGES, Level.LOOK, address, text, _FIX_UNKNOWN, known=False)


def _managed(holder: PolicyOwner) -> Iterator[Risk]:
    for what in dict.fromkeys(holder.unknowns.values()):
        first, *others = (address for address, one in holder.unknowns.items() if one == what)
        more = f" (and of {len(others)} other resources)" if others else ""
        yield _cannot_tell(holder, first, f"{what}{more}")
    for arn, managed in holder.managed_after.items():
        if arn in holder.managed_before:
            continue
        what = f"{holder.label}: attaches {arn}, {_whose(arn)}"
        if WIDE_NAMES.search(arn):
            yield Risk("PRIVILEGES_FULL_ACCESS", RiskArea.PRIVILEGES, Level.STOP, managed.address, what, _FIX)
        elif not holder.is_new:
            yield Risk("PRIVILEGES_ATTACHED", RiskArea.PRIVILEGES, Level.STOP, managed.address, what, _FIX)
        else:
            yield Risk("PRIVILEGES_ATTACHED", RiskArea.PRIVILEGES, Level.LOOK, managed.address, what, _FIX, known=False)
    for arn, managed in holder.managed_before.items():
        if arn not in holder.managed_after and not managed.is_computed and _MAY_DENY.fullmatch(arn):
            what = f"{holder.label}: detaches {arn}, {_whose(arn)}: what it denies, if anything, is lost"
            yield Risk("PRIVILEGES_DETACHED", RiskArea.PRIVILEGES, Level.LOOK, managed.address, what, known=False)


def _whose(arn: str) -> str:
    return "a policy of AWS's own" if ":iam::aws:policy/" in arn else "which is not in this plan"


def _restrictions(holders: PolicyOwnerIndex, comparison: Comparison) -> Iterator[Risk]:
    """Policies without which more is allowed, not less."""
    for pair in comparison.changes:
        if pair.type not in RESTRICTIONS or pair.before is None or pair.after is not None or pair.action == "forget":
            continue
        owner, (level, why) = holders.find_owner(pair), RESTRICTIONS[pair.type]
        if owner is None or owner.after is not None:
            yield Risk("PRIVILEGES_DEFAULT", RiskArea.PRIVILEGES, level, pair.address, f"deleted: {why}", _FIX)


def _boundaries(comparison: Comparison) -> Iterator[Risk]:
    for pair in (*comparison.by_type.get("aws_iam_role", ()), *comparison.by_type.get("aws_iam_user", ())):
        if pair.before is None or pair.after is None:
            continue
        old, new = pair.before.text("permissions_boundary"), pair.after.text("permissions_boundary")
        if old is None or (old == new and old is not UNKNOWN):
            continue
        if new is UNKNOWN or (old is UNKNOWN and new is not None):
            yield Risk(
                "PRIVILEGES_UNKNOWN", RiskArea.PRIVILEGES, Level.LOOK, pair.address,
                "the permissions boundary is known only after apply", _FIX_UNKNOWN, known=False,
            )  # fmt: skip
        else:
            what = f"permissions boundary {old} {f'replaced by {new}' if new else 'removed'}"
            yield Risk("PRIVILEGES_BOUNDARY", RiskArea.PRIVILEGES, Level.STOP, pair.address, what, _FIX)
