"""An asynchronous endpoint of the module scales to zero, wakes on a request and grows with its backlog."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import Terraform
from tests.modules.examples import examples
from tests.provider import serving
from tests.sandbox.support import IMAGE, create_tar, make_queue, wait_until

pytestmark = pytest.mark.apply

ENDPOINT, BUCKET = "shop-churn", "shop-artifacts-123456789012-eu-north-1"
FOLDER = f"s3://{BUCKET}/async-inference/{ENDPOINT}"
#: Model script: answers once the file `go` or `go-<value>` exists, and records each attempt in `asked-<value>`.
MODEL = """
import json, os, time
def model_fn(model_dir): return os.environ["FOLDER"]
def input_fn(body, content_type): return json.loads(body)
def predict_fn(values, folder):
    value = int(values[0])
    with open(os.path.join(folder, f"asked-{value}"), "a") as asked: asked.write("x")
    while not any(os.path.exists(os.path.join(folder, go)) for go in ("go", f"go-{value}")): time.sleep(0.02)
    return [value * 3]
"""
REQUESTS = 12


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Yield a sandbox in which a minute passes in a real second."""
    with Sandbox.start(log=tmp_path_factory.mktemp("sandbox") / "log", time_scale=60) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model")


@pytest.fixture(scope="module", autouse=True)
def endpoint(sandbox: Sandbox, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Apply the example of the module README with a role from `access`, and a model and key that exist."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=create_tar(code__inference_py=MODEL))
    key = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    [example] = [
        candidate for candidate in examples() if (candidate.module, candidate.case) == ("async_endpoint", "with_access")
    ]
    variables = {
        "image_uri": IMAGE,
        "instance_type": "ml.m5.xlarge",
        "silicon": "x86",
        "model_data_url": f"s3://{BUCKET}/model.tar.gz",
    }
    lines = [f'  {name} = "{value}"' for name, value in variables.items()]
    lines.append(f'  environment_variables = {{ FOLDER = "{folder}" }}')
    text = re.sub(r"^ *image_uri .*$", "\n".join(lines), example.text, flags=re.M)
    text = re.sub(r'"arn:aws:kms:[^"]*"', f'"{key}"', text)
    root = tmp_path_factory.mktemp("root")
    example.write(root)
    (root / "main.tf").write_text(text)
    with serving(sandbox.process_environment()) as provider:
        terraform = Terraform(root, sandbox.environment | {"TF_REATTACH_PROVIDERS": provider})
        terraform.init()
        terraform.apply()
        try:
            yield
        finally:
            terraform.run("destroy", "-auto-approve")


def test_it_scales_to_zero_wakes_on_a_request_grows_with_the_backlog_and_returns_to_zero(
    sandbox: Sandbox, folder: Path
) -> None:
    sagemaker, s3 = sandbox.client("sagemaker"), sandbox.client("s3")

    def count_instances() -> int:
        [variant] = sagemaker.describe_endpoint(EndpointName=ENDPOINT)["ProductionVariants"]
        return int(variant["CurrentInstanceCount"])

    def wait_for(count: int) -> None:
        for _ in range(60):
            if count_instances() == count:
                return
            sandbox.advance(60)
        pytest.fail(f"never {count} instances: {list_scaling_changes(sandbox)}")

    wait_for(0)
    queues = {kind: subscribe_queue(sandbox, kind) for kind in ("success", "error")}
    responses, start = [], sandbox.advance(0)
    for number in range(REQUESTS):
        key = f"async-inference/{ENDPOINT}/requests/{number}"
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps([number]))
        response = sandbox.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=ENDPOINT, InputLocation=f"s3://{BUCKET}/{key}", ContentType="application/json"
        )
        assert response["OutputLocation"].startswith(f"{FOLDER}/answers/")
        responses.append(response)

    wait_for(2)
    assert not receive_notifications(sandbox, queues["success"])

    (folder / "go").touch()
    notifications: dict[str, Any] = {}

    def all_announced() -> bool:
        notifications.update(receive_notifications(sandbox, queues["success"]))
        return len(notifications) == REQUESTS

    wait_until(all_announced)
    for number, response in enumerate(responses):
        notification = notifications[response["InferenceId"]]
        assert notification["responseParameters"]["outputLocation"] == response["OutputLocation"]
        output_key = response["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
        assert json.loads(s3.get_object(Bucket=BUCKET, Key=output_key)["Body"].read()) == [3 * number]
    assert not receive_notifications(sandbox, queues["error"])

    last_response = max(datetime.fromisoformat(notification["eventTime"]) for notification in notifications.values())
    wait_for(0)
    (first, _), (second, wake_time), (third, growth_time), (_, shrink_time), *_ = list_scaling_changes(sandbox)
    assert (first, second, third) == (0, 1, 2)
    assert wake_time - start >= timedelta(minutes=1), "the alarm needs two minutes with a backlog and no instance"
    assert growth_time > wake_time, "more than five requests for each instance"
    assert shrink_time - last_response >= timedelta(minutes=13), "a quarter of an hour without requests"


@pytest.mark.release
def test_no_instance_is_removed_while_requests_are_processed(sandbox: Sandbox, folder: Path) -> None:
    sagemaker, runtime, s3 = (sandbox.client(name) for name in ("sagemaker", "sagemaker-runtime", "s3"))
    (folder / "go").unlink(missing_ok=True)

    def count_instances() -> int:
        [variant] = sagemaker.describe_endpoint(EndpointName=ENDPOINT)["ProductionVariants"]
        return int(variant["CurrentInstanceCount"])

    def has_response(value: int) -> bool:
        listed_objects = s3.list_objects_v2(Bucket=BUCKET, Prefix=locations[value].removeprefix(f"s3://{BUCKET}/"))
        return bool(listed_objects["KeyCount"])

    locations, values = {}, range(100, 100 + REQUESTS)
    for value in values:
        key = f"async-inference/{ENDPOINT}/requests/{value}"
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps([value]))
        locations[value] = runtime.invoke_endpoint_async(
            EndpointName=ENDPOINT,
            InputLocation=f"s3://{BUCKET}/{key}",
            ContentType="application/json",
            InvocationTimeoutSeconds=3600,
        )["OutputLocation"]
    wait_until(lambda: sandbox.advance(60) and count_instances() == 2)

    # Two requests take long: the backlog is one for each instance, far below the target of five.
    *short_values, first, second = values
    for value in short_values:
        (folder / f"go-{value}").touch()
    wait_until(lambda: all(map(has_response, short_values)))
    wait_until(lambda: all((folder / f"asked-{value}").exists() for value in (first, second)))
    for _ in range(40):
        sandbox.advance(60)
        assert count_instances() == 2
    (folder / "go").touch()
    wait_until(lambda: has_response(first) and has_response(second))
    assert all((folder / f"asked-{value}").read_text() == "x" for value in values), "each request is processed once"
    wait_until(lambda: sandbox.advance(60) and count_instances() == 0)


