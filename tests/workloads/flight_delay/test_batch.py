"""Batch transform and an endpoint: the same predictions for flights that the model has not seen."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.sandbox.support import wait_until
from tests.workloads.flight_delay.sandbox_platform import launch_job, make_platform
from workloads.flight_delay import features

pytestmark = pytest.mark.slow

JOB: dict[str, Any] = {
    "name": "flight-delay-batch",
    "image": {"framework": "xgboost", "version": "3.0-5"},
    "compute": {"instance_type": "ml.m7i.large"},
    "limits": {"max_runtime_minutes": 10},
    "strategy": "single_record",
}
#: Split by content type: a CSV request is a whole file with its header, a JSON request is one line.
FORMS = {"text/csv": {"split": "none"}, "application/json": {"split": "line"}}


@pytest.fixture(scope="module")
def held_out(parts: dict[str, pd.DataFrame]) -> dict[str, list[str]]:
    """Return requests with flights of the test part, by content type."""
    frame = parts["test"][features.list_names()]
    flights = json.loads(frame.head(120).to_json(orient="records"))
    return {
        "text/csv": [frame.iloc[first : first + 500].to_csv(index=False) for first in range(0, 1500, 500)],
        "application/json": [json.dumps({"instances": [flight]}) for flight in flights],
    }


@pytest.fixture(scope="session")  # as the sandbox in which it is: there are no two of its names
def platform(sandbox: Any, data: Path, model_dir: Path) -> str:
    """Return the platform with the trained model in its bucket."""
    parameter = make_platform(sandbox, "batch", data)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as archive_file:
        archive_file.add(model_dir, ".")
    sandbox.client("s3").put_object(Bucket="batch-artifacts", Key="model.tar.gz", Body=archive.getvalue())
    return parameter


def transform_in_batch(sandbox: Any, folder: Path, job: dict[str, Any], requests: list[str]) -> tuple[str, list[str]]:
    """Return the model that `smlops transform` uses, and its predictions by input object."""
    s3, kind = sandbox.client("s3"), job["input"]["content_type"]
    objects = ["\n".join(requests)] if job["input"]["split"] == "line" else requests
    for number, content in enumerate(objects):
        s3.put_object(Bucket="batch-data", Key=f"{job['input']['data']}{number}", Body=content.encode())
    file = folder / f"{kind.partition('/')[2]}.yaml"
    file.write_text(yaml.safe_dump(job))
    record = launch_job(sandbox, "transform", file, folder / "out")
    assert record["status"] == "Completed"
    bucket, _, prefix = record["outputs"]["predictions"].removeprefix("s3://").partition("/")
    keys = sorted(item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"])
    assert len(keys) == len(objects)
    return record["sagemaker_model"], [s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys]


def invoke_endpoint(sandbox: Any, model: str, kind: str, requests: list[str]) -> list[str]:
    """Return the responses of a serverless endpoint with the same model, which needs a network."""
    sagemaker, runtime = sandbox.client("sagemaker"), sandbox.client("sagemaker-runtime")
    name = f"asked-for-{kind.partition('/')[2]}"  # an endpoint of the other kind may still exist
    description = sagemaker.describe_model(ModelName=model)
    same = {member: description[member] for member in ("PrimaryContainer", "ExecutionRoleArn")}
    sagemaker.create_model(ModelName=name, **same)
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
    variant = {"VariantName": "all", "ModelName": name, "ServerlessConfig": serverless}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    request_options = {"EndpointName": name, "ContentType": kind, "Accept": kind}
    responses = [
        runtime.invoke_endpoint(**request_options, Body=request.encode())["Body"].read().decode()
        for request in requests
    ]
    for delete, member in (
        (sagemaker.delete_endpoint, "EndpointName"),
        (sagemaker.delete_endpoint_config, "EndpointConfigName"),
        (sagemaker.delete_model, "ModelName"),
    ):
        delete(**{member: name})
    return responses


@pytest.mark.parametrize("kind", FORMS)
def test_predictions_in_batch_equal_the_endpoints(
    kind: str, sandbox: Any, platform: str, held_out: dict[str, list[str]], tmp_path: Path
) -> None:
    transform_input = {"data": f"re-creatable/asked/{kind}/", "content_type": kind, **FORMS[kind]}
    job = {**JOB, "platform": platform, "model": "s3://batch-artifacts/model.tar.gz", "input": transform_input}
    model, predictions = transform_in_batch(sandbox, tmp_path, job | {"output": {"accept": kind}}, held_out[kind])
    expected = invoke_endpoint(sandbox, model, kind, held_out[kind])
    lines = [line for response in predictions for line in response.splitlines()]
    assert lines == [line for response in expected for line in response.splitlines()]
    assert len(lines) == {"text/csv": 1500, "application/json": 120}[kind]
    assert len(set(lines)) > 50
