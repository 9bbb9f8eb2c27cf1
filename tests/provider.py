"""One AWS provider for all runs of Terraform on a test process's sandbox: to start one takes longer than most runs."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.terraform import LOCAL, name_platform, provider_version

#: What every sandbox of this process has said, and who fails beside one shows.
SANDBOX_LOGS: list[Path] = []
#: An account that is nowhere.
NOBODY = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}


@pytest.fixture(scope="session")
def terraform_environment(sandbox: Any) -> Iterator[dict[str, str]]:
    """The variables to start Terraform with on the sandbox. Its root modules configure the provider once, or not."""
    with serving(sandbox.process_environment()) as address:
        yield sandbox.environment | {"TF_REATTACH_PROVIDERS": address}


@contextmanager
def alone(log: Path) -> Iterator[tuple[Any, dict[str, str]]]:
    """A sandbox that nobody else uses, and the variables to start Terraform with on it."""
    from sagemaker_sandbox import Sandbox

    SANDBOX_LOGS.append(log)
    with Sandbox.start(log=log) as sandbox, serving(sandbox.process_environment()) as address:
        yield sandbox, sandbox.environment | {"TF_REATTACH_PROVIDERS": address}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Any, dict[str, str]]]:
    """That for one test, whose names others use, too, or which moves time."""
    with alone(tmp_path / "sandbox.log") as running:
        yield running


@pytest.fixture(scope="module")
def offline_environment() -> Iterator[dict[str, str]]:
    """The variables to start Terraform with where nobody is to be asked anything: there is no sandbox either."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with serving(others | NOBODY) as address:
        yield NOBODY | {"TF_REATTACH_PROVIDERS": address}


@contextmanager
def serving(variables: Mapping[str, str]) -> Iterator[str]:
    """Run the chosen provider as debuggers start it; yield the value of TF_REATTACH_PROVIDERS that leads to it."""
    program = next((LOCAL / "plugin-cache").glob(f"*/*/aws/{provider_version()}/{name_platform()}/*provider-aws_*"))
    process = Path(__file__).with_name("provider_process.py")
    command, pipe = [sys.executable, str(process), str(program)], subprocess.PIPE
    with subprocess.Popen(command, env=variables, text=True, stdin=pipe, stdout=pipe) as running:
        yield next(iter(running.stdout or ())).strip()
