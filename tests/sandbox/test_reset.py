"""moto's reset empties SageMaker too, and ends what runs."""

from pathlib import Path

import psutil
import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import make_role, reset_sandbox, wait_until
from tests.sandbox.test_stopping import get_command_line, get_last_words, is_alive, list_family, start_job

pytestmark = pytest.mark.slow


def test_a_reset_ends_jobs_and_leaves_nothing(tmp_path: Path) -> None:
    with Sandbox.start(log=tmp_path / "log") as sandbox:
        make_role(sandbox)
        start_job(sandbox)
        script = wait_until(lambda: find_train_script(sandbox))
        sandbox.client("sns").create_topic(Name="topic")

        reset_sandbox(sandbox)
        assert not script.is_running() or script.status() == psutil.STATUS_ZOMBIE
        assert sandbox.inventory() == {}
        assert sandbox.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
        make_role(sandbox)
        start_job(sandbox)  # the name is free again


def test_the_next_start_ends_processes_of_a_killed_sandboxs_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    first = Sandbox.start(log=tmp_path / "log")
    make_role(first)
    start_job(first)
    server = psutil.Process(first.pid)
    wait_until(lambda: {"601", "602"} <= get_last_words(list_family(server)))
    processes = [process for process in list_family(server) if get_last_words([process]) & {"601", "602"}]
    server.kill()
    first.stop()
    with Sandbox.start():
        wait_until(lambda: not any(map(is_alive, processes)))


def test_the_next_start_removes_the_folder_of_a_killed_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    first = Sandbox.start()
    (folder,) = folders(tmp_path)
    with Sandbox.start():
        assert folder in folders(tmp_path), "the folder of a running sandbox stays"
    psutil.Process(first.pid).kill()
    first.stop()
    with Sandbox.start():
        assert folder not in folders(tmp_path)
    assert folders(tmp_path) == []


def folders(temporary: Path) -> list[Path]:
    return [path for path in temporary.glob("smlops-sandbox-*/*") if path.is_dir()]


def find_train_script(sandbox: Sandbox) -> psutil.Process | None:
    children = psutil.Process(sandbox.pid).children(recursive=True)
    return next(
        (process for process in children if any(word.endswith("train.py") for word in get_command_line(process))), None
    )
