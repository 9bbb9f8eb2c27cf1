"""A serverless endpoint serves what was applied last, and says why it cannot be what it is not."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from modules.serverless_endpoint.inputs import Inputs
from sustainable_mlops.errors import UserError
from sustainable_mlops.settings import validate
from sustainable_mlops.terraform import ROOT, Terraform, list_changes
from tests.modules.given import furnish
from tests.modules.serving import DOES_NOT_LOAD, GONE_BACK, Serving

IMAGE = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/xgboost:3.0-5"
KEY = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BUCKET = "serverless-endpoint-test"
ADDRESS = "module.serverless_endpoint"
GIVEN = {"name_prefix": "shop", "image_uri": IMAGE, "kms_key_arn": KEY, "role_arn": "arn:aws:iam::123456789012:role/r"}
#: What settings may carry over from another endpoint, and the words that turn it down.
REFUSED = {
    "data_capture_config": ({"enable_capture": True}, "captures no requests"),
    "deployment": ({"strategy": "canary"}, "moves all requests at once, since parts of a deployment are instances"),
    "enable_network_isolation": (True, "takes no network isolation"),
    "instance_type": ("ml.g5.xlarge", "has neither instances nor a GPU"),
    "more_rollback_alarms": (["errors"], "is rolled back by no alarm"),
    "production_variants": ([{"variant_name": "a"}, {"variant_name": "b"}], "has exactly one variant"),
    "silicon": ("graviton", "has no choice of silicon"),
    "vpc_config": ({"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}, "cannot join a VPC"),
}


def consumer(**inputs: Any) -> str:
    arguments = "\n".join(f"  {name} = jsondecode({json.dumps(json.dumps(value))})" for name, value in inputs.items())
    return f'module "serverless_endpoint" {{\n  source = "./modules/serverless_endpoint"\n{arguments}\n}}\n'


def archive(answer: str) -> bytes:
    """A model that gives one answer to everything."""
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
    """Two models in a bucket, the second of them an approved package."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    s3, sagemaker = boto3.resource("s3"), boto3.client("sagemaker")
    bucket = s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    for name in ("first", "second"):
        bucket.put_object(Key=f"{name}/model.tar.gz", Body=archive(name))
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


def ask() -> str:
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="shop", Body=b"?", ContentType="text/plain", Accept="text/plain"
    )
    return str(answer["Body"].read(), "utf-8")


@pytest.mark.apply
def test_a_new_size_or_model_is_served_by_the_same_endpoint(
    tmp_path: Path, sandbox: Any, terraform_environment: dict[str, str], cloud: None
) -> None:
    del cloud
    sagemaker = boto3.client("sagemaker")
    (tmp_path / "modules").symlink_to(ROOT / "modules")
    terraform = Terraform(tmp_path, terraform_environment)

    def apply(**inputs: Any) -> dict[str, list[str]]:
        (tmp_path / "main.tf").write_text(consumer(**inputs))
        done = list_changes(terraform.plan(tmp_path / "tfplan"))
        terraform.run("apply", "-auto-approve", "tfplan")
        return done

    def serving() -> tuple[Any, Any, Any]:
        endpoint = sagemaker.describe_endpoint(EndpointName="shop")
        serverless = endpoint["ProductionVariants"][0]["CurrentServerlessConfig"]
        return endpoint["CreationTime"], endpoint["EndpointConfigName"], serverless["MemorySizeInMB"]

    def names(listing: str, member: str, name: str) -> set[str]:
        return {one[name] for page in sagemaker.get_paginator(listing).paginate() for one in page[member]}

    def made() -> tuple[set[str], set[str]]:
        """Models and configurations, those of other tests too."""
        models = names("list_models", "Models", "ModelName")
        return models, names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName")

    (tmp_path / "main.tf").write_text(consumer(**GIVEN))
    furnish(sandbox, consumer(**GIVEN))
    before = made()
    terraform.init()
    try:
        first = {**GIVEN, "model_data_url": f"s3://{BUCKET}/first/model.tar.gz"}
        apply(**first)
        created, configuration, memory = serving()
        assert (memory, ask()) == (2048, "first")

        # A new size: a new configuration, then the endpoint in place; the old configuration goes last.
        assert apply(**first, memory_mb=4096) == {
            f"{ADDRESS}.aws_sagemaker_endpoint_configuration.this": ["create", "delete"],
            f"{ADDRESS}.aws_sagemaker_endpoint.this": ["update"],
        }
        still, larger, memory = serving()
        assert (still, memory, ask()) == (created, 4096, "first")
        assert larger != configuration

        # A new model, here from the registry: the same for the model before it.
        package = sagemaker.list_model_packages(ModelPackageGroupName="shop-churn")["ModelPackageSummaryList"][0]
        packaged = {name: value for name, value in GIVEN.items() if name != "image_uri"}
        assert apply(**packaged, model_package_arn=package["ModelPackageArn"], memory_mb=4096) == {
            f"{ADDRESS}.aws_sagemaker_model.this": ["create", "delete"],
            f"{ADDRESS}.aws_sagemaker_endpoint_configuration.this": ["create", "delete"],
            f"{ADDRESS}.aws_sagemaker_endpoint.this": ["update"],
        }
        still, _, memory = serving()
        assert (still, memory, ask()) == (created, 4096, "second")

        # The same package by another of its specifications.
        also = {"Name": "small", "Containers": [{"Image": GIVEN["image_uri"], "ModelDataUrl": first["model_data_url"]}]}
        arn = package["ModelPackageArn"]
        sagemaker.update_model_package(ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=[also])
        apply(**packaged, model_package_arn=arn, inference_specification_name="small", memory_mb=4096)
        assert ask() == "first"
        assert [len(now - then) for now, then in zip(made(), before, strict=True)] == [1, 1]
    finally:
        terraform.run("destroy", "-auto-approve")


