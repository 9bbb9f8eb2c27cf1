"""Launches with injected faults: each continues or prints how to continue, and starts nothing twice."""

import errno
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from sustainable_mlops.jobs import wait
from tests.jobs.bench import Bench, make_bench
from tests.jobs.faulty import (
    LAUNCHERS,
    CtrlC,
    Launcher,
    find_operation,
    get_hold_file,
    intercept_requests,
    run_smlops,
    write_jobs,
)
from tests.jobs.interrupts import INTERRUPTED, interrupt, measure

pytestmark = pytest.mark.slow

each_kind = pytest.mark.parametrize("launcher", LAUNCHERS.values(), ids=LAUNCHERS)


@pytest.fixture(autouse=True)
def jobs(bench: Bench) -> None:
    write_jobs(bench)


@each_kind
def test_throttling_of_every_call_and_a_failed_upload_are_retried(bench: Bench, launcher: Launcher) -> None:
    bench.sandbox.fault("s3:PutObject", error="InternalError")
    bench.sandbox.fault("ssm:GetParameter", error="ThrottlingException")
    for call in (launcher.creates, launcher.describes, *launcher.calls):
        bench.sandbox.fault(call, error="SlowDown" if call.startswith("s3:") else "ThrottlingException")
    completed = run_smlops(bench, *launcher.words)
    assert completed.code == 0, completed.err
    assert bench.sandbox.faults() == []
    assert len(launcher.list_launched(bench)) == 1


@each_kind
def test_a_permanent_fault_ends_a_launch_with_its_state_and_the_command_that_continues(
    bench: Bench, launcher: Launcher
) -> None:
    get_hold_file(bench).touch()
    command = launcher.words
    for call, error, state in (
        ("ssm:GetParameter", "InternalServerError", "this command has launched nothing"),
        ("s3:PutObject", "InternalError", "nothing was "),
        (launcher.creates, "ServiceUnavailable", "nothing was "),
        (launcher.creates, "AccessDeniedException", "nothing was "),
        (launcher.describes, "ExpiredTokenException", "continues (to stop it: aws sagemaker stop-"),
    ):
        bench.sandbox.fault(call, error=error, times=50)
        completed = run_smlops(bench, *command)
        bench.sandbox.clear_faults()
        line, command = completed.err.splitlines()[-2], tuple(completed.command)
        assert completed.code == 2
        assert line.startswith("error: ")
        assert error in line
        assert state in line
    assert "the credentials have expired: sign in again" in line
    get_hold_file(bench).unlink()
    assert run_smlops(bench, *command).code == 0
    assert len(launcher.list_launched(bench)) == 1


@each_kind
@pytest.mark.parametrize("times", [1, 50], ids=["once", "always"])
def test_a_request_with_a_lost_response_is_not_repeated(bench: Bench, launcher: Launcher, times: int) -> None:
    get_hold_file(bench).touch()
    lost_responses: dict[str, int] = {}

    def lose_response(request: Any, send: Callable[[], Any]) -> Any:
        response, called_operation = send(), find_operation(request)
        if called_operation == launcher.creates or (called_operation == "PUT" and times == 1):
            lost_responses[request.url + called_operation] = lost_responses.get(request.url + called_operation, 0) + 1
            if lost_responses[request.url + called_operation] <= times:
                raise ConnectionClosedError(endpoint_url=request.url)
        return response

    with intercept_requests(lose_response):
        completed = run_smlops(bench, *launcher.words, "--no-wait")
    assert completed.code == (0 if times == 1 else 2), completed.err
    assert any(launcher.creates in called_operation for called_operation in lost_responses)
    if times > 1:
        assert "continues" in completed.err.splitlines()[-2]
    if times == 1:  # while it runs: of a pipeline that has ended, another start is another execution
        repeated = run_smlops(bench, *launcher.words, "--no-wait")
    get_hold_file(bench).unlink()
    if times > 1:
        repeated = run_smlops(bench, *completed.command)
    assert repeated.code == 0, repeated.err
    assert len(launcher.list_launched(bench)) == 1