def list_scaling_changes(sandbox: Sandbox) -> list[tuple[int, datetime]]:
    """Return the instance counts that the scaler has set, with their times, the oldest first."""
    scaling = sandbox.client("application-autoscaling")
    activities = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")["ScalingActivities"]
    assert {change["StatusCode"] for change in activities} <= {"InProgress", "Successful"}, activities
    counts = [(int(re.findall(r"\d+", change["Description"])[-1]), change["StartTime"]) for change in activities]
    return sorted(counts, key=lambda change: change[1])


def subscribe_queue(sandbox: Sandbox, kind: str) -> str:
    """Subscribe a queue to a topic of the module and return its URL."""
    url, arn = make_queue(sandbox, f"heard-{kind}", "sns.amazonaws.com")
    topic = f"arn:aws:sns:eu-north-1:123456789012:{ENDPOINT}-{kind}"
    raw = {"RawMessageDelivery": "true"}
    sandbox.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
    return url


def receive_notifications(sandbox: Sandbox, url: str) -> dict[str, Any]:
    """Return the new notifications of a queue by inference id."""
    sqs, notifications = sandbox.client("sqs"), {}
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            notification = json.loads(message["Body"])
            assert notification["inferenceId"] not in notifications
            notifications[notification["inferenceId"]] = notification
    return notifications
