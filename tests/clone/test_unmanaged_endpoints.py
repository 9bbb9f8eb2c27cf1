"""Endpoints that a plan would create and AWS has already: a failed one goes, all others stay."""

from collections.abc import Iterator
from typing import Any

import pytest

from clone.deploy.unmanaged_endpoints import (
    check_unmanaged_endpoints,
    delete_failed_endpoints,
    find_unmanaged_endpoints,
)
from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.errors import UserError
from tests.sandbox.support import IMAGE, create_tar, make_role, wait_until

pytestmark = pytest.mark.slow

BUCKET, ROLE = "leftovers", "arn:aws:iam::123456789012:role/leftovers"
WORKS = "def model_fn(folder):\n    return 1\n"
FAILS = "def model_fn(folder):\n    raise RuntimeError('does not load')\n"


def make_plan(*names: str, actions: tuple[str, ...] = ("create",)) -> dict[str, Any]:
    """Return a plan in JSON that does this to endpoints of these names."""
    return {
        "resource_changes": [
            {
                "address": f'module.models["{name}"].aws_sagemaker_endpoint.this',
                "type": "aws_sagemaker_endpoint",
                "change": {"actions": list(actions), "after": {"name": name}},
            }
            for name in names
        ]
    }


@pytest.fixture(scope="module")
def sagemaker(sandbox: Sandbox) -> Iterator[Any]:
    """Return the client of a sandbox with a Failed endpoint and an InService endpoint."""
    make_role(sandbox, "leftovers")
    s3, client = sandbox.client("s3"), sandbox.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    for name, code, status in (("leftover-failed", FAILS, "Failed"), ("leftover-serves", WORKS, "InService")):
        s3.put_object(Bucket=BUCKET, Key=name, Body=create_tar(code__inference_py=code))
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{name}"}
        client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        variant = {"VariantName": "main", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        client.create_endpoint(EndpointName=name, EndpointConfigName=name)
        wait_until(lambda: client.describe_endpoint(EndpointName=name)["EndpointStatus"] == status)  # noqa: B023
    yield client
    client.delete_endpoint(EndpointName="leftover-serves")


def read_statuses(sagemaker: Any) -> dict[str, str]:
    endpoints = sagemaker.list_endpoints(NameContains="leftover-")["Endpoints"]
    return {endpoint["EndpointName"]: endpoint["EndpointStatus"] for endpoint in endpoints}


def test_only_a_failed_endpoint_outside_the_state_is_deleted(sagemaker: Any) -> None:
    # An endpoint that is replaced, updated or left alone is in the state.
    for actions in (("delete", "create"), ("update",), ("no-op",), ("delete",)):
        assert find_unmanaged_endpoints(make_plan("leftover-failed", actions=actions), sagemaker) == []
    assert find_unmanaged_endpoints(make_plan("leftover-of-nobody"), sagemaker) == []

    serving = find_unmanaged_endpoints(make_plan("leftover-serves"), sagemaker)
    with pytest.raises(UserError, match="leftover-serves: is InService and not in the Terraform state") as refused:
        check_unmanaged_endpoints(serving, "terraform -chdir=envs/dev")
    address = 'module.models["leftover-serves"].aws_sagemaker_endpoint.this'
    assert refused.value.remedy == (f"terraform -chdir=envs/dev import '{address}' leftover-serves",)
    with pytest.raises(UserError, match="is now InService, not Failed"):
        delete_failed_endpoints(serving, sagemaker)
    assert read_statuses(sagemaker) == {"leftover-failed": "Failed", "leftover-serves": "InService"}

    failed = find_unmanaged_endpoints(make_plan("leftover-failed", "leftover-of-nobody"), sagemaker)
    check_unmanaged_endpoints(failed, "terraform")
    assert [endpoint.name for endpoint in failed] == ["leftover-failed"]
    delete_failed_endpoints(failed, sagemaker)
    assert read_statuses(sagemaker) == {"leftover-serves": "InService"}
