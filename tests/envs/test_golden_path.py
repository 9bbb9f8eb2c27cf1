"""The steps of the README with settings pass the review, and their endpoints return predictions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clone import synth
from sustainable_mlops.base.terraform import ROOT, list_changes
from tests.envs.reviews import check_own_review
from tests.modules.examples import apply, plan, terraform
from tests.review_checks import changes_nothing, check_review, list_blocking_gates
from tests.sandbox.support import IMAGE, create_tar, wait_until

#: Rules with findings on the endpoints below, with the reason.
CHOSEN = {
    "SUS_ENDPOINT_FITS_SLO": "latency_slo of dev is cold_start, which a serverless endpoint alone matches",
    "SUS_ENDPOINT_X86": "the image of the sandbox is for x86",
    "SUS_OFF_HOURS": "the real-time endpoint has no schedule, so that it returns predictions at any time",
}
ON_X86 = {"silicon": "x86", "instance_type": "ml.m5.large"}
REALTIME = {**ON_X86, "latency_slo_ms": 1000}
ASYNC = {**ON_X86, "max_instances": 1}
FRAUD = {"description": "Is it fraud?", "serverless_endpoint": {"memory_mb": 1024, "max_concurrency": 2}}
NAME, ARTIFACTS = "smlops-dev-flight-delay", "smlops-dev-artifacts-123456789012-eu-north-1"
MODEL = """
import json
def model_fn(folder): return "late"
def input_fn(body, content_type): return json.loads(body)
def predict_fn(values, model): return model
"""


def write_root_module(folder: Path, body: dict[str, Any]) -> None:
    """Write a root module in JSON syntax with a local state."""
    del body["terraform"]["backend"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf.json").write_text(json.dumps(body))


@pytest.mark.toolchain
@pytest.mark.environment
@pytest.mark.apply
def test_a_new_model_passes_the_review_and_serves_packages_with_all_endpoint_kinds(
    tmp_path: Path, own: tuple[Any, dict[str, str]], environment: Callable[..., Any], dev: dict[str, Any]
) -> None:
    sandbox, variables = own
    repository = tmp_path / "repository"
    repository.mkdir()
    for name in synth.CALLED_FOLDERS:
        (repository / name).symlink_to(ROOT / name)
    before = sandbox.inventory()
    folder = repository / "envs" / "dev"
    write_root_module(folder, environment().to_json())
    driver = terraform(folder, variables)
    assert check_own_review(plan(driver)).verdict == "fine"
    apply(driver)
    try:
        assert changes_nothing(check_own_review(plan(driver)))
        write_root_module(folder, environment(models={**dev["models"], "fraud": FRAUD}).to_json())
        review = check_own_review(plan(driver))
        assert list_blocking_gates(review) == []
        risks = [one.risk for one in review.risks if one.level != "note"]
        assert {risk.address for risk in risks} == {'module.access.aws_iam_role_policy.registration["pipeline"]'}
        group = 'module.model_registry.aws_sagemaker_model_package_group.this["fraud"]'
        for risk in risks:
            assert risk.description.endswith(f"reaches only resources that this plan creates: {group}")

        (folder / synth.PACKAGES).write_text(
            json.dumps({"model_packages": {"flight_delay": register_package(sandbox)}})
        )
        served = {**dev["models"]["flight_delay"], "realtime_endpoint": REALTIME}
        write_root_module(folder, environment(models={"flight_delay": served}).to_json())
        driver.execute_command("get")
        assert list_blocking_gates(check_review(plan(driver))) == []
        write_root_module(folder, environment(models={"flight_delay": {**served, "async_endpoint": ASYNC}}).to_json())
        driver.execute_command("get")
        assert list_blocking_gates(check_review(plan(driver))) == ["privileges"], (
            "permissions for the key of its topics need acceptance"
        )
        apply(driver)
        second_plan = plan(driver)
        assert list_changes(second_plan) == {}
        assert changes_nothing(check_own_review(second_plan, CHOSEN))
        endpoints = {**served, "async_endpoint": ASYNC}
        write_root_module(folder, environment(models={"flight_delay": endpoints}, log_retention_days=30).to_json())
        longer_retention = plan(driver)
        assert len(check_own_review(longer_retention, CHOSEN).changes) > 0
        assert {
            address for address in list_changes(longer_retention) if "aws_cloudwatch_log_group" not in address
        } == set()
        assert read_predictions(sandbox) == dict.fromkeys(("serverless", "realtime", "async"), "late")
        topic = second_plan["planned_values"]["outputs"]["topics"]["value"]["alarms"]
        health = sandbox.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"], ActionPrefix=topic)
        assert len(health["CompositeAlarms"]) == 3
    finally:
        delete_packages(sandbox)
        driver.destroy()
    assert sandbox.inventory() == before, "destroy left resources"


def register_package(sandbox: Any, group: str = NAME, bucket: str = ARTIFACTS) -> str:
    """Register an approved package in the environment's registry and return its ARN. Its archive is an artifact."""
    key = "models/flight_delay/model.tar.gz"
    sandbox.client("s3").put_object(Bucket=bucket, Key=key, Body=create_tar(code__inference_py=MODEL))
    package = sandbox.client("sagemaker").create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{key}"}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )
    return str(package["ModelPackageArn"])


def delete_packages(sandbox: Any) -> None:
    """Delete the packages: destroy can delete only an empty group."""
    sagemaker = sandbox.client("sagemaker")
    for one in sagemaker.list_model_packages(ModelPackageGroupName=NAME)["ModelPackageSummaryList"]:
        sagemaker.delete_model_package(ModelPackageName=one["ModelPackageArn"])


def read_predictions(sandbox: Any) -> dict[str, str]:
    """Return the prediction of each endpoint, by kind."""
    runtime, s3 = sandbox.client("sagemaker-runtime"), sandbox.client("s3")
    predictions, request = {}, {"ContentType": "application/json"}
    for kind, name in {"serverless": NAME, "realtime": f"{NAME}-realtime"}.items():
        predictions[kind] = json.loads(runtime.invoke_endpoint(EndpointName=name, Body=b"[]", **request)["Body"].read())
    folder = f"s3://{ARTIFACTS}/async-inference/{NAME}-async"
    s3.put_object(Bucket=ARTIFACTS, Key=f"async-inference/{NAME}-async/requests/one", Body=b"[]")
    accepted = runtime.invoke_endpoint_async(
        EndpointName=f"{NAME}-async", InputLocation=f"{folder}/requests/one", **request
    )
    key = accepted["OutputLocation"].removeprefix(f"s3://{ARTIFACTS}/")
    wait_until(lambda: s3.list_objects_v2(Bucket=ARTIFACTS, Prefix=key)["KeyCount"])
    predictions["async"] = json.loads(s3.get_object(Bucket=ARTIFACTS, Key=key)["Body"].read())
    return predictions
