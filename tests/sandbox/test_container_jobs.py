"""Training jobs with entry points, several instances, and failures of SageMaker itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_sandbox.jobs.runtime.job import CapacityError, InternalServerError
from sagemaker_sandbox.jobs.runtime.job_endings import Timing
from sagemaker_sandbox.jobs.runtime.training_definition import TrainingDefinition
from tests.sandbox.job_runs import (
    BUCKET,
    IMAGE,
    OPT_ML_MODES,
    ROLE,
    Job,
    Run,
    interrupt_after,
    list_keys,
    put_objects,
    read_archive,
    read_object,
)
from tests.sandbox.job_runs import moto_client as moto_client
from tests.sandbox.job_runs import run as run
from tests.sandbox.job_runs import store as store
from tests.sandbox.support import WAIT_SECONDS, find_free_port, is_alive, wait_until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.slow

#: Each rank sends a number to the first, which adds them.
SUM = """
import json, os, pathlib, socket, sys, time
root, port = sys.argv[1], int(sys.argv[2])
resources = json.loads(pathlib.Path(root, "input/config/resourceconfig.json").read_text())
hosts, here = resources["hosts"], resources["current_host"]
files = sorted(path.name for path in pathlib.Path(root, "input/data/train").iterdir())
number = sum(int(path.read_text()) for path in pathlib.Path(root, "input/data/train").iterdir())
print("rank", hosts.index(here), files, flush=True)
def connected():
    while True:
        try:
            return socket.create_connection((hosts[0], port))
        except OSError:
            time.sleep(0.05)
if here == hosts[0]:
    with socket.create_server((here, port)) as server:
        for _ in hosts[1:]:
            peer, _ = server.accept()
            number += int(peer.recv(100))
else:
    connected().sendall(str(number).encode())
pathlib.Path(root, "model", here).write_text(str(number))
"""


#: Leaves a process in its own session, which has no parent.
DAEMON = """
import os
ready, is_ready = os.pipe()
if pid := os.fork():
    os.read(ready, 1)
    print(pid)
else:
    os.setsid()
    os.write(is_ready, b".")
    os.execvp("sleep", ["sleep", "605"])
