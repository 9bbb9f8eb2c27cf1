"""The policies of a plan by their owners, before and after it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Block, Joins, Resource
from sustainable_mlops.plan.iam import find_own_policies, parse_statements
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.privileges.policy_types import ATTACHMENTS, IDENTITY, POLICY_TYPES, RESOURCE, PolicyType

#: Names of attributes that may hold a policy.
POLICY_ATTRIBUTE = LazyPattern(r"(?:.*_)?polic(?:y|ies)(?:_document|_text|_json)?")
_NO_CHANGE = ("no-op", "read")
#: Types whose documents grant no permissions. The safeguards cover them.
_OTHER_DOCUMENTS = (
    "aws_cloudwatch_log_account_policy",
    "aws_cloudwatch_log_data_protection_policy",
    "aws_sns_topic_data_protection_policy",
)
#: Label used when the attached policy is unknown until apply.
ATTACHED_POLICY = "an attached policy"


class PolicySource(NamedTuple):
    """The location of a policy document.

    A computed document is read back from AWS, often from a policy that another resource manages.
    """

    resource: Resource
    path: str
    is_before: bool
    is_computed: bool
    is_changed: bool


class ManagedPolicy(NamedTuple):
    """A policy from outside the plan, which the attribute at `path` of `resource` attaches."""

    arn: str
    resource: Resource
    path: str
    is_computed: bool


class PolicyOwner:
    """The owner of policies, with the sources of all its policies before and after the plan."""

    def __init__(self, label: str, group: str, pair: ResourcePair | None, address: str) -> None:
        """Create an owner without policies."""
        self.label, self.group, self.pair, self.address = label, group, pair, address
        self.sources: list[PolicySource] = []
        self.managed_before: dict[str, ManagedPolicy] = {}
        self.managed_after: dict[str, ManagedPolicy] = {}
        self.unknowns: dict[str, str] = {}  # address of a resource → label of its unknown part

    @property
    def is_new(self) -> bool:
        """True if the owner did not exist before."""
        return self.pair is not None and self.pair.is_new

    @property
    def is_deleted(self) -> bool:
        """True if the owner does not exist after the plan."""
        return self.pair is not None and self.pair.after is None


class _Side(NamedTuple):
    """One side of a pair: before or after."""

    pair: ResourcePair
    resource: Resource
    values: Block
    joins: Joins
    before: bool

    def is_configured(self, path: str) -> object:
        return self.joins.is_configured(self.resource, path.partition(".")[0])


class PolicyOwnerIndex:
    """The policies of a plan, grouped by owner."""

    def __init__(self, comparison: Comparison) -> None:
        """Start with an empty index; `list_touched_owners` reads the plan."""
        self._comparison = comparison
        self._owners_by_key: dict[tuple[str, str], PolicyOwner] = {}
        self._has_read_policies = False
        self._touched_keys: set[tuple[str, str]] = set()
        self._attached_to: dict[tuple[str, str], list[PolicyOwner]] = {}  # key of an attached policy → its owners
        self._resolved_owners: dict[tuple[int, str], tuple[str, ResourcePair | None]] = {}

    def list_touched_owners(self) -> Iterator[PolicyOwner]:
        """Yield the owners that a change affects, with all their policies, also unchanged ones."""
        changes = self._comparison.changes
        if any(pair.type in POLICY_TYPES or pair.type in ATTACHMENTS for pair in changes):
            self._read_policies()
        for pair in changes:
            if pair.type not in POLICY_TYPES:
                self._read_other_type(pair)
        for key, owner in self._owners_by_key.items():
            if key in self._touched_keys and not self._is_reported_elsewhere(key, owner):
                yield owner

    def list_lasting_owners(self) -> list[PolicyOwner]:
        """Return all owners that exist after the plan, changed or not."""
        self._read_policies()
        return [owner for owner in self._owners_by_key.values() if not owner.is_deleted]

    def _read_policies(self) -> None:
        """Read all policies of the tables, unless that has happened."""
        if self._has_read_policies:
            return
        self._has_read_policies = True
        for type_ in {**POLICY_TYPES, **ATTACHMENTS}:
            for pair in self._comparison.by_type.get(type_, ()):
                for side in self._list_sides(pair):
                    self._read_side(side)

    def _is_reported_elsewhere(self, key: tuple[str, str], policy_owner: PolicyOwner) -> bool:
        """Return whether the owners that the policy is attached to report its change."""
        attached_owners = self._attached_to.get(key, [])
        return bool(attached_owners) and (policy_owner.is_new or any(not owner.is_new for owner in attached_owners))

    def find_owner(self, pair: ResourcePair) -> ResourcePair | None:
        """Return the owner of the policy `pair`, if it is in the plan."""
        side = next(self._list_sides(pair))
        owners = [self._resolve_owner(side, kind, kind.owner_path) for kind in POLICY_TYPES.get(pair.type, ())]
        return owners[0][1] if owners and owners[0] else None

    def _list_sides(self, pair: ResourcePair) -> Iterator[_Side]:
        if pair.old is not None and pair.before is not None:
            yield _Side(pair, pair.old, pair.before, self._comparison.joins_before, before=True)
        if pair.new is not None and pair.after is not None:
            yield _Side(pair, pair.new, pair.after, self._comparison.joins_after, before=False)

    def _read_side(self, side: _Side) -> None:
        for kind in POLICY_TYPES.get(side.pair.type, ()):
            owner = self._get_owner(side, kind, kind.owner_path)
            paths = (path for path in _expand_paths(side.values, kind.path) if not _is_repeated(side, path))
            owner.sources += [_build_source(side, path) for path in paths]
        for kind in ATTACHMENTS.get(side.pair.type, ()):
            for owner_path in _expand_paths(side.values, kind.owner_path):
                owner = self._get_owner(side, kind, owner_path)
                for path in _expand_paths(side.values, kind.path):
                    self._attach(owner, side, path, own=not kind.owner)

    def _attach(self, owner: PolicyOwner, side: _Side, path: str, *, own: bool) -> None:
        # If a role does not configure the list, the list repeats attachments by others at the last refresh.
        computed = own and side.is_configured(path) is False
        if computed and not side.before and path.partition(".")[0] not in side.resource.drift:
            return
        plan_policies = find_own_policies(side.resource, path, side.joins)
        for policy in plan_policies:
            self._attach_plan_policy(owner, side, policy)
        if plan_policies:
            return
        arn = side.values.text(path)
        if not isinstance(arn, str):
            if not side.before:
                owner.unknowns[side.pair.address] = ATTACHED_POLICY
            return
        managed = ManagedPolicy(arn, side.resource, path, computed)
        if side.before:
            owner.managed_before[arn] = managed
            if not computed and arn in owner.managed_after and owner.managed_after[arn].is_computed:
                del owner.managed_after[arn]  # the list in the role repeats this attachment
        if not side.before or side.pair.action == "forget":
            owner.managed_after[arn] = managed

    def _attach_plan_policy(self, owner: PolicyOwner, side: _Side, policy_resource: Resource) -> None:
        """Add a policy of the plan that is attached, or may be attached."""
        policy = self._comparison.pair(policy_resource)
        changed = policy.action not in _NO_CHANGE
        if changed:
            self._touched_keys.add((owner.group, owner.label))
        changed |= side.pair.action not in _NO_CHANGE
        owner.sources.append(
            PolicySource(policy_resource, "policy", side.before, is_computed=False, is_changed=changed)
        )
        if not side.before:
            self._attached_to.setdefault((IDENTITY, policy.address), []).append(owner)

    def _read_other_type(self, pair: ResourcePair) -> None:
        """Read the documents in a type outside the tables: any attribute that parses as a policy."""
        if pair.type in _OTHER_DOCUMENTS:
            return
        sides = list(self._list_sides(pair))
        paths = dict.fromkeys(path for side in sides for path in _list_policy_paths(side))
        texts = [str(side.values.get(path, "")) for side in sides for path in paths]
        group = RESOURCE if any("Principal" in text for text in texts) else IDENTITY
        for side in sides if paths else ():
            # A policy does not own itself: its owner may remain after the policy is deleted.
            owner = self._find_served(side) if pair.type.endswith("_policy") else pair
            label = pair.address if owner is None else owner.address
            self._get_or_add(side, group, label, owner).sources += [_build_source(side, path) for path in paths]

    def _find_served(self, side: _Side) -> ResourcePair | None:
        """Return the only resource that the other attributes of a policy refer to, if there is exactly one."""
        resources = {
            id(resource): resource
            for name in side.values
            if not POLICY_ATTRIBUTE.fullmatch(name)
            for resource in side.joins.find_references(side.resource, name).resources
            if resource.mode == "managed" and resource.exists(before=side.joins.before)
        }
        return self._comparison.pair(next(iter(resources.values()))) if len(resources) == 1 else None

    def _get_owner(self, side: _Side, kind: PolicyType, owner_path: str) -> PolicyOwner:
        key = id(side.pair), owner_path
        resolved_owner, earlier = self._resolve_owner(side, kind, owner_path), self._resolved_owners.get(key)
        label, owner = resolved_owner or earlier or (side.pair.address, None)
        self._resolved_owners[key] = label, owner
        policy_owner = self._get_or_add(side, kind.group, label, owner)
        if resolved_owner is None and earlier is not None:
            policy_owner.unknowns[side.pair.address] = "the owner of the policy"
        return policy_owner

    def _resolve_owner(self, side: _Side, kind: PolicyType, owner_path: str) -> tuple[str, ResourcePair | None] | None:
        """Return the label and the pair of the owner of a policy, or None if the owner is unknown."""
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

    def _get_or_add(self, side: _Side, group: str, label: str, owner: ResourcePair | None) -> PolicyOwner:
        key = (group, label)
        if side.pair.action not in _NO_CHANGE:
            self._touched_keys.add(key)
        return self._owners_by_key.setdefault(key, PolicyOwner(label, group, owner, side.pair.address))


def _is_repeated(side: _Side, path: str) -> bool:
    """Return whether an inline policy in a role repeats a policy that is a resource of its own."""
    name = side.values.text(f"{path.rpartition('.')[0]}.name") if path.startswith("inline_policy.") else None
    return name is not None and name in side.joins.list_inline_policy_names(side.resource)


def _build_source(side: _Side, path: str) -> PolicySource:
    """Return the source at `path`.

    A value that the plan changes is no copy, even if it looks unconfigured: `dynamic` blocks do.
    """
    pair, name = side.pair, path.partition(".")[0]
    old, new = (None if values is None else values.get(name) for values in (pair.before, pair.after))
    computed = side.is_configured(path) is False and (old == new or new is UNKNOWN)
    changed = old != new or not _is_certain(new) or pair.action in ("replace", "forget")
    return PolicySource(side.resource, path, side.before, computed, changed)


def _is_certain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_certain, value.values()))
    return all(map(_is_certain, value)) if isinstance(value, list) else value is not UNKNOWN


def _expand_paths(values: Block, path: str) -> Iterator[str]:
    """Yield the paths that `inline_policy.*.policy` matches, or the list itself if it is unknown or sensitive."""
    outer, star, inner = path.partition(".*")
    items = values.get(outer) if star else None
    if isinstance(items, list):
        yield from (f"{outer}.{position}{inner}" for position in range(len(items)))
    elif not star or items is not None:
        yield outer


def _list_policy_paths(side: _Side) -> Iterator[str]:
    """Yield the paths of policy documents in a resource of any type, and of hidden values that may be one."""
    values = {} if side.values.values is UNKNOWN else side.values.values
    pending = [(name, value) for name, value in values.items() if _may_hold_policy(value)]
    while pending:
        path, value = pending.pop()
        if type(value) is str:
            if parse_statements(value) is not None:
                yield path
        elif isinstance(value, dict):
            pending += [(f"{path}.{key}", below) for key, below in value.items() if _may_hold_policy(below)]
        elif isinstance(value, list):
            pending += [(f"{path}.{number}", below) for number, below in enumerate(value) if _may_hold_policy(below)]
        elif _is_hidden(value) and POLICY_ATTRIBUTE.fullmatch(path) and side.is_configured(path) is True:
            yield path


def _may_hold_policy(value: Any) -> bool:
    return '"Statement"' in value if type(value) is str else bool(value is UNKNOWN or value)


def _is_hidden(value: Any) -> bool:
    """Return whether the value is unknown until apply or sensitive."""
    return value is UNKNOWN or isinstance(value, Sensitive)
