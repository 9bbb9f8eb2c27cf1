"""Whose each policy of a plan is, before and after it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block, Joins, Resource
from sustainable_mlops.plan.iam import find_own_policies, parse_statements
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.privileges.policy_types import ATTACHMENTS, IDENTITY, POLICY_TYPES, RESOURCE, PolicyType

_POLICY_ATTRIBUTE = re.compile(r"(?:.*_)?polic(?:y|ies)(?:_document|_text|_json)?")
_NO_CHANGE = ("no-op", "read")
#: What of a holder cannot be told where it is known only after apply which policy is attached.
ATTACHED_POLICY = "an attached policy"


class PolicySource(NamedTuple):
    """Where a document is. A computed one is read back from AWS, often what another resource manages."""

    resource: Resource
    path: str
    is_before: bool
    is_computed: bool
    is_changed: bool


class ManagedPolicy(NamedTuple):
    """A policy outside the plan, attached by the resource at `address`."""

    arn: str
    address: str
    is_computed: bool


@dataclass
class PolicyOwner:
    """Who or what policies belong to, and where all of them are, on both sides."""

    label: str
    group: str
    pair: ResourcePair | None
    address: str
    sources: list[PolicySource] = field(default_factory=list)
    managed_before: dict[str, ManagedPolicy] = field(default_factory=dict)
    managed_after: dict[str, ManagedPolicy] = field(default_factory=dict)
    unknowns: dict[str, str] = field(default_factory=dict)  # the address of a resource → what of it cannot be told

    @property
    def is_new(self) -> bool:
        """Whether there was no such holder before."""
        return self.pair is not None and self.pair.is_new

    @property
    def is_deleted(self) -> bool:
        """Whether there is no such holder after the plan."""
        return self.pair is not None and self.pair.after is None


class _Side(NamedTuple):
    """One side of a pair."""

    pair: ResourcePair
    resource: Resource
    values: Block
    joins: Joins
    before: bool

    def configured(self, path: str) -> object:
        return self.joins.is_configured(self.resource, path.partition(".")[0])


class PolicyOwnerIndex:
    """Sorts policies by their holders."""

    def __init__(self, comparison: Comparison) -> None:
        """Nothing is read before `touched`."""
        self._comparison = comparison
        self._holders: dict[tuple[str, str], PolicyOwner] = {}
        self._touched: set[tuple[str, str]] = set()
        self._attached: dict[tuple[str, str], list[PolicyOwner]] = {}  # an attached policy's own key → to whom
        self._owners: dict[tuple[int, str], tuple[str, ResourcePair | None]] = {}

    def list_touched_owners(self) -> Iterator[PolicyOwner]:
        """The holders that some change touches, with all their policies, also those that stay as they are."""
        changes = self._comparison.changes
        if any(pair.type in POLICY_TYPES or pair.type in ATTACHMENTS for pair in changes):
            for type_ in {**POLICY_TYPES, **ATTACHMENTS}:
                for pair in self._comparison.by_type.get(type_, ()):
                    for side in self._sides(pair):
                        self._read(side)
        for pair in changes:
            if pair.type not in POLICY_TYPES:
                self._read_other(pair)
        for key, owner in self._holders.items():
            if key in self._touched and not self._told_elsewhere(key, owner):
                yield owner

    def _told_elsewhere(self, key: tuple[str, str], policy_owner: PolicyOwner) -> bool:
        """What an attached policy allows is told of those it is attached to, if they were there to see it change."""
        attached_owners = self._attached.get(key, [])
        return bool(attached_owners) and (policy_owner.is_new or any(not owner.is_new for owner in attached_owners))

    def find_owner(self, pair: ResourcePair) -> ResourcePair | None:
        """Whose policy `pair` is, where that is in the plan."""
        side = next(self._sides(pair))
        owners = [self._owner(side, kind, kind.owner_path) for kind in POLICY_TYPES.get(pair.type, ())]
        return owners[0][1] if owners and owners[0] else None

    def _sides(self, pair: ResourcePair) -> Iterator[_Side]:
        if pair.old is not None and pair.before is not None:
            yield _Side(pair, pair.old, pair.before, self._comparison.joins_before, before=True)
        if pair.new is not None and pair.after is not None:
            yield _Side(pair, pair.new, pair.after, self._comparison.joins_after, before=False)

    def _read(self, side: _Side) -> None:
        for kind in POLICY_TYPES.get(side.pair.type, ()):
            owner = self._holder(side, kind, kind.owner_path)
            paths = (path for path in _expand_paths(side.values, kind.path) if not _is_repeated(side, path))
            owner.sources += [_build_source(side, path) for path in paths]
        for kind in ATTACHMENTS.get(side.pair.type, ()):
            for owner_path in _expand_paths(side.values, kind.owner_path):
                owner = self._holder(side, kind, owner_path)
                for path in _expand_paths(side.values, kind.path):
                    self._attach(owner, side, path, own=not kind.owner)

    def _attach(self, owner: PolicyOwner, side: _Side, path: str, *, own: bool) -> None:
        # Where a role does not list its policies, the list repeats what others had attached when it was last read.
        computed = own and side.configured(path) is False
        if computed and not side.before and path.partition(".")[0] not in side.resource.drift:
            return
        plan_policies = find_own_policies(side.resource, path, side.joins)
        for policy in plan_policies:
            self._attach_own(owner, side, policy)
        if plan_policies:
            return
        arn = side.values.text(path)
        if not isinstance(arn, str):
            if not side.before:
                owner.unknowns[side.pair.address] = ATTACHED_POLICY
            return
        managed = ManagedPolicy(arn, side.pair.address, computed)
        if side.before:
            owner.managed_before[arn] = managed
        if not side.before or side.pair.action == "forget":
            owner.managed_after[arn] = managed

    def _attach_own(self, owner: PolicyOwner, side: _Side, policy_resource: Resource) -> None:
        """A policy of the plan that is attached, or may be: no more than that can come of it."""
        policy = self._comparison.pair(policy_resource)
        changed = policy.action not in _NO_CHANGE
        if changed:
            self._touched.add((owner.group, owner.label))
        changed |= side.pair.action not in _NO_CHANGE
        owner.sources.append(PolicySource(policy_resource, "policy", side.before, computed=False, changed=changed))
        if not side.before:
            self._attached.setdefault((IDENTITY, policy.address), []).append(owner)

    def _read_other(self, pair: ResourcePair) -> None:
        """A type that is not in the tables: whatever reads as a policy in it."""
        sides = list(self._sides(pair))
        paths = dict.fromkeys(path for side in sides for path in _list_policy_paths(side))
        texts = [str(side.values.get(path, "")) for side in sides for path in paths]
        group = RESOURCE if any("Principal" in text for text in texts) else IDENTITY
        for side in sides if paths else ():
            # A policy is no holder: who had it may be there after it.
            owner = self._served(side) if pair.type.endswith("_policy") else pair
            label = pair.address if owner is None else owner.address
            self._add(side, group, label, owner).sources += [_build_source(side, path) for path in paths]

    def _served(self, side: _Side) -> ResourcePair | None:
        """The one resource that a policy's other attributes refer to."""
        resources = {
            id(resource): resource
            for name in side.values
            if not _POLICY_ATTRIBUTE.fullmatch(name)
            for resource in side.joins.find_references(side.resource, name).resources
            if resource.mode == "managed" and resource.exists(before=side.joins.before)
        }
        return self._comparison.pair(next(iter(resources.values()))) if len(resources) == 1 else None

    def _holder(self, side: _Side, kind: PolicyType, owner_path: str) -> PolicyOwner:
        key = id(side.pair), owner_path
        owner_found, earlier = self._owner(side, kind, owner_path), self._owners.get(key)
        label, owner = owner_found or earlier or (side.pair.address, None)
        self._owners[key] = label, owner
        policy_owner = self._add(side, kind.group, label, owner)
        if owner_found is None and earlier is not None:
            policy_owner.unknowns[side.pair.address] = "whom the policy belongs to"
        return policy_owner

    def _owner(self, side: _Side, kind: PolicyType, owner_path: str) -> tuple[str, ResourcePair | None] | None:
        """A name for people and the resource, if in the plan, of whoever a policy belongs to; None if unknown."""
        if not kind.owner:
            return side.pair.address, side.pair
        resource = side.joins.find_target(side.resource, owner_path, kind.owner)
        if isinstance(resource, Resource):
            owner = self._comparison.pair(resource)
            return owner.address, owner
        name = side.values.text(owner_path)
        if name is UNKNOWN:
            return None
        return (side.pair.address if name is None else f"{kind.owner} {name}"), None

    def _add(self, side: _Side, group: str, label: str, owner: ResourcePair | None) -> PolicyOwner:
        key = (group, label)
        if side.pair.action not in _NO_CHANGE:
            self._touched.add(key)
        return self._holders.setdefault(key, PolicyOwner(label, group, owner, side.pair.address))


