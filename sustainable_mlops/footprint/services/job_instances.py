"""A job of any kind: its instances, their hours, and its warm pool."""

from collections.abc import Iterator
from math import inf
from typing import NamedTuple

from sustainable_mlops.footprint.activities import ZERO, AcceleratorWork, FleetActivity, JobActivity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind
from sustainable_mlops.footprint.quantities import Quantity, make_bounded, make_exact
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part, make_unknown_part
from sustainable_mlops.footprint.services.plan_side import (
    explain_missing,
    note_training_plan,
    split_fallback_types,
    to_known_number,
)
from sustainable_mlops.footprint.usage import UsageKeys
from sustainable_mlops.plan import UNKNOWN, Block, PipelineStep


class JobInstancePreference(NamedTuple):
    """One instance type that a job accepts, with the values of the plan."""

    instance_type: object
    instances: object
    training_plan: object


class JobInstanceRequest(NamedTuple):
    """Instances and runtime limit in a request, as read: known, unknown or missing."""

    instance_type: object
    instances: object
    volume_gb: object
    warm_seconds: object
    cap_seconds: object
    spot: object
    training_plan: object
    #: The preferred types; SageMaker takes the first one with capacity (API reference, InstancePreferences).
    preferences: tuple[JobInstancePreference, ...]
    #: Event after which unknown values are known.
    known_after: str


def read_step(step: PipelineStep, path: str, definition: str = "") -> JobInstanceRequest:
    """Return the request of `step`: instances at `path`, other members under `definition`."""
    # Each value is read by its whole path, because only then pipeline parameters are resolved.
    return JobInstanceRequest(
        instance_type=step.text(f"{path}.InstanceType"),
        instances=step.number(f"{path}.InstanceCount"),
        volume_gb=step.number(f"{path}.VolumeSizeInGB"),
        warm_seconds=step.number(f"{path}.KeepAlivePeriodInSeconds"),
        cap_seconds=step.number(f"{definition}StoppingCondition.MaxRuntimeInSeconds"),
        spot=step.flag(f"{definition}EnableManagedSpotTraining"),
        training_plan=step.text(f"{path}.TrainingPlanArn"),
        preferences=tuple(_read_preferences(step, f"{path}.InstancePreferences")),
        known_after="an execution",
    )


def _read_preferences(step: PipelineStep, path: str) -> Iterator[JobInstancePreference]:
    preferences = step.get(path)
    for number in range(len(preferences) if isinstance(preferences, list) else 0):
        one = f"{path}.{number}"
        yield JobInstancePreference(
            step.text(f"{one}.InstanceType"),
            step.number(f"{one}.InstanceCount"),
            step.text(f"{one}.TrainingPlanArns.0"),
        )


def read_block(values: Block, path: str) -> JobInstanceRequest:
    """Return the request of a resource or block, with its instances at `path`."""
    block = values.block(path)
    instances = block if isinstance(block, Block) else Block({} if block is None else block)
    return JobInstanceRequest(
        instance_type=instances.text("instance_type"),
        instances=instances.number("instance_count"),
        volume_gb=instances.number("volume_size_in_gb"),
        warm_seconds=instances.number("keep_alive_period_in_seconds"),
        cap_seconds=values.number("stopping_condition.0.max_runtime_in_seconds"),
        spot=values.flag("enable_managed_spot_training"),
        training_plan=instances.text("training_plan_arn"),
        preferences=(),
        known_after="apply",
    )


def make_job_parts(
    name: str,
    request: JobInstanceRequest,
    runs: Quantity,
    region: str | None,
    keys: UsageKeys,
    longest_h: float = inf,
    work: AcceleratorWork = "training",
) -> list[ResourcePart]:
    """Return the job of `request`, `runs` times a month, and its warm pool.

    Without a runtime limit it ends after `longest_h` hours.
    """

    def explain(value: object, attribute: str) -> str:
        return (
            f"{attribute} is not known until {request.known_after}"
            if value is UNKNOWN
            else explain_missing(value, attribute)
        )

    types = [one.instance_type for one in request.preferences] or [request.instance_type]
    instance_type = next((kind for kind in types if not isinstance(kind, str)), types[0])
    if not isinstance(instance_type, str):
        return [make_unknown_part(name, "job", explain(instance_type, "its instance type"))]
    counts = {one.instances for one in request.preferences if one.instances is not None} or {request.instances}
    if len(counts) > 1 and keys.get("instances") is None:
        reason = "its number of instances depends on the type that has capacity; set instances in the usage file"
        return [make_unknown_part(name, "job", reason)]
    instances = counts.pop()
    number = 1.0 if instances is None else to_known_number(instances)
    count = keys.get("instances") or (None if number is None else make_exact(number))
    if count is None:
        return [make_unknown_part(name, "job", explain(instances, "its number of instances"))]
    plans = [one.training_plan for one in request.preferences if one.training_plan is not None]
    fallback_types, unknown_types = split_fallback_types(name, types)
    job = JobActivity(
        instance_type=instance_type,
        region=region,
        hours=keys.get("hours_per_run") or _estimate_hours(to_known_number(request.cap_seconds), longest_h),
        count=count,
        runs=runs,
        spot=request.spot is True,
        discount=keys.get("spot_discount"),
        duty=keys.get("duty"),
        volume_gb=to_known_number(request.volume_gb) or 0.0,
        work=work,
        fallback_types=fallback_types,
    )
    uncounted_items = [*unknown_types, *note_training_plan(name, plans[0] if plans else request.training_plan)]
    if request.cap_seconds is UNKNOWN:
        uncounted_items.append(UnknownItem(name, explain(UNKNOWN, "its runtime limit")))
    if request.warm_seconds is UNKNOWN:
        uncounted_items.append(
            UnknownItem(name, explain(UNKNOWN, "the duration of its warm pool"), UnknownKind.UNCOUNTED)
        )
    return [
        make_part(name, "job", job, tuple(uncounted_items)),
        *_make_warm_pool(name, job, to_known_number(request.warm_seconds)),
    ]


def _estimate_hours(cap_seconds: float | None, longest_h: float) -> Quantity:
    """Return the hours of a run: a share of the runtime limit, else the documented default."""
    if not cap_seconds:
        return load_assumptions()["job_hours_without_cap"].clamp(0.0, longest_h)
    hours = load_assumptions()["job_share_of_cap"] * (cap_seconds / 3600)
    return hours.replace_text(f"hours of a job, as a share of its runtime limit of {cap_seconds / 3600:g} h", "h")


def _make_warm_pool(name: str, job: JobActivity, seconds: float | None) -> list[ResourcePart]:
    """Return the instances that stay on after the job, idle and billed, until a job uses them or their time ends."""
    if not seconds:
        return []
    hours = make_bounded(0.0, seconds / 3600, seconds / 3600, "hours that a warm pool waits for the next job", unit="h")
    pool = FleetActivity(
        job.instance_type,
        job.region,
        job.count,
        hours,
        ZERO,
        job.runs,
        job.volume_gb,
        fallback_types=job.fallback_types,
    )
    return [make_part(f"{name}, warm pool", "job", pool)]
