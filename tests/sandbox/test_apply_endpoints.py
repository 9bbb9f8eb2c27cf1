"""Terraform's provider makes endpoints of every kind and what scales them, finds them unchanged, and leaves nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sagemaker_sandbox import Sandbox
from sustainable_mlops.terraform import Terraform, list_changes
from tests.sandbox.hosting_support import EndpointDeployer
from tests.sandbox.support import IMAGE, tar, until

CONFIGURATION = Path(__file__).with_name("terraform") / "endpoints.tf"
ADD_ONE = """
def model_fn(folder):
    return 1
def transform_fn(model, data, content_type, accept):
    return str(int(data) + model), accept
"""


def list_names(sandbox: Sandbox, own: str) -> set[tuple[str, str, str]]:
    """Everything there is whose name holds this one, by service, type and name: other tests' comes and goes."""
    return {
        (service, kind, name)
        for service, types in sandbox.inventory().items()
        for kind, found in types.items()
        for name in found
        if own in name
    }


@pytest.mark.apply
def test_endpoints_of_every_kind_are_applied_serve_and_leave_nothing(
    sandbox: Sandbox, terraform_environment: dict[str, str], bucket: str, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    deploying = EndpointDeployer(sandbox, bucket, fresh)
    for key in ("model.tar.gz", "models/one.tar.gz"):
        deploying.put_object(key, tar(code__inference_py=ADD_ONE))
    name = fresh("every")
    shutil.copy(CONFIGURATION, tmp_path)
    terraform, plan_file = Terraform(tmp_path, terraform_environment), tmp_path / "tfplan"
    given = [f"-var={key}={value}" for key, value in {"name": name, "image": IMAGE, "bucket": bucket}.items()]
    terraform.init()
    terraform.apply(*given)
    made = {(kind, found) for _, kind, found in list_names(sandbox, name)}
    assert len([kind for kind, _ in made if kind == "endpoint"]) == 8
    assert len([kind for kind, _ in made if kind == "scaling policy"]) == 4
    assert len([kind for kind, _ in made if kind == "alarm"]) == 3 + 3 * 2, "target tracking makes its own two"
    assert list_changes(terraform.plan(plan_file, *given)) == {}

    for kind in ("serverless", "provisioned", "shadowed", "canary", "rolling"):
        assert deploying.invoke(f"{name}-{kind}", "1", ContentType="text/csv", Accept="text/csv") == "2", kind
    assert deploying.invoke(f"{name}-multi", "1", TargetModel="one.tar.gz") == "2"
    assert deploying.invoke(f"{name}-serial", "1") == "3"
    asked = deploying.put_object("question", "1")
    answer = deploying.runtime.invoke_endpoint_async(EndpointName=f"{name}-async", InputLocation=asked)
    assert read_object(deploying, answer["OutputLocation"].split(f"s3://{bucket}/")[1]) == b"2"
    assert b'"data":"2"' in read_object(deploying, f"captured/{name}-shadowed/main/")

    terraform.apply("-destroy", *given)
    assert list_names(sandbox, name) == set()


def read_object(deploying: EndpointDeployer, start: str) -> bytes:
    """The one object of this start, once it is there."""

    def look() -> list[str]:
        listed = deploying.s3.list_objects_v2(Bucket=deploying.bucket, Prefix=start)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    (key,) = until(look)
    body: bytes = deploying.s3.get_object(Bucket=deploying.bucket, Key=key)["Body"].read()
    return body
