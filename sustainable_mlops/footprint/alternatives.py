"""Alternatives that use less according to the model, with their drawbacks in latency or capability.

The proposals are limited to what SageMaker supports: Graviton for hosting only, no accelerator on serverless, Neuron
chips if the instance type allows the use. Instance types that the AWS provider in use refuses are left out. Managed
spot is not proposed: it is cheaper, but not cleaner.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from math import ceil
from typing import Any, NamedTuple

from sustainable_mlops.catalogue import instances, regions
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.catalogue.limits import get_limit, list_serverless_memory_mb
from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.footprint.activities import (
    ALWAYS,
    ONE,
    Activity,
    FleetActivity,
    JobActivity,
    ServerlessActivity,
    StorageActivity,
)
from sustainable_mlops.footprint.coefficients import Coefficients, load_assumptions
from sustainable_mlops.footprint.figures import UNITS, FootprintEstimate, FootprintFigure, sum_estimates, sum_figures
from sustainable_mlops.footprint.instance_calculations import find_job_duty
from sustainable_mlops.footprint.model import estimate, estimate_change
from sustainable_mlops.footprint.plan_footprint import PlanFootprint, ResourceFootprint
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import ResourcePart
from sustainable_mlops.footprint.services.scaling import estimate_waiting
from sustainable_mlops.plan import UNKNOWN, Unknown

#: Minimum saving of an alternative: share of the carbon, and kg a month (chosen values).
_LEAST_SHARE, _LEAST_KG = 0.005, 0.001
#: GPUs with at most 32 GB, the memory of one Inferentia2 or Trainium chip.
_SMALL_GPUS = {"T4", "T4g", "A10G", "L4", "V100", "K80"}


class FootprintAlternative(NamedTuple):
    """A change that uses less."""

    address: str
    part: str
    #: `silicon`, `serverless`, `asynchronous`, `off-hours`, `idle stop` or `region`.
    kind: str
    title: str
    #: Drawbacks in latency or capability, and necessary checks.
    drawbacks: str
    after: FootprintEstimate
    #: Saving a month in kgCO2e (operational + embodied) and USD. USD may be negative; None if a price is unknown.
    saved_kg: FootprintFigure
    saved_usd: FootprintFigure | None

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        return {
            "address": self.address,
            "part": self.part,
            "kind": self.kind,
            "title": self.title,
            "drawbacks": self.drawbacks,
            "saved_kg": self.saved_kg.to_dict(),
            "saved_usd": self.saved_usd.to_dict() if self.saved_usd else None,
        }


def find_alternatives(
    footprint: PlanFootprint, provider: int | Unknown = UNKNOWN, *, least_kg: float = _LEAST_KG
) -> list[FootprintAlternative]:
    """Return every alternative that saves carbon, the largest saving first.

    Resources that the plan deletes or forgets have none. `provider` is the major version of the AWS provider in use; if
    it is unknown, only instance types that every version accepts are proposed. `least_kg` is the minimum saving in
    kgCO2e; for a single run any saving counts.
    """
    resources = [resource for resource in footprint.resources if resource.action not in ("delete", "forget")]
    alternatives = [one for resource in resources for one in _list_alternatives(resource, provider)]
    alternatives += _propose_regions(resources)
    saving = (one for one in alternatives if one.saved_kg.central >= least_kg)
    return sorted(saving, key=lambda one: -one.saved_kg.central)


def _list_alternatives(resource: ResourceFootprint, provider: int | Unknown) -> Iterator[FootprintAlternative]:
    parts = [one.after for one in resource.changes if one.after is not None and one.after.estimate is not None]
    several = sum(not isinstance(part.activity, StorageActivity) for part in parts) > 1
    for part in parts:
        if (now := part.activity) is not None:
            for kind, title, drawbacks, then in _list_proposals(part, provider):
                title = f"{part.name}: {title}" if several else title
                yield from _compare_moves(resource.address, part.name, kind, title, drawbacks, [(now, then)])


def _compare_moves(
    address: str, part: str, kind: str, title: str, drawbacks: str, moves: Sequence[tuple[Activity, Activity]]
) -> Iterator[FootprintAlternative]:
    """Yield the alternative that replaces the activity of each move; nothing if the saving is negligible."""
    saved = [estimate_change(then, now) for now, then in moves]
    kg = [figures["total"] for figures in saved if "total" in figures]
    usd = [figures["cost"] for figures in saved if "cost" in figures]
    used = sum_estimates(estimate(now) for now, _ in moves).get("total")
    if not kg or used is None:
        return
    total_saving = sum_figures(kg, UNITS["total"])
    if total_saving.central > 0 and total_saving.central >= _LEAST_SHARE * used.central:
        after = sum_estimates(estimate(then) for _, then in moves)
        saved_usd = sum_figures(usd, UNITS["cost"]) if usd else None
        yield FootprintAlternative(address, part, kind, title, drawbacks, after, total_saving, saved_usd)


def _list_proposals(part: ResourcePart, provider: int | Unknown) -> Iterator[tuple[str, str, str, Activity]]:
    """Yield the kind, title, drawbacks and new activity of each proposal."""
    activity = part.activity
    if isinstance(activity, JobActivity) and not activity.fallback_types:
        yield from _propose_trainium(activity)
    if not isinstance(activity, FleetActivity) or (instance := instances.find(activity.instance_type)) is None:
        return
    if part.kind in ("real-time", "asynchronous") and not activity.fallback_types:
        yield from _propose_silicon(activity, instance, provider)
    if (
        part.kind == "real-time" and part.count is not None and part.count.low > 0
    ):  # a smaller minimum already scales to zero
        yield from _propose_kinds(activity, instance, part)
        at_work = load_assumptions()["working_hours"] * (1 / HOURS_PER_MONTH)
        if activity.hours is ALWAYS and not part.has_schedule and _get_duty(activity).central <= at_work.central:
            drawbacks = "no responses outside working hours; all requests must arrive within them"
            yield "off-hours", "run it on working days only", drawbacks, activity._replace(hours_factor=at_work)
    if part.kind in ("notebook", "app") and activity.hours is ALWAYS:
        stopped = activity._replace(hours=load_assumptions()["notebook_hours_with_idle_stop"])
        yield "idle stop", "stop it when idle", "unattended work must move to a job", stopped


def _get_duty(activity: FleetActivity) -> Quantity:
    return activity.duty or load_assumptions()["endpoint_duty"]


def _propose_silicon(
    activity: FleetActivity, instance: InstanceType, provider: int | Unknown
) -> Iterator[tuple[str, str, str, Activity]]:
    if instance.accelerator is None:
        candidates = _find_gravitons(instance.vcpu, instance.memory_gib) if not instance.is_graviton else []
        drawbacks = (
            "needs an arm64 image with arm64 libraries; the comparison assumes equal load, so measure the throughput"
        )
    else:
        candidates = _find_inferentias(instance)
        drawbacks = (
            "the model must compile with Neuron, and the Region must have the type; the comparison assumes equal busy "
            "time, and AWS does not publish the power"
        )
    ranked = sorted(candidates, key=lambda other: _estimate_kg(activity._replace(instance_type=other.name)))
    major = None if provider is UNKNOWN else provider
    accepted = [other for other in ranked if not instances.is_refused_by_provider(other.name, "hosting", major)]
    if accepted:
        best = accepted[0].name
        if major is None and accepted[0] is not ranked[0]:
            drawbacks += "; a newer type uses even less, but AWS provider 5 refuses it"
        yield "silicon", f"{best} instead of {instance.name}", drawbacks, activity._replace(instance_type=best)


@cache
def _find_gravitons(vcpu: int, memory_gib: float) -> list[InstanceType]:
    """Return the Graviton hosting types with the same number of vCPUs and about the same memory."""
    return [
        other
        for other in instances.load_all().values()
        if other.is_graviton
        and "hosting" in other.uses
        and other.accelerator is None
        and other.vcpu == vcpu
        and 0.95 * memory_gib <= other.memory_gib <= 2 * memory_gib
    ]


def _estimate_kg(activity: Activity) -> float:
    figures = estimate(activity)
    figure = figures.get("total") or figures.get("energy")
    return figure.central if figure else 0.0


def _find_inferentias(instance: InstanceType) -> list[InstanceType]:
    """Return the Inferentia2 type with at least as many chips as GPUs, if one chip holds what one GPU holds."""
    if instance.accelerator is None or instance.accelerator.name not in _SMALL_GPUS:
        return []
    instance_type = _find_neuron_type("inf2", instance.accelerators)
    return [instance_type] if instance_type else []


@cache
def _find_neuron_type(family: str, chips: int) -> InstanceType | None:
    candidates = [one for one in instances.load_all().values() if one.family == family and one.accelerators >= chips]
    return min(candidates, key=lambda one: (one.accelerators, one.vcpu), default=None)


def _propose_trainium(job: JobActivity) -> Iterator[tuple[str, str, str, Activity]]:
    instance = instances.find(job.instance_type)
    if instance is None or instance.accelerator is None or "training" not in instance.uses:
        return
    has_large_gpus = instance.accelerator.name == "A100"
    if not has_large_gpus and instance.accelerator.name not in _SMALL_GPUS:
        return
    trainium = _find_neuron_type("trn1", 16 if has_large_gpus else instance.accelerators)
    if trainium is not None and "training" in trainium.uses:
        drawbacks = (
            "the model must train with Neuron, and the Region must have the type; the comparison assumes equal hours, "
            "and AWS does not publish the power"
        )
        title = f"{trainium.name} instead of {instance.name}"
        # The same busy share: the defaults of the two types differ, but not because of the chips.
        yield (
            "silicon",
            title,
            drawbacks,
            job._replace(instance_type=trainium.name, duty=job.duty or find_job_duty(instance)),
        )


def _propose_kinds(
    activity: FleetActivity, instance: InstanceType, part: ResourcePart
) -> Iterator[tuple[str, str, str, Activity]]:
    if _get_duty(activity).central <= 0.5:
        drawbacks = "responses come through S3, after some minutes if no instance is on; for callers that can wait"
        yield "asynchronous", "an asynchronous endpoint that scales to zero", drawbacks, _make_asynchronous(activity)
    if not part.serverless_obstacles and (serverless := _make_serverless(activity, instance)) is not None:
        drawbacks = (
            "the first request after a pause waits for a start; the model and its server must fit into "
            f"{serverless.memory_mb / 1024:g} GB (the instance has {instance.memory_gib:g}), and a payload into 4 MB"
        )
        yield "serverless", f"a serverless endpoint of {serverless.memory_mb} MB", drawbacks, serverless


def _make_asynchronous(activity: FleetActivity) -> FleetActivity:
    """Return a fleet that does the same work and is on only while it works or waits to scale in."""
    duty = _get_duty(activity)
    hours = (duty * activity.hours.central).clamp(0.0, activity.hours.high)
    return activity._replace(
        hours=hours, duty=ONE, hours_factor=estimate_waiting(1 / duty.central if duty.central else None)
    )


def _make_serverless(activity: FleetActivity, instance: InstanceType) -> ServerlessActivity | None:
    """Return serverless workers that do the same work, in vCPU-hours; None if SageMaker has no such workers.

    An instance with up to 16 GB may hold a model of less than 6 GB, because the smallest types have 8 GB and more. Its
    vCPUs must not exceed those of a worker, rounded up.
    """
    region = regions.find(activity.region) if activity.region else None
    if region is None or not region.has_serverless or instance.accelerator or activity.requests is None:
        return None
    max_mb, max_concurrency = list_serverless_memory_mb()[-1], get_limit("serverless_concurrency")
    mb_per_vcpu = Coefficients.get_current().serverless_mb_per_vcpu.central
    if instance.vcpu > ceil(max_mb / mb_per_vcpu) or instance.memory_gib > 16:
        return None
    if activity.duration_s is None or activity.duration_s.central > get_limit("serverless_answer_s"):
        return None
    memory = min(max_mb, 1024 * ceil(instance.memory_gib))
    if activity.count.high * instance.vcpu > max_concurrency * memory / mb_per_vcpu:
        return None
    return ServerlessActivity(
        memory,
        activity.region,
        activity.requests,
        activity.duration_s,
        max_concurrency=max_concurrency,
        replaced_fleet=activity,
    )


def _propose_regions(resources: Sequence[ResourceFootprint]) -> Iterator[FootprintAlternative]:
    """Yield the move to the cleanest Region, and to the cleanest of the same continent, for each Region."""
    by_region: dict[str, list[Activity]] = {}
    for resource in resources:
        for one in resource.changes:
            part = one.after
            if part is not None and part.activity is not None and part.estimate is not None and part.activity.region:
                by_region.setdefault(part.activity.region, []).append(part.activity)
    for home, activities in by_region.items():
        for other in _find_cleaner_regions(home, activities):
            region = regions.load_all()[other]
            moves = [(activity, activity._replace(region=other)) for activity in activities]
            drawbacks = "the data moves too: check data residency, latency, and the availability of the instance types"
            title = f"{other} ({region.location}) instead of {home}"
            yield from _compare_moves("", f"all resources in {home}", "region", title, drawbacks, moves)


def _find_cleaner_regions(home: str, activities: list[Activity]) -> list[str]:
    """Return the cleanest Region of the same continent and of all, by carbon per kWh of the hardware."""
    needs_serverless = any(isinstance(activity, ServerlessActivity) for activity in activities)
    candidates = [
        region
        for name, region in regions.load_all().items()
        if name != home
        and regions.find_partition(name) == regions.find_partition(home)
        and (region.has_serverless or not needs_serverless)
    ]
    ranked = [region.name for region in sorted(candidates, key=lambda region: region.grid[1] * region.pue)]
    same_continent = [name for name in ranked if name.split("-")[0] == home.split("-")[0]]
    return list(dict.fromkeys([*same_continent[:1], *ranked[:1]]))
