"""Memory growth of a job, from the records of measured runs."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sustainable_mlops.advice.memory_growth import PEAK, build_job
from sustainable_mlops.advice.size import forecast_growth
from sustainable_mlops.aws import Clients
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.kinds import PROCESSING
from sustainable_mlops.jobs.launch import prepare, start
from sustainable_mlops.jobs.measurement.counters import CounterReadings
from tests.jobs.support import WriteJob

MB = 10**6


@pytest.fixture
def write_record(
    cloud: Clients, write_processing: WriteJob, moments: Iterator[datetime], tmp_path: Path
) -> "RecordWriter":
    return RecordWriter(cloud, write_processing, moments, tmp_path)


class RecordWriter:
    """Writer of records of processing jobs with a given input size and peak memory."""

    def __init__(self, cloud: Clients, write: WriteJob, moments: Iterator[datetime], folder: Path) -> None:
        self._cloud, self._write, self._moments, self._folder = cloud, write, moments, folder

    def __call__(self, size: int, peak: float | None, *, instances: int = 1, name: str = "prepare") -> Path:
        key = "flight_delay/train/part-0.parquet"
        self._cloud.s3.put_object(Bucket="acme-dev-data", Key=key, Body=b"0" * size)
        path = self._write(compute={"instance_count": instances}, name=name)
        write_record = start(prepare(PROCESSING, path, now=next(self._moments)))
        measured = CounterReadings.from_values({PEAK: peak}, 1) if peak else None
        file = self._folder / f"{write_record.job_name}.json"
        file.write_text(write_record.model_copy(update={"measured": measured}).to_json())
        return file


def test_an_instance_receives_a_shard_of_sharded_inputs_and_all_of_the_others(write_record: RecordWriter) -> None:
    # airports.csv, which each instance receives, has 3 bytes.
    job = build_job([write_record(2 * MB, 500 * MB), write_record(4 * MB, 300 * MB, instances=2)])
    assert [sample.input_bytes for sample in job.samples] == [2 * MB + 3, 2 * MB + 3]
    assert (job.instance_type, job.instances, job.is_sharded, job.objects) == ("ml.m5.large", 2, True, 1)
    assert forecast_growth(job).options[0].kind == "larger type"  # one object makes one shard


def test_a_record_that_cannot_be_read_has_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.json: no such file"):
        build_job([tmp_path / "gone.json"])
    with pytest.raises(UserError, match=f"{tmp_path}: is a folder; pass a file"):
        build_job([tmp_path])


def test_unsuitable_records_are_named(write_record: RecordWriter) -> None:
    good, other, bare = write_record(MB, 9), write_record(MB, 9, name="other"), write_record(2 * MB, None)
    with pytest.raises(
        UserError,
        match=r"is the record of a processing job of prepare, but the newest record is of processing of other",
    ):
        build_job([good, other])
    with pytest.raises(UserError, match=f"{bare.name}: the record has no {PEAK}, so the run was not measured; pass"):
        build_job([good, bare])
    transform = {**json.loads(good.read_text()), "kind": "transform"}
    good.write_text(json.dumps(transform))
    with pytest.raises(UserError, match="the size of a transform job follows from its requests"):
        build_job([good])


def test_a_record_of_an_earlier_version_keeps_its_sharded_inputs(write_record: RecordWriter) -> None:
    file = write_record(MB, 9, instances=2)
    file.write_text(file.read_text().replace('"is_sharded"', '"dealt_out"'))
    assert build_job([file]).is_sharded
