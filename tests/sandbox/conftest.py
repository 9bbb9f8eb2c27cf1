"""Clients of the sandbox. Each test gets unique names, so that all tests can share one sandbox."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sagemaker_sandbox.process import sandbox as process
from sustainable_mlops.base import program
from sustainable_mlops.commands.sandbox import app
from tests.sandbox import response_checks
from tests.sandbox.support import make_role, start_exec

response_checks.check_all_responses()

_used: set[str] = set()


@pytest.fixture(scope="session")
def sandbox(sandbox: Sandbox) -> Sandbox:
    """Return the sandbox with the role that the tests name. SageMaker refuses a role that does not exist."""
    make_role(sandbox)
    return sandbox


@pytest.fixture(scope="session")
def sagemaker(sandbox: Sandbox) -> Any:
    """Return a client of SageMaker that does not validate requests, so that the sandbox refuses them."""
    return make_client("sagemaker", "eu-north-1", sandbox.endpoint, parameter_validation=False)


@pytest.fixture(scope="session")
def s3(sandbox: Sandbox) -> Any:
    return sandbox.client("s3")


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Return a function that creates a unique name with a prefix."""

    def make(start: str) -> str:
        name = f"{start}-{len(_used)}"
        _used.add(name)
        return name

    return make


@pytest.fixture
def bucket(s3: Any, fresh: Callable[[str], str]) -> str:
    name = fresh("bucket")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    return name


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Yield a function that runs `smlops sandbox`, and returns exit code, stdout and stderr.

    A sandbox that it leaves running is stopped.
    """
    # Not the developer's folder, because a sandbox may run there.
    folder = tmp_path / "sandbox"
    monkeypatch.setattr(process, "FOLDER", folder)
    for place in ("RECORD", "LOG"):
        monkeypatch.setattr(process, place, folder / place.lower())

    def run(*arguments: str) -> tuple[int, str, str]:
        if arguments[0] == "exec":
            code = start_exec(*arguments[1:]).wait()
            return (code if code >= 0 else 128 - code, *capfd.readouterr())
        monkeypatch.setattr(sys, "argv", ["sandbox.py", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            program.run(app)
        return (int(exit_info.value.code or 0), *capfd.readouterr())

    yield run
    running = Sandbox.find()
    if running is not None:
        running.stop()
