"""Fixtures for every part. Each test process has a sandbox of its own, started when first asked for."""

import fcntl
import gc
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from sustainable_mlops.base.terraform import LOCAL, ROOT, find_engine, get_provider_version
from tests import stale_files
from tests.browser import browser as browser
from tests.deselected_files import pytest_ignore_collect as pytest_ignore_collect
from tests.engines import each_engine  # noqa: F401  a fixture
from tests.longest_tests_first import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.provider import SANDBOX_LOGS
from tests.provider import offline_environment as offline_environment
from tests.provider import own as own
from tests.provider import terraform_environment as terraform_environment
from tests.wheel import wheel_environment  # noqa: F401  a fixture

#: More processes than cores: how long an example takes says nothing. Every run draws the same examples.
settings.register_profile("shared computer", settings(), deadline=None, derandomize=True)
settings.load_profile("shared computer")
#: Hypothesis profile of `make fast`. All other runs draw 100 examples, the default.
settings.register_profile("fast", max_examples=25, deadline=None, derandomize=True)

#: A shell starts background commands with SIGINT ignored. The commands that tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: Jobs find /opt/ml by translated paths on every computer alike; the tests that mount it say so.
os.environ["SANDBOX_OPT_ML"] = "paths"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without garbage collection, which would visit all modules and tests again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Restore the handlers of signals after each test and its fixtures: the training scripts replace them."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        return (yield)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Fail a skipped test in CI, because it proves nothing."""
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Close a run with the commands that update files, and with the engine and the provider that it used."""
    stale_files.pytest_terminal_summary(terminalreporter)
    terminalreporter.line(f"Ran on {find_engine()} with AWS provider {get_provider_version()}.")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start a sandbox that the tests of a process share."""
    from sagemaker_sandbox import Sandbox

    SANDBOX_LOGS.append(tmp_path_factory.mktemp("sandbox") / "sandbox.log")
    with Sandbox.start(log=SANDBOX_LOGS[-1]) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the end of each sandbox log written during a failed test."""
    report = yield
    if report.failed:
        for log in SANDBOX_LOGS:
            if log.exists() and log.stat().st_mtime >= call.start:
                report.sections.append(("Sandbox", log.read_text(errors="replace")[-4000:]))
    return report


@pytest.fixture(scope="session")
def aws_cli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the AWS CLI, in a separate environment, because it requires one version of botocore."""
    from tests.wheel import create_environment, find_shared_folder

    return create_environment(find_shared_folder(tmp_path_factory) / "awscli", "awscli") / "bin"


@pytest.fixture(scope="session")
def synthesized() -> dict[str, Any]:
    """Return each module in Terraform's JSON syntax, by name. jsii starts at most once for all test processes."""
    from clone import synth

    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "modules.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return synth.load_module_json()


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top folder of the repository."""
    return ROOT
