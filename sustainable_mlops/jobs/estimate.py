"""The estimate of a launch before it starts: energy, carbon and cost, with alternatives."""

from collections.abc import Iterator
from math import prod
from pathlib import Path

from pydantic import Field

from sustainable_mlops.base.settings import Settings
from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import (
    JobActivity,
    PlanFootprint,
    Quantity,
    estimate_job_footprint,
    find_alternatives,
    make_exact,
)
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.instance_calculations import find_job_duty
from sustainable_mlops.footprint.model import estimate_change
from sustainable_mlops.jobs.duration import estimate_first_seconds
from sustainable_mlops.jobs.figure import Basis, RunFigure
from sustainable_mlops.jobs.footprint import convert_figure, rename_figures
from sustainable_mlops.jobs.image import NO_NEURON
from sustainable_mlops.jobs.kinds.kind import JobInstances
from sustainable_mlops.jobs.launch import JobLaunch
from sustainable_mlops.jobs.run_history import RunHistory, find_history

DURATION = "the duration"


class RunAlternative(Settings):
    """An alternative with the same work and the same duration."""

    title: str
    drawbacks: str = Field(description="Loss of capability, and conditions of the alternative.")
    saved_co2e: RunFigure | None = Field(description="Saved kgCO2e, operational + embodied; negative if it emits more.")
    saved_cost: RunFigure | None = Field(description="Saved USD; negative if it costs more, null without a price.")

    @property
    def kg(self) -> float:
        """Saved kgCO2e; 0 if unknown."""
        return self.saved_co2e.value if self.saved_co2e else 0.0

    @property
    def usd(self) -> float:
        """Saved USD; 0 if unknown."""
        return self.saved_cost.value if self.saved_cost else 0.0


class RunEstimate(Settings):
    """Expected figures of one run."""

    duration: RunFigure = Field(description="Seconds that the instances run, with their source.")
    load: RunFigure = Field(description="Load of the CPUs, or busy time of the accelerators, with its source.")
    figures: dict[str, RunFigure] = Field(description="Figures as in the record: co2e, cost, energy and others.")
    unknown: list[str] = Field(description="Consumers that the figures do not include, with the reason.")
    assumptions: list[str] = Field(description="Every uncertain input, with its interval and class.")
    cleanest: RunAlternative | None = Field(description="Alternative that saves most kgCO2e.")
    cheapest: RunAlternative | None = Field(description="Alternative with a known price that saves most USD.")
    others: list[RunAlternative] = Field(description="Other alternatives, the cleanest first.")

    @property
    def record_figures(self) -> dict[str, RunFigure]:
        """Figures for the record of the run, which compares them with measurements."""
        return {"duration": self.duration, "load": self.load, **self.figures}


def estimate_launch(launch: JobLaunch, folder: Path) -> RunEstimate:
    """Estimate the run that `launch` starts; if it starts nothing, the run that `--force` would start.

    The duration comes from earlier runs, whose records are in `folder`. It is scaled to the data and the rounds, and
    its interval is a factor (`same_run_factor` and `other_run_factor` of `catalogue/assumptions.csv`). Without
    earlier runs, the duration comes from the model in `duration.py`. The load comes from earlier runs that measured it
    (`same_run_load_factor` and `other_run_load_factor`).
    """
    job_instances, record = launch.kind.read_instances(launch.request), launch.record
    history = find_history(launch, folder)
    seconds, basis, source = _estimate_duration(launch, history)
    duty, load = _estimate_load(record.instance_type, history)
    job = JobActivity(
        record.instance_type,
        record.region,
        hours=seconds * (1 / 3600),
        count=make_exact(float(record.instance_count)),
        spot=bool(job_instances.spot),  # the record of an earlier job may differ
        volume_gb=job_instances.volume_gb,
        duty=duty,
    )
    current = estimate_job_footprint(job, launch.kind.worker.name)
    options = sorted(_list_alternatives(launch, job_instances, job, current), key=lambda option: -option.kg)
    cleanest = next((option for option in options if option.kg > 0), None)
    cheapest = max((option for option in options if option.usd > 0), key=lambda option: option.usd, default=None)
    unknown = [f"{item.subject}: {item.reason}" for _, item in current.unknowns]
    if job_instances.warm:
        unknown.append(f"warm pool: up to {job_instances.warm / 60:g} min, idle and billed, unless another job uses it")
    return RunEstimate(
        duration=_make_figure(seconds, "s", basis, source),
        load=load,
        figures=rename_figures(current.after.figures),
        unknown=unknown,
        assumptions=list(current.after.assumptions),
        cleanest=cleanest,
        cheapest=cheapest,
        others=[option for option in options if option not in (cleanest, cheapest)],
    )


