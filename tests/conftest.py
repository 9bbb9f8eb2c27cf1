"""Fixtures for every part. Each test process has a sandbox of its own, started when first asked for."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.terraform import LOCAL, ROOT


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A skipped test proves nothing, so in CI it fails."""
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Any]:
    """AWS on this machine."""
    from sustainable_mlops.sandbox import Sandbox

    with Sandbox.start() as running:
        yield running


@pytest.fixture(scope="session")
def synthesized() -> dict[str, Any]:
    """Every module in Terraform's JSON syntax, by name; jsii starts at most once for all test processes."""
    from sustainable_mlops import synth

    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "modules.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return synth.module_json()


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's top folder."""
    return ROOT
