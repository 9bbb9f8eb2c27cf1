"""Follow a job to its end."""

import time
from collections.abc import Callable

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
    kind, pause = KINDS[record.kind], _FIRST
    with aws.told(f"following {kind.title} {record.job_name}"):
        while True:
            record = kind.current(record, sagemaker)
            show(record)
            if record.ended:
                return record
            sleep(pause)
            pause = min(_LONGEST, pause * _GROWTH)
