"""What can be estimated: activity data, as the GHG Protocol calls what emission factors are multiplied with."""

from dataclasses import dataclass
from typing import Literal

from sustainable_mlops.footprint.quantities import Quantity, exactly

HOURS_PER_MONTH = 730.0
ONE = exactly(1.0)
NONE = exactly(0.0)
ALWAYS = exactly(HOURS_PER_MONTH)


#: What accelerators do while they are busy: the same chip draws otherwise in one and in the other.
Work = Literal["inference", "training"]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Instances that are on for hours a month: a real-time or asynchronous variant, a notebook, an app."""

    instance_type: str
    #: None where the plan does not say.
    region: str | None
    count: Quantity = ONE
    #: Hours that each is on, in a month or in a run.
    hours: Quantity = ALWAYS
    #: Share of that time busy; of an instance without an accelerator, its mean CPU load.
    duty: Quantity | None = None
    #: How many times a month; 1 unless `hours` is those of a run.
    runs: Quantity = ONE
    #: Storage attached to each instance, in GB.
    volume_gb: float = 0.0
    #: What is paid of the price: 1 - the discount.
    paid: Quantity = ONE
    #: Why nobody knows the price, where it is not that of the type.
    unpriced: str = ""
    #: Work done over again, as a factor of the hours.
    rework: Quantity = ONE
    #: Hours billed, where they differ from those worked.
    billable_hours: Quantity | None = None
    #: Hours on for each of `hours`, at the same work: what is busy of the time is divided by it.
    stretch: Quantity = ONE
    #: Whether accelerators hold a model while they wait, which takes power.
    loaded: bool = True
    work: Work = "inference"
    #: Requests a month, for the figures per 1,000 requests.
    requests: Quantity | None = None
    #: Time a request takes, in s.
    duration_s: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A training, processing, transform or tuning job: `runs` of `hours` on `count` instances."""

    instance_type: str
    region: str | None
    hours: Quantity
    count: Quantity = ONE
    runs: Quantity = ONE
    spot: bool = False
    #: Discount of managed spot; the stated default unless given.
    discount: Quantity | None = None
    #: Share of the time busy (of a CPU: its load); by default the stated share.
    duty: Quantity | None = None
    volume_gb: float = 0.0
    work: Work = "training"


@dataclass(frozen=True, slots=True)
class Serverless:
    """A serverless variant: nothing runs between requests, but for provisioned concurrency."""

    memory_mb: int
    region: str | None
    requests: Quantity
    duration_s: Quantity
    #: Workers kept ready all the time.
    provisioned: Quantity = NONE
    #: The most workers at the same time; None where nobody knows.
    at_once: float | None = None
    #: A fleet without accelerators whose work it does instead, which then says how long it answers.
    work_of: Fleet | None = None


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes at rest for a month. `storage_class`: of S3, a feature group's store, or `volume`."""

    storage_class: str
    region: str | None
    gb: Quantity


@dataclass(frozen=True, slots=True)
class Transfer:
    """Bytes sent to another Region in a month."""

    region: str | None
    gb: Quantity


Activity = Fleet | Job | Serverless | Storage | Transfer
