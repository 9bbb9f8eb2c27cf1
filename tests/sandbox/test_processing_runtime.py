"""Processing jobs as processes: inputs and outputs, shards, messages and limits."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_sandbox.jobs.runtime.job_endings import Timing
from sagemaker_sandbox.jobs.runtime.processing_definition import ProcessingDefinition
from tests.sandbox.job_runs import (
    BUCKET,
    IMAGE,
    OPT_ML_MODES,
    ROLE,
    Run,
    list_keys,
    put_objects,
    read_object,
)
from tests.sandbox.job_runs import moto_client as moto_client
from tests.sandbox.job_runs import run as run
from tests.sandbox.job_runs import store as store
from tests.sandbox.support import WAIT_SECONDS, wait_until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.slow

ARN = "arn:aws:sagemaker:eu-north-1:123456789012:processing-job/job"

#: Script: each instance counts the rows of its shard. Its arguments and configuration files name all locations.
COUNT = """
import json, os, pathlib, sys
source, target, config, message = map(pathlib.Path, sys.argv[1:])
job = json.loads((config / "processingjobconfig.json").read_text())
resources = json.loads((config / "resourceconfig.json").read_text())
rows = {path.name: len(path.read_text().split()) for path in source.iterdir()}
host = resources["hosts"].index(resources["current_host"])
(target / "counts").mkdir()
(target / "counts" / f"{host}.json").write_text(json.dumps(rows))
message.write_text(f"{job['ProcessingJobArn']} counted by {os.environ['BY']}" + "." * 2000)
"""


def build_request(*command: str, **changes: Any) -> dict[str, Any]:
    """Return the request of a job that runs a command, with one output."""
    return {
        "ProcessingJobName": "job",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": list(command)},
        "ProcessingOutputConfig": {"Outputs": [build_output()]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
    } | changes


def build_output(mode: str = "EndOfJob", path: str = "/opt/ml/processing/output") -> dict[str, Any]:
    return {
        "OutputName": "out",
        "S3Output": {"S3Uri": f"s3://{BUCKET}/out", "LocalPath": path, "S3UploadMode": mode},
    }


def build_input(key: str, path: str, **settings: str) -> dict[str, Any]:
    s3_input = {"S3Uri": f"s3://{BUCKET}/{key}", "LocalPath": path, "S3DataType": "S3Prefix"} | settings
    return {"InputName": key.strip("/"), "S3Input": s3_input}


@pytest.mark.parametrize("mounted", OPT_ML_MODES)
def test_instances_process_their_shards_and_upload_the_results(run: Run, store: "S3Client", mounted: bool) -> None:
    put_objects(store, data__a="1 2 3", data__b="4", data__c="5 6", **{"count.py": COUNT})
    work = ProcessingDefinition(
        build_request(
            "python3",
            "/opt/ml/processing/input/code/count.py",
            AppSpecification={
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/count.py"],
                "ContainerArguments": [
                    *("/opt/ml/processing/input/data", "/opt/ml/processing/output"),
                    *("/opt/ml/config", "/opt/ml/output/message"),
                ],
            },
            Environment={"BY": "us"},
            ProcessingInputs=[
                build_input("count.py", "/opt/ml/processing/input/code"),
                build_input("data/", "/opt/ml/processing/input/data", S3DataDistributionType="ShardedByS3Key"),
            ],
            ProcessingResources={
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
            },
        ),
        ARN,
    )
    job = run(work, mounted=mounted)
    end = job.end()
    assert end.status == "Completed", job.log
    counts = {key: json.loads(read_object(store, key)) for key in list_keys(store, "out/")}
    assert counts == {"out/counts/0.json": {"a": 3, "c": 2}, "out/counts/1.json": {"b": 1}}
    assert end.exit_message is not None
    assert end.exit_message.startswith(f"{ARN} counted by us...")
    assert len(end.exit_message) == 1024


def test_a_failed_job_reports_its_exit_code_and_log_and_uploads_nothing(run: Run, store: "S3Client") -> None:
    script = "echo x > /opt/ml/processing/output/x; echo told > /opt/ml/output/message; echo no column >&2; exit 4"
    end = run(ProcessingDefinition(build_request("sh", "-c", script), ARN)).end()
    assert (end.status, end.exit_message) == ("Failed", "told\n")
    assert end.failure_reason == "AlgorithmError: See job logs for more information, exit code: 4: no column"
    assert list_keys(store, "out/") == []


@pytest.mark.parametrize("mounted", OPT_ML_MODES)
def test_the_command_starts_in_the_root_folder(run: Run, store: "S3Client", mounted: bool) -> None:
    request = build_request("sh", "-c", "pwd > /opt/ml/processing/output/folder")
    job = run(ProcessingDefinition(request, ARN), mounted=mounted)
    assert job.end().status == "Completed"
    root = "/" if mounted else str(job.folder / "algo-1")  # without mounts, the folder of the container
    assert read_object(store, "out/folder").decode() == f"{root}\n"


def test_continuous_outputs_are_uploaded_while_the_job_runs(run: Run, store: "S3Client") -> None:
    script = "echo 1 > /opt/ml/processing/output/first; while [ ! -e /opt/ml/go ]; do sleep 0.05; done; exit 1"
    work = build_request("sh", "-c", script, ProcessingOutputConfig={"Outputs": [build_output("Continuous")]})
    job = run(ProcessingDefinition(work, ARN))
    wait_until(lambda: list_keys(store, "out/"))
    assert job.updates[-1].status == "InProgress"
    (job.folder / "algo-1" / "go").touch()
    assert job.end().status == "Failed"
    assert list_keys(store, "out/") == ["out/first"]


@pytest.mark.parametrize("by", ["StopProcessingJob", "MaxRuntimeInSeconds"])
def test_a_job_is_stopped_on_request_or_by_its_limit(run: Run, store: "S3Client", by: str) -> None:
    script = "trap 'echo late > /opt/ml/processing/output/x; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    limit = {"MaxRuntimeInSeconds": 1 if by == "MaxRuntimeInSeconds" else 600}
    job = run(
        ProcessingDefinition(build_request("sh", "-c", script, StoppingCondition=limit), ARN),
        timing=Timing(poll=0.05, stop_grace=WAIT_SECONDS),
    )
    if by == "StopProcessingJob":
        wait_until(lambda: (job.folder / "log.txt").exists() and "up" in job.log)
        job.run.stop()
    assert job.end().status == "Stopped"
    assert list_keys(store, "out/") == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"AppSpecification": {"ImageUri": IMAGE}}, f"the sandbox has no entry point of image {IMAGE}"),
        (
            {"ProcessingInputs": [build_input("x", "/home")]},
            "LocalPath must begin with /opt/ml/processing/, not '/home'",
        ),
        ({"ProcessingInputs": [build_input("x", "/opt/ml/processing/x", S3InputMode="Pipe")]}, "input mode Pipe"),
        ({"ProcessingInputs": [build_input("x", "/opt/ml/processing/x")]}, "No S3 objects found under S3 URL"),
        ({"ProcessingInputs": [{"InputName": "x", "DatasetDefinition": {}}]}, "reads data from S3 only"),
        ({"ProcessingOutputConfig": {"Outputs": [build_output(path="/srv/x")]}}, "LocalPath must begin with"),
    ],
    ids=["no entry point", "path", "pipe", "no data", "dataset", "output"],
)
def test_an_unsupported_request_fails_with_one_line(run: Run, changes: dict[str, Any], reason: str) -> None:
    end = run(ProcessingDefinition(build_request("sh", "-c", "exit 0", **changes), ARN)).end()
    assert end.status == "Failed"
    assert end.failure_reason is not None
    assert end.failure_reason.startswith("ClientError: ")
    assert reason in end.failure_reason
