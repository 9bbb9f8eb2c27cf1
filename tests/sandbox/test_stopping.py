"""Life of sandbox processes: a sandbox is found while it runs, and stopping it ends all of its processes."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.process import sandbox as process
from sagemaker_sandbox.process.server_process import ServerProcess
from tests.sandbox.support import IMAGE, ROLE, create_tar, make_role, wait_until

pytestmark = pytest.mark.slow

Command = Callable[..., tuple[int, str, str]]

#: Script that leaves an orphan in its process group and a child in a separate group.
TRAIN = """
import subprocess, time
subprocess.run(["sh", "-c", "sleep 601 &"])
subprocess.Popen(["sleep", "602"], start_new_session=True)
time.sleep(600)
"""
SLOW_MODEL = """
import time
def model_fn(model_dir): return None
def input_fn(body, content_type): return body
def predict_fn(data, model): time.sleep(600)
"""
#: Script that ignores SIGTERM, as do its child in a separate session and the orphan of that child.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sh", "-c", "trap '' TERM; sh -c 'sleep 603 &'; sleep 604"], start_new_session=True)
print(flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("in_background", [True, False])
def test_no_process_remains_of_a_sandbox_with_a_running_job_and_endpoint(
    command: Command, tmp_path: Path, in_background: bool
) -> None:
    if in_background:
        command("start")
    sandbox = Sandbox.running() if in_background else Sandbox.start(log=tmp_path / "log")
    make_role(sandbox)
    start_job(sandbox)
    start_endpoint(sandbox)
    server = psutil.Process(sandbox.pid)
    client = threading.Thread(target=send_slow_request, args=(sandbox,))
    client.start()
    wait_until(lambda: {"601", "602", "worker.py"} <= get_last_words(list_family(server)))
    processes = list_family(server)
    if in_background:
        assert command("stop")[:2] == (0, f"Stopped the sandbox at {sandbox.endpoint}.\n")
        assert not process.RECORD.exists()
    else:
        assert sandbox.stop()
    assert [member for member in processes if is_alive(member)] == []
    client.join()


def test_an_unresponsive_server_is_found_and_can_be_stopped(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    command("start")
    sandbox = Sandbox.running()
    server = psutil.Process(sandbox.pid)
    server.suspend()

    code, _, complaint = command("start")
    assert (code, complaint.count("\n")) == (2, 1)
    assert f"one already runs at {sandbox.endpoint} (process {sandbox.pid})" in complaint

    with monkeypatch.context() as patch:
        patch.setattr(process, "RESPONSE_SECONDS", 0.2)
        code, _, complaint = command("status")
    assert (code, complaint.count("\n")) == (2, 1)
    assert f"no response from {sandbox.endpoint}, but its process {sandbox.pid} is alive" in complaint

    threading.Timer(0.5, server.resume).start()
    assert command("status")[0] == 0

    server.suspend()
    assert command("stop")[:2] == (0, f"Stopped the sandbox at {sandbox.endpoint}.\n")
    assert not is_alive(server)
    assert command("stop")[:2] == (0, "No sandbox is running.\n")


def test_the_record_remains_while_the_process_runs(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    command("start")
    sandbox = Sandbox.running()
    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "terminate", deny_access)
        code, out, complaint = command("stop")
    assert (code, out) == (2, "")
    assert complaint == f"error: sandbox: process {sandbox.pid} belongs to another user; stop it as that user\n"
    assert Sandbox.running().pid == sandbox.pid


def test_another_server_can_start_after_one_was_killed(command: Command) -> None:
    command("start")
    first = Sandbox.running()
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: Sandbox.find() is None)
    assert command("status")[2] == "error: sandbox: none is running; start one with `smlops sandbox start`\n"
    assert command("start")[0] == 0
    assert Sandbox.running().pid != first.pid


def test_only_one_of_two_concurrent_starts_succeeds(command: Command) -> None:
    del command  # for its folder
    results: list[object] = []

    def start() -> None:
        try:
            results.append(Sandbox.start_in_background())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sandbox = Sandbox.running()
    assert sorted(str(getattr(result, "pid", result)) for result in results) == [
        str(sandbox.pid),
        f"sandbox: one already runs at {sandbox.endpoint} (process {sandbox.pid}); use it, or stop it first",
    ]


def test_a_server_that_starts_while_another_stops_is_found(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    command("start")
    first, stop = Sandbox.running(), ServerProcess.stop
    with monkeypatch.context() as patch:
        patch.setattr(ServerProcess, "stop", lambda server: stop(server) and bool(Sandbox.start_in_background()))
        assert first.stop()
    assert Sandbox.running().pid != first.pid


def test_a_server_that_does_not_end_is_killed_with_its_processes() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        server = psutil.Process(process.pid)
        wait_until(lambda: {"603", "604"} <= get_last_words(list_family(server)))
        processes = list_family(server)
        assert not ServerProcess.from_pid(process.pid).stop(seconds=0.1)
        assert [member for member in processes if is_alive(member)] == []
        assert ServerProcess(process.pid, server.create_time()).stop()  # a second call has no effect


def test_a_process_with_a_reused_pid_is_not_stopped() -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as other:
        earlier = ServerProcess(other.pid, psutil.Process(other.pid).create_time() - 60)
        assert not earlier.is_alive
        assert earlier.stop()
        assert other.poll() is None
        other.kill()


def test_a_server_is_found_after_a_clock_change(sandbox: Sandbox) -> None:
    assert ServerProcess(sandbox.pid, sandbox.server.start_time - 3600).is_alive


def deny_access(_process: psutil.Process) -> None:
    raise psutil.AccessDenied


def start_job(sandbox: Sandbox) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_object(Bucket="code", Key="s.tar.gz", Body=create_tar(train_py=TRAIN))
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
    sandbox.client("s3").put_object(Bucket="code", Key="model.tar.gz", Body=create_tar(code__inference_py=SLOW_MODEL))
    sagemaker = sandbox.client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": "s3://code/model.tar.gz"}
    sagemaker.create_model(ModelName="slow", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
    variant = {"VariantName": "main", "ModelName": "slow", "ServerlessConfig": serverless}
    sagemaker.create_endpoint_config(EndpointConfigName="slow", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="slow", EndpointConfigName="slow")
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName="slow")["EndpointStatus"] == "InService")


def send_slow_request(sandbox: Sandbox) -> None:
    """Send a request that is active until the sandbox ends."""
    with pytest.raises(Exception, match=r"the endpoint was deleted|Connection|closed|Could not connect"):
        sandbox.client("sagemaker-runtime").invoke_endpoint(EndpointName="slow", Body=b"[]")


def list_family(server: psutil.Process) -> list[psutil.Process]:
    """Return the server, its descendants, and all other processes in their process groups."""
    descendants = [server, *server.children(recursive=True)]
    groups = {get_group(member) for member in descendants if is_alive(member)} - {None}
    return [member for member in psutil.process_iter() if is_alive(member) and get_group(member) in groups]


def get_group(member: psutil.Process) -> int | None:
    """Return the process group; None for a process that has just ended."""
    try:
        return os.getpgid(member.pid)
    except ProcessLookupError:
        return None


def get_command_line(member: psutil.Process) -> list[str]:
    """Return the command line; empty for a process that has just ended."""
    try:
        return member.cmdline()
    except psutil.NoSuchProcess:
        return []


def get_last_words(processes: list[psutil.Process]) -> set[str]:
    """Return the last word of each command line, without its folder."""
    return {
        Path(command_line[-1]).name
        for member in processes
        if is_alive(member) and (command_line := get_command_line(member))
    }


def is_alive(member: psutil.Process) -> bool:
    try:
        return member.is_running() and member.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
