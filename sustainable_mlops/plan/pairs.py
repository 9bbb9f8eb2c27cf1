"""Pairs of the same resource: before and after a plan, or in two plans."""

from collections.abc import Iterator

from sustainable_mlops.plan.plan import Plan
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN, Block, same


class Pair:
    """One resource on both sides. A side on which it does not exist is None."""

    __slots__ = ("action", "after", "before", "new", "old", "resource")

    def __init__(self, old: Resource | None, new: Resource | None, before: Block | None, after: Block | None) -> None:
        """Pair `old` and `new`, the resources in the plans, with `before` and `after`, their values there."""
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
        """Address after the plan, or before the plan if the plan removes the resource."""
        return self.resource.address

    @property
    def type(self) -> str:
        """Type of the resource."""
        return self.resource.type

    @property
    def stays(self) -> bool:
        """True if the same object exists before and after the plan."""
        return self.before is not None and self.after is not None and self.action != "replace"

    @property
    def is_new(self) -> bool:
        """True if the resource does not exist before the plan."""
        return self.before is None

    def changed(self) -> Iterator[str]:
        """Yield the attributes whose value certainly changes.

        If both plans create the resource, this includes attributes that only the base knows.
        """
        if self.before is None or self.after is None or self.before.values is UNKNOWN or self.after.values is UNKNOWN:
            return
        old, new = self.before.values, self.after.values
        created = self.old is not self.new and {one.action for one in (self.old, self.new) if one} == {"create"}
        for name in sorted({*old, *new}):
            if name != "tags_all" and not _same(old.get(name), new.get(name), created=created):
                yield name


def of_plan(plan: Plan) -> list[Pair]:
    """Pair each resource of `plan` with its own state."""
    return [_own(resource) for resource in plan.resources]


def of_plans(plan: Plan, base: Plan) -> list[Pair]:
    """Pair each resource of `plan` with its result in `base`, or with its own state if `base` has no such resource."""
    return [_own(new) if old is None and new is not None else between(old, new) for old, new in matched(plan, base)]


def between(old: Resource | None, new: Resource | None) -> Pair:
    """Pair the result of `old` in the base with the result of `new`."""
    before = None if old is None else old.new
    return Pair(old, new, before, new.new if new is not None and new.exists() else None)


def _own(resource: Resource) -> Pair:
    before = resource.old if resource.exists(before=True) else None
    after = resource.new if resource.exists() else None
    return Pair(resource if before else None, resource, before, after)


def matched(plan: Plan, base: Plan) -> list[tuple[Resource | None, Resource | None]]:
    """Return each resource of `plan` with the same one in `base`; None stands for a missing side.

    A moved resource is found at its previous address. A deposed object shares its address with its successor and has
    no counterpart in the other plan.
    """
    left = {one.address: one for one in base.resources if one.deposed is None and one.exists()}
    found: dict[int, Resource | None] = {}
    # Moved resources come first, because another resource may have taken their previous address.
    for resource in sorted(plan.resources, key=lambda one: one.previous_address is None):
        if resource.deposed is None:
            found[id(resource)] = left.pop(resource.address, None) or left.pop(resource.previous_address or "", None)
    pairs = [(found.get(id(resource)), resource) for resource in plan.resources]
    return [*pairs, *((resource, None) for resource in left.values())]


def _same(old: object, new: object, *, created: bool) -> bool:
    return (new is UNKNOWN and not created) or same(old, new)
