"""What an execution is expected to take if nothing of it was there already: told before anything is started."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint import JobActivity, Quantity, estimate_job_footprint, exact_quantity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.footprint import rename_figures
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.kinds.kind import JobMachines
from sustainable_mlops.jobs.pipelines.figures import sum_figures
from sustainable_mlops.jobs.pipelines.launch import PipelineLaunch
from sustainable_mlops.jobs.pipelines.names import KIND_OF_STEP
from sustainable_mlops.jobs.pipelines.record import PipelineRecord, parse_record

#: Earlier executions that a duration rests on: the newest, as code and data move on.
_MOST = 3


def estimate_execution(start: PipelineLaunch, folder: Path) -> dict[str, RunFigure]:
    """Energy (kWh), carbon (kgCO2e), water (L) and cost (USD) of all steps that run jobs.

    A step lasts as in earlier executions, whose records are in `folder`, within a factor; without any, a share of its
    cap. A machine that is not known is left out, and its absence told by the figures' source.
    """
    # By ARN: the times of a pipeline of that name on the sandbox are those of this computer.
    executions = f"{start.pipeline.arn}/execution/"
    earlier = [one for one in _records(folder) if one.execution_arn.startswith(executions)]
    return sum_figures([_figures(name, machines, earlier, start) for name, machines in _machines(start)])


def _machines(start: PipelineLaunch) -> Iterator[tuple[str, JobMachines]]:
    values: dict[str, Any] = {one["Name"]: one.get("DefaultValue") for one in start.definition["Parameters"]}
    values |= start.parameters
    for step in start.definition["Steps"]:
        if step["Type"] in KIND_OF_STEP:
            kind = KINDS[KIND_OF_STEP[step["Type"]]]
            yield step["Name"], kind.read_machines(_resolved(step["Arguments"], values))


def _resolved(value: Any, values: Mapping[str, Any]) -> Any:
    """The arguments with parameters by themselves in place: machines and caps need no more."""
    if isinstance(value, dict):
        reference = value.get("Get") if len(value) == 1 else None
        if isinstance(reference, str) and reference.startswith("Parameters."):
            return values.get(reference.removeprefix("Parameters."))
        return {name: _resolved(inner, values) for name, inner in value.items()}
    return [_resolved(inner, values) for inner in value] if isinstance(value, list) else value


def _figures(
    step: str, machines: JobMachines, earlier: list[PipelineRecord], start: PipelineLaunch
) -> dict[str, RunFigure]:
    seconds = _seconds(step, machines, earlier)
    job = JobActivity(
        machines.instance_type,
        start.platform.region,
        hours=seconds * (1 / 3600),
        count=exact_quantity(float(machines.count)),
        spot=bool(machines.spot),
        volume_gb=machines.volume_gb,
    )
    return rename_figures(estimate_job_footprint(job, step).after.figures)


def _seconds(step: str, machines: JobMachines, earlier: list[PipelineRecord]) -> Quantity:
    times = []
    for record in earlier:
        for one in record.steps:
            if one.name == step and one.ran_job and one.job is not None and one.job.status == "Completed":
                figure = one.job.figures.get(KINDS[one.job.kind].seconds_figure_name)
                same = (one.job.instance_type, one.job.instance_count) == (machines.instance_type, machines.count)
                if figure is not None and same:
                    times.append(figure.value)
    chosen = times[-_MOST:]
    if not chosen:
        return (load_assumptions()["job_share_of_cap"] * machines.cap * machines.jobs).with_text(
            f"the duration of {step}"
        )
    spread = load_assumptions()["other_run_factor"].central
    found = Quantity(min(chosen) / spread, median(chosen), max(chosen) * spread, "B", f"the duration of {step}")
    return found.clamp(0.0, machines.cap * machines.jobs)


def _records(folder: Path) -> list[PipelineRecord]:
    """Of the records in the folder those of executions, the newest last."""
    found = []
    for path in folder.glob("runs/*.json"):
        with suppress(UserError, OSError):  # a job's record, or one that cannot be read: it tells nothing
            found.append(parse_record(path.read_bytes(), str(path)))
    return sorted(found, key=lambda record: record.launched_at.timestamp())
