"""Completion criteria of tuning jobs. Source: Track and set completion criteria, in the developer guide."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

#: Smallest relative change that counts as an improvement. Source: BestObjectiveNotImproving.
_IMPROVEMENT = 0.01

#: Jobs without improvement after which the search has converged, for each hyperparameter and as a minimum. Assumed: AWS
#: says that its criteria come from benchmarks, and does not publish them.
_CONVERGED_JOBS_EACH, _CONVERGED_JOBS = 5, 10


class TuningProgress:
    """The best objective so far, and the number of jobs without an improvement."""

    def __init__(self, criteria: Mapping[str, Any], *, maximize: bool, hyperparameters: int) -> None:
        self._sign = 1 if maximize else -1
        self._target = criteria.get("TargetObjectiveMetricValue")
        self._max_not_improving = criteria.get("BestObjectiveNotImproving", {}).get(
            "MaxNumberOfTrainingJobsNotImproving"
        )
        self._ends_on_convergence = (
            criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence", "Disabled") == "Enabled"
        )
        self._converged_jobs = max(_CONVERGED_JOBS, _CONVERGED_JOBS_EACH * hyperparameters)
        self._best: float | None = None
        self._is_target_reached = False
        self.not_improving = 0
        self.converged: datetime | None = None

    def add(self, value: float, at: datetime) -> None:
        """Add the final objective of a job."""
        self._is_target_reached |= self._target is not None and self._sign * value >= self._sign * self._target
        if self._best is None or self._sign * (value - self._best) > _IMPROVEMENT * abs(self._best):
            self._best, self.not_improving = value, 0
            return
        self.not_improving += 1
        if self.converged is None and self.not_improving >= self._converged_jobs:
            self.converged = at

    @property
    def is_complete(self) -> bool:
        """True if a requested criterion is met."""
        if self._max_not_improving is not None and self.not_improving >= self._max_not_improving:
            return True
        return self._is_target_reached or (self._ends_on_convergence and self.converged is not None)

    def build_details(self) -> dict[str, Any]:
        """Return HyperParameterTuningJobCompletionDetails."""
        details: dict[str, Any] = {"NumberOfTrainingJobsObjectiveNotImproving": self.not_improving}
        return details | ({"ConvergenceDetectedTime": self.converged} if self.converged else {})
