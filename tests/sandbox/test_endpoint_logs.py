"""Log groups of endpoints: one stream for each container, which remains after deletion."""

from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, create_tar, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]
#: Creates an endpoint with these containers, waits for a status and returns the endpoint name.
Deploy = Callable[..., str]

#: Model script: prints its name when it loads, and each request.
PRINTING = """
import os
def model_fn(folder):
    print("loaded by", os.environ.get("WHO", "one"))
def transform_fn(model, data, content_type, accept):
    data = data.decode() if isinstance(data, bytes) else data
    print("asked", data)
    return data, accept
"""
BROKEN = "def model_fn(folder):\n    raise RuntimeError('no weights here')\n"


@pytest.fixture
def deploy(sagemaker: Any, s3: Any, bucket: str, fresh: Fresh) -> Deploy:
    def create(
        *containers: dict[str, str], name: str = "", script: str = PRINTING, count: int = 1, status: str = "InService"
    ) -> str:
        name, key = name or fresh("logged"), fresh("model")
        s3.put_object(Bucket=bucket, Key=key, Body=create_tar(code__inference_py=script))
        container_members = [
            {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{key}", "Environment": environment}
            for environment in containers or ({},)
        ]
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=container_members)
        variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large"}
        variants = [variant | {"InitialInstanceCount": count}]
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        wait_until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == status)
        return name

    return create


def get_group(endpoint: str) -> str:
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def read_lines(logs: Any, endpoint: str) -> dict[str, list[str]]:
    """Return the lines of each stream of the log group, in order."""
    lines = {}
    for stream in logs.describe_log_streams(logGroupName=get_group(endpoint))["logStreams"]:
        name = stream["logStreamName"]
        events = logs.get_log_events(logGroupName=get_group(endpoint), logStreamName=name, startFromHead=True)["events"]
        lines[name] = [event["message"] for event in events]
    return lines


def send_request(sandbox: Sandbox, endpoint: str, body: str) -> None:
    runtime = sandbox.client("sagemaker-runtime")
    response = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)
    assert response["Body"].read().decode() == body


def delete_endpoint(sagemaker: Any, endpoint: str) -> None:
    sagemaker.delete_endpoint(EndpointName=endpoint)
    wait_until(lambda: not sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"])


def test_each_instance_has_a_stream_that_remains_after_deletion(
    sandbox: Sandbox, sagemaker: Any, deploy: Deploy
) -> None:
    logs, endpoint = sandbox.client("logs"), deploy(count=2)
    wait_until(lambda: list(read_lines(logs, endpoint).values()) == [["loaded by one"]] * 2)
    for name in read_lines(logs, endpoint):
        assert name.startswith("main/i-")
        assert len(name) == len("main/i-0123456789abcdef0")
    send_request(sandbox, endpoint, "first")
    wait_until(lambda: sorted(read_lines(logs, endpoint).values())[-1] == ["loaded by one", "asked first"])
    send_request(sandbox, endpoint, "last")
    delete_endpoint(sagemaker, endpoint)
    wait_until(lambda: "asked last" in [line for stream in read_lines(logs, endpoint).values() for line in stream])


def test_each_container_of_a_pipeline_has_a_stream(sandbox: Sandbox, deploy: Deploy) -> None:
    logs, endpoint = sandbox.client("logs"), deploy({"WHO": "scaler"}, {"WHO": "model"})
    expected = {"container-1": ["loaded by scaler"], "container-2": ["loaded by model"]}

    def read_by_container() -> dict[str, list[str]]:
        return {name.rpartition("/")[2]: lines for name, lines in read_lines(logs, endpoint).items()}

    wait_until(lambda: read_by_container() == expected)
    variants_and_instances = {name.rpartition("/")[0] for name in read_lines(logs, endpoint)}
    assert len(variants_and_instances) == 1
    assert variants_and_instances.pop().startswith("main/i-")


def test_a_model_that_does_not_load_logs_its_error(sandbox: Sandbox, deploy: Deploy) -> None:
    logs, endpoint = sandbox.client("logs"), deploy(script=BROKEN, status="Failed")
    (lines,) = read_lines(logs, endpoint).values()
    assert "RuntimeError: no weights here" in lines


def test_an_existing_group_is_unchanged_and_a_deleted_group_is_not_recreated(
    sandbox: Sandbox, sagemaker: Any, deploy: Deploy, fresh: Fresh
) -> None:
    logs, name = sandbox.client("logs"), fresh("logged")
    logs.create_log_group(logGroupName=get_group(name))
    logs.put_retention_policy(logGroupName=get_group(name), retentionInDays=7)
    endpoint = deploy(name=name)
    wait_until(lambda: list(read_lines(logs, endpoint).values()) == [["loaded by one"]])
    (log_group,) = logs.describe_log_groups(logGroupNamePrefix=get_group(name))["logGroups"]
    assert log_group["retentionInDays"] == 7

    logs.delete_log_group(logGroupName=get_group(endpoint))
    send_request(sandbox, endpoint, "unlogged")
    delete_endpoint(sagemaker, endpoint)
    assert logs.describe_log_groups(logGroupNamePrefix=get_group(name))["logGroups"] == []
