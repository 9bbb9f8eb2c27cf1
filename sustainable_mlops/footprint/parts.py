"""The parts of a resource that use something: one a variant, step, app or store."""

from collections.abc import Callable
from dataclasses import dataclass

from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Estimate, Unknown
from sustainable_mlops.footprint.model import estimate, per_thousand_requests
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.things import Fleet, Serverless, Thing
from sustainable_mlops.footprint.usage import Keys, Usage
from sustainable_mlops.plan import UNKNOWN, Block, Joins, Plan, Resource


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a resource uses in a month, or why nobody knows."""

    #: What it is, for a person: `variant main`, `step Train`.
    name: str
    #: `real-time`, `asynchronous`, `serverless`, `job`, `notebook`, `app`, `storage` or `transfer`.
    kind: str
    thing: Thing | None = None
    estimate: Estimate | None = None
    #: Why there is no estimate.
    unknown: Unknown | None = None
    #: What the estimate of this part leaves out.
    left_out: tuple[Unknown, ...] = ()
    #: Why it cannot be a serverless endpoint; empty where nothing in the plan speaks against it.
    not_serverless: tuple[str, ...] = ()

    @property
    def count(self) -> Quantity | None:
        """How many instances: least, expected and most."""
        return self.thing.count if isinstance(self.thing, Fleet) else None

    @property
    def per_thousand_requests(self) -> Estimate | None:
        """The estimate of 1,000 requests, where the part serves any."""
        return per_thousand_requests(self.thing) if isinstance(self.thing, Fleet | Serverless) else None


def known(name: str, kind: str, thing: Thing, left_out: tuple[Unknown, ...] = ()) -> Part:
    """The part that is `thing`; unknown where the catalogue does not know its type or Region."""
    try:
        return Part(name, kind, thing, estimate(thing), left_out=left_out)
    except UserError as error:
        return Part(name, kind, thing, unknown=Unknown(name, str(error)))


def unknown(name: str, kind: str, reason: str) -> Part:
    """A part that nobody can estimate."""
    return Part(name, kind, unknown=Unknown(name, reason))


class Side:
    """A plan's resources on one side of it: before, or after."""

    def __init__(self, plan: Plan, usage: Usage, *, before: bool, other: Plan | None = None) -> None:
        """`usage` holds for both sides; `other` is the plan of the other side, where that is not the same."""
        self.plan = plan
        self.plans = (plan,) if other is None or other is plan else (plan, other)
        self.before = before
        self.joins: Joins = plan.joins_before if before else plan.joins
        self._usage = usage

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

    def usage(self, address: str) -> Keys:
        """What the usage file says of `address`."""
        return self._usage.of(address)


#: What reads a type of resource: its parts on one side.
Reader = Callable[[Resource, Side], list[Part]]


def default(keys: Keys, key: str, assumption: str = "") -> Quantity:
    """What the usage file gives for `key`, else the stated default."""
    return keys.get(key) or assumptions()[assumption or key]


def known_number(value: object) -> float | None:
    """`value` where it is a known number that can be one of things."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def says(value: object, what: str) -> str:
    """Why `value`, an attribute that must be known, cannot be used."""
    return f"{what} is not known until apply" if value is UNKNOWN else f"{what} is not given"
