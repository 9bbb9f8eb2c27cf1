"""Asynchronous endpoints: queues, responses and failures in S3, notifications, and CloudWatch metrics."""

import base64
import json
import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.endpoints.asynchronous import locations
from tests.cases import check_cases
from tests.sandbox.support import (
    IMAGE,
    STILL_CLOCK,
    advance_to_next_minute,
    catch_error,
    create_tar,
    make_queue,
    make_service_role,
    wait_until,
)

pytestmark = pytest.mark.slow


#: Model script: triples numbers and fails on a text. With a folder, it records start and end of each request and waits
#: for the file `go`.
MODEL = """
import json, os, time, uuid
def model_fn(model_dir): return os.environ.get("FOLDER")
def input_fn(body, content_type): return json.loads(body) if content_type == "application/json" else body
def predict_fn(asked, folder):
    if isinstance(asked, str): raise ValueError(asked)
    if isinstance(asked, bytes): return len(asked)
    if folder is None: return [value * 3 for value in asked]
    note = os.path.join(folder, uuid.uuid4().hex)
    began = time.time()
    open(note + ".begun", "w").close()
    while not os.path.exists(os.path.join(folder, "go")): time.sleep(0.02)
    time.sleep(asked[0])
    with open(note + ".ended", "w") as file: file.write(f"{began} {time.time()}")
    return asked
"""
VARIANT_METRICS = {
    "InvocationFailures",
    "InvocationsProcessed",
    "RequestDownloadFailures",
    "RequestDownloadLatency",
    "ResponseUploadLatency",
    "TimeInBacklog",
    "TotalProcessingTime",
}
ENDPOINT_METRICS = {
    "ApproximateAgeOfOldestRequest",
    "ApproximateBacklogSize",
    "ApproximateBacklogSizePerInstance",
    "HasBacklogWithoutCapacity",
}
#: Metrics of the requests to every endpoint.
COMMON_METRICS = {"Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Yield a sandbox of this module, because the tests advance the clock."""
    with Sandbox.start(log=tmp_path_factory.mktemp("sandbox") / "log", time_scale=STILL_CLOCK) as running:
        yield running


@pytest.fixture(scope="module")
def s3(sandbox: Sandbox) -> Any:
    return sandbox.client("s3")


class AsyncTestEndpoint:
    """An asynchronous endpoint with a bucket of the same name, and queues for its notifications."""

    def __init__(
        self,
        sandbox: Sandbox,
        name: str,
        *,
        instances: int = 1,
        environment: dict[str, str] | None = None,
        output: dict[str, Any] | None = None,
        **client: Any,
    ) -> None:
        self.sandbox, self.name = sandbox, name
        self.s3, self.sagemaker = sandbox.client("s3"), sandbox.client("sagemaker")
        self.runtime, self.sqs = sandbox.client("sagemaker-runtime"), sandbox.client("sqs")
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        self.s3.put_object(Bucket=name, Key="model.tar.gz", Body=create_tar(code__inference_py=MODEL))
        self.topics = {kind: self._create_topic(f"{name}-{kind}") for kind in ("success", "error")}
        self._queues = {kind: f"{name}-{kind}" for kind in self.topics}
        container = {
            "Image": IMAGE,
            "ModelDataUrl": f"s3://{name}/model.tar.gz",
            "Environment": environment or {},
        }
        role = make_service_role(sandbox, "sagemaker.amazonaws.com", "s3:*", "sns:Publish")
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
        self.configure(name, instances, output, client)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.wait_in_service()

    def _create_topic(self, name: str) -> str:
        sns = self.sandbox.client("sns")
        topic = str(sns.create_topic(Name=name)["TopicArn"])
        _, queue = make_queue(self.sandbox, name, "sns.amazonaws.com")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
        return topic

    def configure(
        self, config: str, instances: int = 1, output: dict[str, Any] | None = None, client: Any = None
    ) -> None:
        output = output or {}
        notifications = {"SuccessTopic": self.topics["success"], "ErrorTopic": self.topics["error"]}
        notifications |= output.get("NotificationConfig", {})
        output_paths = {"S3OutputPath": f"s3://{self.name}/out", "S3FailurePath": f"s3://{self.name}/failed/"}
        variant = {
            "VariantName": "main",
            "ModelName": self.name,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": instances,
        }
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=config,
            ProductionVariants=[variant],
            AsyncInferenceConfig={
                "OutputConfig": output_paths | output | {"NotificationConfig": notifications},
                "ClientConfig": client or {},
            },
        )

    def wait_in_service(self) -> None:
        final_description = wait_until(
            lambda: (
                (description := self.sagemaker.describe_endpoint(EndpointName=self.name))["EndpointStatus"]
                not in ("Creating", "Updating")
                and description
            )
        )
        assert final_description["EndpointStatus"] == "InService", final_description

    def scale(self, count: int) -> None:
        capacities = [{"VariantName": "main", "DesiredInstanceCount": count}]
        self.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=self.name, DesiredWeightsAndCapacities=capacities
        )

    def put_input(self, body: Any, key: str = "in") -> str:
        self.s3.put_object(Bucket=self.name, Key=key, Body=body if isinstance(body, bytes) else json.dumps(body))
        return f"s3://{self.name}/{key}"

    def invoke(self, body: Any = None, **members: Any) -> dict[str, Any]:
        """Return the response of InvokeEndpointAsync.

        The input is in the request, unless `InputLocation` names one.
        """
        if "InputLocation" not in members:
            members["Body"] = json.dumps(body).encode()
        response = self.runtime.invoke_endpoint_async(
            EndpointName=self.name, **{"ContentType": "application/json"} | members
        )
        assert response.pop("ResponseMetadata")["HTTPStatusCode"] == 202
        return dict(response)

    def receive_notifications(self, kind: str, count: int) -> list[dict[str, Any]]:
        """Return the next `count` notifications."""
        url = self.sqs.get_queue_url(QueueName=self._queues[kind])["QueueUrl"]
        notifications: list[dict[str, Any]] = []

        def receive() -> bool:
            messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            for message in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            notifications.extend(json.loads(message["Body"]) for message in messages)
            return len(notifications) >= count and not messages

        wait_until(receive)
        return notifications

    def read_object(self, uri: str) -> bytes:
        assert uri.startswith(f"s3://{self.name}/")
        return bytes(self.s3.get_object(Bucket=self.name, Key=uri.split("/", 3)[3])["Body"].read())

    def list_keys(self, prefix: str) -> list[str]:
        return [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])]

    def read_data_log(self) -> list[str]:
        logs, group = self.sandbox.client("logs"), f"/aws/sagemaker/Endpoints/{self.name}"
        streams = [stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]]
        [stream] = [name for name in streams if name.startswith("main/i-") and name.endswith("/data-log")] or [None]
        events = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"] if stream else []
        return [event["message"] for event in events]

    def get_metric(self, name: str, statistic: str = "Sum", *, variant: str | None = "main") -> list[float]:
        """Return a value for each minute that has one, the oldest first."""
        dimensions = [{"Name": "EndpointName", "Value": self.name}]
        dimensions += [{"Name": "VariantName", "Value": variant}] if variant else []
        now = self.sandbox.advance(0)
        datapoints = self.sandbox.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=name,
            Dimensions=dimensions,
            StartTime=now - timedelta(hours=12),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=[statistic],
        )["Datapoints"]
        return [point[statistic] for point in sorted(datapoints, key=lambda point: point["Timestamp"])]


