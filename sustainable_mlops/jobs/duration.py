"""First estimate of a job's duration, from its data, its rounds and its instances.

    seconds = start + data / reading rate + rounds x (data / (round rate x vCPUs) + fixed time of a round)

The size of the data in bytes stands for its rows and columns. The rows `duration_*` of `catalogue/assumptions.csv` have
the rates with their sources and intervals. The start comes from training seconds of public notebooks, the round rate
from a benchmark of boosted trees (GBM-perf), and the other rates are assumed. The lower bound of the interval combines
the lower bounds of all rates, and the upper bound all upper bounds. The runtime limit ends a job, so no estimate is
longer. In the sandbox, the load of this computer widens the interval.

The model does not know the script. With compressed data, a slow script or early stopping, the duration can be outside
the interval. `python -m tests.jobs.measure_durations` measures the share of jobs inside it. After a run of the
workload, such as a probe (`--probe`), measured times replace the model.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import median
from typing import Any

from rich.filesize import decimal

from sustainable_mlops.base.wording import pluralize
from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import Quantity, format_number
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.jobs.record import RunRecord

#: Names of hyperparameters that count rounds over the data, in lower case with underscores. The first match applies.
ROUND_NAMES = (
    "num_round",
    "num_rounds",
    "num_boost_round",
    "rounds",
    "n_estimators",
    "trees",
    "num_train_epochs",
    "num_epochs",
    "max_epochs",
    "epochs",
    "num_iterations",
    "iterations",
    "max_iter",
)
_NETWORK = re.compile("pytorch|tensorflow|huggingface|mxnet|neuron")
_KINDS_WITH_ROUNDS = ("training", "tuning")
#: Largest multiple of the measured work to which a line through several runs is extended.
_MAX_EXTENSION = 4.0
#: Largest factor between the bounds of a scaled run. Runs with wider bounds are ignored, unless all have wider bounds.
_MAX_WIDTH = 4.0


@dataclass(frozen=True, slots=True)
class JobWork:
    """Work of one instance of a job: its data, its rounds and its instance type."""

    kind: str
    input_bytes: float
    #: None if no hyperparameter counts rounds.
    rounds: float | None
    vcpus: Quantity
    #: True if the image is for neural networks.
    is_network: bool
    #: True if the job runs on this computer, in the sandbox.
    is_local: bool
    #: Processes for each CPU of this computer, at least 1; it is 1 on AWS, whose instances run one job.
    queue: float = 1.0

    @property
    def start(self) -> Quantity:
        """Seconds outside the script."""
        return load_assumptions()["duration_local_start_seconds" if self.is_local else "duration_start_seconds"]

    def estimate_script_seconds(self) -> Quantity:
        """Return the seconds of the script, without the start."""
        assumptions, megabytes = load_assumptions(), self.input_bytes / 1e6
        reading = assumptions["duration_predict_mb" if self.kind == "transform" else "duration_read_mb"]
        ends = [megabytes / rate for rate in (reading.high, reading.central, reading.low)]
        if self.kind in _KINDS_WITH_ROUNDS or self.rounds is not None:
            rate = assumptions["duration_network_round_mb" if self.is_network else "duration_round_mb"]
            fixed = assumptions["duration_round_seconds"]
            unknown = assumptions["duration_rounds"]
            rounds = [unknown.low, unknown.central, unknown.high] if self.rounds is None else [self.rounds] * 3
            rates = (rate.high * self.vcpus.high, rate.central * self.vcpus.central, rate.low * self.vcpus.low)
            per_round = [
                megabytes / speed + seconds
                for speed, seconds in zip(rates, (fixed.low, fixed.central, fixed.high), strict=True)
            ]
            ends = [end + count * one for end, count, one in zip(ends, rounds, per_round, strict=True)]
        low, central, high = ends
        return Quantity(low, central, high, "C", "the duration of the script")

    def estimate_script_share(self) -> Quantity:
        """Return the share of the script in the whole duration."""
        start, script = self.start, self.estimate_script_seconds()
        low, central, high = (
            part / (part + rest) if part else 0.0
            for part, rest in ((script.low, start.high), (script.central, start.central), (script.high, start.low))
        )
        return Quantity(low, central, high, "C")


def measure_work(record: RunRecord, *, is_local: bool) -> JobWork:
    """Return the work of the run of a record."""
    count = record.instance_count
    input_bytes = sum(data.size_bytes / (count if data.is_sharded else 1) for data in record.data.values())
    instance = instances.find(record.instance_type)
    vcpus = float((os.cpu_count() or 1) if is_local else instance.vcpu if instance else 1)
    quantity = Quantity(vcpus, vcpus, vcpus)
    if instance is not None and instance.accelerators and not is_local:
        quantity = load_assumptions()["duration_accelerator_vcpus"] * float(instance.accelerators)
    rounds = find_rounds(record.hyperparameters)
    is_network = bool(_NETWORK.search(record.image))
    queue = max(1.0, os.getloadavg()[0] / vcpus) if is_local else 1.0
    return JobWork(record.kind, input_bytes, rounds[1] if rounds else None, quantity, is_network, is_local, queue)


def find_rounds(parameters: Mapping[str, Any]) -> tuple[str, float] | None:
    """Return the hyperparameter that counts rounds over the data, and its value; None if there is none."""
    by_name = {name.lower().replace("-", "_"): (name, value) for name, value in parameters.items()}
    for one in ROUND_NAMES:
        name, value = by_name.get(one, ("", None))
        try:
            if name and not isinstance(value, bool) and 0 < (count := float(value)) < inf:
                return name, count
        except (TypeError, ValueError, OverflowError):
            continue
    return None


def estimate_first_seconds(work: JobWork) -> tuple[Quantity, str]:
    """Return the seconds of a job without earlier runs, and the source."""
    start, script = work.start, work.estimate_script_seconds()
    # Other work on this computer lengthens each part, at most by the number of processes for each CPU.
    low, central, high = start.low + script.low, start.central + script.central, start.high + script.high
    seconds = Quantity(low, central * sqrt(work.queue), high * work.queue, "C")
    rounds = "unknown rounds" if work.rounds is None else f"{work.rounds:,.6g} {pluralize('round', work.rounds)}"
    parts = [f"a start of {format_number(start.central)} s", f"{decimal(int(work.input_bytes))} of data"]
    if work.kind in _KINDS_WITH_ROUNDS or work.rounds is not None:
        parts.append(f"{rounds} on {work.vcpus.central:g} vCPUs")
    if work.queue > 1:
        parts.append(f"this busy computer (load {work.queue:.1f} per CPU)")
    return seconds, f"from {', '.join(parts)} (docs/jobs.md); no earlier run is known"


def scale_seconds(measured: Sequence[tuple[float, JobWork]], work: JobWork, spread: float) -> tuple[Quantity, bool]:
    """Return the seconds of a job by measured runs of other sizes; the second value is True if a line fits them.

    A line through runs of several sizes is valid up to four times the largest size. Otherwise the script's part of a
    run's time is scaled with the work; the model gives this part, with its interval. Runs count if the bounds of their
    scaled time differ by a factor of at most four; if none does, the run with the narrowest interval counts. `spread`
    is the factor by which a run can differ for other reasons.
    """
    target = work.estimate_script_seconds().central
    points = [(one.estimate_script_seconds().central, seconds) for seconds, one in measured]
    if (line := _fit_line(points)) is not None and target <= _MAX_EXTENSION * max(size for size, _ in points):
        central = line[0] + line[1] * target
        return Quantity(central / spread, central, central * spread, "B"), True
    ends = []
    for (seconds, one), (size, _) in zip(measured, points, strict=True):
        ratio, share = target / size if size else 1.0, one.estimate_script_share()
        ends.append(sorted(seconds * (1 + end * (ratio - 1)) for end in (share.low, share.central, share.high)))
    widest = max(_MAX_WIDTH, min(end[2] / end[0] for end in ends))
    lows, centrals, highs = zip(*(end for end in ends if end[2] / end[0] <= widest), strict=True)
    return Quantity(min(lows) / spread, median(centrals), max(highs) * spread, "B"), False


def _fit_line(points: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Return intercept and slope of the line of least squares; None for one size, or if the line is not plausible."""
    if len({size for size, _ in points}) < 2:
        return None
    mean_x, mean_y = (sum(point[axis] for point in points) / len(points) for axis in (0, 1))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    intercept = mean_y - slope * mean_x
    return (intercept, slope) if slope > 0 and intercept >= 0 else None
