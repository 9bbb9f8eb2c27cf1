"""What the containers of an endpoint print is in its log group, a stream for each, and stays there."""

from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, tar, until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]
#: An endpoint of that name, whose model has these containers, once it has come to that status.
Deploy = Callable[..., str]

#: Says what it loads, and each request.
SAYS = """
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
    def make(
        *containers: dict[str, str], name: str = "", script: str = SAYS, count: int = 1, status: str = "InService"
    ) -> str:
        name, key = name or fresh("logged"), fresh("model")
        s3.put_object(Bucket=bucket, Key=key, Body=tar(code__inference_py=script))
        described = [
            {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{key}", "Environment": environment}
            for environment in containers or ({},)
        ]
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=described)
        variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large"}
        variants = [variant | {"InitialInstanceCount": count}]
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == status)
        return name

    return make


def get_group(endpoint: str) -> str:
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def read_lines(logs: Any, endpoint: str) -> dict[str, list[str]]:
    """What each stream of an endpoint's log group holds, in order."""
    found = {}
    for stream in logs.describe_log_streams(logGroupName=get_group(endpoint))["logStreams"]:
        name = stream["logStreamName"]
        events = logs.get_log_events(logGroupName=get_group(endpoint), logStreamName=name, startFromHead=True)["events"]
        found[name] = [event["message"] for event in events]
    return found


def send_request(sandbox: Sandbox, endpoint: str, said: str) -> None:
    runtime = sandbox.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=said)
    assert answer["Body"].read().decode() == said


def delete_endpoint(sagemaker: Any, endpoint: str) -> None:
    sagemaker.delete_endpoint(EndpointName=endpoint)
    until(lambda: not sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"])


def test_each_instance_has_a_stream_whose_lines_stay_when_the_endpoint_is_gone(
    sandbox: Sandbox, sagemaker: Any, deploy: Deploy
) -> None:
    logs, endpoint = sandbox.client("logs"), deploy(count=2)
    until(lambda: list(read_lines(logs, endpoint).values()) == [["loaded by one"]] * 2)
    for name in read_lines(logs, endpoint):
        assert name.startswith("main/i-")
        assert len(name) == len("main/i-0123456789abcdef0")
    send_request(sandbox, endpoint, "first")
    until(lambda: sorted(read_lines(logs, endpoint).values())[-1] == ["loaded by one", "asked first"])
    send_request(sandbox, endpoint, "last")
    delete_endpoint(sagemaker, endpoint)
    until(lambda: "asked last" in [line for stream in read_lines(logs, endpoint).values() for line in stream])


def test_each_container_of_a_pipeline_has_a_stream(sandbox: Sandbox, deploy: Deploy) -> None:
    logs, endpoint = sandbox.client("logs"), deploy({"WHO": "scaler"}, {"WHO": "model"})
    wanted = {"container-1": ["loaded by scaler"], "container-2": ["loaded by model"]}

    def found() -> dict[str, list[str]]:
        """By the container's name."""
        return {name.rpartition("/")[2]: said for name, said in read_lines(logs, endpoint).items()}

    until(lambda: found() == wanted)
    variants_and_instances = {name.rpartition("/")[0] for name in read_lines(logs, endpoint)}
    assert len(variants_and_instances) == 1
    assert variants_and_instances.pop().startswith("main/i-")


def test_a_model_that_does_not_load_leaves_its_last_words(sandbox: Sandbox, deploy: Deploy) -> None:
    logs, endpoint = sandbox.client("logs"), deploy(script=BROKEN, status="Failed")
    (said,) = read_lines(logs, endpoint).values()
    assert "RuntimeError: no weights here" in said


def test_a_group_that_is_there_stays_as_it_is_and_one_that_was_deleted_is_not_made_again(
    sandbox: Sandbox, sagemaker: Any, deploy: Deploy, fresh: Fresh
) -> None:
    logs, name = sandbox.client("logs"), fresh("logged")
    logs.create_log_group(logGroupName=get_group(name))
    logs.put_retention_policy(logGroupName=get_group(name), retentionInDays=7)
    endpoint = deploy(name=name)
    until(lambda: list(read_lines(logs, endpoint).values()) == [["loaded by one"]])
    (found,) = logs.describe_log_groups(logGroupNamePrefix=get_group(name))["logGroups"]
    assert found["retentionInDays"] == 7

    logs.delete_log_group(logGroupName=get_group(endpoint))
    send_request(sandbox, endpoint, "unheard")
    delete_endpoint(sagemaker, endpoint)
    assert logs.describe_log_groups(logGroupNamePrefix=get_group(name))["logGroups"] == []
