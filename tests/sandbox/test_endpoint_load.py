"""Endpoints under load: what is too much is throttled, nothing is lost, and nothing is left."""

from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.endpoint_load import MIB, REAL_TIME, SERVERLESS, deploy, send_burst

pytestmark = pytest.mark.slow

AT_ONCE = 500


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One whose processes are these endpoints' alone."""
    with Sandbox.start() as own:
        yield own


@pytest.mark.parametrize(
    ("name", "settings", "takes", "refused", "at_least"),
    [
        # Longer than a slow machine needs to send a few of them.
        ("serverless", SERVERLESS, 0.5, "ThrottlingException", 10),
        # There is no limit on an instance but its model server's own, whose refusal SageMaker hands on.
        ("real-time", REAL_TIME, 0.1, "ModelError 503", 100),
    ],
)
def test_of_five_hundred_requests_at_once_each_is_answered_or_refused(
    sandbox: Sandbox, name: str, settings: Any, takes: float, refused: str, at_least: int
) -> None:
    """An answer is the one to its own request."""
    ended = send_burst(sandbox, deploy(sandbox, name, takes, **settings), AT_ONCE)
    assert ended.total() == AT_ONCE
    assert set(ended) == {"answered", refused}, ended
    assert ended["answered"] >= at_least, ended


def test_an_idle_endpoint_is_a_small_process_that_goes_with_the_sandbox() -> None:
    with Sandbox.start() as sandbox:
        deploy(sandbox, "idle", **REAL_TIME)
        server = psutil.Process(sandbox.pid)
        workers = server.children(recursive=True)
        assert "sagemaker_sandbox.server" in server.cmdline()
        assert len(workers) == 1
        assert workers[0].memory_full_info().uss < 64 * MIB
    _, alive = psutil.wait_procs([server, *workers], timeout=60)
    assert alive == []
