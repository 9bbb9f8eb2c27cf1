"""What readers of a plan's resources share: the side that they read, and attributes that may not be known."""

from collections.abc import Callable, Mapping

from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.footprint.usage import ResourceUsage, UsageKeys
from sustainable_mlops.plan import UNKNOWN, Block, Joins, Plan, Resource


class PlanSide:
    """A plan's resources on one side of it: before, or after."""

    def __init__(
        self,
        plan: Plan,
        usage: ResourceUsage,
        *,
        before: bool,
        other: Plan | None = None,
        moved: Mapping[str, str] | None = None,
    ) -> None:
        """`usage` holds for both sides, by the addresses after the plan; `moved` gives those of others.

        `other` is the plan of the other side, where that is not the same.
        """
        self.plan = plan
        self.plans = (plan,) if other is None or other is plan else (plan, other)
        self.before = before
        self.joins: Joins = plan.joins_before if before else plan.joins
        self._usage = usage
        self._moved = moved or {}
        self._by_module: dict[str, dict[str, list[Resource]]] = {}

    def get_before(self) -> "PlanSide":
        """What the same plan says was before it."""
        return self if self.before else PlanSide(self.plan, self._usage, before=True)

    def exists(self, resource: Resource) -> bool:
        """Whether `resource` is there on this side."""
        return resource.exists(before=self.before)

    def get_values(self, resource: Resource) -> Block:
        """Its attributes."""
        return resource.values(before=self.before)

    def find_region(self, resource: Resource) -> str | None:
        """Its Region; None where the plan does not tell."""
        region = self.plan.find_region(resource, before=self.before)
        return region if isinstance(region, str) else None

    def find_single(self, kind: str, module: str) -> Resource | None:
        """The resource of type `kind` in a module; None where there is none, or more than one."""
        by_module = self._by_module.get(kind)
        if by_module is None:
            by_module = self._by_module[kind] = {}
            for resource in self.joins.list_existing(kind):
                by_module.setdefault(resource.module, []).append(resource)
        found = by_module.get(module, [])
        return found[0] if len(found) == 1 else None

    def get_usage(self, address: str) -> UsageKeys:
        """What the usage file says of `address`, of a resource or `address#step`."""
        resource, mark, step = address.rpartition("#")
        if resource in self._moved:
            return self._usage.find_keys(f"{self._moved[resource]}{mark}{step}")
        return self._usage.find_keys(self._moved.get(address, address))


#: What reads a type of resource: its parts on one side.
PartReader = Callable[[Resource, PlanSide], list[ResourcePart]]


def get_usage_or_default(keys: UsageKeys, key: str, assumption: str = "") -> Quantity:
    """What the usage file gives for `key`, else the stated default."""
    return keys.get(key) or load_assumptions()[assumption or key]


def is_never_set(resource: Resource, path: str, side: PlanSide) -> bool:
    """Whether nobody sets the attribute at `path`: one that AWS fills in is unknown until apply all the same."""
    value = side.get_values(resource).get(path)
    return value is None or (value is UNKNOWN and side.joins.is_configured(resource, path) is False)


def to_known_number(value: object) -> float | None:
    """`value` where it is a known number that can be a number of instances."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def explain_missing(value: object, what: str) -> str:
    """Why `value`, an attribute that must be known, cannot be used."""
    return f"{what} is not known until apply" if value is UNKNOWN else f"{what} is not given"
