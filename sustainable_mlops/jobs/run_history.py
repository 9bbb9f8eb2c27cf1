"""The runs that there were before a launch: what their times and their loads say of it."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint import Quantity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.jobs.launch import Launch
from sustainable_mlops.jobs.measurement.load import load
from sustainable_mlops.jobs.record import RunRecord, read_file

#: Those that an estimate rests on: the newest, as code and data move on.
_MOST = 3


@dataclass(frozen=True)
class Earlier:
    """Runs that an estimate rests on: of this very run, or of the workload with other inputs; the newest last."""

    runs: list[RunRecord]
    same: bool
    workload: str
    seconds_figure: str

    @property
    def seconds(self) -> tuple[Quantity, str] | None:
        """How long a job of them took, and what that rests on; None without any."""
        if not self.runs:
            return None
        times = [self._seconds(run) for run in self.runs]
        spread = self._spread("run_factor")
        return Quantity(min(times) / spread, median(times), max(times) * spread, "B"), self._source(self.runs, spread)

    @property
    def load(self) -> tuple[Quantity, str] | None:
        """How busy they kept their machines (0-1), and what that rests on; None where none has measured it."""
        found = {
            run.job_name: one
            for run in self.runs
            if (one := load(run.measured, self._seconds(run), run.instance_type)) is not None
        }
        if not found:
            return None
        spread, loads = self._spread("run_load_factor"), list(found.values())
        low, high = min(one.low for one in loads) / spread, max(one.high for one in loads) * spread
        duty = Quantity(low, median(one.central for one in loads), high, "B", "load, measured in earlier runs")
        return duty.clamp(0.0, 1.0), self._source([run for run in self.runs if run.job_name in found], spread)

    def _seconds(self, run: RunRecord) -> float:
        """Of one job of the run; of several the mean over those that were not stopped early."""
        whole = [one.training_seconds for one in run.trials if one.status == "Completed" and one.training_seconds]
        return mean(whole) if whole else run.figures[self.seconds_figure].value / max(1, len(run.children))

    def _spread(self, assumed: str) -> float:
        """How far another run may be from them, either way, as a factor."""
        return load_assumptions()[f"{'same' if self.same else 'other'}_{assumed}"].central

    def _source(self, runs: Sequence[RunRecord], spread: float) -> str:
        of = "this very run" if self.same else f"{self.workload} with other inputs"
        names = ", ".join(run.job_name for run in runs)
        number = f"{len(runs)} earlier {'job' if len(runs) == 1 else 'jobs'}"
        return f"measured in {number} of {of} ({names}), and assumed to hold within a factor of {spread:g}"


def earlier(launch: Launch, folder: Path) -> Earlier:
    """Of whole runs of the workload, whose machines did the same work as this kind's, those that say most of `launch`.

    Their records are in `folder`. Of the same account: the sandbox has one of its own, and the times there are those of
    this computer.
    """
    account = launch.platform.role(launch.kind.phase).split(":")[4]
    seconds = launch.kind.seconds_figure
    mine, found = launch.record, {run.job_name: run for run in (*_records(folder), launch.previous) if run is not None}
    runs = [
        run
        for run in sorted(found.values(), key=lambda run: run.launched_at.timestamp())
        if run.status == "Completed"
        and not run.resumed
        and seconds in run.figures
        and run.figures[seconds].value > 0
        and (run.workload, run.instance_type, run.instance_count)
        == (mine.workload, mine.instance_type, mine.instance_count)
        and (run.job_arn or "").split(":")[4:5] == [account]
    ]
    same = [run for run in runs if run.run_key == mine.run_key]
    return Earlier((same or runs)[-_MOST:], bool(same), mine.workload, seconds)


def _records(folder: Path) -> Iterator[RunRecord]:
    for path in folder.glob("runs/*.json"):
        with suppress(UserError):  # what cannot be read tells nothing, and is no reason not to launch
            yield read_file(path)
