"""TrainingJobEarlyStoppingType Auto. Source: Stop Training Jobs Early, in the SageMaker developer guide."""

from collections.abc import Iterable, Sequence
from statistics import fmean, median


def falls_behind(values: Sequence[float], completed: Iterable[Sequence[float]], *, maximize: bool) -> bool:
    """Whether a job with these values of the objective, one an epoch, is to be stopped.

    It is where its last value is worse than the median of the running averages that the completed jobs had up to the
    same epoch. Jobs that never got so far say nothing.
    """
    if not values:
        return False
    epoch = len(values)
    averages = [fmean(others[:epoch]) for others in completed if len(others) >= epoch]
    if not averages:
        return False
    return values[-1] < median(averages) if maximize else values[-1] > median(averages)
