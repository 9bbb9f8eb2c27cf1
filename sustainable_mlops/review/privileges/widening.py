"""Privileges widened: what roles, keys, buckets and package groups allow after the plan and did not before.

Statements are compared per holder (a role, a bucket), not per policy: one that moves to another policy is no change.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.plan.iam import ROLE, Document, document
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.privileges.new_resources import Created
from sustainable_mlops.review.privileges.dangerous_permissions import WIDE_NAMES, at_worst, danger
from sustainable_mlops.review.privileges.grants import (
    Grant,
    Policy,
    Widened,
    Widening,
    comparisons,
    lost_denies,
    new_permissions,
    policy,
)
from sustainable_mlops.review.privileges.policy_owners import ATTACHED, Holder, Holders
from sustainable_mlops.review.privileges.policy_types import IDENTITY, TRUST, WITHOUT
from sustainable_mlops.review.privileges.roles import roles_changed
from sustainable_mlops.review.risk import Level, Risk, Section, worst

_MAY_DENY = re.compile(r"arn:[^:]*:iam::(?!aws:).*|.*(Deny|Quarantine).*", re.I)
_PRINCIPALS = ("aws_iam_role", "aws_iam_user", "aws_iam_group")
#: So many pairs of texts take some ten seconds: policies as long as AWS takes them need fewer.
_MOST = 30_000_000
_FIX = "Narrow it, or say why it is needed and accept it in the file of accepted risks."
_UNKNOWN = "is known only after apply or cannot be read"
_FIX_UNKNOWN = "Read it after apply, or apply what it refers to first and plan again."


def privileges(comparison: Comparison) -> Iterator[Risk]:
    """The privileges that a plan widens, and those of which it cannot be told."""
    holders = Holders(comparison)
    touched = [holder for holder in holders.touched() if not holder.gone]
    attaches_any = any(ATTACHED in holder.unknown.values() for holder in touched)
    context = _Context(comparison, Created(comparison), attaches_any)
    boundaries = list(_boundaries(comparison))
    context.gain(boundaries)
    found = {}
    for holder in sorted(touched, key=lambda holder: not holder.new):  # what is new may be handed on to what is there
        found[id(holder)] = [*_managed(holder), *_documents(holder, context)]
        if holder.group == IDENTITY and holder.owner is not None and holder.owner.type == ROLE:
            context.gain(found[id(holder)], holder.owner.address)
    for holder in touched:
        yield from found[id(holder)]
    yield from _restrictions(holders, comparison)
    yield from boundaries
    yield from roles_changed(comparison, context.gained)


@dataclass
class _Context:
    """What the judgement of one holder needs to know of the others."""

    comparison: Comparison
    created: Created
    #: Whether some attachment may be of any policy of the plan.
    attaches_any: bool = False
    #: The most serious that is told of what a role may do, by its address.
    gained: dict[str, Level] = field(default_factory=dict)

    def gain(self, risks: Iterable[Risk], role: str = "") -> None:
        for risk in risks:
            address = role or risk.address
            self.gained[address] = worst(risk.level, self.gained.get(address, Level.NOTE))

    def reaches_only_new(self, grant: Grant) -> list[str] | None:
        """The addresses of what the plan creates, where `grant` reaches nothing but that and gains nothing by it."""
        reached = [pair.address for pair in self.created.reached(grant) or ()]
        return reached if all(self.gained.get(address, Level.NOTE) is Level.NOTE for address in reached) else None


class _Read(NamedTuple):
    """A document, and whether the plan does anything to it."""

    document: Document
    changed: bool


def _documents(holder: Holder, context: _Context) -> Iterator[Risk]:
    before, after = _read_all(holder, context.comparison)
    old, new = _policy(before), _policy(after)
    if old == new and new.whole and new.certain:
        before, after = [], [one for one in after if one.document.declared_in]
    effort = comparisons(new.allows, old.allows + new.denies) + comparisons(old.denies, new.denies)
    if (before or after) and effort > _MOST:
        yield _cannot_tell(holder, holder.address, "all that it allows", "is too long to be compared")
        return
    for one, changed in after:
        own = policy(one.statements, whole=one.whole)
        found = list(_widened(holder, new, new_permissions(own.allows, old, new), one, context))
        yield from found
        if not own.whole and changed:
            yield _cannot_tell(holder, one.resource.address, f"its {one.path}")
        elif one.declared_in and not holder.new and all(risk.level is Level.NOTE for risk in found):
            why = f"is judged as {one.declared_in} declares it; a function around that would not show"
            yield _cannot_tell(holder, one.resource.address, f"its {one.path}", why)
    for one, changed in before:
        own = policy(one.statements, whole=one.whole)
        yield from _widened(holder, new, lost_denies(own.denies, new), one, context)
        if not own.whole and changed and new.whole:
            yield _cannot_tell(holder, one.resource.address, f"what its {one.path} denied")


def _read_all(holder: Holder, comparison: Comparison) -> tuple[list[_Read], list[_Read]]:
    places = holder.places
    if any(not place.computed for place in places):
        places = [place for place in places if not place.computed]
    found: tuple[dict[object, _Read], dict[object, _Read]] = ({}, {})
    for place in places:
        joins = comparison.joins_before if place.before else comparison.joins_after
        one = document(place.resource, place.path, joins)
        if one is not None and (one.whole or not place.computed):
            sides = [0] if place.before else [1]
            sides += [1] if place.before and place.resource.action == "forget" else []
            for side in sides:
                found[side].setdefault((place.resource, place.path), _Read(one, place.changed))
    return list(found[0].values()), list(found[1].values())


def _policy(documents: list[_Read]) -> Policy:
    whole = all(one.whole for one, _ in documents)
    return policy([statement for one, _ in documents for statement in one.statements], whole=whole)


def _widened(
    holder: Holder, new: Policy, found: Iterable[Widening], one: Document, context: _Context
) -> Iterator[Risk]:
    if holder.new:
        yield from _new(holder, found, one, context)
        return
    address = one.resource.address
    for widening in found:
        what = f"{holder.label}: {widening.kind}: {widening.grant}"
        _, why = danger(widening.grant, holder.group, context.comparison.accounts)
        name = f"PRIVILEGES_{widening.kind.name}"
        if widening.kind is not Widened.DENY and not why and (created := context.reaches_only_new(widening.grant)):
            what += f"; reaches only what this plan creates: {', '.join(created)}"
            known = not one.declared_in  # a function around what is declared would not show
            yield Risk(name, Section.PRIVILEGES, Level.LOOK, address, what, known=known)
        elif not widening.known:
            what += "; parts are known only after apply: cannot tell whether this is more than before"
            yield Risk("PRIVILEGES_UNKNOWN", Section.PRIVILEGES, Level.LOOK, address, what, _FIX_UNKNOWN, known=False)
        elif widening.kind is Widened.DENY and _denied_in_vain(widening.grant, holder, new):
            what += "; nothing that is left allows it"
            yield Risk(name, Section.PRIVILEGES, Level.NOTE, address, what)
        else:
            yield Risk(name, Section.PRIVILEGES, Level.STOP, address, f"{what} ({why})" if why else what, _FIX)


def _new(holder: Holder, found: Iterable[Widening], one: Document, context: _Context) -> Iterator[Risk]:
    """What a new holder may do: for the record, unless nobody should have it unnoticed, or that cannot be told."""
    harmless = []
    address, accounts = one.resource.address, context.comparison.accounts
    for widening in found:
        what = f"{holder.label}: {widening.kind}: {widening.grant}"
        level, why = danger(widening.grant, holder.group, accounts)
        _, at_most = danger(at_worst(widening.grant), holder.group, accounts)
        if not (why or at_most) or (_is_a_policy(holder) and not context.attaches_any):
            harmless.append(str(widening.grant))
        elif _is_a_policy(holder):
            what += f" ({why or at_most}); whether anybody gets it is known only after apply"
            yield Risk("PRIVILEGES_UNKNOWN", Section.PRIVILEGES, Level.LOOK, address, what, _FIX_UNKNOWN, known=False)
        elif why:
            yield Risk("PRIVILEGES_DANGEROUS", Section.PRIVILEGES, level, address, f"{what} ({why})", _FIX)
        else:
            what += f"; parts are known only after apply: cannot tell whether it is not {at_most}"
            yield Risk("PRIVILEGES_UNKNOWN", Section.PRIVILEGES, Level.LOOK, address, what, _FIX_UNKNOWN, known=False)
    if harmless:
        declared = f" (as {one.declared_in} declares it)" if one.declared_in else ""
        what = f"new: {holder.label}: {'; '.join(harmless)}{declared}"
        yield Risk("PRIVILEGES_NEW", Section.PRIVILEGES, Level.NOTE, address, what)


def _is_a_policy(holder: Holder) -> bool:
    """Whether it is a policy that nobody in this plan has: new, it gives nothing, and as a boundary it takes away."""
    return holder.owner is not None and holder.owner.type == "aws_iam_policy"


def _denied_in_vain(denied: Grant, holder: Holder, left: Policy) -> bool:
    """Whether nothing allows what was denied, as far as this plan tells of a role, user or group of its own."""
    if holder.group not in (IDENTITY, TRUST) or holder.owner is None or holder.owner.type not in _PRINCIPALS:
        return False
    outside = holder.managed_after or holder.unknown or any(one.computed for one in holder.managed_before.values())
    return left.whole and not outside and not any(allow.meets(denied) for allow in left.allows)


def _cannot_tell(holder: Holder, address: str, what: str, why: str = _UNKNOWN) -> Risk:
    text = f"{holder.label}: {what} {why}: cannot tell whether more is allowed"
    return Risk("PRIVILEGES_UNKNOWN", Section.PRIVILEGES, Level.LOOK, address, text, _FIX_UNKNOWN, known=False)


def _managed(holder: Holder) -> Iterator[Risk]:
    for what in dict.fromkeys(holder.unknown.values()):
        first, *others = (address for address, one in holder.unknown.items() if one == what)
        more = f" (and of {len(others)} other resources)" if others else ""
        yield _cannot_tell(holder, first, f"{what}{more}")
    for arn, managed in holder.managed_after.items():
        if arn in holder.managed_before:
            continue
        what = f"{holder.label}: attaches {arn}, {_whose(arn)}"
        if WIDE_NAMES.search(arn):
            yield Risk("PRIVILEGES_FULL_ACCESS", Section.PRIVILEGES, Level.STOP, managed.address, what, _FIX)
        elif not holder.new:
            yield Risk("PRIVILEGES_ATTACHED", Section.PRIVILEGES, Level.STOP, managed.address, what, _FIX)
        else:
            yield Risk("PRIVILEGES_ATTACHED", Section.PRIVILEGES, Level.LOOK, managed.address, what, _FIX, known=False)
    for arn, managed in holder.managed_before.items():
        if arn not in holder.managed_after and not managed.computed and _MAY_DENY.fullmatch(arn):
            what = f"{holder.label}: detaches {arn}, {_whose(arn)}: what it denies, if anything, is lost"
            yield Risk("PRIVILEGES_DETACHED", Section.PRIVILEGES, Level.LOOK, managed.address, what, known=False)


def _whose(arn: str) -> str:
    return "a policy of AWS's own" if ":iam::aws:policy/" in arn else "which is not in this plan"


def _restrictions(holders: Holders, comparison: Comparison) -> Iterator[Risk]:
    """Policies without which more is allowed, not less."""
    for pair in comparison.changes:
        if pair.type not in WITHOUT or pair.before is None or pair.after is not None or pair.action == "forget":
            continue
        owner, (level, why) = holders.owner(pair), WITHOUT[pair.type]
        if owner is None or owner.after is not None:
            yield Risk("PRIVILEGES_DEFAULT", Section.PRIVILEGES, level, pair.address, f"deleted: {why}", _FIX)


def _boundaries(comparison: Comparison) -> Iterator[Risk]:
    for pair in (*comparison.by_type.get("aws_iam_role", ()), *comparison.by_type.get("aws_iam_user", ())):
        if pair.before is None or pair.after is None:
            continue
        old, new = pair.before.text("permissions_boundary"), pair.after.text("permissions_boundary")
        if old is None or (old == new and old is not UNKNOWN):
            continue
        if new is UNKNOWN or (old is UNKNOWN and new is not None):
            yield Risk(
                "PRIVILEGES_UNKNOWN", Section.PRIVILEGES, Level.LOOK, pair.address,
                "the permissions boundary is known only after apply", _FIX_UNKNOWN, known=False,
            )  # fmt: skip
        else:
            what = f"permissions boundary {old} {f'replaced by {new}' if new else 'removed'}"
            yield Risk("PRIVILEGES_BOUNDARY", Section.PRIVILEGES, Level.STOP, pair.address, what, _FIX)
