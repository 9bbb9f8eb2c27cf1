"""One AWS provider for all runs of Terraform in a test process, because its start takes longer than most runs."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import LOCAL, get_provider_version, name_platform

#: Log files of every sandbox of this process; a failing test prints their end.
SANDBOX_LOGS: list[Path] = []
#: Credentials of no account.
NOBODY = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}


@pytest.fixture(scope="session")
def terraform_environment(sandbox: Any) -> Iterator[dict[str, str]]:
    """Yield the variables for Terraform on the sandbox. A root module configures the provider at most once."""
    with serving(sandbox.process_environment()) as address:
        yield sandbox.environment | {"TF_REATTACH_PROVIDERS": address}


@contextmanager
def alone(log: Path) -> Iterator[tuple[Any, dict[str, str]]]:
    """Yield a sandbox of its own, and the variables for Terraform on it."""
    from sagemaker_sandbox import Sandbox

    SANDBOX_LOGS.append(log)
    with Sandbox.start(log=log) as sandbox, serving(sandbox.process_environment()) as address:
        yield sandbox, sandbox.environment | {"TF_REATTACH_PROVIDERS": address}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Any, dict[str, str]]]:
    """Yield a sandbox for one test, which uses names of other tests or moves time."""
    with alone(tmp_path / "sandbox.log") as running:
        yield running


@pytest.fixture(scope="module")
def offline_environment() -> Iterator[dict[str, str]]:
    """Yield the variables for Terraform without any AWS."""
    with serving_offline() as variables:
        yield variables


@contextmanager
def serving_offline(*options: str) -> Iterator[dict[str, str]]:
    """Run the provider without any AWS, and yield the variables for Terraform."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with serving(others | NOBODY, *options) as address:
        yield NOBODY | {"TF_REATTACH_PROVIDERS": address}


@contextmanager
def serving(variables: Mapping[str, str], *options: str) -> Iterator[str]:
    """Run the provider in debug mode, and yield the value of TF_REATTACH_PROVIDERS for it.

    `options` are those of `provider_process.py`.
    """
    program = next((LOCAL / "plugin-cache").glob(f"*/*/aws/{get_provider_version()}/{name_platform()}/*provider-aws_*"))
    process = Path(__file__).with_name("provider_process.py")
    command, pipe = [sys.executable, str(process), str(program), *options], subprocess.PIPE
    with subprocess.Popen(command, env=variables, text=True, stdin=pipe, stdout=pipe) as running:
        yield next(iter(running.stdout or ())).strip()
