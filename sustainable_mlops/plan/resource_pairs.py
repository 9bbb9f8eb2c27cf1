"""Pairs of the same resource: before and after a plan, or in two plans."""

from collections.abc import Iterator

from sustainable_mlops.plan.plan import Plan
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN, Block, is_same_value


class ResourcePair:
    """One resource on both sides. A side on which it does not exist is None."""

    __slots__ = ("action", "address", "after", "before", "new", "old", "resource", "type")

    def __init__(self, old: Resource | None, new: Resource | None, before: Block | None, after: Block | None) -> None:
        """Pair `old` and `new`, the resources in the plans, with `before` and `after`, their values there."""
        resource = new or old
        assert resource is not None
        self.old, self.new, self.before, self.after = old, new, before, after
        self.resource = resource
        #: Address after the plan, or before the plan if the plan removes the resource.
        self.address = resource.address
        self.type = resource.type
        self.action = self._find_action()

    def _find_action(self) -> str:
        planned = self.new.action if self.new is not None else "delete"
        if self.old is self.new or planned not in ("create", "no-op"):
            return planned
        if self.before is None or self.after is None:
            return planned
        return "update" if any(self.list_changed_attributes()) else "no-op"

    @property
    def is_same_object(self) -> bool:
        """True if the same object exists before and after the plan."""
        return self.before is not None and self.after is not None and self.action != "replace"

    @property
    def is_new(self) -> bool:
        """True if the resource does not exist before the plan."""
        return self.before is None

    def list_changed_attributes(self) -> Iterator[str]:
        """Yield the attributes whose value certainly changes.

        If both plans create the resource, this includes attributes that only the base knows.
        """
        if self.before is None or self.after is None or self.before.values is UNKNOWN or self.after.values is UNKNOWN:
            return
        old, new = self.before.values, self.after.values
        created = self.old is not self.new and {side.action for side in (self.old, self.new) if side} == {"create"}
        for name in sorted({*old, *new}):
            if name != "tags_all" and not _is_same(old.get(name), new.get(name), created=created):
                yield name


def pair_with_state(plan: Plan) -> list[ResourcePair]:
    """Pair each resource of `plan` with its own state."""
    return [_pair_own(resource) for resource in plan.resources]


def pair_with_base(plan: Plan, base: Plan) -> list[ResourcePair]:
    """Pair each resource of `plan` with its result in `base`, or with its own state if `base` has no such resource."""
    return [
        _pair_own(new) if old is None and new is not None else pair_results(old, new)
        for old, new in match_resources(plan, base)
    ]


def pair_results(old: Resource | None, new: Resource | None) -> ResourcePair:
    """Pair the result of `old` in the base with the result of `new`."""
    before = None if old is None else old.new
    return ResourcePair(old, new, before, new.new if new is not None and new.exists() else None)


def _pair_own(resource: Resource) -> ResourcePair:
    before = resource.old if resource.exists(before=True) else None
    after = resource.new if resource.exists() else None
    return ResourcePair(resource if before else None, resource, before, after)


def match_resources(plan: Plan, base: Plan) -> list[tuple[Resource | None, Resource | None]]:
    """Return each resource of `plan` with the same one in `base`; None stands for a missing side.

    A moved resource is found at its previous address. A deposed object shares its address with its successor and has
    no counterpart in the other plan.
    """
    remaining = {
        resource.address: resource for resource in base.resources if resource.deposed is None and resource.exists()
    }
    matches: dict[int, Resource | None] = {}
    # Moved resources come first, because another resource may have taken their previous address.
    for resource in sorted(plan.resources, key=lambda resource: resource.previous_address is None):
        if resource.deposed is None:
            matches[id(resource)] = remaining.pop(resource.address, None) or remaining.pop(
                resource.previous_address or "", None
            )
    pairs = [(matches.get(id(resource)), resource) for resource in plan.resources]
    return [*pairs, *((resource, None) for resource in remaining.values())]


def _is_same(old: object, new: object, *, created: bool) -> bool:
    return (new is UNKNOWN and not created) or is_same_value(old, new)
