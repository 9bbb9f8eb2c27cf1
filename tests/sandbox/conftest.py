"""Clients of the sandbox. Each test gets names of its own, so that all may share one sandbox."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox, process
from sagemaker_sandbox.client import make_client
from sustainable_mlops import program
from sustainable_mlops.commands.sandbox import app
from tests.sandbox import response_checks
from tests.sandbox.support import make_role

response_checks.watch()

_used: set[str] = set()


@pytest.fixture(scope="session")
def sandbox(sandbox: Sandbox) -> Sandbox:
    """The sandbox, with the role that the tests name: SageMaker refuses one that is not there."""
    make_role(sandbox)
    return sandbox


@pytest.fixture(scope="session")
def sagemaker(sandbox: Sandbox) -> Any:
    """SageMaker's control plane. Requests go out unchecked, so that the sandbox is what refuses them."""
    return make_client("sagemaker", "eu-north-1", sandbox.endpoint, parameter_validation=False)


@pytest.fixture(scope="session")
def s3(sandbox: Sandbox) -> Any:
    return sandbox.client("s3")


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """A name with this start that no other test uses."""

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
    """`smlops sandbox` with these arguments: its exit code, stdout and stderr. What it left running is ended."""
    # Another folder than a developer's, whose own sandbox may be running.
    folder = tmp_path / "sandbox"
    monkeypatch.setattr(process, "FOLDER", folder)
    for place in ("RECORD", "LOG"):
        monkeypatch.setattr(process, place, folder / place.lower())

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sandbox.py", *arguments])
        with pytest.raises(SystemExit) as ended:
            program.run(app)
        return (int(ended.value.code or 0), *capfd.readouterr())

    yield run
    left = Sandbox.find()
    if left is not None:
        left.stop()
