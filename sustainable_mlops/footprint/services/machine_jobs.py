"""A job of any kind: its machines, how long they are on, and the warm pool that it leaves."""

from math import inf
from typing import NamedTuple

from sustainable_mlops.footprint.activities import NONE, Fleet, Job, Work
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Lack, Unknown
from sustainable_mlops.footprint.quantities import Quantity, between, exactly
from sustainable_mlops.footprint.resource_parts import Part, known, unknown
from sustainable_mlops.footprint.services.plan_side import known_number, says
from sustainable_mlops.footprint.usage import Keys
from sustainable_mlops.plan import UNKNOWN, Block, Step


class Request(NamedTuple):
    """What a request says of its machines and its end, as it is read: known, unknown or not there."""

    instance_type: object
    instances: object
    volume_gb: object
    warm_seconds: object
    cap_seconds: object
    spot: object
    #: When what is unknown is known.
    when: str


def of_step(step: Step, machines: str, definition: str = "") -> Request:
    """The request of `step` with its machines at the path `machines`, and the rest under `definition`."""
    # Each is read by its whole path, as parameters on the way are resolved only so.
    return Request(
        instance_type=step.text(f"{machines}.InstanceType"),
        instances=step.number(f"{machines}.InstanceCount"),
        volume_gb=step.number(f"{machines}.VolumeSizeInGB"),
        warm_seconds=step.number(f"{machines}.KeepAlivePeriodInSeconds"),
        cap_seconds=step.number(f"{definition}StoppingCondition.MaxRuntimeInSeconds"),
        spot=step.flag(f"{definition}EnableManagedSpotTraining"),
        when="an execution",
    )


def of_block(values: Block, path: str) -> Request:
    """The request of a resource, or of a block of it, with the block of its machines at `path`."""
    found = values.block(path)
    machines = found if isinstance(found, Block) else Block({} if found is None else found)
    return Request(
        instance_type=machines.text("instance_type"),
        instances=machines.number("instance_count"),
        volume_gb=machines.number("volume_size_in_gb"),
        warm_seconds=machines.number("keep_alive_period_in_seconds"),
        cap_seconds=values.number("stopping_condition.0.max_runtime_in_seconds"),
        spot=values.flag("enable_managed_spot_training"),
        when="apply",
    )


def of_request(
    name: str,
    request: Request,
    runs: Quantity,
    region: str | None,
    keys: Keys,
    longest_h: float = inf,
    work: Work = "training",
) -> list[Part]:
    """The job of `request`, `runs` times a month, and its warm pool. Without a cap it ends after `longest_h` hours."""

    def why(value: object, what: str) -> str:
        return f"{what} is not known until {request.when}" if value is UNKNOWN else says(value, what)

    if not isinstance(request.instance_type, str):
        return [unknown(name, "job", why(request.instance_type, "its instance type"))]
    number = 1.0 if request.instances is None else known_number(request.instances)
    count = keys.get("instances") or (None if number is None else exactly(number))
    if count is None:
        return [unknown(name, "job", why(request.instances, "its number of instances"))]
    job = Job(
        instance_type=request.instance_type,
        region=region,
        hours=keys.get("hours_per_run") or _hours(known_number(request.cap_seconds), longest_h),
        count=count,
        runs=runs,
        spot=request.spot is True,
        discount=keys.get("spot_discount"),
        duty=keys.get("duty"),
        volume_gb=known_number(request.volume_gb) or 0.0,
        work=work,
    )
    left_out = []
    if request.cap_seconds is UNKNOWN:
        left_out.append(Unknown(name, why(UNKNOWN, "its runtime cap")))
    if request.warm_seconds is UNKNOWN:
        left_out.append(Unknown(name, why(UNKNOWN, "how long its warm pool stays on"), Lack.UNCOUNTED))
    return [known(name, "job", job, tuple(left_out)), *_warm_pool(name, job, known_number(request.warm_seconds))]


def _hours(cap_seconds: float | None, longest_h: float) -> Quantity:
    """Hours of a run: a share of the cap, else the stated default."""
    if not cap_seconds:
        return assumptions()["job_hours_without_cap"].at(0.0, longest_h)
    hours = assumptions()["job_share_of_cap"] * (cap_seconds / 3600)
    return hours.named(f"hours of a job, as a share of its runtime cap of {cap_seconds / 3600:g} h")


def _warm_pool(name: str, job: Job, seconds: float | None) -> list[Part]:
    """The instances that stay on after the job, idle and billed, until a job takes them or their time is up."""
    if not seconds:
        return []
    hours = between(0.0, seconds / 3600, seconds / 3600, "hours that a warm pool waits for the next job")
    pool = Fleet(job.instance_type, job.region, job.count, hours, NONE, job.runs, job.volume_gb)
    return [known(f"{name}, warm pool", "job", pool)]
