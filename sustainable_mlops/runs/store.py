"""Stores of run records: a folder or a bucket."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sustainable_mlops import aws
from sustainable_mlops.aws import Client, S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.pipelines import record as pipelines
from sustainable_mlops.jobs.record import RunRecord, parse_execution_record, parse_record, read_record_file


@dataclass(frozen=True)
class RunRecords:
    """Records, the newest first, and the error for each unreadable file."""

    records: tuple[RunRecord, ...]
    unreadable: tuple[str, ...] = ()

    def __add__(self, other: "RunRecords") -> "RunRecords":
        """Return the records of both; of two records of one job, the one with its end."""
        return _sort_records(self.records + other.records, self.unreadable + other.unreadable)


def read_folder(folder: Path) -> RunRecords:
    """Return the records in `runs` folders below `folder`; empty if the folder does not exist."""
    return _parse_records(
        (str(path), path.read_bytes()) for path in sorted(folder.glob("**/runs/*.json")) if path.is_file()
    )


def read_bucket(bucket: str, s3: Client) -> RunRecords:
    """Return the records in an artifacts bucket, one per run. Raises UserError if it cannot be read."""

    def read_objects() -> Iterator[tuple[str, bytes]]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="runs/"):
            for item in page.get("Contents", []):
                if item["Key"].endswith("/record.json"):
                    body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"]
                    yield str(S3Uri(bucket, item["Key"])), body.read()

    with aws.translate_aws_errors(f"reading the records in s3://{bucket}/runs/"):
        return _parse_records(read_objects())


def find_run(name: str, records: Sequence[RunRecord]) -> RunRecord:
    """Return the run with this job name or run key, or the only one that begins with `name`.

    `name` may also be a record file. Raises UserError if there is none, or more than one.
    """
    if name.endswith(".json") and Path(name).is_file():
        return read_record_file(Path(name))
    exact = [one for one in records if one.job_name == name]
    matches = exact or [one for one in records if one.job_name.startswith(name) or one.run_key.startswith(name)]
    if not matches:
        raise UserError(f"{name}: no run has a job name or run key that begins with this; smlops runs lists them")
    if len(matches) > 1:
        raise UserError(f"{name}: matches {matches[0].job_name} and {matches[1].job_name}; pass more of the name")
    return matches[0]


def _parse_records(texts: Iterable[tuple[str, bytes]]) -> RunRecords:
    records, unreadable = [], []
    for source, text in texts:
        try:
            records += _list_runs(text, source)
        except UserError as error:
            unreadable.append(str(error))
    return _sort_records(records, unreadable)


def _list_runs(text: bytes, source: str) -> list[RunRecord]:
    """Return the run of a record; for a pipeline execution, the jobs of its steps. Raises UserError."""
    if parse_execution_record(text) is not None:
        return [step.job for step in pipelines.parse_record(text, source).steps if step.job and step.ran_job]
    return [parse_record(text, source)]


def _sort_records(records: Sequence[RunRecord], unreadable: Sequence[str]) -> RunRecords:
    by_name = {one.job_name: one for one in sorted(records, key=lambda one: one.is_ended)}
    newest_first = sorted(by_name.values(), key=lambda one: -one.launched_at.timestamp())
    return RunRecords(tuple(newest_first), tuple(unreadable))