def _make_figure(quantity: Quantity, unit: str, basis: Basis, source: str) -> RunFigure:
    return RunFigure(
        value=quantity.central,
        low=quantity.low,
        high=quantity.high,
        unit=unit,
        basis=basis,
        source=source,
        grade=quantity.grade,
    )


def _estimate_load(instance_type: str, history: RunHistory) -> tuple[Quantity | None, RunFigure]:
    """Return the duty for the footprint model, if earlier runs measured the load, and the figure of the load."""
    instance = instances.find(instance_type)
    unit = "of the CPUs" if instance is None or instance.accelerator is None else "of the time"
    if (history_load := history.load) is not None:
        return history_load[0], _make_figure(history_load[0], unit, "estimated", history_load[1])
    assumed = find_job_duty(instance)
    return None, _make_figure(assumed, unit, "assumed", f"{assumed.text}; no earlier run measured the load")


def _estimate_duration(launch: JobLaunch, history: RunHistory) -> tuple[Quantity, Basis, str]:
    """Return the seconds that the instances run over all jobs, with basis and source."""
    job_instances = launch.kind.read_instances(launch.request)
    seconds, basis, source = _estimate_job_duration(launch, history)
    if job_instances.jobs == 1:
        return seconds, basis, source
    factors, text = [make_exact(float(job_instances.jobs))], f"at most {job_instances.jobs} jobs"
    for key, applies, reason in (
        ("tuning_share_of_jobs", job_instances.may_end_before, "completion criteria may end the tuning job earlier"),
        ("tuning_share_of_time", job_instances.stops_jobs, "some jobs are stopped early"),
    ):
        if applies:
            share = load_assumptions()[key]
            factors.append(share)
            low, central, high = (f"{value * 100:g}" for value in (share.low, share.central, share.high))
            text += f"; {reason}, which leaves {central} % ({low} to {high} %): assumed"
    central_factor = prod(factor.central for factor in factors)
    low_factor, high_factor = prod(factor.low for factor in factors), prod(factor.high for factor in factors)
    total = Quantity(
        seconds.low * low_factor,
        seconds.central * central_factor,
        seconds.high * high_factor,
        seconds.grade,
        DURATION,
        unit="s",
    )
    return total, basis, f"{text}. Each job: {source}"


def _estimate_job_duration(launch: JobLaunch, history: RunHistory) -> tuple[Quantity, Basis, str]:
    """Return the seconds of one job, at most the runtime limit."""
    cap = launch.record.stops_after or launch.kind.read_instances(launch.request).cap
    if (history_seconds := history.seconds) is not None:
        seconds, source = history_seconds[0].replace_text(DURATION, "s").clamp(0.0, cap), history_seconds[1]
        basis: Basis = "estimated"
        if history_seconds[0].central > cap:
            source += f"; longer than the runtime limit of {cap / 60:g} min, which ends it"
    else:
        first_seconds, source = estimate_first_seconds(history.work)
        seconds = first_seconds.replace_text(DURATION, "s").clamp(0.0, cap)
        basis = "assumed"
        if first_seconds.high > cap:
            source += f"; at most the runtime limit of {cap / 60:g} min"
    if launch.decision == "resume":
        seconds = seconds.replace_bounds(0.0, seconds.central, seconds.high)
        source = f"{source}; the checkpoints save a part of the whole run"
    return seconds, basis, source


def _list_alternatives(
    launch: JobLaunch, job_instances: JobInstances, job: JobActivity, current: PlanFootprint
) -> Iterator[RunAlternative]:
    for alternative in find_alternatives(current, least_kg=0.0):
        if alternative.kind == "silicon" and not _can_train_on_neuron(launch):
            continue
        usd = convert_figure(alternative.saved_usd) if alternative.saved_usd else None
        yield RunAlternative(
            title=alternative.title,
            drawbacks=alternative.drawbacks,
            saved_co2e=convert_figure(alternative.saved_kg),
            saved_cost=usd,
        )
    if job_instances.spot is False and current.after.figures:
        saved = {
            metric: convert_figure(figure) for metric, figure in estimate_change(job._replace(spot=True), job).items()
        }
        yield RunAlternative(
            title="managed spot (compute.spot: true)",
            drawbacks="AWS can interrupt the job, and it can wait for capacity, so the script must resume from its "
            "checkpoints; no warm pool",
            saved_co2e=saved.get("total"),
            saved_cost=saved.get("cost"),
        )


def _can_train_on_neuron(launch: JobLaunch) -> bool:
    """Return whether Trainium, which the footprint model proposes for a job, can do the same work."""
    return launch.kind.phase == "training" and not any(name in launch.record.image for name in NO_NEURON)
