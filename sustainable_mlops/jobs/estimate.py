"""What a launch is expected to draw, emit and cost, and what else it could do: told before anything is launched."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from pathlib import Path

from pydantic import Field

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import Job, PlanFootprint, Quantity, alternatives, exact_quantity, of_job
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.machines import find_job_duty
from sustainable_mlops.footprint.model import estimate_change
from sustainable_mlops.jobs.figure import Basis, Figure
from sustainable_mlops.jobs.footprint import named, told
from sustainable_mlops.jobs.image import NO_NEURON
from sustainable_mlops.jobs.kinds.kind import Machines
from sustainable_mlops.jobs.launch import Launch
from sustainable_mlops.jobs.run_history import Earlier, earlier
from sustainable_mlops.settings import Settings

DURATION = "the duration"


class Alternative(Settings):
    """The same work done otherwise, taking as long."""

    title: str
    costs: str = Field(description="What it costs in capability, and what must be true first.")
    saved_co2e: Figure | None = Field(description="kgCO2e, operational + embodied; negative where it emits more.")
    saved_cost: Figure | None = Field(description="USD; negative where it costs more, null where no price is known.")

    @property
    def kg(self) -> float:
        """kgCO2e saved, as far as known."""
        return self.saved_co2e.value if self.saved_co2e else 0.0

    @property
    def usd(self) -> float:
        """USD saved, as far as known."""
        return self.saved_cost.value if self.saved_cost else 0.0


class Estimate(Settings):
    """What one run is expected to take."""

    duration: Figure = Field(description="Seconds that the machines run, and what that rests on.")
    load: Figure = Field(description="Of the CPUs, or of the time that accelerators are busy, and what that rests on.")
    figures: dict[str, Figure] = Field(description="As in the record of a run: co2e, cost, energy and so on.")
    unknown: list[str] = Field(description="What the figures leave out, and why.")
    assumptions: list[str] = Field(description="Every input that is not certain, with its range and class.")
    cleanest: Alternative | None = Field(description="What saves most kgCO2e.")
    cheapest: Alternative | None = Field(description="What saves most USD, among what has a known price.")
    others: list[Alternative] = Field(description="What else saves carbon or money, the cleanest first.")

    @property
    def expected(self) -> dict[str, Figure]:
        """What the record of the run keeps of it, to be compared with what counters say."""
        return {"duration": self.duration, "load": self.load, **self.figures}


def estimate(launch: Launch, folder: Path) -> Estimate:
    """The estimate of what `launch` is about to run; where that is nothing, of what it would with `force`.

    The duration is that of earlier runs, whose records are in `folder`, within a factor (`same_run_factor` and
    `other_run_factor` of `catalogue/assumptions.csv`); without any, it is a share of the runtime cap. So is the load,
    where they measured it (`same_run_load_factor` and `other_run_load_factor`).
    """
    machines, record = launch.kind.machines(launch.request), launch.record
    before = earlier(launch, folder)
    seconds, basis, source = _duration(launch, before)
    duty, load = _load(record.instance_type, before)
    job = Job(
        record.instance_type,
        record.region,
        hours=seconds * (1 / 3600),
        count=exact_quantity(float(record.instance_count)),
        spot=bool(machines.spot),  # the run may have been another way
        volume_gb=machines.volume_gb,
        duty=duty,
    )
    now = of_job(job, launch.kind.worker.name)
    found = sorted(_alternatives(launch, machines, job, now), key=lambda one: -one.kg)
    cleanest = next((one for one in found if one.kg > 0), None)
    cheapest = max((one for one in found if one.usd > 0), key=lambda one: one.usd, default=None)
    unknown = [f"{one.subject}: {one.reason}" for _, one in now.unknowns]
    if machines.warm:
        unknown.append(f"warm pool: up to {machines.warm / 60:g} min, billed and idle, unless another job takes it")
    return Estimate(
        duration=_figure(seconds, "s", basis, source),
        load=load,
        figures=named(now.after.figures),
        unknown=unknown,
        assumptions=list(now.after.assumptions),
        cleanest=cleanest,
        cheapest=cheapest,
        others=[one for one in found if one not in (cleanest, cheapest)],
    )


def _figure(quantity: Quantity, unit: str, basis: Basis, source: str) -> Figure:
    return Figure(
        value=quantity.central,
        low=quantity.low,
        high=quantity.high,
        unit=unit,
        basis=basis,
        source=source,
        grade=quantity.grade,
    )


def _load(instance_type: str, before: Earlier) -> tuple[Quantity | None, Figure]:
    """What the footprint model calls duty, where earlier runs measured it; and the figure of it in any case."""
    instance = instances.find(instance_type)
    unit = "of the CPUs" if instance is None or instance.accelerator is None else "of the time"
    if (found := before.load) is not None:
        return found[0], _figure(found[0], unit, "estimated", found[1])
    assumed = find_job_duty(instance)
    return None, _figure(assumed, unit, "assumed", f"{assumed.text}, as no earlier run has measured it")


def _duration(launch: Launch, before: Earlier) -> tuple[Quantity, Basis, str]:
    """Seconds that the machines run, over all jobs, what they are, and what they rest on."""
    machines = launch.kind.machines(launch.request)
    seconds, basis, source = _duration_of_one(launch, before)
    if machines.jobs == 1:
        return seconds, basis, source
    factors, told = [exact_quantity(float(machines.jobs))], f"{machines.jobs} jobs at most"
    for key, counts, why in (
        ("tuning_share_of_jobs", machines.may_end_before, "completion criteria may end the search before"),
        ("tuning_share_of_time", machines.stops_jobs, "some jobs are stopped early"),
    ):
        if counts:
            share = load_assumptions()[key]
            factors.append(share)
            low, central, high = (f"{value * 100:g}" for value in (share.low, share.central, share.high))
            told += f"; {why}, which leaves {central} % ({low} to {high} %): assumed"
    together = prod(factor.central for factor in factors)
    least, most = prod(factor.low for factor in factors), prod(factor.high for factor in factors)
    whole = Quantity(seconds.low * least, seconds.central * together, seconds.high * most, seconds.grade, DURATION)
    return whole, basis, f"{told}. Each job: {source}"


def _duration_of_one(launch: Launch, before: Earlier) -> tuple[Quantity, Basis, str]:
    """Seconds of one job, never above the cap."""
    cap = launch.record.stops_after or launch.kind.machines(launch.request).cap
    if (found := before.seconds) is not None:
        seconds, source = found[0].with_text(DURATION).clamp(0.0, cap), found[1]
        basis: Basis = "estimated"
        if found[0].central > cap:
            source += f"; longer than the cap of {cap / 60:g} min, which ends it"
    else:
        share = load_assumptions()["job_share_of_cap"]
        seconds = (share * cap).with_text(DURATION)
        basis = "assumed"
        low, central, high = (f"{value * 100:g}" for value in (share.low, share.central, share.high))
        source = f"{central} % ({low} to {high} %) of the cap of {cap / 60:g} min, as no earlier run is known"
    if launch.decision == "resume":
        seconds, source = replace(seconds, low=0.0), f"{source}; of the whole run, part of which the checkpoints save"
    return seconds, basis, source


def _alternatives(launch: Launch, machines: Machines, job: Job, now: PlanFootprint) -> Iterator[Alternative]:
    for one in alternatives(now, least_kg=0.0):
        if one.kind == "silicon" and not _trains_on_neuron(launch):
            continue
        usd = told(one.saved_usd) if one.saved_usd else None
        yield Alternative(title=one.title, costs=one.costs, saved_co2e=told(one.saved_kg), saved_cost=usd)
    if machines.spot is False and now.after.figures:
        saved = {metric: told(figure) for metric, figure in estimate_change(replace(job, spot=True), job).items()}
        yield Alternative(
            title="managed spot (compute.spot: true)",
            costs="it may be interrupted and wait for capacity, so the script must go on from its checkpoints; "
            "no warm pool is kept",
            saved_co2e=saved.get("total"),
            saved_cost=saved.get("cost"),
        )


def _trains_on_neuron(launch: Launch) -> bool:
    """Whether Trainium, which is what the footprint model proposes for a job, is a way to do the same."""
    return launch.kind.phase == "training" and not any(name in launch.record.image for name in NO_NEURON)
