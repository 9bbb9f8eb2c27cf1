"""Behavior of public modules with their defaults after a change of the model."""

from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.advice.comparison.shapes import FOLDER, SHAPES
from sustainable_mlops.base.terraform import Terraform, list_changes
from tests.modules.applied_endpoint import ANSWER
from tests.modules.prerequisites import create_prerequisites
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.support import IMAGE, create_tar

pytestmark = pytest.mark.apply

#: Endpoint of each public module.
ENDPOINTS = {"aws_ia": "compared-aws-ia", "huggingface": "compared-hf"}
#: Replacements for the sandbox: an image that takes a separate model, and a type of the Region.
IN_THE_SANDBOX = {
    '"123456789012.dkr.ecr.eu-north-1.amazonaws.com/model:1"': f'"{IMAGE}"\n    model_data_url = "MODEL"',
    "ml.t2.medium": "ml.m5.large",
}


def test_another_model_never_reaches_their_endpoints(
    tmp_path: Path, sandbox: Any, terraform_environment: dict[str, str]
) -> None:
    assert ENDPOINTS.keys() == {shape.name for shape in SHAPES if not shape.is_ours}
    own, terraform = EndpointClient(sandbox), Terraform(tmp_path, terraform_environment)

    def write(response: str) -> None:
        """Write the root module, whose models answer `says` or fail if that is empty."""
        address = f"s3://models-of-public-modules/{own.make_name('model')}/model.tar.gz"
        for name in ENDPOINTS:
            text = (FOLDER / name / "main.tf").read_text()
            for theirs, here in IN_THE_SANDBOX.items():
                text = text.replace(theirs, here)
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "main.tf").write_text(text.replace("MODEL", address))
            create_prerequisites(sandbox, (tmp_path / name / "main.tf").read_text())
        bucket, _, key = address.removeprefix("s3://").partition("/")
        own.s3.put_object(Bucket=bucket, Key=key, Body=create_tar(code__inference_py=ANSWER.format(response=response)))

    def list_planned_changes() -> dict[str, list[str]]:
        return list_changes(terraform.plan(tmp_path / "tfplan"))

    def read_responses() -> set[str]:
        return {own.invoke(endpoint) for endpoint in ENDPOINTS.values() for _ in range(3)}

    (tmp_path / "main.tf").write_text("".join(f'module "{name}" {{\n  source = "./{name}"\n}}\n' for name in ENDPOINTS))
    write("first")
    terraform.init()
    try:
        terraform.apply()
        assert read_responses() == {"first"}
        for response in ("", "second"):
            write(response)
            assert list_planned_changes() == {
                f"module.{name}.aws_sagemaker_model.this": ["delete", "create"] for name in ENDPOINTS
            }
            terraform.run("apply", "-auto-approve", "tfplan")
            assert read_responses() == {"first"}, (
                "the endpoint follows the name of its configuration, which is the same"
            )
            assert list_planned_changes() == {}
    finally:
        terraform.run("destroy", "-auto-approve")
