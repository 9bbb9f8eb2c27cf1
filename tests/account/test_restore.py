"""The drills of the section "Restore" in docs/environments.md, with the commands of the page."""

import io
import json
import math
import os
import shutil
import subprocess
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from sagemaker_sandbox import Sandbox
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import find_engine, make_environment
from sustainable_mlops.commands.recover import app as recover_app
from sustainable_mlops.commands.restore import app as restore_app
from tests.account.chaos.environment import DATA, STATE, Environment
from tests.docs.blocks import shell_blocks
from tests.provider import alone
from tests.sandbox.support import catch_error, make_role, wait_until

REGION = "eu-north-1"
FEATURES = {"flight": "String", "event_time": "String", "delay": "Fractional", "seats": "Integral"}


def list_commands(part: str) -> list[str]:
    """Return the commands of the block of the page that contains a text."""
    (block,) = (one for one in shell_blocks("tests/account/test_restore.py") if part in one.text)
    return block.commands


def make_group(
    sandbox: Sandbox, name: str, bucket: str, features: dict[str, str] = FEATURES, table_format: str = "Glue"
) -> None:
    """Create a feature group with both stores, and wait for it."""
    sagemaker = sandbox.client("sagemaker")
    sagemaker.create_feature_group(
        FeatureGroupName=name,
        RecordIdentifierFeatureName="flight",
        EventTimeFeatureName="event_time",
        RoleArn=make_role(sandbox),
        FeatureDefinitions=[{"FeatureName": one, "FeatureType": kind} for one, kind in features.items()],
        OnlineStoreConfig={"EnableOnlineStore": True},
        OfflineStoreConfig={"S3StorageConfig": {"S3Uri": f"s3://{bucket}/features"}, "TableFormat": table_format},
    )
    wait_until(lambda: sagemaker.describe_feature_group(FeatureGroupName=name)["FeatureGroupStatus"] == "Created")


def put(store: Any, group: str, **values: str) -> None:
    record = [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]
    store.put_record(FeatureGroupName=group, Record=record)


def read(store: Any, group: str, flight: str) -> dict[str, str]:
    record = store.get_record(FeatureGroupName=group, RecordIdentifierValueAsString=flight).get("Record", [])
    return {feature["FeatureName"]: feature["ValueAsString"] for feature in record}


