"""TrainingJobEarlyStoppingType Auto. Source: Stop Training Jobs Early, in the SageMaker developer guide."""

from collections.abc import Iterable, Sequence
from statistics import fmean, median


def is_behind(values: Sequence[float], completed: Iterable[Sequence[float]], *, maximize: bool) -> bool:
    """Return whether a job with these values of the objective, one for each epoch, must stop.

    Its last value is then worse than the median of the running averages of the completed jobs up to the same epoch.
    Jobs that ended earlier do not count.
    """
    if not values:
        return False
    epoch = len(values)
    averages = [fmean(others[:epoch]) for others in completed if len(others) >= epoch]
    if not averages:
        return False
    return values[-1] < median(averages) if maximize else values[-1] > median(averages)