"""


def request(*command: str, **changes: Any) -> dict[str, Any]:
    """Return a job whose container runs a command."""
    return {
        "TrainingJobName": "job",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": list(command[:2]),
            "ContainerArguments": list(command[2:]),
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    } | changes


def channel(name: str, key: str, **source: str) -> dict[str, Any]:
    settings = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{key}"} | source
    return {"ChannelName": name, "DataSource": {"S3DataSource": settings}}


@pytest.mark.parametrize("mounted", OPT_ML_MODES)
def test_instances_find_each_other_and_share_the_data(run: Run, store: "S3Client", mounted: bool) -> None:
    put_objects(store, data__a="1", data__b="20", data__c="300", **{"code/sum.py": SUM})
    work = TrainingDefinition(
        request(
            "python3",
            "/opt/ml/input/data/code/sum.py",
            "/opt/ml",
            str(find_free_port()),
            InputDataConfig=[
                channel("train", "data/", S3DataDistributionType="ShardedByS3Key"),
                channel("code", "code/sum.py"),
            ],
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        )
    )
    job = run(work, mounted=mounted)
    assert job.end().status == "Completed", job.log
    assert sorted(job.log.splitlines())[-2:] == ["rank 0 ['a', 'c']", "rank 1 ['b']"]
    first, second = ("algo-1", "algo-2") if mounted else ("127.0.0.1", "127.0.0.2")
    assert read_archive(store, "models/job/output/model.tar.gz") == {first: "321", second: "20"}


def test_one_instance_that_fails_ends_all(run: Run, store: "S3Client") -> None:
    script = """case $(cat /opt/ml/input/config/resourceconfig.json) in
      *'"current_host": "127.0.0.2"'*) echo no such column > /opt/ml/output/failure; exit 3;;
    esac; sleep 600"""
    work = request(
        "sh", "-c", script, ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    )
    end = run(TrainingDefinition(work)).end()
    assert (end.status, end.failure_reason) == ("Failed", "AlgorithmError: no such column, exit code: 3")
    assert list_keys(store, "models/") == []


@pytest.mark.parametrize("mounted", OPT_ML_MODES)
def test_a_daemon_ends_with_its_container(run: Run, mounted: bool) -> None:
    job = run(TrainingDefinition(request("python3", "-c", DAEMON)), mounted=mounted)
    assert job.end().status == "Completed", job.log
    (daemon,) = (int(line) for line in job.log.splitlines() if line.isdigit())
    wait_until(lambda: not is_alive(daemon))


def test_a_container_that_is_killed_ends_with_the_code_of_its_signal(run: Run) -> None:
    end = run(TrainingDefinition(request("sh", "-c", "kill -KILL $$"))).end()
    assert end.failure_reason == "AlgorithmError: , exit code: 137"


def test_a_spot_interruption_ends_all_instances_and_they_resume(run: Run) -> None:
    script = """h=$(grep -o 'current_host": "[^"]*' /opt/ml/input/config/resourceconfig.json | cut -d'"' -f3)
    ls /opt/ml/checkpoints | sed "s/^/$h found /"; sleep 0.2
    [ -e /opt/ml/checkpoints/$h ] && exit 0
    echo saved > /opt/ml/checkpoints/$h; sleep 600"""
    work = request(
        "sh",
        "-c",
        script,
        EnableManagedSpotTraining=True,
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/checkpoints"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
    )
    job = run(TrainingDefinition(work), interrupted=interrupt_after(2))
    end = job.end()
    assert job.statuses.count("Interrupted") == 1
    assert end.status == "Completed"
    hosts = ("127.0.0.1", "127.0.0.2")
    checkpoint_lines = [line for line in job.log.splitlines() if "found" in line]
    assert sorted(checkpoint_lines) == [f"{host} found {name}" for host in hosts for name in hosts]
    assert end.billable_seconds is not None
    assert end.training_seconds is not None
    assert end.billable_seconds <= end.training_seconds


def test_a_manifest_lists_what_a_channel_gets(run: Run, store: "S3Client") -> None:
    put_objects(store, data__a="1", data__sub__b="2", data__c="3")
    put_objects(store, list=f'[{{"prefix": "s3://{BUCKET}/data/"}}, "sub/b", "a"]', broken='["a"]')
    find = ("sh", "-c", "cd /opt/ml/input/data/train && find . -type f | sort")
    job = run(TrainingDefinition(request(*find, InputDataConfig=[channel("train", "list", S3DataType="ManifestFile")])))
    assert job.end().status == "Completed"
    assert job.log.splitlines()[:2] == ["./a", "./sub/b"]
    broken = request(*find, InputDataConfig=[channel("train", "broken", S3DataType="ManifestFile")])
    end = run(TrainingDefinition(broken | {"TrainingJobName": "broken"})).end()
    assert end.failure_reason is not None
    assert "manifest s3://flights/broken is not a JSON list" in end.failure_reason


def fail_in_phases(*phases: str, error: type[Exception] = InternalServerError) -> Callable[[str], None]:
    """Return a fault for the next call in each of these phases. A phase can occur several times."""
    remaining_phases = list(phases)

    def fault(phase: str) -> None:
        if phase in remaining_phases:
            remaining_phases.remove(phase)
            raise error("injected")

    return fault


def test_only_internal_errors_are_retried(run: Run) -> None:
    retried = request("sh", "-c", "exit 0", RetryStrategy={"MaximumRetryAttempts": 2})
    job = run(TrainingDefinition(retried), faults=fail_in_phases("Downloading", "Training"))
    assert job.end().status == "Completed"
    assert job.statuses == [
        *("Starting", "Downloading", "Starting", "Downloading", "Training"),
        *("Starting", "Downloading", "Training", "Uploading", "Completed"),
    ]
    too_often = run(
        TrainingDefinition(retried | {"TrainingJobName": "often"}), faults=fail_in_phases(*["Training"] * 3)
    ).end()
    assert (too_often.status, too_often.failure_reason) == ("Failed", "InternalServerError: injected")
    own = run(TrainingDefinition(retried | request("sh", "-c", "exit 1", TrainingJobName="own")))
    assert own.end().failure_reason == "AlgorithmError: , exit code: 1"
    assert own.statuses.count("Starting") == 1


def test_without_capacity_on_demand_fails_and_spot_waits(run: Run) -> None:
    end = run(
        TrainingDefinition(request("sh", "-c", "exit 0")), faults=fail_in_phases("Starting", error=CapacityError)
    ).end()
    assert (end.status, end.failure_reason) == ("Failed", "CapacityError: injected")
    assert (end.first_start, end.training_seconds, end.billable_seconds) == (None, None, None)
    stopping = {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600}
    spot = request("sh", "-c", "exit 0", EnableManagedSpotTraining=True, StoppingCondition=stopping)
    job = run(
        TrainingDefinition(spot | {"TrainingJobName": "spot"}),
        faults=fail_in_phases(*["Starting"] * 3, error=CapacityError),
    )
    assert job.end().status == "Completed"
    assert job.statuses[:3] == ["Starting", "Pending", "Downloading"]


def test_spot_that_waits_too_long_is_stopped(run: Run) -> None:
    stopping = {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 1}
    spot = request("sh", "-c", "exit 0", EnableManagedSpotTraining=True, StoppingCondition=stopping)
    end = run(TrainingDefinition(spot), faults=fail_in_phases(*["Starting"] * 1000, error=CapacityError)).end()
    assert (end.status, end.secondary_status) == ("Stopped", "MaxWaitTimeExceeded")
    assert end.first_start is None


def test_a_stopped_container_may_save_its_model(run: Run, store: "S3Client") -> None:
    script = "trap 'echo late > /opt/ml/model/it; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    job = run(TrainingDefinition(request("sh", "-c", script)), timing=Timing(poll=0.05, stop_grace=WAIT_SECONDS))
    wait_until(lambda: "up" in job.log if (job.folder / "log.txt").exists() else False)
    job.run.stop()
    assert job.end().status == "Stopped"
    assert read_archive(store, "models/job/output/model.tar.gz") == {"it": "late\n"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}}, None),
        ({"ResourceConfig": {"InstanceGroups": []}}, "InstanceGroups: the sandbox runs equal instances"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://b", "CompressionType": "NONE"}}, "GZIP only"),
        (
            {"AlgorithmSpecification": {"ContainerArguments": ["x"]}},
            "add a ContainerEntrypoint; the sandbox has no image",
        ),
        (
            {"InputDataConfig": [channel("train", "x", S3DataType="AugmentedManifestFile")]},
            "cannot read S3DataType AugmentedManifestFile; use S3Prefix or ManifestFile",
        ),
        (
            {"InputDataConfig": [channel("train", "x") | {"InputMode": "Pipe"}]},
            "channel train: input mode Pipe does not run in the sandbox; use File or FastFile",
        ),
    ],
    ids=["pipe without channels", "groups", "compression", "arguments", "augmented", "pipe"],
)
def test_a_job_that_only_sagemaker_can_run_fails_with_a_reason(
    run: Run, changes: dict[str, Any], reason: str | None
) -> None:
    job_request = request("sh", "-c", "exit 0")
    for name, change in changes.items():
        job_request[name] = {**job_request[name], **change} if name == "AlgorithmSpecification" else change
    if "ContainerArguments" in changes.get("AlgorithmSpecification", {}):
        del job_request["AlgorithmSpecification"]["ContainerEntrypoint"]
    end = run(TrainingDefinition(job_request)).end()
    if reason is None:
        assert end.status == "Completed"
        return
    assert end.status == "Failed"
    assert end.failure_reason is not None
    assert end.failure_reason.startswith("ClientError: ")
    assert reason in end.failure_reason


def test_a_job_can_be_stopped_before_its_instances_are_ready(run: Run) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    phases: list[str] = []

    def stop(phase: str) -> None:
        if phase == "Downloading":
            phases.append(phase)
            wait_until(lambda: jobs)[0].run.stop()

    jobs: list[Job] = []
    jobs.append(run(TrainingDefinition(request("sh", "-c", "exit 0", ResourceConfig=resources)), faults=stop))
    end = jobs[0].end()
    assert (phases, end.status, end.failure_reason) == (["Downloading"], "Stopped", None)


@pytest.mark.parametrize("mounted", OPT_ML_MODES)
def test_an_open_file_is_not_a_checkpoint(run: Run, store: "S3Client", mounted: bool) -> None:
    script = "exec 3>/opt/ml/checkpoints/open; echo half >&3; echo whole > /opt/ml/checkpoints/closed; sleep 600"
    work = request("sh", "-c", script, CheckpointConfig={"S3Uri": f"s3://{BUCKET}/checkpoints"})
    job = run(TrainingDefinition(work), mounted=mounted)
    wait_until(lambda: list_keys(store, "checkpoints/"))
    job.run.close()
    assert list_keys(store, "checkpoints/") == ["checkpoints/closed"]
    assert read_object(store, "checkpoints/closed") == b"whole\n"
