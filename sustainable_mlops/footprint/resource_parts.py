"""The parts of a resource that use something: one a variant, step, app or store."""

from dataclasses import dataclass, field, replace

from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.activities import ONE, Activity, Fleet, Job, Serverless
from sustainable_mlops.footprint.figures import Estimate, Lack, Unknown
from sustainable_mlops.footprint.model import estimate, per_thousand_requests
from sustainable_mlops.footprint.quantities import Quantity

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
    activity: Activity | None = None
    estimate: Estimate | None = None
    #: Why there is no estimate.
    unknown: Unknown | None = None
    #: What the estimate of this part leaves out.
    left_out: tuple[Unknown, ...] = ()
    #: Whether a schedule has fewer of it at times, or none.
    rests: bool = False
    #: Why it cannot be a serverless endpoint; empty where nothing in the plan speaks against it.
    not_serverless: tuple[str, ...] = ()
    #: How many instances, where that is not the activity's count.
    instances: Quantity | None = None
    #: Whether it stands for all parts of its resource, of which nobody knows how many there are.
    whole: bool = False
    #: What an apply uses of it once, beside its month; empty where that is nothing.
    once: str = field(default="", compare=False)

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
        return self.instances or (self.activity.count if isinstance(self.activity, Fleet) else None)

    @property
    def per_thousand_requests(self) -> Estimate | None:
        """The estimate of 1,000 requests, where the part serves any."""
        return per_thousand_requests(self.activity) if isinstance(self.activity, Fleet | Serverless) else None

    @property
    def per_run(self) -> Estimate | None:
        """The estimate of one run of a job (SCI, ISO/IEC 21031:2024, R = 1 run); of a search, of one of its jobs."""
        return estimate(replace(self.activity, runs=ONE)) if isinstance(self.activity, Job) and self.estimate else None


def known(name: str, kind: str, activity: Activity, left_out: tuple[Unknown, ...] = ()) -> Part:
    """The part that is `activity`; unknown where the catalogue does not know its type or Region."""
    if isinstance(activity, Fleet) and kind not in SERVING:
        activity = replace(activity, loaded=False)
    try:
        return Part(name, kind, activity, estimate(activity), left_out=left_out)
    except UserError as error:
        return Part(name, kind, activity, unknown=Unknown(name, str(error), Lack.UNCOUNTED))


def unknown(name: str, kind: str, reason: str, *, whole: bool = False, lack: Lack = Lack.UNCOUNTED) -> Part:
    """A part that nobody can estimate; where it is `whole`, none of its resource.

    `lack` is `Lack.USE` where the usage file alone can tell, of what holds bytes or waits for people.
    """
    return Part(name, kind, unknown=Unknown(name, reason, lack), whole=whole)
