"""Parts of a resource that have a footprint: one per variant, step, app or store."""

from typing import Any, NamedTuple

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue.tables import TableError
from sustainable_mlops.footprint.activities import ONE, Activity, FleetActivity, JobActivity, ServerlessActivity
from sustainable_mlops.footprint.figures import FootprintEstimate, UnknownItem, UnknownKind
from sustainable_mlops.footprint.model import estimate, estimate_per_thousand_requests
from sustainable_mlops.footprint.quantities import Quantity

#: Kinds of parts whose accelerators always hold a model.
SERVING_KINDS = ("real-time", "asynchronous")


class ResourcePart(NamedTuple):
    """Monthly estimate of one part of a resource, or the reason why there is none."""

    #: Title for a reader: `variant main`, `step Train`.
    name: str
    #: `real-time`, `asynchronous`, `serverless`, `job`, `notebook`, `app`, `instances`, `storage`, `transfer`,
    #: `throughput` (paid without usage), `service` (with a known price only), or `other` for a type without a reader.
    kind: str
    activity: Activity | None = None
    estimate: FootprintEstimate | None = None
    #: Reason why there is no estimate.
    unknown: UnknownItem | None = None
    #: Items that the estimate of this part leaves out.
    omissions: tuple[UnknownItem, ...] = ()
    #: True if a schedule reduces it at times, also to zero.
    has_schedule: bool = False
    #: Reasons why it cannot be a serverless endpoint; empty if the plan contains none.
    serverless_obstacles: tuple[str, ...] = ()
    #: Number of instances if it differs from the count of the activity.
    instances: Quantity | None = None
    #: True if it represents all parts of its resource because their number is unknown.
    is_whole_resource: bool = False
    #: Attributes that determine the size of a part without an estimate, with their values.
    size: tuple[tuple[str, Any], ...] = ()
    #: Description of the usage that an apply adds once; empty if there is none. `is_same` needs it to be the last.
    apply_note: str = ""

    def is_same(self, other: "ResourcePart") -> bool:
        """Return whether both parts are equal, apart from `apply_note`."""
        return self[:-1] == other[:-1]

    @property
    def unknowns(self) -> tuple[UnknownItem, ...]:
        """All items that the figures leave out, or the reason why there are none."""
        omissions = (*self.omissions, *(self.estimate.unknowns if self.estimate is not None else ()))
        return (self.unknown, *omissions) if self.unknown is not None else omissions

    @property
    def partial(self) -> tuple[str, ...]:
        """The metrics of the estimate if it leaves out something without a known bound."""
        is_unbounded = any(one.kind is UnknownKind.UNCOUNTED for one in self.omissions)
        return tuple(self.estimate.figures) if is_unbounded and self.estimate is not None else ()

    @property
    def count(self) -> Quantity | None:  # type: ignore[override]  # not the method of a tuple
        """The minimum, expected and maximum number of instances."""
        return self.instances or (self.activity.count if isinstance(self.activity, FleetActivity) else None)

    @property
    def per_thousand_requests(self) -> FootprintEstimate | None:
        """The estimate of 1,000 requests, if the part serves requests."""
        return (
            estimate_per_thousand_requests(self.activity)
            if isinstance(self.activity, FleetActivity | ServerlessActivity)
            else None
        )

    @property
    def per_run(self) -> FootprintEstimate | None:
        """The estimate of one run (SCI, ISO/IEC 21031:2024, R = 1 run); for a tuning job, of one training job."""
        return (
            estimate(self.activity._replace(runs=ONE))
            if isinstance(self.activity, JobActivity) and self.estimate
            else None
        )


def make_part(name: str, kind: str, activity: Activity, omissions: tuple[UnknownItem, ...] = ()) -> ResourcePart:
    """Return the part for `activity`; unknown if the catalogue does not contain its instance type or Region."""
    if isinstance(activity, FleetActivity) and kind not in SERVING_KINDS:
        activity = activity._replace(has_model_loaded=False)
    try:
        return ResourcePart(name, kind, activity, estimate(activity), omissions=omissions)
    except TableError:
        raise
    except UserError as error:
        return ResourcePart(name, kind, activity, unknown=UnknownItem(name, str(error), UnknownKind.UNCOUNTED))


def make_unknown_part(
    name: str,
    kind: str,
    reason: str,
    *,
    is_whole_resource: bool = False,
    unknown_kind: UnknownKind = UnknownKind.UNCOUNTED,
) -> ResourcePart:
    """Return a part without an estimate.

    `is_whole_resource` means that no part of the resource has an estimate. `unknown_kind` is `UnknownKind.USAGE` if
    only the usage file can give the value, for example for stored bytes or working hours.
    """
    return ResourcePart(
        name, kind, unknown=UnknownItem(name, reason, unknown_kind), is_whole_resource=is_whole_resource
    )
