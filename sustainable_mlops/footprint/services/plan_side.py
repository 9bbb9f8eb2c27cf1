"""One side of a plan, before or after, and helpers for attributes that may be unknown."""

from collections.abc import Callable, Mapping, Sequence

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.footprint.usage import ResourceUsage, UsageKeys
from sustainable_mlops.plan import UNKNOWN, Block, Joins, Plan, Resource


class PlanSide:
    """The resources of a plan on one side: before or after."""

    def __init__(
        self,
        plan: Plan,
        usage: ResourceUsage,
        *,
        before: bool,
        other: Plan | None = None,
        moved: Mapping[str, str] | None = None,
    ) -> None:
        """Store a plan, and `usage` by the addresses after the plan.

        `other` is the plan of the other side if that is a different one. `moved` maps addresses of this side to
        addresses after the plan.
        """
        self.plan = plan
        self.plans = (plan,) if other is None or other is plan else (plan, other)
        self.before = before
        self.joins: Joins = plan.joins_before if before else plan.joins
        self._usage = usage
        self._moved = moved or {}
        self._by_module: dict[str, dict[str, list[Resource]]] = {}

    def get_before(self) -> "PlanSide":
        """Return the before side of the same plan."""
        return self if self.before else PlanSide(self.plan, self._usage, before=True)

    def exists(self, resource: Resource) -> bool:
        """Return whether `resource` exists on this side."""
        return resource.exists(before=self.before)

    def get_values(self, resource: Resource) -> Block:
        return resource.get_values(before=self.before)

    def find_region(self, resource: Resource) -> str | None:
        """Return the Region of a resource, or None if the plan does not contain it."""
        region = self.plan.find_region(resource, before=self.before)
        return region if isinstance(region, str) else None

    def find_single(self, kind: str, module: str) -> Resource | None:
        """Return the only resource of type `kind` in a module; None if there is none or more than one."""
        by_module = self._by_module.get(kind)
        if by_module is None:
            by_module = self._by_module[kind] = {}
            for resource in self.joins.list_existing(kind):
                by_module.setdefault(resource.module, []).append(resource)
        resources = by_module.get(module, [])
        return resources[0] if len(resources) == 1 else None

    def get_usage(self, address: str) -> UsageKeys:
        """Return the usage of a resource, or of a step (`address#step`), from the usage file."""
        resource, mark, step = address.rpartition("#")
        if resource in self._moved:
            return self._usage.find_keys(f"{self._moved[resource]}{mark}{step}")
        return self._usage.find_keys(self._moved.get(address, address))


#: Function that returns the parts of a resource on one side.
PartReader = Callable[[Resource, PlanSide], list[ResourcePart]]


def get_usage_or_default(keys: UsageKeys, key: str, assumption: str = "") -> Quantity:
    """Return the value of `key` in the usage file, else the documented default."""
    return keys.get(key) or load_assumptions()[assumption or key]


def is_never_set(resource: Resource, path: str, side: PlanSide) -> bool:
    """Return whether the configuration does not set the attribute at `path`.

    An attribute that AWS fills in is unknown until apply, even if the configuration does not set it.
    """
    value = side.get_values(resource).get(path)
    return value is None or (value is UNKNOWN and side.joins.is_configured(resource, path) is False)


def to_known_number(value: object) -> float | None:
    """Return `value` as a float if it is a known number of 0 or more, else None."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def explain_missing(value: object, attribute: str) -> str:
    """Return the reason why a required attribute has no usable value."""
    return f"{attribute} is not known until apply" if value is UNKNOWN else f"{attribute} is not given"


def note_training_plan(name: str, training_plan: object) -> tuple[UnknownItem, ...]:
    """Return a note on the price of instances with a training plan, which is paid in advance."""
    if training_plan in (None, ""):
        return ()
    plan = "a training plan, if it has one," if training_plan is UNKNOWN else "its training plan"
    return (UnknownItem(f"price of {name}", f"{plan} is billed separately; the on-demand price is counted"),)


def split_fallback_types(name: str, types: Sequence[object]) -> tuple[tuple[str, ...], tuple[UnknownItem, ...]]:
    """Return the known types after the first, and a note for each type that the catalogue does not have."""
    others = [one for one in dict.fromkeys(types) if isinstance(one, str) and one != types[0]]
    known = tuple(one for one in others if instances.find(one) is not None)
    return known, tuple(
        UnknownItem(name, f"it may get {one}: {instances.explain_unknown(one)}", UnknownKind.UNCOUNTED)
        for one in others
        if one not in known
    )