@pytest.mark.apply
def test_a_model_that_does_not_start_leaves_the_old_one_answering_and_the_state_honest(
    tmp_path: Path, sandbox: Any, terraform_environment: dict[str, str]
) -> None:
    endpoint = Serving(sandbox, tmp_path, "serverless_endpoint", name_prefix="does-not-start")
    endpoint.given["model_data_url"] = endpoint.model("first")
    endpoint.begin(terraform_environment)
    try:
        endpoint.terraform.apply()
        serves = endpoint.following()
        endpoint.write(model_data_url=endpoint.model("", DOES_NOT_LOAD))
        with endpoint.own.generate_load(endpoint.name, 2) as said, pytest.raises(UserError) as failed:
            endpoint.terraform.apply()
        assert GONE_BACK in " ".join(str(failed.value).split())
        assert endpoint.following() == endpoint.in_state() == serves
        assert said.keys() == {"first"}, "the old model answers every request, also meanwhile"
        assert endpoint.ask() == "first"
        assert endpoint.plan()["aws_sagemaker_endpoint.this"] == ["update"]

        endpoint.write(model_data_url=endpoint.model("second"))
        endpoint.terraform.apply()
        assert endpoint.ask() == "second"
        assert endpoint.plan() == {}
    finally:
        endpoint.terraform.run("destroy", "-auto-approve")


@pytest.mark.plan
def test_terraform_tells_why_a_setting_of_another_endpoint_is_refused(
    tmp_path: Path, terraform_environment: dict[str, str]
) -> None:
    (tmp_path / "modules").symlink_to(ROOT / "modules")
    carried_over = {name: value for name, (value, _) in REFUSED.items()}
    (tmp_path / "main.tf").write_text(consumer(**{**GIVEN, "image_uri": f"{IMAGE}-gpu-py3"}, **carried_over))
    terraform = Terraform(tmp_path, terraform_environment)
    terraform.init()
    with pytest.raises(UserError) as error:
        terraform.plan(tmp_path / "tfplan")
    told = " ".join(str(error.value).replace("│", " ").split())
    for name, (_, words) in REFUSED.items():
        assert f"{name}: a serverless endpoint {words}" in told
    assert "image_uri: this image is for GPU" in told


@pytest.mark.parametrize("name", REFUSED)
def test_settings_tell_why_a_setting_of_another_endpoint_is_refused(name: str) -> None:
    value, words = REFUSED[name]
    with pytest.raises(UserError) as error:
        validate({**GIVEN, name: value}, Inputs, "settings.yaml")
    told = str(error.value)
    assert told.startswith(f"settings.yaml: {name}: a serverless endpoint {words}; ")
    assert "or use a real-time endpoint" in told


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"image_uri": f"{IMAGE}-gpu-py3"}, "image_uri: this image is for GPU"),
        ({"image_uri": f"{IMAGE}-arm64"}, "image_uri: this image is for GPU, Graviton or Inferentia, and a serverless"),
        ({"image_uri": f"{IMAGE}-neuronx"}, "image_uri: this image is for GPU, Graviton or Inferentia"),
        ({"image_uri": None}, "model_package_arn: set either"),
        ({"model_package_arn": "arn:aws:sagemaker:eu-north-1:123456789012:model-package/churn/1"}, "set either"),
        ({"provisioned_concurrency": {"min": 3, "max": 2}}, "min must be at most max"),
        ({"provisioned_concurrency": {"min": 1, "max": 6}}, "max at most max_concurrency"),
        ({"name": "a" * 64}, "name: must have at most 63 characters"),
        ({"name": "delay-"}, "name: 'delay-' must be 1 to 63 letters, digits and hyphens, and neither start nor end"),
        ({"memory_mb": 1500}, "memory_mb: must be 1024, 2048, 3072, 4096, 5120 or 6144, not 1500"),
    ],
)
def test_settings_that_cannot_go_together_are_refused(inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as error:
        validate({**GIVEN, **inputs}, Inputs, "settings.yaml")
    assert told in str(error.value)


def test_nothing_that_is_replaced_before_it_goes_has_a_fixed_name(synthesized: dict[str, Any]) -> None:
    resources = synthesized["serverless_endpoint"]["resource"]
    replaced = {
        kind: body
        for kind, named in resources.items()
        for body in named.values()
        if body.get("lifecycle", {}).get("create_before_destroy")
    }
    assert set(replaced) == {"aws_sagemaker_model", "aws_sagemaker_endpoint_configuration"}
    assert all("name" not in body for body in replaced.values())


def test_what_scales_warm_workers_is_replaced_with_the_endpoint(synthesized: dict[str, Any]) -> None:
    kinds = ("aws_appautoscaling_target", "aws_appautoscaling_policy")
    scaling = {kind: synthesized["serverless_endpoint"]["resource"][kind]["provisioned_concurrency"] for kind in kinds}
    assert {kind: body["lifecycle"]["replace_triggered_by"] for kind, body in scaling.items()} == {
        "aws_appautoscaling_target": ["aws_sagemaker_endpoint.this.id"],
        "aws_appautoscaling_policy": ["aws_appautoscaling_target.provisioned_concurrency[each.key].id"],
    }
