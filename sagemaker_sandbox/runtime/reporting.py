"""What a job tells whoever started it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sagemaker_sandbox.runtime.clock import JobClock
from sagemaker_sandbox.runtime.job_definition import JobOutput
from sagemaker_sandbox.runtime.job_log import LogMetrics


@dataclass(frozen=True)
class JobUpdate:
    """News of a job: a transition of its (secondary) status, or new metrics under the same one.

    `metrics` holds each metric's last value, `started` when the first instance was there. Seconds are those of
    `clock.Clock`, given once the job has ended.
    """

    time: datetime
    status: str
    secondary_status: str
    message: str
    failure_reason: str | None = None
    exit_message: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    model_artifacts: str | None = None
    first_start: datetime | None = None
    training_seconds: int | None = None
    billable_seconds: int | None = None


class Reporter:
    """Calls `report` with the news of one job."""

    def __init__(self, report: Callable[[JobUpdate], None], metrics: LogMetrics, clock: JobClock) -> None:
        self.metrics = metrics
        self._report = report
        self._clock = clock
        self._told = ("", 0)

    def has_changed(self, secondary_status: str) -> bool:
        """Whether this is other than was told last, or there are more values of metrics."""
        return self._told != (secondary_status, self.metrics.total_count)

    def report(
        self,
        status: str,
        secondary_status: str,
        message: str,
        failure_reason: str | None = None,
        *,
        outcome: JobOutput | None = None,
    ) -> None:
        """One update; that of a job which is over has its times."""
        found, metrics, left = self.metrics.total_count, dict(self.metrics.values), outcome or JobOutput()
        over = status in ("Completed", "Failed", "Stopped")
        self._told = (secondary_status, found)
        self._report(
            JobUpdate(
                time=datetime.now(UTC),
                status=status,
                secondary_status=secondary_status,
                message=message,
                failure_reason=failure_reason,
                exit_message=left.exit_message,
                metrics=metrics,
                model_artifacts=left.artifacts,
                first_start=self._clock.first_start,
                training_seconds=self._clock.training_seconds if over else None,
                billable_seconds=self._clock.billable_seconds if over else None,
            )
        )
