"""moto's reset empties SageMaker too, and ends what runs."""

from pathlib import Path

import psutil
import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import make_role, reset, until
from tests.sandbox.test_stopping import get_command_line, get_last_words, is_alive, list_family, start_job

pytestmark = pytest.mark.slow


def test_a_reset_ends_jobs_and_leaves_nothing(tmp_path: Path) -> None:
    with Sandbox.start(log=tmp_path / "log") as sandbox:
        make_role(sandbox)
        start_job(sandbox)
        script = until(lambda: train_script(sandbox))
        sandbox.client("sns").create_topic(Name="topic")

        reset(sandbox)
        assert not script.is_running() or script.status() == psutil.STATUS_ZOMBIE
        assert sandbox.inventory() == {}
        assert sandbox.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
        make_role(sandbox)
        start_job(sandbox)  # its name is free again


def test_what_the_job_of_a_killed_sandbox_had_started_ends_with_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    first = Sandbox.start(log=tmp_path / "log")
    make_role(first)
    start_job(first)
    server = psutil.Process(first.pid)
    until(lambda: {"601", "602"} <= get_last_words(list_family(server)))
    started = [one for one in list_family(server) if get_last_words([one]) & {"601", "602"}]
    server.kill()
    first.stop()
    with Sandbox.start():
        until(lambda: not any(map(is_alive, started)))


def test_what_a_killed_sandbox_left_is_cleared_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    first = Sandbox.start()
    (left,) = folders(tmp_path)
    with Sandbox.start():
        assert left in folders(tmp_path), "a living one's is let alone"
    psutil.Process(first.pid).kill()
    first.stop()
    with Sandbox.start():
        assert left not in folders(tmp_path)
    assert folders(tmp_path) == []


def folders(temporary: Path) -> list[Path]:
    return [path for path in temporary.glob("smlops-sandbox-*/*") if path.is_dir()]


def train_script(sandbox: Sandbox) -> psutil.Process | None:
    children = psutil.Process(sandbox.pid).children(recursive=True)
    return next((one for one in children if any(word.endswith("train.py") for word in get_command_line(one))), None)
