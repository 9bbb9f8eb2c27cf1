"""Earlier runs of a job file, with their durations and loads."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import mean, median

from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.wording import format_number_of
from sustainable_mlops.footprint import Quantity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.jobs.duration import JobWork, measure_work, scale_seconds
from sustainable_mlops.jobs.launch import JobLaunch
from sustainable_mlops.jobs.measurement.load import measure_load
from sustainable_mlops.jobs.record import RunRecord, read_record_file

#: Number of runs that an estimate uses. The newest count most, as code and data change.
_MAX_RUNS = 3


@dataclass(frozen=True)
class RunHistory:
    """Earlier runs for an estimate, of the same run or of its workload with other inputs; the newest last."""

    runs: list[RunRecord]
    is_same_run: bool
    workload: str
    seconds_figure: str
    #: Work of the launch, to which the seconds of other runs are scaled.
    work: JobWork

    @property
    def seconds(self) -> tuple[Quantity, str] | None:
        """Duration of one job and its source; None without earlier runs."""
        if not self.runs:
            return None
        times = [self._average_seconds(run) for run in self.runs]
        # The load of this computer changes between the runs of a sandbox.
        spread, is_local = self._get_factor("run_factor") * sqrt(self.work.queue), self.work.is_local
        source = self._describe_source(self.runs, spread)
        if self.is_same_run:
            return Quantity(min(times) / spread, median(times), max(times) * spread, "B"), source
        works = [measure_work(run, is_local=is_local) for run in self.runs]
        seconds, is_linear = scale_seconds(list(zip(times, works, strict=True)), self.work, spread)
        if any(one.estimate_script_seconds() != self.work.estimate_script_seconds() for one in works):
            source += f"; scaled to this data and these rounds{', by a line through the jobs' if is_linear else ''}"
        return seconds, source

    @property
    def load(self) -> tuple[Quantity, str] | None:
        """Load of the instances (0-1) and its source; None if no run has measured it."""
        loads_by_job = {
            run.job_name: job_load
            for run in self.runs
            if (job_load := measure_load(run.measured, self._average_seconds(run), run.instance_type)) is not None
        }
        if not loads_by_job:
            return None
        spread, loads = self._get_factor("run_load_factor"), list(loads_by_job.values())
        low, high = min(job_load.low for job_load in loads) / spread, max(job_load.high for job_load in loads) * spread
        duty = Quantity(
            low,
            median(job_load.central for job_load in loads),
            high,
            "B",
            "load, measured in earlier runs",
            unit="of the time",
        )
        return duty.clamp(0.0, 1.0), self._describe_source(
            [run for run in self.runs if run.job_name in loads_by_job], spread
        )

    def _average_seconds(self, run: RunRecord) -> float:
        """Return the seconds of one job of the run: the mean over its jobs that were not stopped early."""
        durations = [
            trial.training_seconds for trial in run.trials if trial.status == "Completed" and trial.training_seconds
        ]
        return mean(durations) if durations else run.figures[self.seconds_figure].value / max(1, len(run.children))

    def _get_factor(self, assumption: str) -> float:
        """Return the largest factor between this run and another run, in both directions."""
        return load_assumptions()[f"{'same' if self.is_same_run else 'other'}_{assumption}"].central

    def _describe_source(self, runs: Sequence[RunRecord], spread: float) -> str:
        origin = "this run" if self.is_same_run else f"{self.workload} with other inputs"
        names = ", ".join(run.job_name for run in runs)
        count = format_number_of(len(runs), "earlier job")
        return f"measured in {count} of {origin} ({names}), and assumed to hold within a factor of {spread:.3g}"


def find_history(launch: JobLaunch, folder: Path) -> RunHistory:
    """Return the whole runs of the workload on the same instances that are closest to the launch.

    `folder` has the records. Only records of the same account count: the sandbox has an account of its own, and its
    durations come from this computer.
    """
    role = Arn.parse_or_none(launch.platform.get_role_arn(launch.kind.phase))
    account = None if role is None else role.account
    seconds = launch.kind.seconds_figure_name
    record, runs_by_job = (
        launch.record,
        {run.job_name: run for run in (*_read_records(folder), launch.previous) if run is not None},
    )
    runs = [
        run
        for run in sorted(runs_by_job.values(), key=lambda run: run.launched_at.timestamp())
        if run.status == "Completed"
        and not run.resumed
        and seconds in run.figures
        and run.figures[seconds].value > 0
        and (run.workload, run.instance_type, run.instance_count)
        == (record.workload, record.instance_type, record.instance_count)
        and run.data.keys() == record.data.keys()
        and run.account == account
    ]
    work = measure_work(record, is_local=launch.is_local)
    same_runs = [run for run in runs if run.run_key == record.run_key]
    return RunHistory((same_runs or runs)[-_MAX_RUNS:], bool(same_runs), record.workload, seconds, work)


def _read_records(folder: Path) -> Iterator[RunRecord]:
    for path in folder.glob("runs/*.json"):
        with suppress(UserError):  # an invalid record must not stop a launch
            yield read_record_file(path)
