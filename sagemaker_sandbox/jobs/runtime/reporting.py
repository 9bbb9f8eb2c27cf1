"""Status reports of a job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sagemaker_sandbox.jobs.runtime.clock import JobClock
from sagemaker_sandbox.jobs.runtime.job_definition import JobOutput
from sagemaker_sandbox.jobs.runtime.job_log import LogMetrics
from sustainable_mlops.aws.statuses import FINAL_JOB_STATUSES


@dataclass(frozen=True)
class JobUpdate:
    """Status update of a job: another (secondary) status, or new metrics.

    `metrics` holds the latest value of each metric. `first_start` is the start of the first instance. Seconds are those
    of `clock.JobClock`, set once the job has ended.
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
    """Reporter of one job. It calls `send` with each update."""

    def __init__(self, send: Callable[[JobUpdate], None], metrics: LogMetrics, clock: JobClock) -> None:
        self.metrics = metrics
        self._send = send
        self._clock = clock
        self._previous = ("", 0)

    def has_changed(self, secondary_status: str) -> bool:
        """Return whether the status or the number of metric values differs from the previous report."""
        return self._previous != (secondary_status, self.metrics.total_count)

    def report(
        self,
        status: str,
        secondary_status: str,
        message: str,
        failure_reason: str | None = None,
        *,
        outcome: JobOutput | None = None,
    ) -> None:
        """Send one update. The update of an ended job includes its times."""
        metric_count, metrics, job_output = self.metrics.total_count, dict(self.metrics.values), outcome or JobOutput()
        is_over = status in FINAL_JOB_STATUSES
        self._previous = (secondary_status, metric_count)
        self._send(
            JobUpdate(
                time=datetime.now(UTC),
                status=status,
                secondary_status=secondary_status,
                message=message,
                failure_reason=failure_reason,
                exit_message=job_output.exit_message,
                metrics=metrics,
                model_artifacts=job_output.artifacts,
                first_start=self._clock.first_start,
                training_seconds=self._clock.training_seconds if is_over else None,
                billable_seconds=self._clock.billable_seconds if is_over else None,
            )
        )
