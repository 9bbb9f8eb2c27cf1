"""Estimate of an execution before it starts, as if no step were cached."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint import JobActivity, Quantity, estimate_job_footprint, make_exact
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.footprint import rename_figures
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.kinds.kind import JobInstances
from sustainable_mlops.jobs.pipelines.figures import sum_figures
from sustainable_mlops.jobs.pipelines.launch import PipelineLaunch
from sustainable_mlops.jobs.pipelines.names import KIND_OF_STEP
from sustainable_mlops.jobs.pipelines.record import PipelineRecord, parse_record

#: Number of earlier executions that a duration uses. The newest count most, as code and data change.
_MAX_EXECUTIONS = 3


def estimate_execution(launch: PipelineLaunch, folder: Path) -> dict[str, RunFigure]:
    """Return energy (kWh), carbon (kgCO2e), water (L) and cost (USD) of all steps that run jobs.

    The duration of a step comes from earlier executions, whose records are in `folder`, within a factor. Without
    earlier executions it is a share of the step's runtime limit. A step with an unknown instance type is omitted, and
    the source of the figures says so.
    """
    # Compare ARNs: a pipeline of the same name on the sandbox has the durations of this computer.
    arn_prefix = f"{launch.pipeline.arn}/execution/"
    earlier = [record for record in _read_records(folder) if record.execution_arn.startswith(arn_prefix)]
    return sum_figures([_estimate_step(name, one, earlier, launch) for name, one in _list_job_instances(launch)])


def _list_job_instances(launch: PipelineLaunch) -> Iterator[tuple[str, JobInstances]]:
    values: dict[str, Any] = {
        parameter["Name"]: parameter.get("DefaultValue") for parameter in launch.definition["Parameters"]
    }
    values |= launch.parameters
    for step in launch.definition["Steps"]:
        if step["Type"] in KIND_OF_STEP:
            kind = KINDS[KIND_OF_STEP[step["Type"]]]
            yield step["Name"], kind.read_instances(_resolve_parameters(step["Arguments"], values))


def _resolve_parameters(value: Any, values: Mapping[str, Any]) -> Any:
    """Return the arguments with parameter references replaced; instances and caps need no other references."""
    if isinstance(value, dict):
        reference = value.get("Get") if len(value) == 1 else None
        if isinstance(reference, str) and reference.startswith("Parameters."):
            return values.get(reference.removeprefix("Parameters."))
        return {name: _resolve_parameters(inner, values) for name, inner in value.items()}
    return [_resolve_parameters(inner, values) for inner in value] if isinstance(value, list) else value


def _estimate_step(
    step: str, job_instances: JobInstances, earlier: list[PipelineRecord], launch: PipelineLaunch
) -> dict[str, RunFigure]:
    seconds = _estimate_seconds(step, job_instances, earlier)
    job = JobActivity(
        job_instances.instance_type,
        launch.platform.region,
        hours=seconds * (1 / 3600),
        count=make_exact(float(job_instances.count)),
        spot=bool(job_instances.spot),
        volume_gb=job_instances.volume_gb,
    )
    return rename_figures(estimate_job_footprint(job, step).after.figures)


def _estimate_seconds(step: str, job_instances: JobInstances, earlier: list[PipelineRecord]) -> Quantity:
    times = []
    for record in earlier:
        for step_record in record.steps:
            if (
                step_record.name == step
                and step_record.ran_job
                and step_record.job is not None
                and step_record.job.status == "Completed"
            ):
                figure = step_record.job.figures.get(KINDS[step_record.job.kind].seconds_figure_name)
                is_same = (step_record.job.instance_type, step_record.job.instance_count) == (
                    job_instances.instance_type,
                    job_instances.count,
                )
                if figure is not None and is_same:
                    times.append(figure.value)
    latest = times[-_MAX_EXECUTIONS:]
    if not latest:
        return (load_assumptions()["job_share_of_cap"] * job_instances.cap * job_instances.jobs).replace_text(
            f"the duration of {step}", "s"
        )
    spread = load_assumptions()["other_run_factor"].central
    quantity = Quantity(
        min(latest) / spread, median(latest), max(latest) * spread, "B", f"the duration of {step}", unit="s"
    )
    return quantity.clamp(0.0, job_instances.cap * job_instances.jobs)


def _read_records(folder: Path) -> list[PipelineRecord]:
    """Return the records of executions in the folder, the newest last."""
    records = []
    for path in folder.glob("runs/*.json"):
        with suppress(UserError, OSError):  # skip records of jobs and invalid records
            records.append(parse_record(path.read_bytes(), str(path)))
    return sorted(records, key=lambda record: record.launched_at.timestamp())
