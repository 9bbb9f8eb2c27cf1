"""Training jobs as processes: scripts, S3 and interruptions, with the S3 of moto in this process."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from sagemaker_sandbox.jobs.runtime.job_endings import Timing
from sagemaker_sandbox.jobs.runtime.training_definition import TrainingDefinition
from tests.sandbox.job_runs import BUCKET, REGION, Job, Run, interrupt_after, list_keys, read_object
from tests.sandbox.job_runs import moto_client as moto_client
from tests.sandbox.job_runs import run as run
from tests.sandbox.job_runs import store as store
from tests.sandbox.support import WAIT_SECONDS, is_alive, wait_until

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


#: Script with a chain of hashes: each round depends on all earlier ones and the data, so a lost or repeated round
#: changes the result.
TRAIN = """
import argparse, hashlib, json, os, pathlib, signal, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int)
parser.add_argument("--first_pause", type=float, default=0.04)
options = parser.parse_args()
folder = pathlib.Path(os.environ.get("CHECKPOINT_DIR", "/opt/ml/checkpoints"))
data = (pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]) / "data.csv").read_bytes()
latest = folder / "state.json"
state = json.loads(latest.read_text()) if latest.exists() else {"round": 0, "value": ""}
print(f"resumed after round {state['round']}")
pause = 0.04 if state["round"] else options.first_pause
while state["round"] < options.rounds:
    value = hashlib.sha256(state["value"].encode() + data).hexdigest()
    state = {"round": state["round"] + 1, "value": value}
    partial = folder / "state.json.tmp"
    partial.write_text(json.dumps(state))
    partial.replace(latest)
    print(f"round={state['round']} loss={1 / state['round']:.4f}")
    time.sleep(pause)
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model.json").write_text(json.dumps(state))
"""


#: Forty rounds of one second until the job is resumed: it is interrupted before its end on any computer.
INTERRUPTED = {"rounds": "40", "first_pause": "1"}

Launch = Callable[..., Job]


@pytest.fixture
def s3(store: "S3Client") -> "S3Client":
    store.put_object(Bucket=BUCKET, Key="data/train/data.csv", Body=b"1,2,3\n")
    return store


@pytest.fixture
def launch(s3: "S3Client", run: Run) -> Launch:
    """Return a function that starts a training job."""

    def start(
        name: str = "job",
        script: str = TRAIN,
        *,
        source: bytes | None = None,
        changes: dict[str, Any] | None = None,
        hyperparameters: dict[str, str] | None = None,
        **options: Any,
    ) -> Job:
        s3.put_object(Bucket=BUCKET, Key=f"{name}/sourcedir.tar.gz", Body=source or build_archive({"train.py": script}))
        request = create_training_job(name) | (changes or {})
        request["HyperParameters"] |= hyperparameters or {}
        return run(TrainingDefinition(request), **options)

    return start


def create_training_job(name: str) -> dict[str, Any]:
    """Return the request of a managed spot job of ten rounds."""
    return {
        "TrainingJobName": name,
        "RoleArn": "arn:aws:iam::123456789012:role/training",
        "AlgorithmSpecification": {
            "TrainingImage": "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        "HyperParameters": {
            "rounds": "10",
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/{name}/sourcedir.tar.gz"),
        },
        "Environment": {"CHECKPOINT_DIR": "/opt/ml/checkpoints"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/train/"}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/{name}", "LocalPath": "/opt/ml/checkpoints"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1200},
    }


def build_archive(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


def read_model(s3: "S3Client", name: str = "job") -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(read_object(s3, f"models/{name}/output/model.tar.gz"))) as tar:
        content = tar.extractfile("model.json")
        assert content is not None
        trained: dict[str, Any] = json.load(content)
        return trained


def wait_for(condition: Callable[[], Any]) -> Any:
    return wait_until(condition)


def test_a_job_runs_its_script_and_uploads_the_model(launch: Launch, s3: "S3Client") -> None:
    job = launch(changes={"EnableManagedSpotTraining": False})
    end = job.end()
    assert job.statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert (end.status, end.model_artifacts) == ("Completed", f"s3://{BUCKET}/models/job/output/model.tar.gz")
    assert end.metrics == {"loss": 0.1}
    assert end.training_seconds == end.billable_seconds is not None
    assert read_model(s3)["round"] == 10


def test_equal_jobs_produce_identical_archives(launch: Launch, s3: "S3Client") -> None:
    for job in [launch(name) for name in ("a", "b")]:
        assert job.end().status == "Completed"
    assert read_object(s3, "models/a/output/model.tar.gz") == read_object(s3, "models/b/output/model.tar.gz")


def test_a_script_has_the_environment_of_a_framework_container(
    launch: Launch, s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    script = """
