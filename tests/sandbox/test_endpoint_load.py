"""Endpoints under load: excess requests are throttled, none is lost, and no process remains."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.endpoint_load import MIB, REAL_TIME, SERVERLESS, deploy, send_burst, send_load

pytestmark = pytest.mark.slow

CONCURRENCY = 500


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Yield a sandbox whose processes belong to these endpoints only."""
    with Sandbox.start() as running_sandbox:
        yield running_sandbox


@pytest.mark.parametrize(
    ("name", "variant", "environment", "refusal", "min_answered"),
    [
        ("serverless", SERVERLESS, {}, "ThrottlingException", 10),
        # The only limit of an instance is that of its model server; SageMaker forwards its refusal.
        ("real-time", REAL_TIME, {"MMS_JOB_QUEUE_SIZE": "100"}, "ModelError 503", 100),
    ],
)
def test_each_of_500_concurrent_requests_is_answered_or_refused(
    sandbox: Sandbox,
    name: str,
    variant: dict[str, Any],
    environment: dict[str, str],
    refusal: str,
    min_answered: int,
    tmp_path: Path,
) -> None:
    hold_file = tmp_path / "hold"  # no response before the first refusal, however slow the requests come
    hold_file.touch()
    endpoint = deploy(sandbox, name, environment={**environment, "HOLD_FILE": str(hold_file)}, **variant)
    results = send_burst(sandbox, endpoint, CONCURRENCY, partial(hold_file.unlink, missing_ok=True))
    assert results.total() == CONCURRENCY
    assert set(results) == {"answered", refusal}, results
    assert results["answered"] >= min_answered, results


def test_no_request_of_200_parallel_callers_fails(sandbox: Sandbox) -> None:
    load = send_load(sandbox, deploy(sandbox, "parallel", **REAL_TIME), callers=200, requests=600)
    assert load.statuses == {"200": 600}


def test_an_idle_endpoint_is_one_small_process_that_ends_with_the_sandbox() -> None:
    with Sandbox.start() as sandbox:
        deploy(sandbox, "idle", **REAL_TIME)
        server = psutil.Process(sandbox.pid)
        workers = server.children(recursive=True)
        assert "sagemaker_sandbox.server.server" in server.cmdline()
        assert len(workers) == 1
        assert workers[0].memory_full_info().uss < 64 * MIB
    _, alive = psutil.wait_procs([server, *workers], timeout=60)
    assert alive == []
