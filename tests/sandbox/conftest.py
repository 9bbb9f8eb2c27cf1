"""Clients of the sandbox. Each test gets names of its own, so that all may share one sandbox."""

from collections.abc import Callable
from typing import Any

import pytest

from sustainable_mlops.sandbox import Sandbox
from sustainable_mlops.sandbox.client import make_client

_used: set[str] = set()


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
