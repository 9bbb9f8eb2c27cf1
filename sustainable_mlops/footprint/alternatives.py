"""What would use less, by the same model, and what that costs in latency or capability.

Only what SageMaker takes is proposed: Graviton for hosting alone, no accelerator on serverless, Neuron chips where the
type's use allows it; and of instance types only those that the AWS provider in use takes too. Nothing is proposed for
managed spot: it is cheaper, not cleaner.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil
from typing import Any

from sustainable_mlops.catalogue import instances, regions
from sustainable_mlops.catalogue.instances import Instance
from sustainable_mlops.catalogue.limits import limit, serverless_memory_mb
from sustainable_mlops.footprint.activities import (
    ALWAYS,
    HOURS_PER_MONTH,
    ONE,
    Activity,
    Fleet,
    Job,
    Serverless,
    Storage,
)
from sustainable_mlops.footprint.coefficients import Coefficients, assumptions
from sustainable_mlops.footprint.figures import UNITS, Estimate, Figure, add, total
from sustainable_mlops.footprint.machines import job_duty
from sustainable_mlops.footprint.model import change, estimate
from sustainable_mlops.footprint.plan_footprint import PlanFootprint, ResourceFootprint
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import Part
from sustainable_mlops.footprint.services.scaling import waiting
from sustainable_mlops.plan import UNKNOWN, Unknown

#: What saves less than this share of what is used, or than a gram a month, is no alternative (chosen).
_LEAST_SHARE, _LEAST_KG = 0.005, 0.001
#: GPUs with at most the 32 GB that one Inferentia2 or Trainium chip has.
_SMALL_GPUS = {"T4", "T4g", "A10G", "L4", "V100", "K80"}


@dataclass(frozen=True, slots=True)
class Alternative:
    """A way to use less."""

    address: str
    part: str
    #: `silicon`, `serverless`, `asynchronous`, `off-hours`, `idle stop` or `region`.
    kind: str
    title: str
    #: What it costs in latency or capability, and what must be checked first.
    costs: str
    after: Estimate
    #: kgCO2e (operational + embodied) and USD saved a month; USD may be negative, None where no price is known.
    saved_kg: Figure
    saved_usd: Figure | None

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        return {
            "address": self.address,
            "part": self.part,
            "kind": self.kind,
            "title": self.title,
            "costs": self.costs,
            "saved_kg": self.saved_kg.to_dict(),
            "saved_usd": self.saved_usd.to_dict() if self.saved_usd else None,
        }


def alternatives(
    footprint: PlanFootprint, provider: int | Unknown = UNKNOWN, *, least_kg: float = _LEAST_KG
) -> list[Alternative]:
    """Every alternative that saves carbon, the one that saves most first; none for what the plan lets go of.

    `provider` is the major version of the AWS provider in use; where it is not known, only types that each takes are
    proposed. `least_kg` is the least that counts as a saving, in kgCO2e: of one run, any does.
    """
    kept = [resource for resource in footprint.resources if resource.action not in ("delete", "forget")]
    found = [one for resource in kept for one in _of_resource(resource, provider)]
    found += _other_regions(kept)
    saving = (one for one in found if one.saved_kg.central >= least_kg)
    return sorted(saving, key=lambda one: -one.saved_kg.central)


def _of_resource(resource: ResourceFootprint, provider: int | Unknown) -> Iterator[Alternative]:
    parts = [one.after for one in resource.changes if one.after is not None and one.after.estimate is not None]
    several = sum(not isinstance(part.activity, Storage) for part in parts) > 1
    for part in parts:
        if (now := part.activity) is not None:
            for kind, title, costs, then in _proposals(part, provider):
                title = f"{part.name}: {title}" if several else title
                yield from _compared(resource.address, part.name, kind, title, costs, [(now, then)])


def _compared(
    address: str, part: str, kind: str, title: str, costs: str, moves: Sequence[tuple[Activity, Activity]]
) -> Iterator[Alternative]:
    """What it saves that each of `moves` becomes another; nothing where that is next to nothing."""
    saved = [change(then, now) for now, then in moves]
    kg = [figures["total"] for figures in saved if "total" in figures]
    usd = [figures["cost"] for figures in saved if "cost" in figures]
    used = total(estimate(now) for now, _ in moves).get("total")
    if not kg or used is None:
        return
    found = add(kg, UNITS["total"])
    if found.central > 0 and found.central >= _LEAST_SHARE * used.central:
        after = total(estimate(then) for _, then in moves)
        saved_usd = add(usd, UNITS["cost"]) if usd else None
        yield Alternative(address, part, kind, title, costs, after, found, saved_usd)


def _proposals(part: Part, provider: int | Unknown) -> Iterator[tuple[str, str, str, Activity]]:
    """Kind, title, what it costs, and the activity itself."""
    activity = part.activity
    if isinstance(activity, Job):
        yield from _trainium(activity)
    if not isinstance(activity, Fleet) or (instance := instances.find(activity.instance_type)) is None:
        return
    if part.kind in ("real-time", "asynchronous"):
        yield from _silicon(activity, instance, provider)
    if part.kind == "real-time" and part.count is not None and part.count.low > 0:  # else it sleeps already
        yield from _kinds(activity, instance, part)
        at_work = assumptions()["working_hours"] * (1 / HOURS_PER_MONTH)
        if activity.hours is ALWAYS and not part.rests and _duty(activity).central <= at_work.central:
            costs = "no answers outside working hours, in which all requests must fit; for what nobody uses then"
            yield "off-hours", "run it on working days only", costs, replace(activity, stretch=at_work)
    if part.kind in ("notebook", "app") and activity.hours is ALWAYS:
        stopped = replace(activity, hours=assumptions()["notebook_hours_with_idle_stop"])
        yield "idle stop", "stop it when idle", "work that runs without anyone watching must move to a job", stopped


def _duty(activity: Fleet) -> Quantity:
    return activity.duty or assumptions()["endpoint_duty"]


def _silicon(activity: Fleet, instance: Instance, provider: int | Unknown) -> Iterator[tuple[str, str, str, Activity]]:
    if instance.accelerator is None:
        better = _gravitons(instance.vcpu, instance.memory_gib) if not instance.graviton else []
        costs = "needs an arm64 image and its libraries; compared at equal load, so measure its throughput"
    else:
        better = _inferentias(instance)
        costs = (
            "the model must compile with Neuron, and the Region must have the type; compared at equal time busy, "
            "with watts that AWS does not publish"
        )
    ranked = sorted(better, key=lambda other: _kg(replace(activity, instance_type=other.name)))
    major = None if provider is UNKNOWN else provider
    taken = [other for other in ranked if not instances.refused(other.name, "hosting", major)]
    if taken:
        best = taken[0].name
        if major is None and taken[0] is not ranked[0]:
            costs += "; a newer type uses less still, which AWS provider 5 refuses"
        yield "silicon", f"{best} instead of {instance.name}", costs, replace(activity, instance_type=best)


@cache
def _gravitons(vcpu: int, memory_gib: float) -> list[Instance]:
    """The hosting types of as many vCPU and as much memory."""
    return [
        other
        for other in instances.everything().values()
        if other.graviton
        and "hosting" in other.uses
        and other.accelerator is None
        and other.vcpu == vcpu
        and 0.95 * memory_gib <= other.memory_gib <= 2 * memory_gib
    ]


def _kg(activity: Activity) -> float:
    figures = estimate(activity)
    figure = figures.get("total") or figures.get("energy")
    return figure.central if figure else 0.0


def _inferentias(instance: Instance) -> list[Instance]:
    """The Inferentia2 type with at least as many chips as there are GPUs, where one chip holds what a GPU does."""
    if instance.accelerator is None or instance.accelerator.name not in _SMALL_GPUS:
        return []
    found = _neuron("inf2", instance.accelerators)
    return [found] if found else []


@cache
def _neuron(family: str, chips: int) -> Instance | None:
    found = [one for one in instances.everything().values() if one.family == family and one.accelerators >= chips]
    return min(found, key=lambda one: (one.accelerators, one.vcpu), default=None)


def _trainium(job: Job) -> Iterator[tuple[str, str, str, Activity]]:
    instance = instances.find(job.instance_type)
    if instance is None or instance.accelerator is None or "training" not in instance.uses:
        return
    several = instance.accelerator.name == "A100"
    if not several and instance.accelerator.name not in _SMALL_GPUS:
        return
    better = _neuron("trn1", 16 if several else instance.accelerators)
    if better is not None and "training" in better.uses:
        costs = (
            "the model must train with Neuron, and the Region must have the type; compared at equal hours, with watts "
            "that AWS does not publish"
        )
        title = f"{better.name} instead of {instance.name}"
        # Busy for as much of the time: the defaults of the two differ, which is no difference of the chips.
        yield "silicon", title, costs, replace(job, instance_type=better.name, duty=job.duty or job_duty(instance))


def _kinds(activity: Fleet, instance: Instance, part: Part) -> Iterator[tuple[str, str, str, Activity]]:
    if _duty(activity).central <= 0.5:
        costs = "answers come through S3, after minutes where it has to wake; for callers that can wait"
        yield "asynchronous", "an asynchronous endpoint that scales to zero", costs, _as_asynchronous(activity)
    if not part.not_serverless and (serverless := _as_serverless(activity, instance)) is not None:
        costs = (
            f"the first request after a pause waits for a start; the model and all it needs within "
            f"{serverless.memory_mb / 1024:g} of the instance's {instance.memory_gib:g} GB, payload within 4 MB"
        )
        yield "serverless", f"a serverless endpoint of {serverless.memory_mb} MB", costs, serverless


def _as_asynchronous(activity: Fleet) -> Fleet:
    """The same work in the hours that it takes, and the wait to scale in."""
    duty = _duty(activity)
    hours = (duty * activity.hours.central).at(0.0, activity.hours.high)
    return replace(activity, hours=hours, duty=ONE, stretch=waiting(1 / duty.central if duty.central else None))


def _as_serverless(activity: Fleet, instance: Instance) -> Serverless | None:
    """The same work, in vCPU-hours, on workers of as much memory; None where SageMaker has no such workers.

    An instance of up to 16 GB may hold a model of less than 6, as the smallest come with 8 and more; its vCPUs are no
    more than those of a worker, rounded up.
    """
    region = regions.find(activity.region) if activity.region else None
    if region is None or not region.serverless or instance.accelerator or activity.requests is None:
        return None
    most_mb, at_once = serverless_memory_mb()[-1], limit("serverless_concurrency")
    mb_per_vcpu = Coefficients.ours().serverless_mb_per_vcpu.central
    if instance.vcpu > ceil(most_mb / mb_per_vcpu) or instance.memory_gib > 16:
        return None
    if activity.duration_s is None or activity.duration_s.central > limit("serverless_answer_s"):
        return None
    memory = min(most_mb, 1024 * ceil(instance.memory_gib))
    if activity.count.high * instance.vcpu > at_once * memory / mb_per_vcpu:
        return None
    return Serverless(
        memory, activity.region, activity.requests, activity.duration_s, at_once=at_once, work_of=activity
    )


def _other_regions(resources: Sequence[ResourceFootprint]) -> Iterator[Alternative]:
    """The cleanest Region, and the cleanest of the same continent, for all that runs in one."""
    by_region: dict[str, list[Activity]] = {}
    for resource in resources:
        for one in resource.changes:
            part = one.after
            if part is not None and part.activity is not None and part.estimate is not None and part.activity.region:
                by_region.setdefault(part.activity.region, []).append(part.activity)
    for home, activities in by_region.items():
        for other in _cleaner(home, activities):
            place = regions.everything()[other]
            moves = [(activity, replace(activity, region=other)) for activity in activities]
            costs = "data moves with it: check residency, latency to callers, and that the types are offered there"
            title = f"{other} ({place.location}) instead of {home}"
            yield from _compared("", f"all that runs in {home}", "region", title, costs, moves)


def _cleaner(home: str, activities: list[Activity]) -> list[str]:
    """The cleanest Region of the same continent and of all, by carbon a kWh of the machines."""
    serverless = any(isinstance(activity, Serverless) for activity in activities)
    found = [
        region
        for name, region in regions.everything().items()
        if name != home and _partition(name) == _partition(home) and (region.serverless or not serverless)
    ]
    ranked = [region.name for region in sorted(found, key=lambda region: region.grid[1] * region.pue)]
    near = [name for name in ranked if name.split("-")[0] == home.split("-")[0]]
    return list(dict.fromkeys([*near[:1], *ranked[:1]]))


def _partition(region: str) -> str:
    """Regions of China and of the US government are apart: nothing moves there."""
    return region.split("-")[0] if region.startswith("cn-") else "gov" if "-gov-" in region else "aws"
