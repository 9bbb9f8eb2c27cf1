"""Launches under faults: each goes on by itself or says how to, and nothing is started twice."""

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
from tests.jobs.faulty import LAUNCHERS, CtrlC, Launcher, hold, operation, sending, smlops, write_jobs
from tests.jobs.interrupts import INTERRUPTED, interrupt, measure

pytestmark = pytest.mark.slow

each_kind = pytest.mark.parametrize("launcher", LAUNCHERS.values(), ids=LAUNCHERS)


@pytest.fixture(autouse=True)
def jobs(bench: Bench) -> None:
    write_jobs(bench)


@each_kind
def test_throttling_of_every_call_and_a_failed_upload_are_outlasted(bench: Bench, launcher: Launcher) -> None:
    bench.sandbox.fault("s3:PutObject", error="InternalError")
    bench.sandbox.fault("ssm:GetParameter", error="ThrottlingException")
    for call in (launcher.creates, launcher.describes, *launcher.calls):
        bench.sandbox.fault(call, error="SlowDown" if call.startswith("s3:") else "ThrottlingException")
    done = smlops(bench, *launcher.words)
    assert done.code == 0, done.err
    assert bench.sandbox.faults() == []
    assert len(launcher.launched(bench)) == 1


@each_kind
def test_a_fault_that_lasts_ends_a_launch_with_its_state_and_the_command_to_go_on(
    bench: Bench, launcher: Launcher
) -> None:
    hold(bench).touch()
    command = launcher.words
    for call, error, true in (
        ("ssm:GetParameter", "InternalServerError", "this command has launched nothing"),
        ("s3:PutObject", "InternalError", "nothing was "),
        (launcher.creates, "ServiceUnavailable", "nothing was "),
        (launcher.creates, "AccessDeniedException", "nothing was "),
        (launcher.describes, "ExpiredTokenException", "continues (to stop it: aws sagemaker stop-"),
    ):
        bench.sandbox.fault(call, error=error, times=50)
        done = smlops(bench, *command)
        bench.sandbox.clear_faults()
        line, command = done.err.splitlines()[-2], tuple(done.command)
        assert done.code == 2
        assert line.startswith("error: ")
        assert error in line
        assert true in line
    assert "the credentials have expired: sign in again" in line
    hold(bench).unlink()
    assert smlops(bench, *command).code == 0
    assert len(launcher.launched(bench)) == 1


@each_kind
@pytest.mark.parametrize("times", [1, 50], ids=["once", "always"])
def test_what_was_done_though_nobody_heard_so_is_not_done_twice(bench: Bench, launcher: Launcher, times: int) -> None:
    hold(bench).touch()
    lost: dict[str, int] = {}

    def around(request: Any, send: Callable[[], Any]) -> Any:
        answer, asked = send(), operation(request)
        if asked == launcher.creates or (asked == "PUT" and times == 1):
            lost[request.url + asked] = lost.get(request.url + asked, 0) + 1
            if lost[request.url + asked] <= times:
                raise ConnectionClosedError(endpoint_url=request.url)
        return answer

    with sending(around):
        done = smlops(bench, *launcher.words, "--no-wait")
    assert done.code == (0 if times == 1 else 2), done.err
    assert any(launcher.creates in asked for asked in lost)
    if times > 1:
        assert "goes on" in done.err.splitlines()[-2]
    if times == 1:  # while it runs: of a pipeline that has ended, another start is another execution
        again = smlops(bench, *launcher.words, "--no-wait")
    hold(bench).unlink()
    if times > 1:
        again = smlops(bench, *done.command)
    assert again.code == 0, again.err
    assert len(launcher.launched(bench)) == 1


@each_kind
def test_ctrl_c_leaves_nothing_half_done(bench: Bench, launcher: Launcher) -> None:
    hold(bench).touch()
    command = launcher.words

    # The call that is interrupted, whether before or after it is sent, which of them, and what is true then.
    for moment in (
        ("GetParameter", "before", 1, "this command has launched nothing"),
        ("PUT", "before", 1, "nothing was "),
        (launcher.creates, "before", 1, "nothing was "),
        (launcher.creates, "after", 1, "goes on"),
        (launcher.describes, "after", 3, "goes on"),
    ):
        asked, when, which, true = moment
        with sending(CtrlC(asked, when, which)):
            done = smlops(bench, *command)
        assert done.code == INTERRUPTED, done.err
        assert true in done.err.splitlines()[-1], moment
        command = tuple(done.command)
    hold(bench).unlink()
    assert smlops(bench, *command).code == 0
    assert len(launcher.launched(bench)) == 1


@pytest.mark.parametrize("number", range(6))
def test_a_launch_interrupted_at_a_random_moment_goes_on_as_it_says(bench: Bench, number: int, tmp_path: Path) -> None:
    seed = random.randrange(2**32)  # noqa: S311 no secret
    print(f"seed {seed}")
    launcher = list(LAUNCHERS.values())[number % len(LAUNCHERS)]
    (tmp_path / "first").mkdir()
    measure(make_bench(bench.sandbox, bench.root, tmp_path / "first"), launcher)
    interrupt(bench, launcher, random.Random(seed).uniform(0, 1.3))  # noqa: S311 no secret


@each_kind
def test_a_full_disk_is_told_and_the_record_written_once_there_is_room(
    bench: Bench, launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text = Path.write_text

    def full(path: Path, text: str, **options: Any) -> int:
        if path.parent.name != "runs":
            return write_text(path, text, **options)
        write_text(path, text[:100])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        done = smlops(bench, *launcher.words)
    assert done.code == 2
    assert ".json cannot be written: No space left on device; free some space" in done.err.splitlines()[-2]
    assert list((bench.folder / "out" / "runs").iterdir()) == []
    assert smlops(bench, *done.command).code == 0
    (record,) = (bench.folder / "out" / "runs").iterdir()
    assert record.suffix == ".json"
    assert len(launcher.launched(bench)) == 1


def test_an_answer_that_finds_no_room_is_one_line(bench: Bench) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, str(bench.root / "scripts" / "train.py"), "job.yaml", "--dry-run"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=bench.folder,
            env=bench.sandbox.process_environment(),
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: the output cannot be written: No space left on device"
    assert "Traceback" not in done.stderr


def test_a_job_that_does_not_stop_is_told_instead_of_followed_for_ever(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(bench).touch()
    assert smlops(bench, "train", "job.yaml", "--no-wait").code == 0
    sagemaker, (launched,) = bench.sandbox.client("sagemaker"), LAUNCHERS["training"].launched(bench)
    name = launched["TrainingJobName"]
    bench.await_(Path(f"{hold(bench)}.deaf").exists)
    sagemaker.stop_training_job(TrainingJobName=name)
    with monkeypatch.context() as patched:
        patched.setattr(wait, "_MAX_STOPPING_SECONDS", 0.2)
        done = smlops(bench, "train", "job.yaml")
    assert done.code == 2
    assert f"{name}: has been Stopping for more than" in done.err.splitlines()[-2]
    assert f"training job {name} is Stopping; to continue:" in done.err.splitlines()[-2]
    assert done.command == ["train", "job.yaml"]
    assert len(LAUNCHERS["training"].launched(bench)) == 1
    hold(bench).unlink()
