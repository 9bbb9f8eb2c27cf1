"""The drills of the section "Restore" in docs/environments.md, with the commands of the page."""

import json
import os
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sagemaker_sandbox import Sandbox
from sustainable_mlops.commands.recover import app as recover_app
from sustainable_mlops.commands.restore import app as restore_app
from tests.docs.blocks import shell_blocks
from tests.operations.chaos.environment import DATA, STATE, Environment
from tests.provider import alone
from tests.sandbox.support import catch_error, make_role, wait_until

REGION = "eu-north-1"
FEATURES = {"flight": "String", "event_time": "String", "delay": "Fractional", "seats": "Integral"}


def list_commands(part: str) -> list[str]:
    """Return the commands of the block of the page that contains a text."""
    (block,) = (one for one in shell_blocks("tests/operations/test_restore.py") if part in one.text)
    return block.commands


def make_group(sandbox: Sandbox, name: str, bucket: str) -> None:
    """Create a feature group with both stores, and wait for it."""
    sagemaker = sandbox.client("sagemaker")
    sagemaker.create_feature_group(
        FeatureGroupName=name,
        RecordIdentifierFeatureName="flight",
        EventTimeFeatureName="event_time",
        RoleArn=make_role(sandbox),
        FeatureDefinitions=[{"FeatureName": one, "FeatureType": kind} for one, kind in FEATURES.items()],
        OnlineStoreConfig={"EnableOnlineStore": True},
        OfflineStoreConfig={"S3StorageConfig": {"S3Uri": f"s3://{bucket}/features"}},
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
    completed = runner.invoke(restore_app, [group, "--source", source], catch_exceptions=False)
    assert "restored 2 records to OnlineStore and OfflineStore from 5 rows" in " ".join(completed.stdout.split())
    assert {flight: read(store, group, flight) for flight in expected} == expected
    put(store, group, flight="b", event_time="2026-01-03T10:00:00Z", seats="70")
    s3.list_objects_v2(Bucket=bucket)
    report = json.loads(runner.invoke(restore_app, [group, "--json"], catch_exceptions=False).stdout)
    assert (report["stores"], report["records"]) == (["OnlineStore"], 2), "the group's own files go online only"
    assert read(store, group, "b")["seats"] == "70"


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

        def paste(commands: list[str], **names: str) -> str:
            process = subprocess.run(
                ["bash", "-ec", "\n".join(commands)],
                cwd=checkout,
                env={**os.environ, **names, "PATH": f"{aws_cli}{os.pathsep}{os.environ['PATH']}", "AWS_PAGER": ""},
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
        expected = {address for address, _ in terraform.list_instances()}
        terraform.run("state", "rm", "aws_s3_bucket.data", "module.serverless_endpoint", "aws_iam_role.inference")
        *commands, push, recover = list_commands("state push")
        state = {"BUCKET": STATE, "KEY": "terraform.tfstate"}
        versions = [line.split()[0] for line in paste(commands[:1], **state).splitlines()]
        paste(commands[1:], **state, VERSION=versions[1])
        (checkout / "previous.tfstate").rename(environment.folder / "previous.tfstate")
        assert push == "terraform -chdir=envs/dev state push -force previous.tfstate"
        terraform.run("state", "push", "-force", "previous.tfstate")
        assert recover == "smlops recover envs/dev"
        CliRunner().invoke(recover_app, [str(environment.folder), "--yes"], catch_exceptions=False)
        assert {address for address, _ in terraform.list_instances()} == expected
        assert terraform.is_up_to_date(checkout / "tfplan")
        assert sandbox.inventory() == before
        assert s3.get_object(Bucket=DATA, Key="raw/flights.csv")["Body"].read() == b"first"
