"""Activities that can be estimated.

"Activity data" is the term of the GHG Protocol for the quantities that emission factors are multiplied with.
"""

from typing import Literal, NamedTuple

from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.footprint.quantities import Quantity, make_exact

ONE = make_exact(1.0)
ZERO = make_exact(0.0)
ALWAYS = make_exact(HOURS_PER_MONTH)


#: Work of busy accelerators. The power of a chip differs between the two.
AcceleratorWork = Literal["inference", "training"]


class FleetActivity(NamedTuple):
    """Instances that run for some hours a month: a real-time or asynchronous variant, a notebook, an app."""

    instance_type: str
    #: None if the plan does not contain it.
    region: str | None
    count: Quantity = ONE  # type: ignore[assignment]  # not the method of a tuple
    #: Hours that each instance is on, in a month or in a run.
    hours: Quantity = ALWAYS
    #: Busy share of that time; the mean CPU load of an instance without an accelerator.
    duty: Quantity | None = None
    #: Runs a month; 1 unless `hours` is the duration of one run.
    runs: Quantity = ONE
    #: Storage attached to each instance, in GB.
    volume_gb: float = 0.0
    #: Paid share of the price: 1 - discount.
    price_share: Quantity = ONE
    #: Reason why the price is unknown; empty if it is the price of the instance type.
    unpriced_reason: str = ""
    #: Repeated work, as a factor of the hours.
    rework: Quantity = ONE
    #: Billed hours; None if they equal the working hours.
    billable_hours: Quantity | None = None
    #: Factor of `hours` for the same work; the busy share is divided by it.
    hours_factor: Quantity = ONE
    #: True if idle accelerators hold a model, which takes power.
    has_model_loaded: bool = True
    work: AcceleratorWork = "inference"
    #: Requests a month, for the figures per 1,000 requests.
    requests: Quantity | None = None
    #: Duration of a request in seconds.
    duration_s: Quantity | None = None
    #: Types that AWS uses if `instance_type` has no capacity. The intervals cover all of them.
    fallback_types: tuple[str, ...] = ()


class JobActivity(NamedTuple):
    """A training, processing, transform or tuning job: `runs` runs of `hours` hours on `count` instances."""

    instance_type: str
    region: str | None
    hours: Quantity
    count: Quantity = ONE  # type: ignore[assignment]  # not the method of a tuple
    runs: Quantity = ONE
    spot: bool = False
    #: Discount of managed spot; the documented default if None.
    discount: Quantity | None = None
    #: Busy share of the time (the load of a CPU); the documented default if None.
    duty: Quantity | None = None
    volume_gb: float = 0.0
    work: AcceleratorWork = "training"
    #: As in `FleetActivity`.
    fallback_types: tuple[str, ...] = ()


class ServerlessActivity(NamedTuple):
    """A serverless variant; only provisioned concurrency runs between requests."""

    memory_mb: int
    region: str | None
    requests: Quantity
    duration_s: Quantity
    #: Workers that are ready all the time.
    provisioned: Quantity = ZERO
    #: Maximum number of workers at the same time; None if unknown.
    max_concurrency: float | None = None
    #: Fleet without accelerators that the variant replaces. Its work then determines the busy hours.
    replaced_fleet: FleetActivity | None = None


class StorageActivity(NamedTuple):
    """Bytes at rest for a month.

    `storage_class` is a class of S3, the store of a feature group, or `volume`.
    """

    storage_class: str
    region: str | None
    gb: Quantity


class TransferActivity(NamedTuple):
    """Bytes sent to another Region in a month."""

    region: str | None
    gb: Quantity


class ServiceActivity(NamedTuple):
    """Units of a service with a fixed price for a month. AWS publishes neither their energy nor their carbon."""

    #: Name of the price in `prices_services.csv`.
    item: str
    region: str | None
    count: Quantity = ONE  # type: ignore[assignment]  # not the method of a tuple


Activity = FleetActivity | JobActivity | ServerlessActivity | ServiceActivity | StorageActivity | TransferActivity
