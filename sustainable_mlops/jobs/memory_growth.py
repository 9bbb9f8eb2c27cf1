"""What records of measured runs say of how a job's memory grows with its input."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from sustainable_mlops.advice.size import Job, Sample, Use
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.record import RunRecord, read_file

#: The figure of a record's `measured` that is read.
PEAK = "memory_peak_bytes"


def job_of(files: Sequence[Path]) -> Job:
    """The job that the records in `files` are of, as the newest has it, with what each was measured to need.

    Raises UserError where they are not of one workload, kind and instance type, or one was not measured.
    """
    read = [_read(file) for file in files]
    newest, _ = max(read, key=lambda one: one[0].launched_at.timestamp())
    for record, file in zip((record for record, _ in read), files, strict=True):
        if (record.workload, record.kind) != (newest.workload, newest.kind):
            raise UserError(
                f"{file}: is of a {record.kind} job of {record.workload}, not of {newest.kind} of {newest.workload}"
            )
    if newest.kind not in get_args(Use):
        raise UserError(
            f"{files[0]}: a {newest.kind} job is sized by its requests or by the jobs that it starts; give records of "
            f"{' or '.join(get_args(Use))} jobs"
        )
    dealt_out = [one for one in newest.data.values() if one.dealt_out]
    return Job(
        newest.instance_type,
        tuple(Sample(_input_bytes(record), peak) for record, peak in read),
        "processing" if newest.kind == "processing" else "training",
        instances=newest.instance_count,
        dealt_out=bool(dealt_out),
        objects=max((one.objects for one in dealt_out or newest.data.values()), default=None),
    )


def _read(file: Path) -> tuple[RunRecord, float]:
    record = read_file(file)
    peak = record.measured.value(PEAK) if record.measured else None
    if not peak:
        raise UserError(f"{file}: the run was not measured, as its record has no {PEAK}; give --peak-gb and --input-gb")
    return record, peak


def _input_bytes(record: RunRecord) -> float:
    """Of one instance."""
    count = record.instance_count
    return sum(one.size_bytes / (count if one.dealt_out else 1) for one in record.data.values())
