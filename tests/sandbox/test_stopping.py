"""A sandbox is found as long as its process lives, and is gone, with all that it started, once it was stopped."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sagemaker_sandbox import Sandbox, process
from sagemaker_sandbox.server_process import ServerProcess
from tests.sandbox.support import IMAGE, ROLE, make_role, tar, until

pytestmark = pytest.mark.slow

Command = Callable[..., tuple[int, str, str]]

#: Leaves an orphan in the script's process group and a child in a group of its own.
TRAIN = """
import subprocess, time
subprocess.run(["sh", "-c", "sleep 601 &"])
subprocess.Popen(["sleep", "602"], start_new_session=True)
time.sleep(600)
"""
SLOW_MODEL = """
import time
def model_fn(model_dir): return None
def predict_fn(data, model): time.sleep(600)
"""
#: Ends by no SIGTERM; neither do its child, in a session of its own, and that one's orphan.
DEAF = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sh", "-c", "trap '' TERM; sh -c 'sleep 603 &'; sleep 604"], start_new_session=True)
print(flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("in_background", [True, False])
def test_nothing_is_left_of_a_sandbox_with_a_live_job_and_a_live_endpoint(
    command: Command, tmp_path: Path, in_background: bool
) -> None:
    if in_background:
        command("start")
    sandbox = Sandbox.running() if in_background else Sandbox.start(log=tmp_path / "log")
    make_role(sandbox)
    start_job(sandbox)
    start_endpoint(sandbox)
    server = psutil.Process(sandbox.pid)
    asking = threading.Thread(target=send_slow_request, args=(sandbox,))
    asking.start()
    until(lambda: {"601", "602", "worker.py"} <= get_last_words(list_family(server)))
    processes = list_family(server)
    if in_background:
        assert command("stop")[:2] == (0, f"Stopped the sandbox at {sandbox.endpoint}.\n")
        assert not process.RECORD.exists()
    else:
        assert sandbox.stop()
    assert [one for one in processes if is_alive(one)] == []
    asking.join()


def test_a_server_that_is_late_to_answer_is_found_and_waited_for_and_stopped(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("start")
    sandbox = Sandbox.running()
    server = psutil.Process(sandbox.pid)
    server.suspend()

    code, _, complaint = command("start")
    assert (code, complaint.count("\n")) == (2, 1)
    assert f"one runs already at {sandbox.endpoint} (process {sandbox.pid})" in complaint

    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "ANSWER_SECONDS", 0.2)
        code, _, complaint = command("status")
    assert (code, complaint.count("\n")) == (2, 1)
    assert f"nothing answers at {sandbox.endpoint} (timed out), though its process {sandbox.pid} lives" in complaint

    threading.Timer(0.5, server.resume).start()
    assert command("status")[0] == 0

    server.suspend()
    assert command("stop")[:2] == (0, f"Stopped the sandbox at {sandbox.endpoint}.\n")
    assert not is_alive(server)
    assert command("stop")[:2] == (0, "No sandbox is running.\n")


def test_the_record_stays_where_the_process_does(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    command("start")
    sandbox = Sandbox.running()
    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "terminate", deny_access)
        code, out, complaint = command("stop")
    assert (code, out) == (2, "")
    assert complaint == f"error: sandbox: process {sandbox.pid} is another user's; stop it as that user\n"
    assert Sandbox.running().pid == sandbox.pid


def test_a_server_that_was_killed_is_none_and_another_can_start(command: Command) -> None:
    command("start")
    first = Sandbox.running()
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: Sandbox.find() is None)
    assert command("status")[2] == "error: sandbox: none is running; start one with `smlops sandbox start`\n"
    assert command("start")[0] == 0
    assert Sandbox.running().pid != first.pid


def test_of_two_that_start_at_once_one_does(command: Command) -> None:
    del command  # for its folder
    ends: list[object] = []

    def start() -> None:
        try:
            ends.append(Sandbox.start_in_background())
        except Exception as error:
            ends.append(error)

    starts = [threading.Thread(target=start) for _ in range(2)]
    for one in starts:
        one.start()
    for one in starts:
        one.join()
    sandbox = Sandbox.running()
    assert sorted(str(getattr(end, "pid", end)) for end in ends) == [
        str(sandbox.pid),
        f"sandbox: one runs already at {sandbox.endpoint} (process {sandbox.pid}); use it, or stop it first",
    ]


def test_one_that_starts_as_another_ends_is_found(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    command("start")
    first, end = Sandbox.running(), ServerProcess.stop
    with monkeypatch.context() as patch:
        patch.setattr(ServerProcess, "end", lambda server: end(server) and bool(Sandbox.start_in_background()))
        assert first.stop()
    assert Sandbox.running().pid != first.pid


def test_one_that_does_not_end_is_killed_with_all_that_it_started() -> None:
    with subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE, start_new_session=True) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        server = psutil.Process(deaf.pid)
        until(lambda: {"603", "604"} <= get_last_words(list_family(server)))
        processes = list_family(server)
        assert not ServerProcess.from_pid(deaf.pid).stop(seconds=0.1)
        assert [one for one in processes if is_alive(one)] == []
        assert ServerProcess(deaf.pid, server.create_time()).stop()  # again is harmless


def test_a_process_that_only_inherited_the_number_is_let_alone() -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as other:
        earlier = ServerProcess(other.pid, psutil.Process(other.pid).create_time() - 60)
        assert not earlier.is_alive
        assert earlier.stop()
        assert other.poll() is None
        other.kill()


def test_a_server_is_found_after_the_clock_was_set(sandbox: Sandbox) -> None:
    assert ServerProcess(sandbox.pid, sandbox.server.start_time - 3600).is_alive


def deny_access(_process: psutil.Process) -> None:
    raise psutil.AccessDenied


def start_job(sandbox: Sandbox) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_object(Bucket="code", Key="s.tar.gz", Body=tar(train_py=TRAIN))
    sandbox.client("sagemaker").create_training_job(
        TrainingJobName="endless",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://code/s.tar.gz"},
        OutputDataConfig={"S3OutputPath": "s3://code/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


def start_endpoint(sandbox: Sandbox) -> None:
    sandbox.client("s3").put_object(Bucket="code", Key="model.tar.gz", Body=tar(code__inference_py=SLOW_MODEL))
    sagemaker = sandbox.client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": "s3://code/model.tar.gz"}
    sagemaker.create_model(ModelName="slow", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
    variant = {"VariantName": "main", "ModelName": "slow", "ServerlessConfig": serverless}
    sagemaker.create_endpoint_config(EndpointConfigName="slow", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="slow", EndpointConfigName="slow")
    until(lambda: sagemaker.describe_endpoint(EndpointName="slow")["EndpointStatus"] == "InService")


def send_slow_request(sandbox: Sandbox) -> None:
    """A request that is under way until the sandbox ends."""
    with pytest.raises(Exception, match=r"the endpoint was deleted|Connection|closed|Could not connect"):
        sandbox.client("sagemaker-runtime").invoke_endpoint(EndpointName="slow", Body=b"[]")


def list_family(server: psutil.Process) -> list[psutil.Process]:
    """The server, all of its descendants, and whoever else is in their process groups."""
    descendants = [server, *server.children(recursive=True)]
    groups = {get_group(one) for one in descendants if is_alive(one)} - {None}
    return [one for one in psutil.process_iter() if is_alive(one) and get_group(one) in groups]


def get_group(one: psutil.Process) -> int | None:
    """Its process group; None for one that has just gone, as other tests' processes do at any time."""
    try:
        return os.getpgid(one.pid)
    except ProcessLookupError:
        return None


def get_command_line(one: psutil.Process) -> list[str]:
    """Its command line; empty for one that has just gone."""
    try:
        return one.cmdline()
    except psutil.NoSuchProcess:
        return []


def get_last_words(processes: list[psutil.Process]) -> set[str]:
    """The last word of each one's command line, without its folder."""
    return {Path(told[-1]).name for one in processes if is_alive(one) and (told := get_command_line(one))}


def is_alive(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
