"""Endpoints under load: what is too much is throttled, nothing is lost, and nothing is left."""

from collections.abc import Iterator

import psutil
import pytest

from sustainable_mlops.sandbox import Sandbox
from tests.sandbox.endpoint_load import MIB, REAL_TIME, SERVERLESS, burst, deploy

pytestmark = pytest.mark.slow

AT_ONCE = 500


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One whose processes are these endpoints' alone."""
    with Sandbox.start() as own:
        yield own


def test_five_hundred_requests_at_once_are_answered_or_throttled(sandbox: Sandbox) -> None:
    """Every answer is the one to its own request."""
    for kind, settings, at_least in (("serverless", SERVERLESS, 10), ("real-time", REAL_TIME, 100)):
        statuses = burst(sandbox, deploy(sandbox, kind, **settings), AT_ONCE)
        assert statuses.total() == AT_ONCE
        assert set(statuses) <= {200, 429}, statuses
        assert statuses[200] >= at_least, statuses


def test_an_idle_endpoint_is_a_small_process_that_goes_with_the_sandbox() -> None:
    mine = psutil.Process()
    before = set(mine.children(recursive=True))
    with Sandbox.start() as sandbox:
        deploy(sandbox, "idle", **REAL_TIME)
        server, *workers = (one for one in mine.children(recursive=True) if one not in before)
        assert "sustainable_mlops.sandbox.server" in server.cmdline()
        assert len(workers) == 1
        assert workers[0].memory_full_info().uss < 64 * MIB
    _, alive = psutil.wait_procs([server, *workers], timeout=10)
    assert alive == []
