"""What a plan changes: each resource before and after, against its own state or against another plan."""

import re
from collections.abc import Iterator
from functools import cached_property

from sustainable_mlops.plan import UNKNOWN, Block, Joins, Plan, Resource

_ACCOUNT = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:(\d{12}):")
#: Values that mean "not set"; Terraform writes now one, now the other.
_UNSET: tuple[object, ...] = (None, [], {}, "")


class Pair:
    """One resource on both sides. A side where it does not exist is None."""

    __slots__ = ("action", "after", "before", "new", "old", "resource")

    def __init__(self, old: Resource | None, new: Resource | None, before: Block | None, after: Block | None) -> None:
        """`old` and `new` are what stands in the plans, `before` and `after` its values there."""
        resource = new or old
        assert resource is not None
        self.old, self.new, self.before, self.after = old, new, before, after
        self.resource = resource
        self.action = self._action()

    def _action(self) -> str:
        planned = self.new.action if self.new is not None else "delete"
        if self.old is self.new or planned not in ("create", "no-op"):
            return planned
        if self.before is None or self.after is None:
            return planned
        return "update" if any(self.changed()) else "no-op"

    @property
    def address(self) -> str:
        """Where it stands after the plan, else where it stood."""
        return self.resource.address

    @property
    def type(self) -> str:
        """The resource's type."""
        return self.resource.type

    @property
    def stays(self) -> bool:
        """Whether the very same object is there before and after."""
        return self.before is not None and self.after is not None and self.action != "replace"

    @property
    def is_new(self) -> bool:
        """Whether it is not there before the plan."""
        return self.before is None

    def changed(self) -> Iterator[str]:
        """The attributes whose value changes for sure."""
        if self.before is None or self.after is None or self.before.values is UNKNOWN or self.after.values is UNKNOWN:
            return
        old, new = self.before.values, self.after.values
        for name in sorted({*old, *new}):
            if name != "tags_all" and not _same(old.get(name), new.get(name)):
                yield name


def _same(old: object, new: object) -> bool:
    return new is UNKNOWN or old == new or (old in _UNSET and new in _UNSET)


class Comparison:
    """A plan against its own state or, where there is no state to speak of, against a base plan."""

    def __init__(self, plan: Plan, base: Plan | None = None) -> None:
        """What `base` leads to is the state before; without one, `plan` says what was."""
        self.plan = plan
        self.base = base
        self.pairs: list[Pair] = _pairs(plan) if base is None else _pairs_with(plan, base)

    @cached_property
    def changes(self) -> list[Pair]:
        """The pairs that the plan does something to."""
        return [pair for pair in self.pairs if pair.action not in ("no-op", "read")]

    @cached_property
    def by_type(self) -> dict[str, list[Pair]]:
        """The pairs of each type."""
        found: dict[str, list[Pair]] = {}
        for pair in self.pairs:
            found.setdefault(pair.type, []).append(pair)
        return found

    @cached_property
    def _by_resource(self) -> dict[int, Pair]:
        found = {id(pair.old): pair for pair in self.pairs if pair.old is not None}
        return found | {id(pair.new): pair for pair in self.pairs if pair.new is not None}

    @cached_property
    def accounts(self) -> frozenset[str]:
        """The accounts that the plan's own resources are in, as far as their ARNs tell."""
        found = (
            values.text("arn") for pair in self.pairs for values in (pair.before, pair.after) if values is not None
        )
        return frozenset(match[1] for arn in found if isinstance(arn, str) and (match := _ACCOUNT.match(arn)))

    def pair(self, resource: Resource) -> Pair:
        """The pair that `resource` is a side of."""
        return self._by_resource[id(resource)]

    @property
    def joins_before(self) -> Joins:
        """How resources belonged together before."""
        return self.plan.joins_before if self.base is None else self.base.joins

    @property
    def joins_after(self) -> Joins:
        """How resources belong together after the plan."""
        return self.plan.joins


def _pairs(plan: Plan) -> list[Pair]:
    return [_own(resource) for resource in plan.resources]


def _own(resource: Resource) -> Pair:
    before = resource.old if resource.exists(before=True) else None
    after = resource.new if resource.exists() else None
    return Pair(resource if before else None, resource, before, after)


def _pairs_with(plan: Plan, base: Plan) -> list[Pair]:
    others = {resource.address: resource for resource in base.resources if resource.exists()}
    found = []
    for resource in plan.resources:
        other = others.pop(resource.address, None) or others.pop(resource.previous_address or "", None)
        if other is None:
            found.append(_own(resource))
        else:
            found.append(Pair(other, resource, other.new, resource.new if resource.exists() else None))
    return found + [Pair(other, None, other.new, None) for other in others.values()]
