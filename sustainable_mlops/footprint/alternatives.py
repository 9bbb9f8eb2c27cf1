"""What would use less, by the same model, and what that costs in latency or capability.

Only what SageMaker takes is proposed: Graviton for hosting alone, no accelerator on serverless, Neuron chips where the
type's use allows it. Nothing is proposed for managed spot: it is cheaper, not cleaner.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sustainable_mlops.catalogue import instances, regions
from sustainable_mlops.catalogue.instances import Instance
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Estimate, Figure, difference, total
from sustainable_mlops.footprint.from_plan import PlanFootprint
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.parts import Part
from sustainable_mlops.footprint.quantities import Quantity, between
from sustainable_mlops.footprint.things import ALWAYS, Fleet, Job, Serverless, Thing

#: Hours a month of a fleet that runs on working days from 8 to 19 only.
_WORKING_HOURS = between(180, 240, 320, "hours a month, on working days")
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


def alternatives(footprint: PlanFootprint) -> list[Alternative]:
    """Every alternative that saves carbon, the one that saves most first."""
    found = [
        one
        for resource in footprint.resources
        for change in resource.changes
        if change.after is not None and change.after.estimate is not None
        for one in _of_part(resource.address, change.after)
    ]
    found += _other_regions(footprint)
    return sorted((one for one in found if one.saved_kg.central > 0), key=lambda one: -one.saved_kg.central)


def _of_part(address: str, part: Part) -> Iterator[Alternative]:
    for kind, title, costs, thing in _proposals(part):
        yield from _compared(address, part.name, kind, title, costs, part.estimate, [thing])


def _compared(
    address: str, part: str, kind: str, title: str, costs: str, now: Estimate | None, things: Iterable[Thing]
) -> Iterator[Alternative]:
    then = total(estimate(thing) for thing in things)
    kg = _saved(now, then, "total")
    if kg is not None:
        yield Alternative(address, part, kind, title, costs, then, kg, _saved(now, then, "cost"))


def _saved(now: Estimate | None, then: Estimate, metric: str) -> Figure | None:
    before, after = (now.get(metric) if now else None), then.get(metric)
    return None if before is None or after is None else difference(after, before)


def _proposals(part: Part) -> Iterator[tuple[str, str, str, Thing]]:
    """Kind, title, what it costs, and the thing itself."""
    thing = part.thing
    if isinstance(thing, Job):
        yield from _trainium(thing)
    if not isinstance(thing, Fleet) or (instance := instances.find(thing.instance_type)) is None:
        return
    if part.kind in ("real-time", "asynchronous"):
        yield from _silicon(thing, instance)
    if part.kind == "real-time":
        yield from _kinds(thing, instance, part)
        if thing.hours is ALWAYS:
            costs = "no answers outside working hours; for environments that nobody uses then"
            yield "off-hours", "run it on working days only", costs, replace(thing, hours=_WORKING_HOURS)
    if part.kind in ("notebook", "app") and thing.hours is ALWAYS:
        stopped = replace(thing, hours=assumptions()["notebook_hours_with_idle_stop"])
        yield "idle stop", "stop it when idle", "work that runs without anyone watching must move to a job", stopped


def _silicon(thing: Fleet, instance: Instance) -> Iterator[tuple[str, str, str, Thing]]:
    if instance.accelerator is None:
        better = _best_graviton(thing, instance)
        costs = "needs an arm64 image and its libraries; compared at equal load, so measure its throughput"
    else:
        better = _inferentia(instance)
        costs = (
            "the model must compile with Neuron, and the Region must have the type; compared at equal time busy, "
            "with watts that AWS does not publish"
        )
    if better is not None:
        yield "silicon", f"{better.name} instead of {instance.name}", costs, replace(thing, instance_type=better.name)


def _best_graviton(thing: Fleet, instance: Instance) -> Instance | None:
    """The hosting type of as many vCPU and as much memory that uses least."""
    if instance.graviton:
        return None
    found = [
        other
        for other in instances.everything().values()
        if other.graviton
        and "hosting" in other.uses
        and other.accelerator is None
        and other.vcpu == instance.vcpu
        and 0.95 * instance.memory_gib <= other.memory_gib <= 2 * instance.memory_gib
    ]
    return min(found, key=lambda other: _kg(replace(thing, instance_type=other.name)), default=None)


def _kg(thing: Thing) -> float:
    figures = estimate(thing)
    figure = figures.get("total") or figures.get("energy")
    return figure.central if figure else 0.0


def _inferentia(instance: Instance) -> Instance | None:
    """The Inferentia2 type with at least as many chips as there are GPUs, where one chip holds what a GPU does."""
    if instance.accelerator is None or instance.accelerator.name not in _SMALL_GPUS:
        return None
    return _neuron("inf2", instance.accelerators)


def _neuron(family: str, chips: int) -> Instance | None:
    found = [one for one in instances.everything().values() if one.family == family and one.accelerators >= chips]
    return min(found, key=lambda one: (one.accelerators, one.vcpu), default=None)


def _trainium(job: Job) -> Iterator[tuple[str, str, str, Thing]]:
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
        yield "silicon", title, costs, replace(job, instance_type=better.name)


def _kinds(thing: Fleet, instance: Instance, part: Part) -> Iterator[tuple[str, str, str, Thing]]:
    duty = thing.duty or assumptions()["endpoint_duty"]
    if duty.central <= 0.5:
        costs = "answers come through S3, after minutes where it has to wake; for callers that can wait"
        yield "asynchronous", "an asynchronous endpoint that scales to zero", costs, _as_asynchronous(thing, duty)
    region = regions.find(thing.region) if thing.region else None
    if part.not_serverless or instance.accelerator or thing.requests is None or thing.duration_s is None:
        return
    if region is not None and region.serverless:
        memory = min(6144, 1024 * max(1, -(-int(instance.memory_gib * 1024) // 1024)))
        costs = "the first request after a pause waits for a start; model and memory within 6 GB, payload within 4 MB"
        serverless = Serverless(memory, thing.region, thing.requests, thing.duration_s)
        yield "serverless", f"a serverless endpoint of {memory} MB", costs, serverless


def _as_asynchronous(thing: Fleet, duty: Quantity) -> Fleet:
    """The same work in hours that are busy for two thirds: the rest is waiting to scale in."""
    busy = duty * (thing.hours.central * 1.5)
    hours = Quantity(busy.low, busy.central, busy.high, "C", "hours with a backlog").at(0.0, thing.hours.high)
    return replace(thing, hours=hours, duty=between(0.25, 2 / 3, 1.0, "share of the time busy while it is on"))


def _other_regions(footprint: PlanFootprint) -> Iterator[Alternative]:
    """The cleanest Region, and the cleanest of the same continent, for all that runs in one."""
    by_region: dict[str, list[Thing]] = {}
    for resource in footprint.resources:
        for change in resource.changes:
            part = change.after
            if part is not None and part.thing is not None and part.estimate is not None and part.thing.region:
                by_region.setdefault(part.thing.region, []).append(part.thing)
    for home, things in by_region.items():
        now = total(map(estimate, things))
        for other in _cleaner(home, things):
            place = regions.everything()[other]
            moved = [replace(thing, region=other) for thing in things]
            costs = (
                "data moves with it: check residency, latency to callers, and that the types are offered there; "
                "its prices are not known here"
            )
            title = f"{other} ({place.location}) instead of {home}"
            yield from _compared("", f"all {len(things)} parts in {home}", "region", title, costs, now, moved)


def _cleaner(home: str, things: list[Thing]) -> list[str]:
    """The cleanest Region of the same continent and of all, by carbon a kWh of the machines."""
    serverless = any(isinstance(thing, Serverless) for thing in things)
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
