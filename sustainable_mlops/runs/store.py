"""Where records of runs are: a folder, a bucket."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sustainable_mlops import aws
from sustainable_mlops.aws import Client, S3Uri
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.pipelines import record as pipelines
from sustainable_mlops.jobs.record import RunRecord, execution_in, read_file, read_record


@dataclass(frozen=True)
class Runs:
    """Records, the newest first, and why each file that was none could not be read."""

    records: tuple[RunRecord, ...]
    unreadable: tuple[str, ...] = ()

    def __add__(self, other: "Runs") -> "Runs":
        """Both; of one job the record that tells its end."""
        return _of(self.records + other.records, self.unreadable + other.unreadable)


def from_folder(folder: Path) -> Runs:
    """The records in `runs` folders below `folder`; none where it is not there."""
    return _read((str(path), path.read_bytes()) for path in sorted(folder.glob("**/runs/*.json")) if path.is_file())


def from_bucket(bucket: str, s3: Client) -> Runs:
    """The records in an artifacts bucket, one a run. Raises UserError where it cannot be read."""

    def texts() -> Iterator[tuple[str, bytes]]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="runs/"):
            for item in page.get("Contents", []):
                if item["Key"].endswith("/record.json"):
                    body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"]
                    yield str(S3Uri(bucket, item["Key"])), body.read()

    with aws.translate_aws_errors(f"reading the records in s3://{bucket}/runs/"):
        return _read(texts())


def find(name: str, records: Sequence[RunRecord]) -> RunRecord:
    """The run whose job's name or run key is, or alone begins with, `name`; or the record in the file of that name.

    Raises UserError where there is none, or more than one.
    """
    if name.endswith(".json") and Path(name).is_file():
        return read_file(Path(name))
    exact = [one for one in records if one.job_name == name]
    found = exact or [one for one in records if one.job_name.startswith(name) or one.run_key.startswith(name)]
    if not found:
        raise UserError(f"{name}: no run's job name or key begins so; smlops runs lists them")
    if len(found) > 1:
        raise UserError(f"{name}: may be {found[0].job_name} or {found[1].job_name}; give more of its name")
    return found[0]


def _read(texts: Iterable[tuple[str, bytes]]) -> Runs:
    records, unreadable = [], []
    for source, text in texts:
        try:
            records += _runs(text, source)
        except UserError as error:
            unreadable.append(str(error))
    return _of(records, unreadable)


def _runs(text: bytes, source: str) -> list[RunRecord]:
    """The run of a record; of an execution of a pipeline, the jobs that its steps ran. Raises UserError."""
    if execution_in(text) is not None:
        return [step.job for step in pipelines.read_record(text, source).steps if step.job and step.executed]
    return [read_record(text, source)]


def _of(records: Sequence[RunRecord], unreadable: Sequence[str]) -> Runs:
    by_name = {one.job_name: one for one in sorted(records, key=lambda one: one.ended)}
    newest_first = sorted(by_name.values(), key=lambda one: -one.launched_at.timestamp())
    return Runs(tuple(newest_first), tuple(unreadable))
