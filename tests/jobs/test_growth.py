"""Records of measured runs say when their job outgrows its machines."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sustainable_mlops.advice.size import forecast_growth
from sustainable_mlops.aws import Clients
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.kinds import PROCESSING
from sustainable_mlops.jobs.launch import prepare, start
from sustainable_mlops.jobs.measurement.counters import CounterReadings
from sustainable_mlops.jobs.memory_growth import PEAK, build_job
from tests.jobs.support import WriteJob

MB = 10**6


@pytest.fixture
def record(cloud: Clients, write_processing: WriteJob, moments: Iterator[datetime], tmp_path: Path) -> "Record":
    return Record(cloud, write_processing, moments, tmp_path)


class Record:
    """Writes records of processing jobs over inputs of given sizes, as measured."""

    def __init__(self, cloud: Clients, write: WriteJob, moments: Iterator[datetime], folder: Path) -> None:
        self._cloud, self._write, self._moments, self._folder = cloud, write, moments, folder

    def __call__(self, size: int, peak: float | None, *, instances: int = 1, name: str = "prepare") -> Path:
        key = "flight_delay/train/part-0.parquet"
        self._cloud.s3.put_object(Bucket="acme-dev-data", Key=key, Body=b"0" * size)
        path = self._write(compute={"instance_count": instances}, name=name)
        record = start(prepare(PROCESSING, path, now=next(self._moments)))
        measured = CounterReadings.from_values({PEAK: peak}, 1) if peak else None
        file = self._folder / f"{record.job_name}.json"
        file.write_text(record.model_copy(update={"measured": measured}).to_json())
        return file


def test_the_shares_of_dealt_out_inputs_and_all_of_the_others_count(record: Record) -> None:
    # airports.csv, which each instance gets, has 3 bytes.
    found = build_job([record(2 * MB, 500 * MB), record(4 * MB, 300 * MB, instances=2)])
    assert [one.input_bytes for one in found.samples] == [2 * MB + 3, 2 * MB + 3]
    assert (found.instance_type, found.instances, found.is_sharded, found.objects) == ("ml.m5.large", 2, True, 1)
    assert forecast_growth(found).options[0].kind == "larger type"  # one object makes one shard


def test_what_says_nothing_is_named(record: Record) -> None:
    good, other, bare = record(MB, 9), record(MB, 9, name="other"), record(2 * MB, None)
    with pytest.raises(
        UserError,
        match=r"is the record of a processing job of prepare, but the newest record is of processing of other",
    ):
        build_job([good, other])
    with pytest.raises(UserError, match=f"{bare.name}: the record has no {PEAK}, so the run was not measured; give"):
        build_job([good, bare])
    transform = {**json.loads(good.read_text()), "kind": "transform"}
    good.write_text(json.dumps(transform))
    with pytest.raises(UserError, match="the size of a transform job follows from its requests"):
        build_job([good])
