"""Privileges widened: what roles, keys, buckets and package groups allow after the plan and did not before.

Statements are compared per holder (a role, a bucket), not per policy: one that moves to another policy is no change.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan.iam import Document, document
from sustainable_mlops.review.comparison import Comparison, Pair
from sustainable_mlops.review.danger import danger
from sustainable_mlops.review.grants import Policy, Widening, lost_denies, new_permissions, policy
from sustainable_mlops.review.policy_types import ATTACHMENTS, IDENTITY, POLICY_TYPES, PolicyType
from sustainable_mlops.review.risk import Level, Risk, Section

_WIDE_NAMES = re.compile(r"(FullAccess|AdministratorAccess|PowerUserAccess)$")
_FIX = "Narrow it, or say why it is needed and accept it in the file of accepted risks."
_FIX_UNKNOWN = "Read it after apply, or apply what it refers to first and plan again."


class _Place(NamedTuple):
    """Where a document is. A computed one is read back from AWS, often what another resource manages."""

    resource: Resource
    path: str
    before: bool
    computed: bool


@dataclass
class Holder:
    """Who or what policies belong to, and where all of them are, on both sides."""

    label: str
    group: str
    owner: Pair | None
    address: str
    places: list[_Place] = field(default_factory=list)
    managed_before: dict[str, str] = field(default_factory=dict)  # ARN of a policy outside the plan → address
    managed_after: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)  # addresses of attachments of what is known only after apply

    @property
    def new(self) -> bool:
        """Whether there was no such holder before."""
        return self.owner is not None and self.owner.is_new

    @property
    def gone(self) -> bool:
        """Whether there is no such holder after the plan."""
        return self.owner is not None and self.owner.after is None


def privileges(comparison: Comparison) -> Iterator[Risk]:
    """The privileges that a plan widens, and those of which it cannot be told."""
    if any(pair.type in POLICY_TYPES or pair.type in ATTACHMENTS for pair in comparison.changes):
        reader = _Reader(comparison)
        for holder in reader.touched():
            if not holder.gone:
                yield from _managed(holder)
                yield from _documents(holder, comparison)
    yield from _boundaries(comparison)
    yield from _roles_changed(comparison)


class _Reader:
    """Sorts policies by their holders."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._holders: dict[object, Holder] = {}
        self._touched: set[object] = set()
        self._attached_policies: set[object] = set()

    def touched(self) -> list[Holder]:
        """The holders that some change touches, with all their policies, also those that stay as they are."""
        for type_ in (*POLICY_TYPES, *ATTACHMENTS):
            for pair in self._comparison.by_type.get(type_, ()):
                for resource, values, before in ((pair.old, pair.before, True), (pair.new, pair.after, False)):
                    if resource is not None and values is not None:
                        self._read(pair, resource, values, before)
        # What an attached policy allows is told of whoever it is attached to.
        return [self._holders[key] for key in self._holders if key in self._touched - self._attached_policies]

    def _read(self, pair: Pair, resource: Resource, values: Block, before: bool) -> None:
        kind = ATTACHMENTS.get(pair.type)
        if kind is not None:
            self._attached(self._holder(pair, resource, kind, before), resource, values, before)
        for kind in POLICY_TYPES.get(pair.type, ()):
            holder = self._holder(pair, resource, kind, before)
            joins = self._comparison.joins_before if before else self._comparison.joins_after
            for path in _paths(values, kind.path):
                computed = joins.configured(resource, path.partition(".")[0]) is False
                holder.places.append(_Place(resource, path, before, computed))
        if pair.type == "aws_iam_role":
            holder = self._holder(pair, resource, POLICY_TYPES["aws_iam_role"][1], before)
            arns = values.texts("managed_policy_arns")
            for arn in [] if arns is UNKNOWN else arns:
                self._managed(holder, arn, resource, before)

    def _attached(self, holder: Holder, attachment: Resource, values: Block, before: bool) -> None:
        joins = self._comparison.joins_before if before else self._comparison.joins_after
        found = joins.target(attachment, "policy_arn", "aws_iam_policy")
        if isinstance(found, Resource):
            holder.places.append(_Place(found, "policy", before, computed=False))
            self._attached_policies.add((IDENTITY, self._comparison.pair(found).address))
            if self._comparison.pair(found).action not in ("no-op", "read"):
                self._touched.add((holder.group, holder.label))
        else:
            self._managed(holder, values.text("policy_arn"), attachment, before)

    def _managed(self, holder: Holder, arn: object, resource: Resource, before: bool) -> None:
        if not isinstance(arn, str):
            holder.unknown += [] if before else [resource.address]
        elif before:
            holder.managed_before[arn] = resource.address
        else:
            holder.managed_after[arn] = resource.address

    def _holder(self, pair: Pair, resource: Resource, kind: PolicyType, before: bool) -> Holder:
        label, owner = self._owner(pair, resource, kind, before)
        key = (kind.group, label)
        if pair.action not in ("no-op", "read"):
            self._touched.add(key)
        if key not in self._holders:
            self._holders[key] = Holder(label, kind.group, owner, pair.address)
        return self._holders[key]

    def _owner(self, pair: Pair, resource: Resource, kind: PolicyType, before: bool) -> tuple[str, Pair | None]:
        """A name for people and the resource, where it is in the plan, of whoever the policy belongs to."""
        if not kind.owner:
            return pair.address, pair
        joins = self._comparison.joins_before if before else self._comparison.joins_after
        found = joins.target(resource, kind.owner_path, kind.owner[0])
        if isinstance(found, Resource):
            owner = self._comparison.pair(found)
            return owner.address, owner
        name = resource.values(before=joins.before).text(kind.owner_path)
        return (f"{kind.owner[0]} {name}" if isinstance(name, str) else pair.address), None