@pytest.fixture(scope="module")
def endpoint(sandbox: Sandbox) -> AsyncTestEndpoint:
    return AsyncTestEndpoint(sandbox, "tripling")


def test_a_response_is_written_to_s3_and_announced(endpoint: AsyncTestEndpoint) -> None:
    uri = endpoint.put_input([1, 2])
    response = endpoint.invoke(InputLocation=uri, InferenceId="one", Accept="application/json", CustomAttributes="a=b")
    assert response == {
        "InferenceId": "one",
        "OutputLocation": "s3://tripling/out/one.out",
        "FailureLocation": "s3://tripling/failed/one-error.out",
    }
    [notification] = endpoint.receive_notifications("success", 1)
    assert datetime.fromisoformat(notification.pop("receivedTime")) <= datetime.fromisoformat(
        notification.pop("eventTime")
    )
    assert notification == {
        "awsRegion": "eu-north-1",
        "invocationStatus": "Completed",
        "requestParameters": {
            "accept": "application/json",
            "contentType": "application/json",
            "customAttributes": "a=b",
            "endpointName": "tripling",
            "inputLocation": uri,
        },
        "responseParameters": {"contentType": "application/json", "outputLocation": response["OutputLocation"]},
        "inferenceId": "one",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    assert endpoint.read_object(response["OutputLocation"]) == b"[3, 6]"
    assert endpoint.list_keys("failed/one-error.out") == []


def test_failures_go_to_the_error_topic_and_are_not_retried(endpoint: AsyncTestEndpoint) -> None:
    invalid, missing = endpoint.invoke("no number"), endpoint.invoke(InputLocation="s3://tripling/none")
    notifications = {
        notification["inferenceId"]: notification for notification in endpoint.receive_notifications("error", 2)
    }
    assert len(notifications) == 2
    model_failure, input_failure = notifications[invalid["InferenceId"]], notifications[missing["InferenceId"]]
    assert model_failure["invocationStatus"] == input_failure["invocationStatus"] == "Failed"
    assert model_failure["failureReason"] == (
        "ClientError: Received server error (500) from model. See the SageMaker Endpoint logs in your account for more "
        "information."
    )
    assert endpoint.read_object(invalid["FailureLocation"]) == b"no number"
    log_text = f'[{invalid["InferenceId"]}] Received server error (500) from primary with message "no number"'
    wait_until(lambda: any(line.endswith(log_text) for line in endpoint.read_data_log()))
    assert "s3://tripling/none: NoSuchKey (404)" in input_failure["failureReason"]
    assert "responseParameters" not in model_failure
    assert endpoint.read_object(missing["FailureLocation"]).decode() == input_failure["failureReason"]


def test_a_minute_has_exactly_the_documented_metrics(sandbox: Sandbox) -> None:
    endpoint = AsyncTestEndpoint(sandbox, "measured")
    advance_to_next_minute(sandbox)
    endpoint.invoke([1])
    endpoint.invoke("no number")
    endpoint.invoke(InputLocation="s3://measured/none")
    endpoint.invoke(InputLocation=endpoint.put_input([2]))
    sandbox.advance(60)
    listed_metrics = sandbox.client("cloudwatch").list_metrics(
        Namespace="AWS/SageMaker", Dimensions=[{"Name": "EndpointName", "Value": "measured"}]
    )["Metrics"]
    published = {
        (metric["MetricName"], *sorted(dimension["Name"] for dimension in metric["Dimensions"]))
        for metric in listed_metrics
    }
    of_variants = {(name, "EndpointName", "VariantName") for name in VARIANT_METRICS | COMMON_METRICS}
    assert published == of_variants | {(name, "EndpointName") for name in ENDPOINT_METRICS}
    assert endpoint.get_metric("InvocationsProcessed") == [4]
    assert endpoint.get_metric("InvocationFailures") == [2]
    assert endpoint.get_metric("RequestDownloadFailures") == [1]
    assert endpoint.get_metric("TimeInBacklog", "SampleCount") == [4]
    assert endpoint.get_metric("ResponseUploadLatency", "SampleCount") == [2]
    [longest] = endpoint.get_metric("TotalProcessingTime", "Maximum")
    assert 0 < longest < 60_000
    assert endpoint.get_metric("Invocation5XXErrors") == [1]
    assert endpoint.get_metric("ApproximateBacklogSize", "Average", variant=None)[-1] == 0


def test_requests_wait_while_there_is_no_instance(sandbox: Sandbox) -> None:
    endpoint = AsyncTestEndpoint(sandbox, "asleep")
    endpoint.scale(0)
    endpoint.wait_in_service()
    advance_to_next_minute(sandbox)
    responses = [endpoint.invoke([number]) for number in range(3)]
    sandbox.advance(120)
    for name, value in {
        "ApproximateBacklogSize": 3,
        "ApproximateBacklogSizePerInstance": 3,
        "HasBacklogWithoutCapacity": 1,
    }.items():
        assert endpoint.get_metric(name, "Average", variant=None)[-2:] == [value, value]
    ages = endpoint.get_metric("ApproximateAgeOfOldestRequest", "Maximum", variant=None)[-2:]
    assert ages[1] - ages[0] == pytest.approx(60)
    assert endpoint.list_keys("out") == []
    endpoint.scale(1)
    endpoint.wait_in_service()
    assert {notification["inferenceId"] for notification in endpoint.receive_notifications("success", 3)} == {
        response["InferenceId"] for response in responses
    }
    sandbox.advance(60)
    for name in ENDPOINT_METRICS:
        assert endpoint.get_metric(name, "Average", variant=None)[-1] == 0, name


def test_a_request_expires_by_the_clock_of_the_sandbox(sandbox: Sandbox) -> None:
    endpoint = AsyncTestEndpoint(sandbox, "expiring")
    endpoint.scale(0)
    endpoint.wait_in_service()
    short_lived, default = endpoint.invoke([1], RequestTTLSeconds=60), endpoint.invoke([2])
    sandbox.advance(30)
    assert endpoint.list_keys("failed") == []
    sandbox.advance(30)
    [notification] = endpoint.receive_notifications("error", 1)
    assert (notification["inferenceId"], notification["invocationStatus"]) == (short_lived["InferenceId"], "Failed")
    assert "expired" in notification["failureReason"]
    assert endpoint.get_metric("ExpiredRequests") == [1]
    sandbox.advance(6 * 3600)
    assert [notification["inferenceId"] for notification in endpoint.receive_notifications("error", 1)] == [
        default["InferenceId"]
    ]
    endpoint.scale(1)
    endpoint.wait_in_service()
    sandbox.advance(0)
    assert endpoint.list_keys("out") == []


def test_an_instance_stays_within_its_concurrency_limit(sandbox: Sandbox, tmp_path: Path) -> None:
    endpoint = AsyncTestEndpoint(
        sandbox,
        "bounded",
        instances=2,
        environment={"FOLDER": str(tmp_path)},
        MaxConcurrentInvocationsPerInstance=1,
    )
    for _ in range(8):
        endpoint.invoke([0.1])
    wait_until(lambda: len(list(tmp_path.glob("*.begun"))) == 2)
    (tmp_path / "go").touch()
    endpoint.receive_notifications("success", 8)
    spans = [tuple(map(float, path.read_text().split())) for path in tmp_path.glob("*.ended")]
    assert len(spans) == 8
    assert max(sum(start <= moment < end for start, end in spans) for moment, _ in spans) == 2


def test_an_active_request_is_answered_during_scale_in_and_update(sandbox: Sandbox, tmp_path: Path) -> None:
    endpoint = AsyncTestEndpoint(
        sandbox, "leaving", environment={"FOLDER": str(tmp_path)}, MaxConcurrentInvocationsPerInstance=1
    )

    def count_started() -> int:
        return len(list(tmp_path.glob("*.begun")))

    first = endpoint.invoke([0])
    wait_until(lambda: count_started() == 1)
    endpoint.configure("leaving-2")
    endpoint.sagemaker.update_endpoint(EndpointName="leaving", EndpointConfigName="leaving-2")
    (tmp_path / "go").touch()
    assert [notification["inferenceId"] for notification in endpoint.receive_notifications("success", 1)] == [
        first["InferenceId"]
    ]
    endpoint.wait_in_service()

    (tmp_path / "go").unlink()
    second = endpoint.invoke([0])
    wait_until(lambda: count_started() == 2)
    endpoint.scale(0)
    endpoint.wait_in_service()  # the instance takes no more requests, and still answers one
    third = endpoint.invoke([0])
    (tmp_path / "go").touch()
    assert [notification["inferenceId"] for notification in endpoint.receive_notifications("success", 1)] == [
        second["InferenceId"]
    ]
    endpoint.scale(1)
    assert [notification["inferenceId"] for notification in endpoint.receive_notifications("success", 1)] == [
        third["InferenceId"]
    ]
    assert count_started() == 3


def test_waiting_requests_are_deleted_with_their_endpoint(sandbox: Sandbox) -> None:
    endpoint = AsyncTestEndpoint(sandbox, "deleted")
    endpoint.invoke("no number")
    wait_until(endpoint.read_data_log)
    endpoint.scale(0)
    endpoint.wait_in_service()
    endpoint.invoke([1])
    endpoint.sagemaker.delete_endpoint(EndpointName="deleted")
    wait_until(lambda: "deleted" not in str(endpoint.sagemaker.list_endpoints(NameContains="deleted")["Endpoints"]))
    assert catch_error(endpoint.invoke, body=[2]) == (
        "ValidationError",
        "Endpoint deleted of account 123456789012 not found.",
    )
    sandbox.client("logs").delete_log_group(logGroupName="/aws/sagemaker/Endpoints/deleted")
    endpoint.sagemaker.create_endpoint(EndpointName="deleted", EndpointConfigName="deleted")
    endpoint.wait_in_service()
    after = endpoint.invoke([2])
    assert [notification["inferenceId"] for notification in endpoint.receive_notifications("success", 1)] == [
        after["InferenceId"]
    ]
    assert endpoint.read_data_log() == []
    endpoint.invoke("no number")
    wait_until(endpoint.read_data_log)


def test_a_large_input_is_read_from_s3(endpoint: AsyncTestEndpoint) -> None:
    size = 40 * 1024 * 1024
    response = endpoint.invoke(
        InputLocation=endpoint.put_input(b"x" * size, "large"),
        ContentType="application/octet-stream",
        InferenceId="large",
    )
    endpoint.receive_notifications("success", 1)
    assert json.loads(endpoint.read_object(response["OutputLocation"])) == size


def test_the_input_has_the_content_type_of_its_object(endpoint: AsyncTestEndpoint) -> None:
    """SDK's AsyncPredictor names the type of the object and none in the request."""
    location, name = endpoint.put_input(b"[1]", "typed"), endpoint.name
    endpoint.s3.put_object(Bucket=name, Key="typed", Body=b"[1]", ContentType="text/plain")
    response = endpoint.runtime.invoke_endpoint_async(EndpointName=name, InputLocation=location)
    endpoint.receive_notifications("success", 1)
    assert endpoint.read_object(response["OutputLocation"]) == b"3", "three bytes, not JSON"


def test_an_invocation_that_takes_too_long_fails(sandbox: Sandbox, tmp_path: Path) -> None:
    endpoint = AsyncTestEndpoint(sandbox, "slow", environment={"FOLDER": str(tmp_path)})
    endpoint.invoke([0], InvocationTimeoutSeconds=1)
    [notification] = endpoint.receive_notifications("error", 1)
    assert "timed out" in notification["failureReason"]


def test_notifications_include_small_responses_on_request(sandbox: Sandbox) -> None:
    topics = ["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"]
    endpoint = AsyncTestEndpoint(
        sandbox, "telling", output={"NotificationConfig": {"IncludeInferenceResponseIn": topics}}
    )
    endpoint.invoke([1])
    endpoint.invoke("no number")
    endpoint.invoke(InputLocation=endpoint.put_input([1] * 100_000))
    by_size = {len(text): text for text in map(json.dumps, endpoint.receive_notifications("success", 2))}
    small, large = json.loads(by_size[max(by_size)]), json.loads(by_size[min(by_size)])
    assert base64.b64decode(small["responseBody"]["content"]) == b"[3]"
    assert small["responseBody"]["encoding"] == "BASE64"
    assert "responseBody" not in large
    [failure] = endpoint.receive_notifications("error", 1)
    assert base64.b64decode(failure["responseBody"]["content"]) == b"no number"


def test_responses_use_the_requested_key_and_file_name(sandbox: Sandbox) -> None:
    key = sandbox.client("kms").create_key()["KeyMetadata"]["KeyId"]
    endpoint = AsyncTestEndpoint(sandbox, "encrypted", output={"KmsKeyId": key})
    response = endpoint.invoke([1], Filename="answer.json", S3OutputPathExtension="of/today")
    assert response["OutputLocation"] == "s3://encrypted/out/of/today/answer.json"
    endpoint.receive_notifications("success", 1)
    stored = endpoint.s3.get_object(Bucket="encrypted", Key="out/of/today/answer.json")
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"].rpartition("/")[2]) == ("aws:kms", key)


def test_the_role_of_the_model_must_allow_every_access(sandbox: Sandbox) -> None:
    endpoint = AsyncTestEndpoint(sandbox, "allowed")

    def allow(*actions: str) -> None:
        make_service_role(sandbox, "sagemaker.amazonaws.com", *actions)

    allow("s3:PutObject", "sns:Publish")
    no_read = endpoint.invoke(InputLocation=endpoint.put_input([1]))
    [notification] = endpoint.receive_notifications("error", 1)
    assert notification["inferenceId"] == no_read["InferenceId"]
    assert notification["failureReason"].endswith(
        "User: arn:aws:sts::123456789012:assumed-role/for-sagemaker/SageMaker is not authorized to perform: "
        's3:GetObject on resource: "arn:aws:s3:::allowed/in" because no identity-based policy allows the s3:GetObject '
        "action"
    )
    allow("s3:GetObject", "sns:Publish")
    no_write = endpoint.invoke([1])
    [notification] = endpoint.receive_notifications("error", 1)
    assert notification["inferenceId"] == no_write["InferenceId"]
    assert "is not authorized to perform: s3:PutObject" in notification["failureReason"]
    allow("s3:GetObject", "s3:PutObject")
    no_publish = endpoint.invoke([1])
    wait_until(lambda: endpoint.get_metric("NotificationFailures") == [1])
    assert endpoint.read_object(no_publish["OutputLocation"]) == b"[3]"
    assert sum(endpoint.get_metric("InvocationsProcessed")) == 3
    allow("s3:*", "sns:Publish")


def test_faults_apply_to_uploads_and_notifications(endpoint: AsyncTestEndpoint) -> None:
    sandbox = endpoint.sandbox
    sandbox.fault("s3:PutObject", error="SlowDown", resource="tripling")
    failed = endpoint.invoke([1])
    [notification] = endpoint.receive_notifications("error", 1)
    assert (notification["inferenceId"], "SlowDown" in notification["failureReason"]) == (failed["InferenceId"], True)
    sandbox.fault("sns:Publish", error="InternalError")
    unannounced = endpoint.invoke([1])
    wait_until(lambda: endpoint.get_metric("NotificationFailures") == [1])
    assert endpoint.read_object(unannounced["OutputLocation"]) == b"[3]"
    assert endpoint.get_metric("ResponseUploadFailures") == [1]


def test_an_invalid_request_is_refused_with_the_message_of_the_runtime(endpoint: AsyncTestEndpoint) -> None:
    def get_message(**members: Any) -> str:
        request = {"EndpointName": "tripling"} | members
        code, message = catch_error(endpoint.runtime.invoke_endpoint_async, **request)
        assert code == "ValidationError"
        return message

    assert get_message(EndpointName="none", Body=b"1") == "Endpoint none of account 123456789012 not found."
    assert "Exactly one of Body and InputLocation" in get_message()
    assert "Exactly one of Body and InputLocation" in get_message(Body=b"1", InputLocation="s3://tripling/in")
    assert "at 'body' failed to satisfy constraint" in get_message(Body=b"1" * 128_001)
    assert "at 'requestTTLSeconds' failed to satisfy constraint" in get_message(Body=b"1", RequestTTLSeconds=21_601)
    assert "at 'invocationTimeoutSeconds' failed" in get_message(Body=b"1", InvocationTimeoutSeconds=3601)
    assert "at 'inputLocation' failed" in get_message(InputLocation="ftp://tripling/in")
    variant = {"VariantName": "main", "ModelName": "tripling"}
    serverless = variant | {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
    endpoint.sagemaker.create_endpoint_config(EndpointConfigName="at-once", ProductionVariants=[serverless])
    endpoint.sagemaker.create_endpoint(EndpointName="at-once", EndpointConfigName="at-once")
    endpoint.sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="at-once", WaiterConfig={"Delay": 0.2, "MaxAttempts": 4500}
    )
    assert "is not configured for asynchronous inference" in get_message(EndpointName="at-once", Body=b"1")
    code, message = catch_error(endpoint.runtime.invoke_endpoint, EndpointName="tripling", Body=b"1")
    assert (code, "InvokeEndpointAsync" in message) == ("ValidationError", True)


def test_a_restart_neither_loses_nor_repeats_a_request(tmp_path: Path) -> None:
    folder, state = tmp_path / "notes", tmp_path / "state"
    folder.mkdir()

    def count_started() -> int:
        return len(list(folder.glob("*.begun")))

    with Sandbox.start(state, log=tmp_path / "log") as sandbox:
        endpoint = AsyncTestEndpoint(sandbox, "kept", environment={"FOLDER": str(folder)})
        inference_ids = {endpoint.invoke([0])["InferenceId"] for _ in range(5)}
        wait_until(lambda: count_started() >= 1)
    started_before = count_started()
    with Sandbox.start(state, log=tmp_path / "log") as sandbox:
        wait_until(lambda: count_started() > started_before)
        os.kill(sandbox.pid, signal.SIGKILL)
    (folder / "go").touch()
    with Sandbox.start(state, log=tmp_path / "log") as sandbox:
        endpoint.__dict__.update(sandbox=sandbox, s3=sandbox.client("s3"), sqs=sandbox.client("sqs"))
        announced = [notification["inferenceId"] for notification in endpoint.receive_notifications("success", 5)]
        sandbox.advance(60)
        assert sorted(announced) == sorted(inference_ids)
        assert sorted(endpoint.list_keys("out")) == sorted(f"out/{inference_id}.out" for inference_id in inference_ids)
        assert endpoint.list_keys("failed") == []


@check_cases(
    ("request_members", "response", "failure"),
    [
        ({}, "s3://b/out/id.out", "s3://b/failed/id-error.out"),
        ({"Filename": "a.json"}, "s3://b/out/a.json", "s3://b/failed/a-error.json"),
        ({"S3OutputPathExtension": "/of/today/"}, "s3://b/out/of/today/id.out", "s3://b/failed/of/today/id-error.out"),
    ],
)
def test_output_locations_follow_from_the_endpoint_and_the_request(
    request_members: dict[str, str], response: str, failure: str
) -> None:
    assert locations.resolve_output_locations(
        {"S3OutputPath": "s3://b/out/", "S3FailurePath": "s3://b/failed"}, request_members, "id"
    ) == (
        response,
        failure,
    )
    assert locations.resolve_output_locations({"S3FailurePath": "s3://b/failed"}, request_members, "id") == (
        None,
        failure,
    )
