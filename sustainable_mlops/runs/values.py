"""Values of a run in lists and charts, and their sort order."""

from collections import Counter
from collections.abc import Sequence

from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.record import RunRecord

#: Sort keys besides metrics, and the figure of each in the record.
FIGURES = {"kg": "co2e", "usd": "cost", "kwh": "energy"}
SECONDS = "seconds"
LAUNCHED = "launched"
#: Data splits of metrics on unseen data, which win a tie.
_SPLITS = ("test", "validation", "eval")


def get_figure(record: RunRecord, key: str) -> RunFigure | None:
    """Return the figure of a key in `FIGURES`, or the seconds; None if the record has none."""
    return record.seconds if key == SECONDS else record.figures.get(FIGURES[key])


def choose_metric(records: Sequence[RunRecord], requested: str | None = None) -> str | None:
    """Return the requested metric, else the most frequent one; of equally frequent ones, one on unseen data.

    Return None if no run has a metric. Raises UserError if no run has the requested one.
    """
    counts = Counter(name for record in records for name in record.metrics)
    if requested is not None and requested not in counts:
        raise UserError(f"--metric: no run here has '{requested}'{did_you_mean(requested, counts)}")
    return requested or min(counts, key=lambda name: (-counts[name], rank_split(name), name), default=None)


def rank_split(name: str) -> int:
    """Return the rank of a metric by its data split; metrics on unseen data come first."""
    return next((rank for rank, split in enumerate(_SPLITS) if name.startswith(split)), len(_SPLITS))


def sort_records(records: Sequence[RunRecord], by: str) -> list[RunRecord]:
    """Return the records sorted by `by`: newest, smallest figure or greatest metric first; runs without a value last.

    Raises UserError if `by` is unknown.
    """
    if by == LAUNCHED:
        return sorted(records, key=lambda one: -one.launched_at.timestamp())
    names = {name for record in records for name in record.metrics}
    figures = {*FIGURES, SECONDS}
    if by not in figures | names:
        raise UserError(f"--sort: no run here has '{by}'{did_you_mean(by, {LAUNCHED} | figures | names)}")

    def make_sort_key(record: RunRecord) -> tuple[bool, float]:
        if by not in figures:
            return by not in record.metrics, -record.metrics.get(by, 0.0)
        figure = get_figure(record, by)
        return figure is None, figure.value if figure else 0.0

    return sorted(records, key=make_sort_key)
