"""pytest plugin for moto's own tests, which reset the server and use roles and buckets that they do not create.

The sandbox checks that these exist, as AWS does. After each reset, the plugin creates those that the file of the
running test names. The tests do not change.
"""

import json
from collections.abc import Generator
from functools import cache
from typing import Any

import boto3
import pytest
from moto.core.models import ServerModeMockAWS

#: Roles of jobs, models and domains in moto's tests, by path.
ROLES = {
    "/": (
        "FakeRole",
        "SageMakerRole",
        "AWSFeatureStoreAccess",
        "FooRole",
        "iamrole-domain-execution",
        "iamrole-space-execution",
    ),
    "/service-role/": ("AmazonSageMaker-TestExecutionRole",),
}
#: Buckets of moto's tests, without MyBucket: S3 refuses capital letters in names.
BUCKETS = ("my-bucket",)
#: Keys of model data in these buckets.
OBJECTS = ("model.tar.gz",)
#: File of the running test.
_text = ""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def pytest_configure() -> None:
    reset = ServerModeMockAWS.reset

    def reset_and_create(self: Any) -> None:
        reset(self)
        create_fixtures(self._test_server_mode_endpoint)

    ServerModeMockAWS.reset = reset_and_create


def pytest_runtest_setup(item: pytest.Item) -> None:
    global _text
    _text = item.path.read_text(encoding="utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Stop the run if a mock is active after its test: moto would send the requests of all later tests to AWS.

    A mock stays active if its start fails, for example because the sandbox refuses a role or a bucket of this plugin.
    """
    response = yield
    if ServerModeMockAWS._nested_count:
        pytest.exit(f"{item.nodeid}: the mock is still active", returncode=pytest.ExitCode.INTERRUPTED)
    return response


def create_fixtures(endpoint: str) -> None:
    """Create the roles, the buckets and their content."""
    iam, s3 = _create_clients(endpoint)
    for path, names in ROLES.items():
        for name in filter(_text.__contains__, names):
            iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(TRUST))
    for bucket in filter(_text.__contains__, BUCKETS):
        s3.create_bucket(Bucket=bucket)
        for key in filter(lambda key: f"s3://{bucket}/{key}" in _text, OBJECTS):
            s3.put_object(Bucket=bucket, Key=key, Body=b"")


@cache
def _create_clients(endpoint: str) -> tuple[Any, Any]:
    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test")  # noqa: S106
    iam, s3 = (session.client(service, "us-east-1", endpoint_url=endpoint) for service in ("iam", "s3"))
    return iam, s3
