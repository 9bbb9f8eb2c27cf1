"""Fixtures for the SageMaker SDK, on the shared sandbox or on a separate one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.jobs.runtime import mounting
from tests.sandbox.support import make_role

BUCKET = "sdk"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def reset_sdk_client() -> None:
    """Reset the SDK's client, which all tests of the process share, so that it does not call another test's sandbox."""
    from sagemaker.core.utils.utils import SageMakerClient

    SageMakerClient.reset()


@pytest.fixture
def sdk_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Direct the SDK's client to this sandbox."""
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)  # of this computer
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    reset_sdk_client()
    yield
    reset_sdk_client()


@pytest.fixture(scope="module")
def sdk_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Yield a sandbox with this computer's access to /opt/ml, to which the SDK's clients are directed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(mounting.VARIABLE)
        with Sandbox.start(log=tmp_path_factory.mktemp("real") / "sandbox.log") as sandbox:
            for name, value in sandbox.environment.items():
                patch.setenv(name, value)
            make_role(sandbox)
            policy = json.dumps(EVERYTHING)  # the SDK asks what its role may do
            sandbox.client("iam").put_role_policy(RoleName="test", PolicyName="all", PolicyDocument=policy)
            configuration = {"LocationConstraint": sandbox.region}
            sandbox.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=configuration)
            reset_sdk_client()
            yield sandbox
            reset_sdk_client()


@pytest.fixture(scope="module")
def session(sdk_sandbox: Sandbox) -> Any:
    from sagemaker.core.helper.session_helper import Session

    del sdk_sandbox
    return Session(default_bucket=BUCKET)