def _paths(values: Block, path: str) -> Iterator[str]:
    """The paths that `inline_policy.*.policy` stands for."""
    outer, star, inner = path.partition(".*.")
    if not star:
        yield path
        return
    found = values.blocks(outer)
    yield from () if found is UNKNOWN else (f"{block.path}.{inner}" for block in found)


def _documents(holder: Holder, comparison: Comparison) -> Iterator[Risk]:
    before, after = _read_all(holder, comparison)
    old, new = _policy(before), _policy(after)
    if old == new and new.whole:
        return
    for one in after:
        own = policy(one.statements, whole=one.whole)
        found = list(new_permissions(own.allows, old, new))
        yield from _widened(holder, found, one.resource.address, comparison)
        if not own.whole:
            yield _cannot_tell(holder, one.resource.address, f"the policy at {one.path}")
    for one in before:
        found = list(lost_denies(policy(one.statements).denies, new))
        yield from _widened(holder, found, one.resource.address, comparison)


def _read_all(holder: Holder, comparison: Comparison) -> tuple[list[Document], list[Document]]:
    places = holder.places
    if any(not place.computed for place in places):
        places = [place for place in places if not place.computed]
    found: tuple[list[Document], list[Document]] = ([], [])
    for place in dict.fromkeys(places):
        joins = comparison.joins_before if place.before else comparison.joins_after
        one = document(place.resource, place.path, joins)
        if one is not None and (one.whole or not place.computed):
            found[0 if place.before else 1].append(one)
    return found


def _policy(documents: list[Document]) -> Policy:
    whole = all(one.whole for one in documents)
    return policy([statement for one in documents for statement in one.statements], whole=whole)


def _widened(holder: Holder, found: list[Widening], address: str, comparison: Comparison) -> Iterator[Risk]:
    harmless = []
    for widening in found:
        what = f"{holder.label}: {widening.kind}: {widening.grant}"
        why = danger(widening.grant, holder.group, comparison.accounts)
        if not widening.known and not (holder.new and why):
            what += "; parts are known only after apply: cannot tell whether this is more than before"
            yield Risk("PRIVILEGES_UNKNOWN", Section.PRIVILEGES, Level.LOOK, address, what, _FIX_UNKNOWN, known=False)
        elif holder.new and not why:
            harmless.append(str(widening.grant))
        else:
            name = "PRIVILEGES_DANGEROUS" if holder.new else f"PRIVILEGES_{widening.kind.name}"
            yield Risk(name, Section.PRIVILEGES, Level.STOP, address, f"{what} ({why})" if why else what, _FIX)
    if harmless:
        what = f"new: {holder.label}: {'; '.join(harmless)}"
        yield Risk("PRIVILEGES_NEW", Section.PRIVILEGES, Level.NOTE, address, what)


def _cannot_tell(holder: Holder, address: str, what: str) -> Risk:
    text = f"{holder.label}: {what} is known only after apply or cannot be read: cannot tell what it allows"
    return Risk("PRIVILEGES_UNKNOWN", Section.PRIVILEGES, Level.LOOK, address, text, _FIX_UNKNOWN, known=False)


def _managed(holder: Holder) -> Iterator[Risk]:
    for address in holder.unknown:
        yield _cannot_tell(holder, address, "an attached policy")
    for arn, address in holder.managed_after.items():
        if arn in holder.managed_before:
            continue
        what = f"{holder.label}: attaches {arn}, which is not in this plan"
        if _WIDE_NAMES.search(arn):
            yield Risk("PRIVILEGES_FULL_ACCESS", Section.PRIVILEGES, Level.STOP, address, what, _FIX)
        elif not holder.new:
            yield Risk("PRIVILEGES_ATTACHED", Section.PRIVILEGES, Level.STOP, address, what, _FIX)
        else:
            yield Risk("PRIVILEGES_ATTACHED", Section.PRIVILEGES, Level.LOOK, address, what, _FIX, known=False)


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


def _roles_changed(comparison: Comparison) -> Iterator[Risk]:
    """What runs as another role than before: the role may be the same, its privileges are not."""
    for pair in comparison.changes:
        if pair.before is None or pair.after is None or not pair.type.startswith("aws_sagemaker_"):
            continue
        for attribute in ("execution_role_arn", "role_arn"):
            old, new = pair.before.text(attribute), pair.after.text(attribute)
            if isinstance(old, str) and isinstance(new, str) and old != new:
                what = f"runs as {new} instead of {old}"
                yield Risk("PRIVILEGES_ROLE", Section.PRIVILEGES, Level.LOOK, pair.address, what)
