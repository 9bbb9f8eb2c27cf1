"""Updates of a serverless endpoint, and messages about unsupported settings."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from modules.serverless_endpoint.inputs import Inputs
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from sustainable_mlops.base.terraform import ROOT, Terraform, list_changes
from tests.cases import check_cases
from tests.modules.applied_endpoint import DOES_NOT_LOAD, ROLLED_BACK, AppliedEndpoint
from tests.modules.prerequisites import create_prerequisites

IMAGE = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/xgboost:3.0-5"
KEY = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BUCKET = "serverless-endpoint-test"
ADDRESS = "module.serverless_endpoint"
GIVEN = {"name_prefix": "shop", "image_uri": IMAGE, "kms_key_arn": KEY, "role_arn": "arn:aws:iam::123456789012:role/r"}
#: Settings of other kinds of endpoints that are unsupported, and the reason in the message.
UNSUPPORTED = {
    "data_capture_config": ({"enable_capture": True}, "cannot capture requests"),
    "deployment": (
        {"strategy": "canary"},
        "moves all requests in one step, because it has no instances to deploy in steps",
    ),
    "enable_network_isolation": (True, "does not support network isolation"),
    "instance_type": ("ml.g5.xlarge", "has neither instances nor a GPU"),
    "more_rollback_alarms": (["errors"], "has no rollback alarms"),
    "production_variants": ([{"variant_name": "a"}, {"variant_name": "b"}], "has exactly one variant"),
    "silicon": ("graviton", "has no choice of silicon"),
    "vpc_config": ({"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}, "cannot join a VPC"),
}


def render_root_module(**inputs: Any) -> str:
    arguments = "\n".join(f"  {name} = jsondecode({json.dumps(json.dumps(value))})" for name, value in inputs.items())
    return f'module "serverless_endpoint" {{\n  source = "./modules/serverless_endpoint"\n{arguments}\n}}\n'


def create_archive(answer: str) -> bytes:
    """Create a model archive that always returns `answer`."""
    code = (
        f"def model_fn(folder):\n    return {answer!r}\ndef transform_fn(model, *_):\n    return model, 'text/plain'\n"
    )
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(code)
        tar.addfile(member, io.BytesIO(code.encode()))
    return content.getvalue()


@pytest.fixture
def cloud(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Create two models in a bucket; the second is also an approved package."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    s3, sagemaker = boto3.resource("s3"), boto3.client("sagemaker")
    bucket = s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    for name in ("first", "second"):
        bucket.put_object(Key=f"{name}/model.tar.gz", Body=create_archive(name))
    sagemaker.create_model_package_group(ModelPackageGroupName="shop-churn")
    package = sagemaker.create_model_package(
        ModelPackageGroupName="shop-churn",
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/second/model.tar.gz"}],
            "SupportedContentTypes": ["text/plain"],
            "SupportedResponseMIMETypes": ["text/plain"],
        },
    )["ModelPackageArn"]
    yield
    sagemaker.delete_model_package(ModelPackageName=package)
    sagemaker.delete_model_package_group(ModelPackageGroupName="shop-churn")
    bucket.objects.delete()
    bucket.delete()


def invoke() -> str:
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="shop", Body=b"?", ContentType="text/plain", Accept="text/plain"
    )
    return str(answer["Body"].read(), "utf-8")


@pytest.mark.apply
def test_a_new_size_or_model_updates_the_endpoint_in_place(
    tmp_path: Path, sandbox: Any, terraform_environment: dict[str, str], cloud: None
) -> None:
    del cloud
    sagemaker = boto3.client("sagemaker")
    (tmp_path / "modules").symlink_to(ROOT / "modules")
    terraform = Terraform(tmp_path, terraform_environment)

    def apply(**inputs: Any) -> dict[str, list[str]]:
        (tmp_path / "main.tf").write_text(render_root_module(**inputs))
        changes = list_changes(terraform.plan(tmp_path / "tfplan"))
        terraform.run("apply", "-auto-approve", "tfplan")
        return changes

    def describe_serving() -> tuple[Any, Any, Any]:
        endpoint = sagemaker.describe_endpoint(EndpointName="shop")
        serverless = endpoint["ProductionVariants"][0]["CurrentServerlessConfig"]
        return endpoint["CreationTime"], endpoint["EndpointConfigName"], serverless["MemorySizeInMB"]

    def list_names(listing: str, member: str, name: str) -> set[str]:
        return {one[name] for page in sagemaker.get_paginator(listing).paginate() for one in page[member]}

    def list_models_and_configurations() -> tuple[set[str], set[str]]:
        """Return the names of all models and configurations, including those of other tests."""
        models = list_names("list_models", "Models", "ModelName")
        return models, list_names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName")

    (tmp_path / "main.tf").write_text(render_root_module(**GIVEN))
    create_prerequisites(sandbox, render_root_module(**GIVEN))
    before = list_models_and_configurations()
    terraform.init()
    try:
        first = {**GIVEN, "model_data_url": f"s3://{BUCKET}/first/model.tar.gz"}
        apply(**first)
        created, configuration, memory = describe_serving()
        assert (memory, invoke()) == (2048, "first")

        # A new size creates a configuration, updates the endpoint in place and deletes the old configuration.
        assert apply(**first, memory_mb=4096) == {
            f"{ADDRESS}.aws_sagemaker_endpoint_configuration.this": ["create", "delete"],
            f"{ADDRESS}.aws_sagemaker_endpoint.this": ["update"],
        }
        still, larger, memory = describe_serving()
        assert (still, memory, invoke()) == (created, 4096, "first")
        assert larger != configuration

        # A new model, here from the registry, also replaces the model.
        package = sagemaker.list_model_packages(ModelPackageGroupName="shop-churn")["ModelPackageSummaryList"][0]
        packaged = {name: value for name, value in GIVEN.items() if name != "image_uri"}
        assert apply(**packaged, model_package_arn=package["ModelPackageArn"], memory_mb=4096) == {
            f"{ADDRESS}.aws_sagemaker_model.this": ["create", "delete"],
            f"{ADDRESS}.aws_sagemaker_endpoint_configuration.this": ["create", "delete"],
            f"{ADDRESS}.aws_sagemaker_endpoint.this": ["update"],
        }
        still, _, memory = describe_serving()
        assert (still, memory, invoke()) == (created, 4096, "second")

        # The same package with another inference specification.
        specification = {
            "Name": "small",
            "Containers": [{"Image": GIVEN["image_uri"], "ModelDataUrl": first["model_data_url"]}],
        }
        arn = package["ModelPackageArn"]
        sagemaker.update_model_package(ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=[specification])
        apply(**packaged, model_package_arn=arn, inference_specification_name="small", memory_mb=4096)
        assert invoke() == "first"
        assert [len(now - then) for now, then in zip(list_models_and_configurations(), before, strict=True)] == [1, 1]
    finally:
        terraform.run("destroy", "-auto-approve")


@pytest.mark.apply
def test_a_model_that_fails_to_start_keeps_the_previous_model_and_a_correct_state(
    tmp_path: Path, sandbox: Any, terraform_environment: dict[str, str]
) -> None:
    endpoint = AppliedEndpoint(sandbox, tmp_path, "serverless_endpoint", name_prefix="does-not-start")
    endpoint.inputs["model_data_url"] = endpoint.upload_model("first")
    endpoint.initialize(terraform_environment)
    try:
        endpoint.terraform.apply()
        serves = endpoint.serving_configuration()
        endpoint.write_root_module(model_data_url=endpoint.upload_model("", DOES_NOT_LOAD))
        with endpoint.client.generate_load(endpoint.name, 2) as answers, pytest.raises(UserError) as failed:
            endpoint.terraform.apply()
        assert ROLLED_BACK in " ".join(str(failed.value).split())
        assert endpoint.serving_configuration() == endpoint.configuration_in_state() == serves
        assert answers.keys() == {"first"}, "the old model answers all requests, also during the update"
        assert endpoint.invoke() == "first"
        assert endpoint.plan_changes()["aws_sagemaker_endpoint.this"] == ["update"]

        endpoint.write_root_module(model_data_url=endpoint.upload_model("second"))
        endpoint.terraform.apply()
        assert endpoint.invoke() == "second"
        assert endpoint.plan_changes() == {}
    finally:
        endpoint.terraform.run("destroy", "-auto-approve")


@pytest.mark.plan
def test_terraform_explains_rejected_settings_of_other_endpoints(
    tmp_path: Path, terraform_environment: dict[str, str]
) -> None:
    (tmp_path / "modules").symlink_to(ROOT / "modules")
    unsupported = {name: value for name, (value, _) in UNSUPPORTED.items()}
    (tmp_path / "main.tf").write_text(render_root_module(**{**GIVEN, "image_uri": f"{IMAGE}-gpu-py3"}, **unsupported))
    terraform = Terraform(tmp_path, terraform_environment)
    terraform.init()
    with pytest.raises(UserError) as error:
        terraform.plan(tmp_path / "tfplan")
    message = " ".join(str(error.value).replace("│", " ").split())
    for name, (_, words) in UNSUPPORTED.items():
        assert f"{name}: a serverless endpoint {words}" in message
    assert "image_uri: this image is for GPU" in message


@check_cases("name", UNSUPPORTED)
def test_settings_explain_rejected_settings_of_other_endpoints(name: str) -> None:
    value, words = UNSUPPORTED[name]
    with pytest.raises(UserError) as error:
        validate({**GIVEN, name: value}, Inputs, "settings.yaml")
    message = str(error.value)
    assert message.startswith(f"settings.yaml: {name}: a serverless endpoint {words}; ")
    assert "or use a real-time endpoint" in message


@check_cases(
    ("inputs", "message"),
    [
        ({"image_uri": f"{IMAGE}-gpu-py3"}, "image_uri: this image is for GPU"),
        ({"image_uri": f"{IMAGE}-arm64"}, "image_uri: this image is for GPU, Graviton or Inferentia, and a serverless"),
        ({"image_uri": f"{IMAGE}-neuronx"}, "image_uri: this image is for GPU, Graviton or Inferentia"),
        ({"image_uri": None}, "model_package_arn: set either"),
        ({"model_package_arn": "arn:aws:sagemaker:eu-north-1:123456789012:model-package/churn/1"}, "set either"),
        ({"provisioned_concurrency": {"min": 3, "max": 2}}, "min must be at most max"),
        ({"provisioned_concurrency": {"min": 1, "max": 6}}, "max at most max_concurrency"),
        ({"name": "a" * 64}, f"name: '{'a' * 64}' must be 1 to 63 letters, digits and hyphens"),
        ({"name": "delay-"}, "name: 'delay-' must be 1 to 63 letters, digits and hyphens, without a hyphen"),
        ({"memory_mb": 1500}, "memory_mb: must be 1024, 2048, 3072, 4096, 5120 or 6144, not 1500"),
    ],
)
def test_conflicting_settings_are_rejected(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        validate({**GIVEN, **inputs}, Inputs, "settings.yaml")
    assert message in str(error.value)


def test_resources_created_before_destroy_have_no_fixed_names(synthesized: dict[str, Any]) -> None:
    resources = synthesized["serverless_endpoint"]["resource"]
    replaced = {
        kind: body
        for kind, instances in resources.items()
        for body in instances.values()
        if body.get("lifecycle", {}).get("create_before_destroy")
    }
    assert set(replaced) == {"aws_sagemaker_model", "aws_sagemaker_endpoint_configuration"}
    assert all("name" not in body for body in replaced.values())


def test_scaling_of_warm_workers_is_replaced_with_the_endpoint(synthesized: dict[str, Any]) -> None:
    kinds = ("aws_appautoscaling_target", "aws_appautoscaling_policy")
    scaling = {kind: synthesized["serverless_endpoint"]["resource"][kind]["provisioned_concurrency"] for kind in kinds}
    assert {kind: body["lifecycle"]["replace_triggered_by"] for kind, body in scaling.items()} == {
        "aws_appautoscaling_target": ["aws_sagemaker_endpoint.this.id"],
        "aws_appautoscaling_policy": ["aws_appautoscaling_target.provisioned_concurrency[each.key].id"],
    }
