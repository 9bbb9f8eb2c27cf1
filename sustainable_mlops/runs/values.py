"""What of a run is listed, sorted and charted."""

from collections import Counter
from collections.abc import Sequence

from sustainable_mlops.errors import UserError, did_you_mean
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.record import RunRecord

#: What a run may be sorted by beside its metrics, and the figure of its record.
FIGURES = {"kg": "co2e", "usd": "cost", "kwh": "energy"}
SECONDS = "seconds"
LAUNCHED = "launched"
#: What is said of a model on data that it has not seen comes first.
_PARTS = ("test", "validation", "eval")


def get_figure(record: RunRecord, key: str) -> RunFigure | None:
    """A figure by its key in `FIGURES`, or its seconds; None where it is not known."""
    return record.seconds if key == SECONDS else record.figures.get(FIGURES[key])


def choose_metric(records: Sequence[RunRecord], requested: str | None = None) -> str | None:
    """The metric to show: the one asked for, else what most runs have, on unseen data where there is such.

    None where no run has any. Raises UserError where no run has the one asked for.
    """
    counts = Counter(name for record in records for name in record.metrics)
    if requested is not None and requested not in counts:
        raise UserError(f"--metric: no run here has '{requested}'{did_you_mean(requested, counts)}")
    return requested or min(counts, key=lambda name: (-counts[name], _rank_part(name), name), default=None)


def _rank_part(name: str) -> int:
    return next((rank for rank, part in enumerate(_PARTS) if name.startswith(part)), len(_PARTS))


def sort_records(records: Sequence[RunRecord], by: str) -> list[RunRecord]:
    """Sorted by `by`: newest, least of a figure, or greatest of a metric first; what has no such value last.

    Raises UserError where `by` is neither.
    """
    if by == LAUNCHED:
        return sorted(records, key=lambda one: -one.launched_at.timestamp())
    names = {name for record in records for name in record.metrics}
    figures = {*FIGURES, SECONDS}
    if by not in figures | names:
        raise UserError(f"--sort: no run here has '{by}'{did_you_mean(by, {LAUNCHED} | figures | names)}")

    def key(record: RunRecord) -> tuple[bool, float]:
        if by not in figures:
            return by not in record.metrics, -record.metrics.get(by, 0.0)
        found = get_figure(record, by)
        return found is None, found.value if found else 0.0

    return sorted(records, key=key)
