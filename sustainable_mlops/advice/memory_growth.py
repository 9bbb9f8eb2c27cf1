"""Growth of a job's memory with its input, from the records of measured runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from sustainable_mlops.advice.size import GrowingJob, JobUse, MemorySample
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.record import RunRecord, read_record_file

#: Figure of a record's `measured` with the peak memory.
PEAK = "memory_peak_bytes"


def build_job(files: Sequence[Path]) -> GrowingJob:
    """Return the job of the records in `files`, with the memory of each run.

    The newest run gives the instance type and count. Raises UserError if the records differ in workload, kind or
    instance type, or if a run was not measured.
    """
    runs = [_read_peak(file) for file in files]
    newest, _ = max(runs, key=lambda run: run[0].launched_at.timestamp())
    for record, file in zip((record for record, _ in runs), files, strict=True):
        if (record.workload, record.kind) != (newest.workload, newest.kind):
            raise UserError(
                f"{file}: is the record of a {record.kind} job of {record.workload}, but the newest record is of "
                f"{newest.kind} of {newest.workload}; pass records of one workload and kind"
            )
    if newest.kind not in get_args(JobUse):
        raise UserError(
            f"{files[0]}: the size of a {newest.kind} job follows from its requests or from the jobs it starts; pass "
            f"records of {' or '.join(get_args(JobUse))} jobs"
        )
    sharded = [data_set for data_set in newest.data.values() if data_set.is_sharded]
    return GrowingJob(
        newest.instance_type,
        tuple(MemorySample(_sum_input_bytes(record), peak) for record, peak in runs),
        "processing" if newest.kind == "processing" else "training",
        instances=newest.instance_count,
        is_sharded=bool(sharded),
        objects=max((data_set.objects for data_set in sharded or newest.data.values()), default=None),
    )


def _read_peak(file: Path) -> tuple[RunRecord, float]:
    record = read_record_file(file)
    peak = record.measured.get_value(PEAK) if record.measured else None
    if not peak:
        raise UserError(f"{file}: the record has no {PEAK}, so the run was not measured; pass --peak-gb and --input-gb")
    return record, peak


def _sum_input_bytes(record: RunRecord) -> float:
    """Return the input of one instance, in bytes."""
    count = record.instance_count
    return sum(data_set.size_bytes / (count if data_set.is_sharded else 1) for data_set in record.data.values())
