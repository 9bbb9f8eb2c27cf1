"""Follow a job to its end."""

import time
from collections.abc import Callable, Iterator

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.record import RunRecord

#: Seconds between two looks: short at first, for jobs that fail at once, then seldom.
_FIRST, _LONGEST, _GROWTH = 1.0, 15.0, 1.15


def wait(
    record: RunRecord,
    sagemaker: Client,
    show: Callable[[RunRecord], None],
    sleep: Callable[[float], None] = time.sleep,
) -> RunRecord:
    """The record when the job has ended; `show` gets each state on the way. Raises UserError.

    Ctrl-C passes through and leaves the job running: the same launch attaches to it again.
    """
    kind = KINDS[record.kind]
    with aws.told(f"following {kind.title} {record.job_name}"):
        for pause in pauses():
            record = kind.current(record, sagemaker)
            show(record)
            if record.ended:
                break
            sleep(pause)
    return record


def pauses() -> Iterator[float]:
    """Seconds between two looks at what takes its time, without end."""
    pause = _FIRST
    while True:
        yield pause
        pause = min(_LONGEST, pause * _GROWTH)
