"""Waiting for the end of a job."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.launch import JobLaunch
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.jobs.specs.common import UtilizationFloor
from sustainable_mlops.jobs.utilization import UtilizationWatch

#: Seconds between two reads of the status: short at first, for jobs that fail immediately, then longer.
_FIRST_PAUSE, _LONGEST_PAUSE, _PAUSE_GROWTH = 1.0, 15.0, 1.15
#: Maximum seconds in the status Stopping: the container has two minutes, then SageMaker uploads its files.
_MAX_STOPPING_SECONDS = 1800.0


def wait_for_job(
    record: RunRecord,
    sagemaker: Client,
    show: Callable[[RunRecord], None],
    sleep: Callable[[float], None] = time.sleep,
    *,
    watch: UtilizationWatch | None = None,
) -> RunRecord:
    """Return the record when the job has ended; `show` receives each state. Raises UserError.

    A job that `watch` finds idle is stopped, and the record has the reason.

    Ctrl-C leaves the job running; the same launch attaches to it again.
    """
    kind, stopping_since = KINDS[record.kind], None
    with aws.translate_aws_errors(f"following {kind.title} {record.job_name}"):
        for pause in iterate_pauses():
            record = kind.refresh(record, sagemaker)
            show(record)
            if record.is_ended:
                break
            stopping_since = (stopping_since or time.monotonic()) if record.status == "Stopping" else None
            if stopping_since is not None and time.monotonic() - stopping_since > _MAX_STOPPING_SECONDS:
                raise UserError(
                    f"{kind.title} {record.job_name}: has the status Stopping for more than "
                    f"{_MAX_STOPPING_SECONDS / 60:g} minutes; check it later, contact AWS Support, or start a new run "
                    "with --force"
                )
            record = _stop_at_cap(record, sagemaker)
            if watch is not None:
                record = stop_idle_jobs(record, watch, sagemaker)
            sleep(pause)
    return record


def iterate_pauses() -> Iterator[float]:
    """Yield the seconds between two reads of a status, without end."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(_LONGEST_PAUSE, pause * _PAUSE_GROWTH)


def _stop_at_cap(record: RunRecord, sagemaker: Client) -> RunRecord:
    """Stop a job that runs longer than a limit that SageMaker does not enforce; return its record."""
    if record.stops_after is None or record.started_at is None or record.job_name in record.stopped:
        return record
    if (datetime.now(UTC) - record.started_at).total_seconds() < record.stops_after:
        return record
    if not KINDS[record.kind].stop(record.job_name, sagemaker):
        return record
    reason = f"it ran longer than the {record.stops_after / 60:g} min of limits.max_runtime_minutes"
    return record.model_copy(update={"stopped": {**record.stopped, record.job_name: reason}})


def make_watch(launch: JobLaunch) -> UtilizationWatch | None:
    """Return the watch of a launched job; None if its file has no floor. Raises UserError."""
    return None if launch.floor is None else watch_job(launch.floor, launch.record)


def watch_job(floor: UtilizationFloor, record: RunRecord) -> UtilizationWatch:
    """Return the watch of a job, or of the jobs that it starts. Raises UserError."""
    namespace = KINDS[record.kind].log_group  # the namespace has the same name
    cloudwatch = aws.make_client("cloudwatch", record.region)
    return UtilizationWatch(floor, record.instance_type, record.instance_count, namespace, cloudwatch)


def stop_idle_jobs(record: RunRecord, watch: UtilizationWatch, sagemaker: Client) -> RunRecord:
    """Stop idle jobs and return the record with the reasons."""
    kind, reasons = KINDS[record.kind], dict(record.stopped)
    for job, since in kind.list_running_jobs(record).items():
        reason = None if job in reasons else watch.find_idle_reason(job, since, datetime.now(UTC))
        if reason is not None and kind.worker.stop(job, sagemaker):
            reasons[job] = reason
    return record.model_copy(update={"stopped": reasons})