@pytest.mark.slow
def test_a_feature_group_is_rebuilt_from_its_offline_store(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    store, sagemaker, s3 = (
        sandbox.client(service) for service in ("sagemaker-featurestore-runtime", "sagemaker", "s3")
    )
    bucket, group = f"restore-{uuid.uuid4().hex[:8]}", f"flights-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    make_group(sandbox, group, bucket)
    put(store, group, flight="a", event_time="2026-01-01T10:00:00Z", delay="1.5", seats="100")
    put(store, group, flight="a", event_time="2026-01-01T09:00:00Z", delay="9.5", seats="9")
    put(store, group, flight="b", event_time="2026-01-01T10:00:00Z", seats="7")
    put(store, group, flight="c", event_time="2026-01-01T10:00:00Z", seats="8")
    store.delete_record(FeatureGroupName=group, RecordIdentifierValueAsString="c", EventTime="2026-01-02T10:00:00Z")
    expected = {flight: read(store, group, flight) for flight in ("a", "b", "c")}
    offline = sagemaker.describe_feature_group(FeatureGroupName=group)["OfflineStoreConfig"]
    source = offline["S3StorageConfig"]["ResolvedOutputS3Uri"]
    s3.list_objects_v2(Bucket=bucket)  # writes the buffered records
    sagemaker.delete_feature_group(FeatureGroupName=group)
    wait_until(lambda: group not in str(sagemaker.list_feature_groups(NameContains=group)["FeatureGroupSummaries"]))
    make_group(sandbox, group, bucket)
    assert read(store, group, "a") == {}

    runner = CliRunner()
    refused = runner.invoke(restore_app, [group])
    assert "has no Parquet file" in str(refused.exception)
    dry = runner.invoke(restore_app, [group, "--source", source, "--dry-run", "--json"])
    assert json.loads(dry.stdout)["stores"] == ["OnlineStore", "OfflineStore"]
    assert read(store, group, "a") == {}
    other = f"weather-{uuid.uuid4().hex[:8]}"
    make_group(sandbox, other, bucket, {**dict(list(FEATURES.items())[:3]), "wind": "Fractional"})
    dry = runner.invoke(restore_app, [other, "--source", source, "--dry-run", "--json"])
    counts = json.loads(dry.stdout)
    assert (dry.exit_code, counts["missing_features"], counts["unknown_columns"]) == (1, ["wind"], ["seats"])
    for options in ([], ["--allow-missing"]):
        foreign = runner.invoke(restore_app, [other, "--source", source, *options])
        assert f"has columns that are no features of {other}: seats" in str(foreign.exception)
    assert read(store, other, "a") == {}
    completed = runner.invoke(restore_app, [group, "--source", source], catch_exceptions=False)
    assert "restored 2 records to OnlineStore and OfflineStore from 5 rows" in " ".join(completed.stdout.split())
    assert {flight: read(store, group, flight) for flight in expected} == expected
    put(store, group, flight="b", event_time="2026-01-03T10:00:00Z", seats="70")
    s3.list_objects_v2(Bucket=bucket)
    report = json.loads(runner.invoke(restore_app, [group, "--json"], catch_exceptions=False).stdout)
    assert (report["stores"], report["records"]) == (["OnlineStore"], 2), "the group's own files go online only"
    assert read(store, group, "b")["seats"] == "70"
    newer = f"flights-{uuid.uuid4().hex[:8]}"
    make_group(sandbox, newer, bucket, {**FEATURES, "wind": "Fractional"})
    lacking = runner.invoke(restore_app, [newer, "--source", source])
    assert f"lacks features of {newer}: wind" in str(lacking.exception)
    runner.invoke(restore_app, [newer, "--source", source, "--allow-missing"], catch_exceptions=False)
    assert read(store, newer, "b")["seats"] == "7"


@pytest.fixture
def offline_store(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Return the names of a bucket and of a feature group whose Iceberg table has no files yet."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    bucket, group = f"restore-{uuid.uuid4().hex[:8]}", f"flights-{uuid.uuid4().hex[:8]}"
    sandbox.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    make_group(sandbox, group, bucket, table_format="Iceberg")
    return bucket, group


def find_source(sandbox: Sandbox, group: str) -> S3Uri:
    """Return the folder `data` of the offline store of a group."""
    offline = sandbox.client("sagemaker").describe_feature_group(FeatureGroupName=group)["OfflineStoreConfig"]
    return S3Uri.parse(offline["S3StorageConfig"]["ResolvedOutputS3Uri"])


def make_row(flight: str, **values: Any) -> dict[str, Any]:
    """Return a row of an offline store."""
    times = dict.fromkeys(("write_time", "api_invocation_time"), datetime(2026, 1, 1, 10, tzinfo=UTC))
    return {"flight": flight, "event_time": "2026-01-01T10:00:00Z", **times, "is_deleted": False, **values}


@pytest.mark.slow
def test_a_record_that_was_removed_from_an_iceberg_table_is_not_restored(
    sandbox: Sandbox, offline_store: tuple[str, str]
) -> None:
    from tests.account.iceberg_tables import OfflineTable

    bucket, group = offline_store
    store, runner, source = sandbox.client("sagemaker-featurestore-runtime"), CliRunner(), find_source(sandbox, group)
    types = {"String": pa.string(), "Fractional": pa.float64(), "Integral": pa.int64()}
    root = S3Uri(bucket, source.key.removesuffix("/data"))
    table = OfflineTable(root, {name: types[kind] for name, kind in FEATURES.items()})
    table.insert(make_row("a", delay=1.5, seats=100), make_row("b", seats=7))
    (file,) = table.list_data_files()
    table.insert(make_row("c", seats=8), make_row("d", seats=9))
    table.add_position_deletes(file, 1)
    table.rewrite_without("flight = 'c'")
    names = [item["Key"] for item in sandbox.client("s3").list_objects_v2(Bucket=bucket, Prefix=source.key)["Contents"]]
    assert len(names) == 4, "two files of inserts, a delete file, and a rewritten file"
    report = json.loads(runner.invoke(restore_app, [group, "--json"], catch_exceptions=False).stdout)
    assert (report["files"], report["rows"], report["records"], report["unknown_columns"]) == (2, 2, 2, [])
    assert {flight: read(store, group, flight).get("seats") for flight in "abcd"} == {
        "a": "100",
        "b": None,
        "c": None,
        "d": "9",
    }
    for folder in (source, root):
        report = json.loads(runner.invoke(restore_app, [group, "--source", str(folder), "--json", "--dry-run"]).stdout)
        assert report["rows"] == 2
    sandbox.client("s3").put_object(Bucket=bucket, Key=S3Uri.parse(file).key, Body=b"damaged")
    damaged = runner.invoke(restore_app, [group])
    assert str(damaged.exception).startswith(f"{file}: cannot be read: ")
    manifest = table.find_manifest_list()
    sandbox.client("s3").put_object(Bucket=bucket, Key=S3Uri.parse(manifest).key, Body=b"damaged")
    damaged = runner.invoke(restore_app, [group])
    assert isinstance(damaged.exception, UserError)
    assert f"{root}/metadata/" in str(damaged.exception)


@pytest.mark.slow
def test_files_of_an_iceberg_table_without_metadata_are_restored_only_by_request(
    sandbox: Sandbox, offline_store: tuple[str, str]
) -> None:
    bucket, group = offline_store
    store, runner, source = sandbox.client("sagemaker-featurestore-runtime"), CliRunner(), find_source(sandbox, group)
    put(store, group, flight="a", event_time="2026-01-01T10:00:00Z", seats="100")
    sandbox.client("s3").list_objects_v2(Bucket=bucket)  # writes the buffered records
    refused = runner.invoke(restore_app, [group])
    assert "the Iceberg table has no metadata, so its deleted rows are unknown" in str(refused.exception)
    assert f"pass --source {source}" in str(refused.exception)
    report = json.loads(runner.invoke(restore_app, [group, "--source", str(source), "--json"]).stdout)
    assert (report["records"], report["stores"]) == (1, ["OnlineStore"])
    body = io.BytesIO()
    pq.write_table(pa.table({"file_path": ["s3://one"], "pos": [0]}), body)
    sandbox.client("s3").put_object(Bucket=bucket, Key=f"{source.key}/x-delete.parquet", Body=body.getvalue())
    refused = runner.invoke(restore_app, [group, "--source", str(source)])
    assert "x-delete.parquet: is a delete file of an Iceberg table without metadata" in str(refused.exception)


@pytest.mark.slow
def test_a_damaged_file_or_time_is_named_with_its_object(sandbox: Sandbox, offline_store: tuple[str, str]) -> None:
    bucket, group = offline_store
    good = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([make_row(str(number)) for number in range(500)]), good)
    cut = bytearray(good.getvalue())
    cut[4:400] = bytes(396)
    contents = {"no Parquet": b"damaged", "cut": good.getvalue()[:-20], "zeros": bytes(cut)}
    cases = {name: (content, "cannot be read: ") for name, content in contents.items()}
    for value in (None, "yesterday", 1767225600000.0, math.nan, math.inf):
        body = io.BytesIO()
        pq.write_table(pa.Table.from_pylist([make_row("a", event_time=value)]), body)
        cases[repr(value)] = (body.getvalue(), f"record a: event_time is {value!r}; it must be a time in ISO 8601")
    for name, (content, message) in cases.items():
        key = f"{uuid.uuid4().hex}/data/one.parquet"
        sandbox.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        refused = CliRunner().invoke(restore_app, [group, "--source", f"s3://{bucket}/{key.rpartition('/')[0]}"])
        assert isinstance(refused.exception, UserError), (name, refused.exception)
        assert str(refused.exception).startswith(f"s3://{bucket}/{key}: {message}"), name


@pytest.mark.release
def test_a_deleted_object_an_overwritten_one_and_the_state_are_restored_by_the_commands_of_the_page(
    tmp_path: Path, aws_cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    with alone(tmp_path / "log") as (sandbox, variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        s3 = sandbox.client("s3")
        environment = Environment(checkout, sandbox, variables)
        s3.put_bucket_versioning(Bucket=STATE, VersioningConfiguration={"Status": "Enabled"})
        terraform = environment.terraform
        terraform.apply()
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "terraform").symlink_to(shutil.which(find_engine().path) or find_engine().path)
        path = os.pathsep.join([str(programs), str(aws_cli), os.environ["PATH"]])

        def paste(commands: list[str], **names: str) -> str:
            process = subprocess.run(
                ["bash", "-ec", "\n".join(commands)],
                cwd=checkout,
                env=make_environment({**variables, **names, "PATH": path, "AWS_PAGER": ""}),
                capture_output=True,
                text=True,
                check=False,
            )
            assert process.returncode == 0, process.stderr
            return process.stdout

        for body in (b"first", b"second"):
            s3.put_object(Bucket=DATA, Key="raw/flights.csv", Body=body)
        s3.delete_object(Bucket=DATA, Key="raw/flights.csv")
        assert catch_error(s3.get_object, Bucket=DATA, Key="raw/flights.csv")[0] == "NoSuchKey"
        flights = {"BUCKET": DATA, "KEY": "raw/flights.csv"}
        find, remove = list_commands("DeleteMarkers")
        paste([remove], **flights, VERSION=paste([find], **flights).strip())
        assert s3.get_object(Bucket=DATA, Key="raw/flights.csv")["Body"].read() == b"second"
        find, copy = list_commands("copy-object")
        paste([copy], **flights, VERSION=paste([find], **flights).strip())
        assert s3.get_object(Bucket=DATA, Key="raw/flights.csv")["Body"].read() == b"first"

        before = sandbox.inventory()
        expected = {address for address, _ in terraform.read_state().instances}
        terraform.run("state", "rm", "aws_s3_bucket.data", "module.serverless_endpoint", "aws_iam_role.inference")
        folder = environment.folder.relative_to(checkout)
        *commands, recover = (one.replace("envs/dev", str(folder)) for one in list_commands("state push"))
        state = {"BUCKET": STATE, "KEY": "terraform.tfstate"}
        s3.put_object(Bucket=STATE, Key="terraform.tfstate.tflock", Body=b"{}")
        s3.delete_object(Bucket=STATE, Key="terraform.tfstate.tflock")
        lines = paste(commands[:1], **state).splitlines()
        versions = s3.list_object_versions(Bucket=STATE)["Versions"]
        assert [line.split()[0] for line in lines] == [
            one["VersionId"] for one in versions if one["Key"] == state["KEY"]
        ]
        paste(commands[1:], **state, VERSION=lines[1].split()[0])
        assert recover == f"smlops recover {folder}"
        CliRunner().invoke(recover_app, [str(environment.folder), "--yes"], catch_exceptions=False)
        assert {address for address, _ in terraform.read_state().instances} == expected
        assert terraform.is_up_to_date(checkout / "tfplan")
        assert sandbox.inventory() == before
        assert s3.get_object(Bucket=DATA, Key="raw/flights.csv")["Body"].read() == b"first"
