"""The run key: the same key for the same result."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sustainable_mlops.aws import Clients
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from sustainable_mlops.jobs.channels import Channel, find_channels
from sustainable_mlops.jobs.kinds import PROCESSING
from sustainable_mlops.jobs.platform import Platform
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.specs.training import TrainingSpec
from tests.cases import check_cases
from tests.jobs.support import JOB, PLATFORM, merge_changes


def make_run(
    changes: dict[str, Any], *, source: str = "s", image: str = "i", data: str = "d", address: str = "s3://b/t/"
) -> Run[TrainingSpec]:
    job = validate(merge_changes(JOB, changes), TrainingSpec, "job")
    channels = (Channel("train", address, 1, 7, data),)
    return Run(job, validate(PLATFORM, Platform, "platform"), image, source, channels)


UNCHANGED = make_run({}).key


def test_run_keys_of_earlier_releases_are_unchanged() -> None:
    assert UNCHANGED == "f3b7b5f05bbb08f208094779c20ac7a4796d38b14aa7ca7d8d86b672c258c0e2"


@given(
    name=st.from_regex(r"[a-z][a-z0-9]{0,20}", fullmatch=True),
    tags=st.dictionaries(
        st.sampled_from(["owner", "expires_on", "workload"]), st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True)
    ),
    minutes=st.integers(1, 1000),
    volume=st.integers(1, 500),
    spot=st.booleans(),
    isolation=st.booleans(),
    metrics=st.sampled_from([{}, {"x": "x=(.*)"}]),
    serving=st.sampled_from([None, {"content_types": ["text/csv"]}]),
)
def test_the_key_ignores_what_the_model_does_not_depend_on(
    name: str, tags: dict[str, str], minutes: int, volume: int, spot: bool, isolation: bool, metrics: Any, serving: Any
) -> None:
    changes = {
        "name": name,
        "tags": tags,
        "limits": {"max_runtime_minutes": minutes},
        "compute": {"volume_gb": volume, "spot": spot},
        "network": {"isolation": isolation},
        "metrics": metrics,
        "serving": serving,
    }
    assert make_run(changes, address="s3://elsewhere/t/").key == UNCHANGED


@check_cases(
    "other",
    [
        make_run({}, source="other"),
        make_run({}, image="other"),
        make_run({}, data="other"),
        make_run({"hyperparameters": {"num_round": 241}}),
        make_run({"hyperparameters": {"num_round": "240"}}),
        make_run({"environment": {"SEED": "1"}}),
        make_run({"source": {"entry_point": "other.py"}}),
        make_run({"compute": {"instance_type": "ml.m5.xlarge"}}),
        make_run({"compute": {"instance_count": 2}}),
        make_run({"sharding": {"train": "by_key"}}),
    ],
)
def test_the_key_depends_on_what_decides_the_model(other: Run[TrainingSpec]) -> None:
    assert other.key != UNCHANGED


def test_the_data_digest_depends_on_keys_and_contents_but_not_on_the_address(cloud: Clients) -> None:
    def compute_digest(prefix: str, objects: dict[str, bytes]) -> str:
        for key, content in objects.items():
            cloud.s3.put_object(Bucket="acme-dev-data", Key=prefix + key, Body=content)
        return find_channels({"train": prefix}, "acme-dev-data", cloud.s3)[0].digest

    one = compute_digest("one/", {"a": b"1", "b/c": b"2", "folder/": b""})
    assert compute_digest("s/two/", {"b/c": b"2", "a": b"1"}) == one
    assert compute_digest("three/", {"a": b"1", "b/c": b"3"}) != one
    assert compute_digest("four/", {"a": b"1", "b/d": b"2"}) != one


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("flight_delay/test/", "data.train: no object under s3://acme-dev-data/flight_delay/test/"),
        ("s3://no-such-bucket/x", "data.train: the bucket no-such-bucket does not exist"),
        ("s3:/bucket/train/", "data.train: 's3:/bucket/train/' is not an S3 address; write s3://bucket/train/"),
        (
            "./train.csv",
            "data.train: './train.csv' is a path of this computer; upload it to a folder of s3://acme-dev-",
        ),
    ],
)
def test_a_missing_data_set_is_named(cloud: Clients, address: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        find_channels({"train": address}, "acme-dev-data", cloud.s3)
    with pytest.raises(UserError, match=message.replace("data.", "inputs.", 1)):
        find_channels({"train": address}, "acme-dev-data", cloud.s3, PROCESSING.data_field)