def _is_repeated(side: _Side, path: str) -> bool:
    """Whether it is in a role only as the copy of a policy that is a resource of its own."""
    name = side.values.text(f"{path.rpartition('.')[0]}.name") if path.startswith("inline_policy.") else None
    return name is not None and name in side.joins.list_inline_policy_names(side.resource)


def _build_source(side: _Side, path: str) -> PolicySource:
    """What the plan itself changes is no copy of something else: `dynamic` blocks do not show as configured."""
    pair, name = side.pair, path.partition(".")[0]
    old, new = (None if values is None else values.get(name) for values in (pair.before, pair.after))
    computed = side.configured(path) is False and (old == new or new is UNKNOWN)
    changed = old != new or not _is_certain(new) or pair.action in ("replace", "forget")
    return PolicySource(side.resource, path, side.before, computed, changed)


def _is_certain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_certain, value.values()))
    return all(map(_is_certain, value)) if isinstance(value, list) else value is not UNKNOWN


def _expand_paths(values: Block, path: str) -> Iterator[str]:
    """The paths that `inline_policy.*.policy` stands for; the list itself where it cannot be read."""
    outer, star, inner = path.partition(".*")
    items = values.get(outer) if star else None
    if isinstance(items, list):
        yield from (f"{outer}.{position}{inner}" for position in range(len(items)))
    elif not star or items is not None:
        yield outer


def _list_policy_paths(side: _Side) -> Iterator[str]:
    """Where in a resource of any type there is a policy document, or may be one that cannot be read."""
    pending: list[tuple[str, Any]] = [] if side.values.values is UNKNOWN else list(side.values.values.items())
    while pending:
        path, value = pending.pop()
        if type(value) is str:
            if '"Statement"' in value and parse_statements(value) is not None:
                yield path
        elif isinstance(value, dict):
            pending += [(f"{path}.{key}", below) for key, below in value.items()]
        elif isinstance(value, list):
            pending += [(f"{path}.{position}", below) for position, below in enumerate(value)]
        elif _is_unreadable(value) and _POLICY_ATTRIBUTE.fullmatch(path) and side.configured(path) is True:
            yield path


def _is_unreadable(value: Any) -> bool:
    return value is UNKNOWN or isinstance(value, Sensitive)