@each_kind
def test_ctrl_c_leaves_nothing_half_done(bench: Bench, launcher: Launcher) -> None:
    get_hold_file(bench).touch()
    command = launcher.words

    # The interrupted operation, before or after sending, the number of the call, and the reported state.
    for moment in (
        ("GetParameter", "before", 1, "this command has launched nothing"),
        ("PUT", "before", 1, "nothing was "),
        (launcher.creates, "before", 1, "nothing was "),
        (launcher.creates, "after", 1, "continues"),
        (launcher.describes, "after", 3, "continues"),
    ):
        called_operation, when, call_number, state = moment
        with intercept_requests(CtrlC(called_operation, when, call_number)):
            completed = run_smlops(bench, *command)
        assert completed.code == INTERRUPTED, completed.err
        assert state in completed.err.splitlines()[-1], moment
        command = tuple(completed.command)
    get_hold_file(bench).unlink()
    assert run_smlops(bench, *command).code == 0
    assert len(launcher.list_launched(bench)) == 1


@pytest.mark.parametrize("number", range(6))
def test_a_launch_interrupted_at_a_random_moment_continues_with_the_printed_command(
    bench: Bench, number: int, tmp_path: Path
) -> None:
    launcher = list(LAUNCHERS.values())[number % len(LAUNCHERS)]
    (tmp_path / "first").mkdir()
    measure(make_bench(bench.sandbox, bench.root, tmp_path / "first"), launcher)
    interrupt(bench, launcher, random.Random(number).uniform(0, 1.3))  # noqa: S311 no secret


@each_kind
def test_a_full_disk_is_reported_and_the_record_is_written_later(
    bench: Bench, launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text = Path.write_text

    def fail_on_records(path: Path, text: str, **options: Any) -> int:
        if path.parent.name != "runs":
            return write_text(path, text, **options)
        write_text(path, text[:100])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", fail_on_records)
        completed = run_smlops(bench, *launcher.words)
    assert completed.code == 2
    assert ".json: cannot be written: No space left on device; free some space" in completed.err.splitlines()[-2]
    assert list((bench.folder / "out" / "runs").iterdir()) == []
    assert run_smlops(bench, *completed.command).code == 0
    (record,) = (bench.folder / "out" / "runs").iterdir()
    assert record.suffix == ".json"
    assert len(launcher.list_launched(bench)) == 1


def test_a_full_disk_for_the_output_is_one_line(bench: Bench) -> None:
    with Path("/dev/full").open("w") as fail_on_records:
        completed = subprocess.run(
            [sys.executable, str(bench.root / "scripts" / "smlops.py"), "train", "job.yaml", "--dry-run"],
            stdout=fail_on_records,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=bench.folder,
            env=bench.sandbox.process_environment(),
        )
    assert completed.returncode == 2
    assert (
        completed.stderr.splitlines()[-1]
        == "error: the output cannot be written: No space left on device; free some space"
    )
    assert "Traceback" not in completed.stderr


def test_a_job_that_does_not_stop_is_reported(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    get_hold_file(bench).touch()
    assert run_smlops(bench, "train", "job.yaml", "--no-wait").code == 0
    sagemaker, (launched,) = bench.sandbox.client("sagemaker"), LAUNCHERS["training"].list_launched(bench)
    name = launched["TrainingJobName"]
    bench.wait_until(Path(f"{get_hold_file(bench)}.deaf").exists)
    sagemaker.stop_training_job(TrainingJobName=name)
    with monkeypatch.context() as patched:
        patched.setattr(wait, "_MAX_STOPPING_SECONDS", 0.2)
        completed = run_smlops(bench, "train", "job.yaml")
    assert completed.code == 2
    assert f"{name}: has the status Stopping for more than" in completed.err.splitlines()[-2]
    assert f"training job {name} is Stopping; to continue:" in completed.err.splitlines()[-2]
    assert completed.command == ["train", "job.yaml"]
    assert len(LAUNCHERS["training"].list_launched(bench)) == 1
    get_hold_file(bench).unlink()
