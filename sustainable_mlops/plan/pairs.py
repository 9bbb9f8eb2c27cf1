"""Which resources of a plan and of the plan it is compared with are the same."""

from collections.abc import Iterator

from sustainable_mlops.plan.plan import Plan
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN, Block, same


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
        """The attributes whose value changes for sure.

        Where both plans create the resource, also those that only the base knows: no state tells them to either.
        """
        if self.before is None or self.after is None or self.before.values is UNKNOWN or self.after.values is UNKNOWN:
            return
        old, new = self.before.values, self.after.values
        created = self.old is not self.new and {one.action for one in (self.old, self.new) if one} == {"create"}
        for name in sorted({*old, *new}):
            if name != "tags_all" and not _same(old.get(name), new.get(name), created=created):
                yield name


def of_plan(plan: Plan) -> list[Pair]:
    """Each resource of `plan` against its own state."""
    return [_own(resource) for resource in plan.resources]


def of_plans(plan: Plan, base: Plan) -> list[Pair]:
    """Each resource of `plan` against what `base` leads to, or where that has none, against its own state."""
    return [_own(new) if old is None and new is not None else between(old, new) for old, new in matched(plan, base)]


def between(old: Resource | None, new: Resource | None) -> Pair:
    """What `old`, of the base, leads to against what `new` does."""
    before = None if old is None else old.new
    return Pair(old, new, before, new.new if new is not None and new.exists() else None)


def _own(resource: Resource) -> Pair:
    before = resource.old if resource.exists(before=True) else None
    after = resource.new if resource.exists() else None
    return Pair(resource if before else None, resource, before, after)


def matched(plan: Plan, base: Plan) -> list[tuple[Resource | None, Resource | None]]:
    """Each resource that `base` leads to, and the same in `plan`; None for the side that has none.

    What moved is found at its previous address. A deposed object, which shares its address with what took its place,
    is in no other plan.
    """
    left = {one.address: one for one in base.resources if one.deposed is None and one.exists()}
    found: dict[int, Resource | None] = {}
    # What moved comes first: its previous address may be another's by now.
    for resource in sorted(plan.resources, key=lambda one: one.previous_address is None):
        if resource.deposed is None:
            found[id(resource)] = left.pop(resource.address, None) or left.pop(resource.previous_address or "", None)
    pairs = [(found.get(id(resource)), resource) for resource in plan.resources]
    return [*pairs, *((resource, None) for resource in left.values())]


def _same(old: object, new: object, *, created: bool) -> bool:
    return (new is UNKNOWN and not created) or same(old, new)
