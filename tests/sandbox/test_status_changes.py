"""A pending transition ends at its scheduled time, also after a restart or a failed start of their thread."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.control_plane.control_plane import ControlPlane
from sagemaker_sandbox.sagemaker.projects import Projects

MakeProjects = Callable[[], Projects]


@pytest.fixture
def make_projects(tmp_path: Path) -> Iterator[MakeProjects]:
    """Yield a function that returns the empty projects of a new sandbox without a server."""
    clocks = []

    def make() -> Projects:
        context = SandboxContext(client=lambda *_: None, customer_client=lambda *_: None, folder=tmp_path)
        clocks.append(context.clock)
        return ControlPlane(context).get_parts("123456789012", "eu-north-1").get(Projects)

    yield make
    for clock in clocks:
        clock.close()


def test_a_change_takes_effect_after_a_restart_without_a_request(make_projects: MakeProjects) -> None:
    before, after, removed = make_projects(), make_projects(), list[str]()
    before.add("churn", {}).schedule_deletion(0.1)
    after.on_removed.append(removed.append)
    after.restore(before.snapshot())
    after.region.clock.advance(1)
    assert removed == ["churn"]


def test_the_time_advances_after_a_thread_that_could_not_start(
    make_projects: MakeProjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    projects = make_projects()

    def refuse(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    project = projects.add("churn", {})
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            projects.schedule_deletion(project, "DeleteProject")
    projects.region.join()
    mover = threading.Thread(target=projects.region.clock.advance, args=(1,), daemon=True)
    mover.start()
    mover.join(30)
    assert not mover.is_alive()