import json, os, pathlib, sys
seen = {"arguments": sys.argv[1:], "environment": dict(os.environ)}
(pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"]) / "seen.json").write_text(json.dumps(seen))
"""
    own = {"depth": "6", "name": '"x"', "text": "plain", "out": "/opt/ml/output/data", "n": "1"}
    job = launch(script=script, hyperparameters=own)
    assert job.end().model_artifacts is None  # nothing was saved in /opt/ml/model
    with tarfile.open(fileobj=io.BytesIO(read_object(s3, "models/job/output/output.tar.gz"))) as tar:
        content = tar.extractfile("seen.json")
        assert content is not None
        observed = json.load(content)
    root = job.folder.resolve() / "algo-1"
    output = f"{root}/output/data"
    environment = observed["environment"]
    assert " ".join(observed["arguments"]) == f"--depth 6 -n 1 --name x --out {output} --rounds 10 --text plain"
    assert json.loads(environment["SM_USER_ARGS"]) == observed["arguments"]
    assert json.loads(environment["SM_HPS"]) == {
        "depth": 6, "n": 1, "name": "x", "out": output, "rounds": 10, "text": "plain"
    }  # fmt: skip
    assert environment["SM_HP_DEPTH"] == "6"
    assert environment["SM_CHANNEL_TRAIN"] == f"{root}/input/data/train"
    assert environment["CHECKPOINT_DIR"] == f"{root}/checkpoints"
    assert json.loads(environment["SM_TRAINING_ENV"])["model_dir"] == environment["SM_MODEL_DIR"] == f"{root}/model"
    assert environment["TRAINING_JOB_ARN"] == "arn:aws:sagemaker:eu-north-1:123456789012:training-job/job"
    assert "SECRET_OF_THE_HOST" not in environment
    assert json.loads((root / "input/config/hyperparameters.json").read_text())["depth"] == "6"


def test_an_interrupted_spot_job_resumes_from_the_last_checkpoint_in_s3(launch: Launch, s3: "S3Client") -> None:
    plain = launch("plain", hyperparameters={"rounds": "40"})
    spot = launch("spot", hyperparameters=INTERRUPTED, interrupted=interrupt_after(2))
    end = spot.end()
    assert spot.statuses == [
        *("Starting", "Downloading", "Training", "Interrupted"),
        *("Starting", "Downloading", "Training", "Uploading", "Completed"),
    ]
    assert spot.log.count("resumed after round 0") == 1
    assert spot.log.count("resumed after round") == 2
    assert plain.end().status == "Completed"
    assert read_model(s3, "spot") == read_model(s3, "plain")
    assert (end.training_seconds or 0) >= (end.billable_seconds or 0) > 0


def test_an_interrupted_instance_loses_files_that_were_not_uploaded(launch: Launch) -> None:
    script = """
import os, pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
folder = pathlib.Path(os.environ["CHECKPOINT_DIR"])
print("found", sorted(path.name for path in folder.iterdir()), flush=True)
if not any(folder.iterdir()):
    half = (folder / "half").open("w")
    half.write("ha"); half.flush()
    (folder / "named.tmp").write_text("half")
    time.sleep(0.3)
    (folder / "whole").write_text("whole")
    time.sleep(60)
"""
    job = launch(script=script, interrupted=interrupt_after(1))
    assert job.end().status == "Completed"
    assert "found []\nfound ['whole']\n" in job.log


def test_a_new_job_after_a_kill_at_any_point_produces_the_same_model(launch: Launch, s3: "S3Client") -> None:
    random_source = random.Random(7)  # noqa: S311 - delays, not secrets
    shared = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/shared"}}
    for number in range(4):
        job = launch(f"killed-{number}", changes=shared, hyperparameters={"rounds": "100000"})
        pid = job.pid()
        time.sleep(random_source.uniform(0.01, 0.3))
        if number == 3:
            wait_for(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/shared/").get("KeyCount"))
        os.kill(pid, signal.SIGKILL)
        end = job.end()
        assert end.status == "Failed"
        assert "ExitCode -9" in (end.failure_reason or "")
    reached = json.loads(read_object(s3, "checkpoints/shared/state.json"))["round"]
    rounds = {"rounds": f"{reached + 10}"}  # the number of completed rounds depends on the computer
    whole = launch("whole", hyperparameters=rounds | {"first_pause": "0"})
    last = launch("last", changes=shared, hyperparameters=rounds)
    assert last.end().status == whole.end().status == "Completed"
    assert f"resumed after round {reached}\n" in last.log
    assert read_model(s3, "last") == read_model(s3, "whole")


def test_a_failing_script_is_reported_with_the_message_of_sagemaker(launch: Launch) -> None:
    job = launch(script="import sys; print('epoch 1'); sys.exit('the data has no column arr_delay')")
    end = job.end()
    assert (end.status, end.secondary_status) == ("Failed", "Failed")
    assert end.failure_reason is not None
    assert end.failure_reason.startswith(
        'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "the data has no column arr_delay"\n'
    )
    assert (job.folder / "algo-1" / "output" / "failure").read_text() == end.failure_reason


def test_a_missing_framework_is_reported_with_the_command_that_installs_it(launch: Launch) -> None:
    end = launch(script="import torch").end()
    assert end.failure_reason is not None
    assert (
        "ModuleNotFoundError: No module named 'torch' (the sandbox runs scripts with its own Python, which has no "
        "torch: run pip install torch in that environment"
    ) in end.failure_reason


OUTSIDE = build_archive({"train.py": TRAIN, "../outside.py": "print('escaped')"})


@pytest.mark.parametrize(
    ("changes", "source", "reason"),
    [
        ({}, build_archive({"train.py": TRAIN * 50})[:200], "not a complete tar.gz archive"),
        ({}, b"no archive at all", "not a complete tar.gz archive"),
        ({}, OUTSIDE, "refused"),
        (
            {
                "HyperParameters": {
                    "sagemaker_program": "train.py",
                    "sagemaker_submit_directory": f"s3://{BUCKET}/none.tar.gz",
                }
            },
            None,
            f"Source download failed:NoSuchKey (404): Not Found: s3://{BUCKET}/none.tar.gz",
        ),
        ({}, build_archive({"other.py": TRAIN}), "sagemaker_program: no file train.py in"),
        ({"HyperParameters": {"max_depth": "5"}}, None, "ClientError: Missing required hyperparameter: num_round"),
        (
            {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/c", "LocalPath": "/home/me"}},
            None,
            "CheckpointConfig.LocalPath: '/home/me' is not under /opt/ml",
        ),
        (
            {"OutputDataConfig": {"S3OutputPath": "models"}},
            None,
            "OutputDataConfig.S3OutputPath: 'models' is not an S3",
        ),
        (
            {
                "InputDataConfig": [
                    {
                        "ChannelName": "train",
                        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/nothing"}},
                    }
                ]
            },
            None,
            "Data download failed:NoSuchKey (404): No S3 objects found",
        ),
    ],
    ids=[
        "broken source tar",
        "no tar",
        "path outside",
        "no source",
        "no program",
        "built-in",
        "local path",
        "output",
        "no data",
    ],
)
def test_invalid_input_fails_with_one_line(
    launch: Launch, tmp_path: Path, changes: dict[str, Any], source: bytes | None, reason: str
) -> None:
    job = launch(changes=changes, source=source)
    end = job.end()
    assert end.status == "Failed"
    assert end.failure_reason is not None
    assert end.failure_reason.startswith("ClientError: ")
    assert reason in end.failure_reason
    assert "\n" not in end.failure_reason
    assert not (tmp_path / "job" / "outside.py").exists()


def test_max_runtime_stops_the_job(launch: Launch) -> None:
    limits = {"StoppingCondition": {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 600}}
    job = launch(
        script="import time; time.sleep(600)", changes=limits, timing=Timing(poll=0.05, stop_grace=WAIT_SECONDS)
    )
    end = job.end()
    assert (end.status, end.secondary_status) == ("Stopped", "MaxRuntimeExceeded")
    assert job.statuses[-3:] == ["Stopping", "Uploading", "MaxRuntimeExceeded"]


def test_a_stopped_job_is_killed_after_the_grace_period_and_keeps_its_checkpoints(
    launch: Launch, s3: "S3Client"
) -> None:
    stubborn = TRAIN.replace("options = ", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\noptions = ")
    job = launch(script=stubborn, hyperparameters=INTERRUPTED, timing=Timing(poll=0.05, stop_grace=0.3))
    wait_for(lambda: list_keys(s3, "checkpoints/"))
    job.run.stop()
    end = job.end()
    assert (end.status, end.secondary_status, end.model_artifacts) == ("Stopped", "Stopped", None)
    assert json.loads(read_object(s3, "checkpoints/job/state.json"))["round"] > 0


def test_closing_kills_the_script_and_its_children(launch: Launch) -> None:
    script = """
import subprocess, sys, time
print("child", subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""
    job = launch(script=script)
    wait_for(lambda: (job.folder / "log.txt").exists() and "child" in job.log)
    script_pid, child = job.pid(), int(job.log.split()[1])
    job.run.close()
    assert job.updates[-1].status == "Failed"
    wait_for(lambda: not is_alive(child) and not is_alive(script_pid))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_script_ends_with_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import pathlib, sys, time\n"
            "from sagemaker_sandbox.jobs.runtime.container import Container\n"
            "from sagemaker_sandbox.jobs.runtime.process import Process\n"
            "script = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)'\n"
            "show = lambda line, is_error: print(line, flush=True)\n"
            "container = Container(pathlib.Path(sys.argv[1]), mounted=False)\n"
            "command = [sys.executable, '-c', script]\n"
            "Process(container, command, container.folder, {}, show, lambda: None)\n"
            "time.sleep(60)\n",
            tmp_path,
        ],
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        script = int(parent.stdout.readline())
        assert is_alive(script)
        parent.kill()
    wait_for(lambda: not is_alive(script))


def test_only_spot_jobs_are_interrupted(launch: Launch) -> None:
    job = launch(changes={"EnableManagedSpotTraining": False}, interrupted=interrupt_after(1))
    assert job.end().status == "Completed"
    assert "Interrupted" not in job.statuses


def test_output_is_encrypted_with_the_requested_key(launch: Launch, s3: "S3Client") -> None:
    key = boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["Arn"]
    output = {"S3OutputPath": f"s3://{BUCKET}/models", "KmsKeyId": key}
    assert launch(changes={"OutputDataConfig": output}).end().status == "Completed"
    head = s3.head_object(Bucket=BUCKET, Key="models/job/output/model.tar.gz")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_each_instance_has_a_log_stream_in_cloudwatch(launch: Launch) -> None:
    logs = boto3.client("logs", region_name=REGION)
    job = launch(logs=logs, hyperparameters=INTERRUPTED, interrupted=interrupt_after(2))
    assert job.end().status == "Completed"
    group = "/aws/sagemaker/TrainingJobs"
    streams = [stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]]
    assert len(streams) == 2
    assert all(stream.startswith("job/algo-1-") for stream in streams)
    events = [
        event["message"]
        for stream in streams
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
    ]
    assert events == job.log.splitlines()


def test_metrics_are_published_to_cloudwatch_in_order(launch: Launch) -> None:
    cloudwatch = boto3.client("cloudwatch", region_name=REGION)
    job = launch(cloudwatch=cloudwatch, hyperparameters={"rounds": "4"})
    assert job.end().status == "Completed"
    assert job.run.history == {"loss": [1.0, 0.5, 0.3333, 0.25]}
    end = datetime.now(UTC)
    datapoints = cloudwatch.get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": "job"}],
        StartTime=end - timedelta(hours=1),
        EndTime=end + timedelta(hours=1),
        Period=7200,
        Statistics=["SampleCount", "Minimum", "Maximum"],
    )["Datapoints"]
    assert sum(point["SampleCount"] for point in datapoints) == 4
    assert (min(point["Minimum"] for point in datapoints), max(point["Maximum"] for point in datapoints)) == (0.25, 1.0)
