"""A job of any kind: its machines, their hours, and its warm pool."""

from math import inf
from typing import NamedTuple

from sustainable_mlops.footprint.activities import ZERO, AcceleratorWork, FleetActivity, JobActivity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind
from sustainable_mlops.footprint.quantities import Quantity, bounded_quantity, exact_quantity
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part, make_unknown_part
from sustainable_mlops.footprint.services.plan_side import explain_missing, to_known_number
from sustainable_mlops.footprint.usage import UsageKeys
from sustainable_mlops.plan import UNKNOWN, Block, PipelineStep


class JobMachineRequest(NamedTuple):
    """Machines and runtime cap in a request, as read: known, unknown or missing."""

    instance_type: object
    instances: object
    volume_gb: object
    warm_seconds: object
    cap_seconds: object
    spot: object
    #: Event after which unknown values are known.
    known_after: str


def read_step(step: PipelineStep, machines: str, definition: str = "") -> JobMachineRequest:
    """Return the request of `step`: machines at the path `machines`, other members under `definition`."""
    # Each value is read by its whole path, because only then pipeline parameters are resolved.
    return JobMachineRequest(
        instance_type=step.text(f"{machines}.InstanceType"),
        instances=step.number(f"{machines}.InstanceCount"),
        volume_gb=step.number(f"{machines}.VolumeSizeInGB"),
        warm_seconds=step.number(f"{machines}.KeepAlivePeriodInSeconds"),
        cap_seconds=step.number(f"{definition}StoppingCondition.MaxRuntimeInSeconds"),
        spot=step.flag(f"{definition}EnableManagedSpotTraining"),
        known_after="an execution",
    )


def read_block(values: Block, path: str) -> JobMachineRequest:
    """Return the request of a resource or block, with its machines at `path`."""
    block = values.block(path)
    machines = block if isinstance(block, Block) else Block({} if block is None else block)
    return JobMachineRequest(
        instance_type=machines.text("instance_type"),
        instances=machines.number("instance_count"),
        volume_gb=machines.number("volume_size_in_gb"),
        warm_seconds=machines.number("keep_alive_period_in_seconds"),
        cap_seconds=values.number("stopping_condition.0.max_runtime_in_seconds"),
        spot=values.flag("enable_managed_spot_training"),
        known_after="apply",
    )


def make_job_parts(
    name: str,
    request: JobMachineRequest,
    runs: Quantity,
    region: str | None,
    keys: UsageKeys,
    longest_h: float = inf,
    work: AcceleratorWork = "training",
) -> list[ResourcePart]:
    """Return the job of `request`, `runs` times a month, and its warm pool.

    Without a runtime cap it ends after `longest_h` hours.
    """

    def explain(value: object, attribute: str) -> str:
        return (
            f"{attribute} is not known until {request.known_after}"
            if value is UNKNOWN
            else explain_missing(value, attribute)
        )

    if not isinstance(request.instance_type, str):
        return [make_unknown_part(name, "job", explain(request.instance_type, "its instance type"))]
    number = 1.0 if request.instances is None else to_known_number(request.instances)
    count = keys.get("instances") or (None if number is None else exact_quantity(number))
    if count is None:
        return [make_unknown_part(name, "job", explain(request.instances, "its number of instances"))]
    job = JobActivity(
        instance_type=request.instance_type,
        region=region,
        hours=keys.get("hours_per_run") or _estimate_hours(to_known_number(request.cap_seconds), longest_h),
        count=count,
        runs=runs,
        spot=request.spot is True,
        discount=keys.get("spot_discount"),
        duty=keys.get("duty"),
        volume_gb=to_known_number(request.volume_gb) or 0.0,
        work=work,
    )
    left_out = []
    if request.cap_seconds is UNKNOWN:
        left_out.append(UnknownItem(name, explain(UNKNOWN, "its runtime cap")))
    if request.warm_seconds is UNKNOWN:
        left_out.append(UnknownItem(name, explain(UNKNOWN, "the duration of its warm pool"), UnknownKind.UNCOUNTED))
    return [
        make_part(name, "job", job, tuple(left_out)),
        *_make_warm_pool(name, job, to_known_number(request.warm_seconds)),
    ]


def _estimate_hours(cap_seconds: float | None, longest_h: float) -> Quantity:
    """Return the hours of a run: a share of the runtime cap, else the documented default."""
    if not cap_seconds:
        return load_assumptions()["job_hours_without_cap"].clamp(0.0, longest_h)
    hours = load_assumptions()["job_share_of_cap"] * (cap_seconds / 3600)
    return hours.with_text(f"hours of a job, as a share of its runtime cap of {cap_seconds / 3600:g} h")


def _make_warm_pool(name: str, job: JobActivity, seconds: float | None) -> list[ResourcePart]:
    """Return the instances that stay on after the job, idle and billed, until a job uses them or their time ends."""
    if not seconds:
        return []
    hours = bounded_quantity(0.0, seconds / 3600, seconds / 3600, "hours that a warm pool waits for the next job")
    pool = FleetActivity(job.instance_type, job.region, job.count, hours, ZERO, job.runs, job.volume_gb)
    return [make_part(f"{name}, warm pool", "job", pool)]
