"""Terraform creates endpoints of every kind with their scaling, plans no changes afterward, and destroys all of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import Terraform, list_changes
from tests.sandbox.hosting_support import EndpointDeployer
from tests.sandbox.support import IMAGE, create_tar, wait_until

CONFIGURATION = Path(__file__).with_name("terraform") / "endpoints.tf"
ADD_ONE = """
def model_fn(folder):
    return 1
def transform_fn(model, data, content_type, accept):
    return str(int(data) + model), accept
"""


def list_names(sandbox: Sandbox, text: str) -> set[tuple[str, str, str]]:
    """Return service, type and name of all resources whose name contains `text`.

    Resources of other tests may exist at the same time.
    """
    return {
        (service, kind, name)
        for service, types in sandbox.inventory().items()
        for kind, resource_names in types.items()
        for name in resource_names
        if text in name
    }


@pytest.mark.apply
def test_endpoints_of_every_kind_are_applied_serve_and_are_destroyed(
    sandbox: Sandbox, terraform_environment: dict[str, str], bucket: str, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    deployer = EndpointDeployer(sandbox, bucket, fresh)
    for key in ("model.tar.gz", "models/one.tar.gz"):
        deployer.put_object(key, create_tar(code__inference_py=ADD_ONE))
    name = fresh("every")
    shutil.copy(CONFIGURATION, tmp_path)
    terraform, plan_file = Terraform(tmp_path, terraform_environment), tmp_path / "tfplan"
    variables = [f"-var={key}={value}" for key, value in {"name": name, "image": IMAGE, "bucket": bucket}.items()]
    terraform.init()
    terraform.apply(*variables)
    created = {(kind, resource_name) for _, kind, resource_name in list_names(sandbox, name)}
    assert len([kind for kind, _ in created if kind == "endpoint"]) == 8
    assert len([kind for kind, _ in created if kind == "scaling policy"]) == 4
    assert len([kind for kind, _ in created if kind == "alarm"]) == 3 + 3 * 2, (
        "target tracking creates two for each policy"
    )
    assert list_changes(terraform.plan(plan_file, *variables)) == {}

    for kind in ("serverless", "provisioned", "shadowed", "canary", "rolling"):
        assert deployer.invoke(f"{name}-{kind}", "1", ContentType="text/csv", Accept="text/csv") == "2", kind
    assert deployer.invoke(f"{name}-multi", "1", TargetModel="one.tar.gz") == "2"
    assert deployer.invoke(f"{name}-serial", "1") == "3"
    input_location = deployer.put_object("question", "1")
    response = deployer.runtime.invoke_endpoint_async(EndpointName=f"{name}-async", InputLocation=input_location)
    assert read_object(deployer, response["OutputLocation"].split(f"s3://{bucket}/")[1]) == b"2"
    assert b'"data":"2"' in read_object(deployer, f"captured/{name}-shadowed/main/")

    terraform.apply("-destroy", *variables)
    assert list_names(sandbox, name) == set()


def read_object(deployer: EndpointDeployer, prefix: str) -> bytes:
    """Wait for the only object with this prefix and return its content."""

    def list_keys() -> list[str]:
        response = deployer.s3.list_objects_v2(Bucket=deployer.bucket, Prefix=prefix)
        return [entry["Key"] for entry in response.get("Contents", [])]

    (key,) = wait_until(list_keys)
    body: bytes = deployer.s3.get_object(Bucket=deployer.bucket, Key=key)["Body"].read()
    return body
