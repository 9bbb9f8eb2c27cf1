"""Follow a job to its end."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.launch import Launch
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.jobs.specs.common import UtilizationFloor
from sustainable_mlops.jobs.utilization import Watch

#: Seconds between two looks: short at first, for jobs that fail at once, then seldom.
_FIRST, _LONGEST, _GROWTH = 1.0, 15.0, 1.15
#: Seconds for which a job may be Stopping: its container has two minutes, then what it left is uploaded.
_STOPS_WITHIN = 1800.0


def wait(
    record: RunRecord,
    sagemaker: Client,
    show: Callable[[RunRecord], None],
    sleep: Callable[[float], None] = time.sleep,
    *,
    watch: Watch | None = None,
) -> RunRecord:
    """The record when the job has ended; `show` gets each state on the way. Raises UserError.

    A job that `watch` finds idle is stopped, and the record says why.

    Ctrl-C passes through and leaves the job running: the same launch attaches to it again.
    """
    kind, stopping = KINDS[record.kind], None
    with aws.translate_aws_errors(f"following {kind.title} {record.job_name}"):
        for pause in pauses():
            record = kind.current(record, sagemaker)
            show(record)
            if record.ended:
                break
            stopping = (stopping or time.monotonic()) if record.status == "Stopping" else None
            if stopping is not None and time.monotonic() - stopping > _STOPS_WITHIN:
                raise UserError(
                    f"{kind.title} {record.job_name}: is Stopping for more than {_STOPS_WITHIN / 60:g} min, where "
                    "minutes are usual; look again later, ask AWS Support, or run it anew with --force"
                )
            record = _within_its_cap(record, sagemaker)
            if watch is not None:
                record = without_the_idle(record, watch, sagemaker)
            sleep(pause)
    return record


def pauses() -> Iterator[float]:
    """Seconds between two looks at what takes its time, without end."""
    pause = _FIRST
    while True:
        yield pause
        pause = min(_LONGEST, pause * _GROWTH)


def _within_its_cap(record: RunRecord, sagemaker: Client) -> RunRecord:
    """The record with the job stopped now, if it has run for too long and SageMaker does not see to it."""
    if record.stops_after is None or record.started_at is None or record.job_name in record.stopped:
        return record
    if (datetime.now(UTC) - record.started_at).total_seconds() < record.stops_after:
        return record
    if not KINDS[record.kind].stop(record.job_name, sagemaker):
        return record
    reason = f"it ran for longer than the {record.stops_after / 60:g} min of limits.max_runtime_minutes"
    return record.model_copy(update={"stopped": {**record.stopped, record.job_name: reason}})


def watch_of(launch: Launch) -> Watch | None:
    """What is to be watched of a launched job, as its file says; None for nothing. Raises UserError."""
    return None if launch.floor is None else watching(launch.floor, launch.record)


def watching(floor: UtilizationFloor, record: RunRecord) -> Watch:
    """The watch of a job, or of those that it starts. Raises UserError."""
    namespace = f"/aws/sagemaker/{KINDS[record.kind].worker.noun}s"
    cloudwatch = aws.client("cloudwatch", record.region)
    return Watch(floor, record.instance_type, record.instance_count, namespace, cloudwatch)


def without_the_idle(record: RunRecord, watch: Watch, sagemaker: Client) -> RunRecord:
    """The record with what was stopped now."""
    kind, stopped = KINDS[record.kind], dict(record.stopped)
    for job, since in kind.at_work(record).items():
        reason = None if job in stopped else watch.idle(job, since, datetime.now(UTC))
        if reason is not None and kind.worker.stop(job, sagemaker):
            stopped[job] = reason
    return record.model_copy(update={"stopped": stopped})
