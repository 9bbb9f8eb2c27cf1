"""The parts of a resource that use something: one a variant, step, app or store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.activities import ONE, Fleet, Job, Serverless, Thing
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Estimate, Lack, Unknown
from sustainable_mlops.footprint.model import estimate, per_thousand_requests
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.usage import Keys, Usage
from sustainable_mlops.plan import UNKNOWN, Block, Joins, Plan, Resource

#: The kinds of parts whose accelerators hold a model all the time.
SERVING = ("real-time", "asynchronous")


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a resource uses in a month, or why nobody knows."""

    #: What it is, for a person: `variant main`, `step Train`.
    name: str
    #: `real-time`, `asynchronous`, `serverless`, `job`, `notebook`, `app`, `machines`, `storage`, `transfer`,
    #: `throughput` that is paid for used or not, or `other` of a type that nothing reads.
    kind: str
    thing: Thing | None = None
    estimate: Estimate | None = None
    #: Why there is no estimate.
    unknown: Unknown | None = None
    #: What the estimate of this part leaves out.
    left_out: tuple[Unknown, ...] = ()
    #: Whether a schedule has fewer of it at times, or none.
    rests: bool = False
    #: Why it cannot be a serverless endpoint; empty where nothing in the plan speaks against it.
    not_serverless: tuple[str, ...] = ()
    #: How many instances, where that is not the thing's count.
    instances: Quantity | None = None
    #: Whether it stands for all parts of its resource, of which nobody knows how many there are.
    whole: bool = False

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """Everything that its figures leave out, or why there are none."""
        found = (*self.left_out, *(self.estimate.unknowns if self.estimate is not None else ()))
        return (self.unknown, *found) if self.unknown is not None else found

    @property
    def partial(self) -> tuple[str, ...]:
        """The figures of its estimate, where that leaves out what may come to anything."""
        much = any(one.lack is Lack.UNCOUNTED for one in self.left_out)
        return tuple(self.estimate.figures) if much and self.estimate is not None else ()

    @property
    def count(self) -> Quantity | None:
        """How many instances: least, expected and most."""
        return self.instances or (self.thing.count if isinstance(self.thing, Fleet) else None)

    @property
    def per_thousand_requests(self) -> Estimate | None:
        """The estimate of 1,000 requests, where the part serves any."""
        return per_thousand_requests(self.thing) if isinstance(self.thing, Fleet | Serverless) else None

    @property
    def per_run(self) -> Estimate | None:
        """The estimate of one run of a job (SCI, ISO/IEC 21031:2024, R = 1 run); of a search, of one of its jobs."""
        return estimate(replace(self.thing, runs=ONE)) if isinstance(self.thing, Job) and self.estimate else None


def known(name: str, kind: str, thing: Thing, left_out: tuple[Unknown, ...] = ()) -> Part:
    """The part that is `thing`; unknown where the catalogue does not know its type or Region."""
    if isinstance(thing, Fleet) and kind not in SERVING:
        thing = replace(thing, loaded=False)
    try:
        return Part(name, kind, thing, estimate(thing), left_out=left_out)
    except UserError as error:
        return Part(name, kind, thing, unknown=Unknown(name, str(error), Lack.UNCOUNTED))


def unknown(name: str, kind: str, reason: str, *, whole: bool = False, lack: Lack = Lack.UNCOUNTED) -> Part:
    """A part that nobody can estimate; where it is `whole`, none of its resource.

    `lack` is `Lack.USE` where the usage file alone can tell, of what holds bytes or waits for people.
    """
    return Part(name, kind, unknown=Unknown(name, reason, lack), whole=whole)


class Side:
    """A plan's resources on one side of it: before, or after."""

    def __init__(
        self,
        plan: Plan,
        usage: Usage,
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

    def past(self) -> "Side":
        """What the same plan says was before it."""
        return self if self.before else Side(self.plan, self._usage, before=True)

    def exists(self, resource: Resource) -> bool:
        """Whether `resource` is there on this side."""
        return resource.exists(before=self.before)

    def values(self, resource: Resource) -> Block:
        """Its attributes."""
        return resource.values(before=self.before)

    def region(self, resource: Resource) -> str | None:
        """Its Region; None where the plan does not tell."""
        region = self.plan.region(resource, before=self.before)
        return region if isinstance(region, str) else None

    def only(self, kind: str, module: str) -> Resource | None:
        """The resource of type `kind` in a module; None where there is none, or more than one."""
        by_module = self._by_module.get(kind)
        if by_module is None:
            by_module = self._by_module[kind] = {}
            for resource in self.joins.all(kind):
                by_module.setdefault(resource.module, []).append(resource)
        found = by_module.get(module, [])
        return found[0] if len(found) == 1 else None

    def usage(self, address: str) -> Keys:
        """What the usage file says of `address`, of a resource or `address#step`."""
        resource, mark, step = address.rpartition("#")
        if resource in self._moved:
            return self._usage.of(f"{self._moved[resource]}{mark}{step}")
        return self._usage.of(self._moved.get(address, address))


#: What reads a type of resource: its parts on one side.
Reader = Callable[[Resource, Side], list[Part]]


def default(keys: Keys, key: str, assumption: str = "") -> Quantity:
    """What the usage file gives for `key`, else the stated default."""
    return keys.get(key) or assumptions()[assumption or key]


def never_set(resource: Resource, path: str, side: Side) -> bool:
    """Whether nobody sets the attribute at `path`: one that AWS fills in is unknown until apply all the same."""
    value = side.values(resource).get(path)
    return value is None or (value is UNKNOWN and side.joins.configured(resource, path) is False)


def known_number(value: object) -> float | None:
    """`value` where it is a known number that can be one of things."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def says(value: object, what: str) -> str:
    """Why `value`, an attribute that must be known, cannot be used."""
    return f"{what} is not known until apply" if value is UNKNOWN else f"{what} is not given"
