"""An asynchronous endpoint, made by its module, goes to zero, wakes and grows under a backlog, by its own policies."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sustainable_mlops.terraform import Terraform
from tests.modules.examples import examples
from tests.provider import serving
from tests.sandbox.support import IMAGE, make_queue, tar, until

pytestmark = pytest.mark.apply

ENDPOINT, BUCKET = "shop-churn", "shop-artifacts-123456789012-eu-north-1"
FOLDER = f"s3://{BUCKET}/async-inference/{ENDPOINT}"
#: Answers once `go`, or `go-<value>`, is there; notes each attempt in `asked-<value>`.
MODEL = """
import os, time
def model_fn(model_dir): return os.environ["FOLDER"]
def predict_fn(values, folder):
    value = int(values[0])
    with open(os.path.join(folder, f"asked-{value}"), "a") as asked: asked.write("x")
    while not any(os.path.exists(os.path.join(folder, go)) for go in ("go", f"go-{value}")): time.sleep(0.02)
    return values * 3
"""
REQUESTS = 12


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A second of this machine's is a minute there."""
    with Sandbox.start(log=tmp_path_factory.mktemp("sandbox") / "log", time_scale=60) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model")


@pytest.fixture(scope="module", autouse=True)
def endpoint(sandbox: Sandbox, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """As the module's README makes it with a role from `access`, but with a model and a key that are there."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=tar(code__inference_py=MODEL))
    key = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    [example] = [one for one in examples() if (one.module, one.case) == ("async_endpoint", "with_access")]
    served = {
        "image_uri": IMAGE,
        "instance_type": "ml.m5.xlarge",
        "silicon": "x86",
        "model_data_url": f"s3://{BUCKET}/model.tar.gz",
    }
    lines = [f'  {name} = "{value}"' for name, value in served.items()]
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


def test_it_goes_to_zero_wakes_at_a_request_grows_with_the_backlog_and_goes_to_zero_again(
    sandbox: Sandbox, folder: Path
) -> None:
    sagemaker, s3 = sandbox.client("sagemaker"), sandbox.client("s3")

    def instances() -> int:
        [variant] = sagemaker.describe_endpoint(EndpointName=ENDPOINT)["ProductionVariants"]
        return int(variant["CurrentInstanceCount"])

    def wait_for(count: int) -> None:
        for _ in range(60):
            if instances() == count:
                return
            sandbox.advance(60)
        pytest.fail(f"never {count} instances: {list_scaling_changes(sandbox)}")

    wait_for(0)
    queues = {kind: subscribe_queue(sandbox, kind) for kind in ("success", "error")}
    asked, began = [], sandbox.advance(0)
    for number in range(REQUESTS):
        key = f"async-inference/{ENDPOINT}/requests/{number}"
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps([number]))
        answer = sandbox.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=ENDPOINT, InputLocation=f"s3://{BUCKET}/{key}", ContentType="application/json"
        )
        assert answer["OutputLocation"].startswith(f"{FOLDER}/answers/")
        asked.append(answer)

    wait_for(2)
    assert not receive_notifications(sandbox, queues["success"])

    (folder / "go").touch()
    notices: dict[str, Any] = {}

    def all_told() -> bool:
        notices.update(receive_notifications(sandbox, queues["success"]))
        return len(notices) == REQUESTS

    until(all_told)
    for number, answer in enumerate(asked):
        notice = notices[answer["InferenceId"]]
        assert notice["responseParameters"]["outputLocation"] == answer["OutputLocation"]
        place = answer["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
        assert json.loads(s3.get_object(Bucket=BUCKET, Key=place)["Body"].read()) == [3 * number]
    assert not receive_notifications(sandbox, queues["error"])

    idle = max(datetime.fromisoformat(notice["eventTime"]) for notice in notices.values())
    wait_for(0)
    (first, _), (second, woke), (third, grew), (_, shrank), *_ = list_scaling_changes(sandbox)
    assert (first, second, third) == (0, 1, 2)
    assert woke - began >= timedelta(minutes=1), "two minutes have to see a backlog without an instance"
    assert grew > woke, "more than five requests for each instance"
    assert shrank - idle >= timedelta(minutes=13), "a quarter of an hour without requests"


def test_no_instance_goes_while_requests_are_processed(sandbox: Sandbox, folder: Path) -> None:
    sagemaker, runtime, s3 = (sandbox.client(name) for name in ("sagemaker", "sagemaker-runtime", "s3"))
    (folder / "go").unlink(missing_ok=True)

    def instances() -> int:
        [variant] = sagemaker.describe_endpoint(EndpointName=ENDPOINT)["ProductionVariants"]
        return int(variant["CurrentInstanceCount"])

    def has_answer(value: int) -> bool:
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=answers[value].removeprefix(f"s3://{BUCKET}/"))
        return bool(found["KeyCount"])

    answers, values = {}, range(100, 100 + REQUESTS)
    for value in values:
        key = f"async-inference/{ENDPOINT}/requests/{value}"
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps([value]))
        answers[value] = runtime.invoke_endpoint_async(
            EndpointName=ENDPOINT,
            InputLocation=f"s3://{BUCKET}/{key}",
            ContentType="application/json",
            InvocationTimeoutSeconds=3600,
        )["OutputLocation"]
    until(lambda: sandbox.advance(60) and instances() == 2, seconds=120)

    # Two requests take long: the backlog is one for each instance, far below the target of five.
    *short, first, second = values
    for value in short:
        (folder / f"go-{value}").touch()
    until(lambda: all(map(has_answer, short)))
    until(lambda: all((folder / f"asked-{value}").exists() for value in (first, second)))
    for _ in range(40):
        sandbox.advance(60)
        assert instances() == 2
    (folder / "go").touch()
    until(lambda: has_answer(first) and has_answer(second))
    assert all((folder / f"asked-{value}").read_text() == "x" for value in values), "each request is processed once"
    until(lambda: sandbox.advance(60) and instances() == 0, seconds=120)


def list_scaling_changes(sandbox: Sandbox) -> list[tuple[int, datetime]]:
    """How many instances the scaler has set, and when, the first first."""
    scaling = sandbox.client("application-autoscaling")
    found = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")["ScalingActivities"]
    assert {change["StatusCode"] for change in found} <= {"InProgress", "Successful"}, found
    told = [(int(re.findall(r"\d+", change["Description"])[-1]), change["StartTime"]) for change in found]
    return sorted(told, key=lambda change: change[1])


def subscribe_queue(sandbox: Sandbox, kind: str) -> str:
    """The URL of a queue that hears the notices of one of the module's topics."""
    url, arn = make_queue(sandbox, f"heard-{kind}", "sns.amazonaws.com")
    topic = f"arn:aws:sns:eu-north-1:123456789012:{ENDPOINT}-{kind}"
    raw = {"RawMessageDelivery": "true"}
    sandbox.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
    return url


def receive_notifications(sandbox: Sandbox, url: str) -> dict[str, Any]:
    """The notices that have come to a queue since, by their inference."""
    sqs, found = sandbox.client("sqs"), {}
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            notice = json.loads(message["Body"])
            assert notice["inferenceId"] not in found
            found[notice["inferenceId"]] = notice
    return found
