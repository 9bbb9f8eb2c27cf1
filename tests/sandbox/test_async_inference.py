"""Asynchronous endpoints: a queue for each, answers and failures in S3 and to topics, and what CloudWatch is told."""

import base64
import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.asynchronous import locations
from tests.sandbox.support import IMAGE, let_be_called, make_queue, next_minute, refusal, tar, until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]

#: Triples; fails on a text, and with a folder to notes in it when each request begins and ends, and waits for `go`.
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
DIMENSIONS = [("EndpointName",), ("EndpointName", "VariantName")]
OF_VARIANTS = {
    "InvocationFailures",
    "InvocationsProcessed",
    "RequestDownloadFailures",
    "RequestDownloadLatency",
    "ResponseUploadLatency",
    "TimeInBacklog",
    "TotalProcessingTime",
}
OF_ENDPOINTS = {
    "ApproximateAgeOfOldestRequest",
    "ApproximateBacklogSize",
    "ApproximateBacklogSizePerInstance",
    "HasBacklogWithoutCapacity",
}
#: What every endpoint tells of its requests.
OF_EVERY = {"Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One of their own, as they move the time."""
    with Sandbox.start(log=tmp_path_factory.mktemp("sandbox") / "log") as running:
        yield running


@pytest.fixture(scope="module")
def s3(sandbox: Sandbox) -> Any:
    return sandbox.client("s3")


class AsyncEndpoint:
    """An asynchronous endpoint with a bucket of the same name, and queues that hear its notices."""

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
        self.s3.put_object(Bucket=name, Key="model.tar.gz", Body=tar(code__inference_py=MODEL))
        self.topics = {kind: self._topic(f"{name}-{kind}") for kind in ("success", "error")}
        self._queues = {kind: f"{name}-{kind}" for kind in self.topics}
        container = {
            "Image": IMAGE,
            "ModelDataUrl": f"s3://{name}/model.tar.gz",
            "Environment": environment or {},
        }
        role = let_be_called(sandbox, "sagemaker.amazonaws.com", "s3:*", "sns:Publish")
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
        self.configure(name, instances, output, client)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.wait_in_service()

    def _topic(self, name: str) -> str:
        sns = self.sandbox.client("sns")
        topic = str(sns.create_topic(Name=name)["TopicArn"])
        _, queue = make_queue(self.sandbox, name, "sns.amazonaws.com")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
        return topic

    def configure(
        self, config: str, instances: int = 1, output: dict[str, Any] | None = None, client: Any = None
    ) -> None:
        output = output or {}
        notices = {"SuccessTopic": self.topics["success"], "ErrorTopic": self.topics["error"]}
        notices |= output.get("NotificationConfig", {})
        places = {"S3OutputPath": f"s3://{self.name}/out", "S3FailurePath": f"s3://{self.name}/failed/"}
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
                "OutputConfig": places | output | {"NotificationConfig": notices},
                "ClientConfig": client or {},
            },
        )

    def wait_in_service(self) -> None:
        described = until(
            lambda: (
                (found := self.sagemaker.describe_endpoint(EndpointName=self.name))["EndpointStatus"]
                not in ("Creating", "Updating")
                and found
            )
        )
        assert described["EndpointStatus"] == "InService", described

    def scale(self, count: int) -> None:
        wanted = [{"VariantName": "main", "DesiredInstanceCount": count}]
        self.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=self.name, DesiredWeightsAndCapacities=wanted
        )

    def put_input(self, body: Any, key: str = "in") -> str:
        self.s3.put_object(Bucket=self.name, Key=key, Body=body if isinstance(body, bytes) else json.dumps(body))
        return f"s3://{self.name}/{key}"

    def invoke(self, asked: Any = None, **members: Any) -> dict[str, Any]:
        """The answer of InvokeEndpointAsync, for an input in the request where none is named."""
        if "InputLocation" not in members:
            members["Body"] = json.dumps(asked).encode()
        answer = self.runtime.invoke_endpoint_async(
            EndpointName=self.name, **{"ContentType": "application/json"} | members
        )
        assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 202
        return dict(answer)

    def receive_notifications(self, kind: str, count: int) -> list[dict[str, Any]]:
        """The next notices, once there are as many."""
        url = self.sqs.get_queue_url(QueueName=self._queues[kind])["QueueUrl"]
        found: list[dict[str, Any]] = []

        def look() -> bool:
            got = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            for message in got:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.extend(json.loads(message["Body"]) for message in got)
            return len(found) >= count and not got

        until(look)
        return found

    def read_object(self, uri: str) -> bytes:
        assert uri.startswith(f"s3://{self.name}/")
        return bytes(self.s3.get_object(Bucket=self.name, Key=uri.split("/", 3)[3])["Body"].read())

    def list_keys(self, prefix: str) -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])]

    def read_data_log(self) -> list[str]:
        logs, group = self.sandbox.client("logs"), f"/aws/sagemaker/Endpoints/{self.name}"
        streams = [one["logStreamName"] for one in logs.describe_log_streams(logGroupName=group)["logStreams"]]
        [stream] = [name for name in streams if name.startswith("main/i-") and name.endswith("/data-log")] or [None]
        events = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"] if stream else []
        return [event["message"] for event in events]

    def get_metric(self, name: str, statistic: str = "Sum", *, variant: str | None = "main") -> list[float]:
        """A value for each minute that has one, the oldest first."""
        dimensions = [{"Name": "EndpointName", "Value": self.name}]
        dimensions += [{"Name": "VariantName", "Value": variant}] if variant else []
        now = self.sandbox.advance(0)
        found = self.sandbox.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=name,
            Dimensions=dimensions,
            StartTime=now - timedelta(hours=12),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=[statistic],
        )["Datapoints"]
        return [point[statistic] for point in sorted(found, key=lambda point: point["Timestamp"])]


@pytest.fixture(scope="module")
def tripling(sandbox: Sandbox) -> AsyncEndpoint:
    return AsyncEndpoint(sandbox, "tripling")


def test_an_answer_is_in_s3_and_the_topic_is_told(tripling: AsyncEndpoint) -> None:
    uri = tripling.put_input([1, 2])
    asked = tripling.invoke(InputLocation=uri, InferenceId="one", Accept="application/json", CustomAttributes="a=b")
    assert asked == {
        "InferenceId": "one",
        "OutputLocation": "s3://tripling/out/one.out",
        "FailureLocation": "s3://tripling/failed/one-error.out",
    }
    [notice] = tripling.receive_notifications("success", 1)
    assert datetime.fromisoformat(notice.pop("receivedTime")) <= datetime.fromisoformat(notice.pop("eventTime"))
    assert notice == {
        "awsRegion": "eu-north-1",
        "invocationStatus": "Completed",
        "requestParameters": {
            "accept": "application/json",
            "contentType": "application/json",
            "customAttributes": "a=b",
            "endpointName": "tripling",
            "inputLocation": uri,
        },
        "responseParameters": {"contentType": "application/json", "outputLocation": asked["OutputLocation"]},
        "inferenceId": "one",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    assert tripling.read_object(asked["OutputLocation"]) == b"[3, 6]"
    assert tripling.list_keys("failed/one-error.out") == []


def test_what_fails_is_told_to_the_other_topic_and_not_tried_again(tripling: AsyncEndpoint) -> None:
    unfit, missing = tripling.invoke("no number"), tripling.invoke(InputLocation="s3://tripling/none")
    notices = {notice["inferenceId"]: notice for notice in tripling.receive_notifications("error", 2)}
    assert len(notices) == 2
    of_model, of_input = notices[unfit["InferenceId"]], notices[missing["InferenceId"]]
    assert of_model["invocationStatus"] == of_input["invocationStatus"] == "Failed"
    assert of_model["failureReason"] == (
        "ClientError: Received server error (500) from model. See the SageMaker Endpoint logs in your account for more "
        "information."
    )
    assert tripling.read_object(unfit["FailureLocation"]) == b"no number"
    said = f'[{unfit["InferenceId"]}] Received server error (500) from primary with message "no number"'
    until(lambda: any(line.endswith(said) for line in tripling.read_data_log()))
    assert "s3://tripling/none: NoSuchKey (404)" in of_input["failureReason"]
    assert "responseParameters" not in of_model
    assert tripling.read_object(missing["FailureLocation"]).decode() == of_input["failureReason"]


def test_of_a_minute_cloudwatch_is_told_what_is_documented_and_no_more(sandbox: Sandbox) -> None:
    endpoint = AsyncEndpoint(sandbox, "measured")
    next_minute(sandbox)
    endpoint.invoke([1])
    endpoint.invoke("no number")
    endpoint.invoke(InputLocation="s3://measured/none")
    endpoint.invoke(InputLocation=endpoint.put_input([2]))
    sandbox.advance(60)
    listed = sandbox.client("cloudwatch").list_metrics(
        Namespace="AWS/SageMaker", Dimensions=[{"Name": "EndpointName", "Value": "measured"}]
    )["Metrics"]
    told = {(one["MetricName"], *sorted(dimension["Name"] for dimension in one["Dimensions"])) for one in listed}
    of_variants = {(name, "EndpointName", "VariantName") for name in OF_VARIANTS | OF_EVERY}
    assert told == of_variants | {(name, "EndpointName") for name in OF_ENDPOINTS}
    assert endpoint.get_metric("InvocationsProcessed") == [4]
    assert endpoint.get_metric("InvocationFailures") == [2]
    assert endpoint.get_metric("RequestDownloadFailures") == [1]
    assert endpoint.get_metric("TimeInBacklog", "SampleCount") == [4]
    assert endpoint.get_metric("ResponseUploadLatency", "SampleCount") == [2]
    [longest] = endpoint.get_metric("TotalProcessingTime", "Maximum")
    assert 0 < longest < 60_000
    assert endpoint.get_metric("Invocation5XXErrors") == [1]
    assert endpoint.get_metric("ApproximateBacklogSize", "Average", variant=None)[-1] == 0


def test_without_an_instance_requests_wait_until_there_is_one(sandbox: Sandbox) -> None:
    endpoint = AsyncEndpoint(sandbox, "asleep")
    endpoint.scale(0)
    endpoint.wait_in_service()
    next_minute(sandbox)
    asked = [endpoint.invoke([number]) for number in range(3)]
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
    assert {notice["inferenceId"] for notice in endpoint.receive_notifications("success", 3)} == {
        one["InferenceId"] for one in asked
    }
    sandbox.advance(60)
    for name in OF_ENDPOINTS:
        assert endpoint.get_metric(name, "Average", variant=None)[-1] == 0, name


def test_a_request_that_waits_longer_than_it_may_expires_by_the_sandbox_s_time(sandbox: Sandbox) -> None:
    endpoint = AsyncEndpoint(sandbox, "expiring")
    endpoint.scale(0)
    endpoint.wait_in_service()
    short, usual = endpoint.invoke([1], RequestTTLSeconds=60), endpoint.invoke([2])
    sandbox.advance(30)
    assert endpoint.list_keys("failed") == []
    sandbox.advance(30)
    [notice] = endpoint.receive_notifications("error", 1)
    assert (notice["inferenceId"], notice["invocationStatus"]) == (short["InferenceId"], "Failed")
    assert "expired" in notice["failureReason"]
    assert endpoint.get_metric("ExpiredRequests") == [1]
    sandbox.advance(6 * 3600)
    assert [notice["inferenceId"] for notice in endpoint.receive_notifications("error", 1)] == [usual["InferenceId"]]
    endpoint.scale(1)
    endpoint.wait_in_service()
    sandbox.advance(0)
    assert endpoint.list_keys("out") == []


def test_an_instance_has_no_more_requests_under_way_than_it_may(sandbox: Sandbox, tmp_path: Path) -> None:
    endpoint = AsyncEndpoint(
        sandbox,
        "bounded",
        instances=2,
        environment={"FOLDER": str(tmp_path)},
        MaxConcurrentInvocationsPerInstance=1,
    )
    for _ in range(8):
        endpoint.invoke([0.1])
    until(lambda: len(list(tmp_path.glob("*.begun"))) == 2)
    (tmp_path / "go").touch()
    endpoint.receive_notifications("success", 8)
    spans = [tuple(map(float, path.read_text().split())) for path in tmp_path.glob("*.ended")]
    assert len(spans) == 8
    assert max(sum(begun <= at < ended for begun, ended in spans) for at, _ in spans) == 2


def test_a_request_under_way_is_answered_by_an_instance_that_goes_and_by_a_model_that_is_replaced(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    endpoint = AsyncEndpoint(sandbox, "leaving", environment={"FOLDER": str(tmp_path)})

    def begun() -> int:
        return len(list(tmp_path.glob("*.begun")))

    first = endpoint.invoke([0])
    until(lambda: begun() == 1)
    endpoint.configure("leaving-2")
    endpoint.sagemaker.update_endpoint(EndpointName="leaving", EndpointConfigName="leaving-2")
    until(lambda: endpoint.sagemaker.describe_endpoint(EndpointName="leaving")["EndpointStatus"] == "Updating")
    (tmp_path / "go").touch()
    assert [notice["inferenceId"] for notice in endpoint.receive_notifications("success", 1)] == [first["InferenceId"]]
    endpoint.wait_in_service()

    (tmp_path / "go").unlink()
    second = endpoint.invoke([0])
    until(lambda: begun() == 2)
    endpoint.scale(0)
    third = endpoint.invoke([0])
    (tmp_path / "go").touch()
    assert [notice["inferenceId"] for notice in endpoint.receive_notifications("success", 1)] == [second["InferenceId"]]
    endpoint.wait_in_service()
    endpoint.scale(1)
    assert [notice["inferenceId"] for notice in endpoint.receive_notifications("success", 1)] == [third["InferenceId"]]
    assert begun() == 3


def test_what_waits_goes_with_its_endpoint(sandbox: Sandbox) -> None:
    endpoint = AsyncEndpoint(sandbox, "deleted")
    endpoint.invoke("no number")
    until(endpoint.read_data_log)
    endpoint.scale(0)
    endpoint.wait_in_service()
    endpoint.invoke([1])
    endpoint.sagemaker.delete_endpoint(EndpointName="deleted")
    until(lambda: "deleted" not in str(endpoint.sagemaker.list_endpoints(NameContains="deleted")["Endpoints"]))
    assert refusal(endpoint.invoke, asked=[2]) == (
        "ValidationError",
        "Endpoint deleted of account 123456789012 not found.",
    )
    sandbox.client("logs").delete_log_group(logGroupName="/aws/sagemaker/Endpoints/deleted")
    endpoint.sagemaker.create_endpoint(EndpointName="deleted", EndpointConfigName="deleted")
    endpoint.wait_in_service()
    after = endpoint.invoke([2])
    assert [notice["inferenceId"] for notice in endpoint.receive_notifications("success", 1)] == [after["InferenceId"]]
    assert endpoint.read_data_log() == []
    endpoint.invoke("no number")
    until(endpoint.read_data_log)


def test_a_large_input_is_read_from_s3(tripling: AsyncEndpoint) -> None:
    size = 40 * 1024 * 1024
    asked = tripling.invoke(
        InputLocation=tripling.put_input(b"x" * size, "large"),
        ContentType="application/octet-stream",
        InferenceId="large",
    )
    tripling.receive_notifications("success", 1)
    assert json.loads(tripling.read_object(asked["OutputLocation"])) == size


def test_an_invocation_that_takes_too_long_fails(sandbox: Sandbox, tmp_path: Path) -> None:
    endpoint = AsyncEndpoint(sandbox, "slow", environment={"FOLDER": str(tmp_path)})
    endpoint.invoke([0], InvocationTimeoutSeconds=1)
    [notice] = endpoint.receive_notifications("error", 1)
    assert "timed out" in notice["failureReason"]


def test_answers_are_in_notices_where_that_is_asked_and_they_are_small(sandbox: Sandbox) -> None:
    both = ["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"]
    endpoint = AsyncEndpoint(sandbox, "telling", output={"NotificationConfig": {"IncludeInferenceResponseIn": both}})
    endpoint.invoke([1])
    endpoint.invoke("no number")
    endpoint.invoke(InputLocation=endpoint.put_input([1] * 100_000))
    answered = {len(one): one for one in map(json.dumps, endpoint.receive_notifications("success", 2))}
    small, large = json.loads(answered[max(answered)]), json.loads(answered[min(answered)])
    assert base64.b64decode(small["responseBody"]["content"]) == b"[3]"
    assert small["responseBody"]["encoding"] == "BASE64"
    assert "responseBody" not in large
    [failed] = endpoint.receive_notifications("error", 1)
    assert base64.b64decode(failed["responseBody"]["content"]) == b"no number"


def test_answers_are_encrypted_with_the_key_and_called_as_asked(sandbox: Sandbox) -> None:
    key = sandbox.client("kms").create_key()["KeyMetadata"]["KeyId"]
    endpoint = AsyncEndpoint(sandbox, "encrypted", output={"KmsKeyId": key})
    asked = endpoint.invoke([1], Filename="answer.json", S3OutputPathExtension="of/today")
    assert asked["OutputLocation"] == "s3://encrypted/out/of/today/answer.json"
    endpoint.receive_notifications("success", 1)
    found = endpoint.s3.get_object(Bucket="encrypted", Key="out/of/today/answer.json")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"].rpartition("/")[2]) == ("aws:kms", key)


def test_the_role_of_the_model_has_to_allow_all_of_it(sandbox: Sandbox) -> None:
    endpoint = AsyncEndpoint(sandbox, "allowed")

    def allow(*actions: str) -> None:
        let_be_called(sandbox, "sagemaker.amazonaws.com", *actions)

    allow("s3:PutObject", "sns:Publish")
    unread = endpoint.invoke(InputLocation=endpoint.put_input([1]))
    [notice] = endpoint.receive_notifications("error", 1)
    assert notice["inferenceId"] == unread["InferenceId"]
    assert notice["failureReason"].endswith(
        "User: arn:aws:sts::123456789012:assumed-role/for-sagemaker/SageMaker is not authorized to perform: "
        's3:GetObject on resource: "arn:aws:s3:::allowed/in" because no identity-based policy allows the s3:GetObject '
        "action"
    )
    allow("s3:GetObject", "sns:Publish")
    unwritten = endpoint.invoke([1])
    [notice] = endpoint.receive_notifications("error", 1)
    assert notice["inferenceId"] == unwritten["InferenceId"]
    assert "is not authorized to perform: s3:PutObject" in notice["failureReason"]
    allow("s3:GetObject", "s3:PutObject")
    untold = endpoint.invoke([1])
    until(lambda: endpoint.get_metric("NotificationFailures") == [1])
    assert endpoint.read_object(untold["OutputLocation"]) == b"[3]"
    assert sum(endpoint.get_metric("InvocationsProcessed")) == 3
    allow("s3:*", "sns:Publish")


def test_faults_meet_what_is_written_and_published(tripling: AsyncEndpoint) -> None:
    sandbox = tripling.sandbox
    sandbox.fault("s3:PutObject", error="SlowDown", resource="tripling")
    lost = tripling.invoke([1])
    [notice] = tripling.receive_notifications("error", 1)
    assert (notice["inferenceId"], "SlowDown" in notice["failureReason"]) == (lost["InferenceId"], True)
    sandbox.fault("sns:Publish", error="InternalError")
    quiet = tripling.invoke([1])
    until(lambda: tripling.get_metric("NotificationFailures") == [1])
    assert tripling.read_object(quiet["OutputLocation"]) == b"[3]"
    assert tripling.get_metric("ResponseUploadFailures") == [1]


def test_a_request_is_refused_in_the_runtime_s_words(tripling: AsyncEndpoint) -> None:
    def why(**members: Any) -> str:
        request = {"EndpointName": "tripling"} | members
        code, message = refusal(tripling.runtime.invoke_endpoint_async, **request)
        assert code == "ValidationError"
        return message

    assert why(EndpointName="none", Body=b"1") == "Endpoint none of account 123456789012 not found."
    assert "Exactly one of Body and InputLocation" in why()
    assert "Exactly one of Body and InputLocation" in why(Body=b"1", InputLocation="s3://tripling/in")
    assert "at 'body' failed to satisfy constraint" in why(Body=b"1" * 128_001)
    assert "at 'requestTTLSeconds' failed to satisfy constraint" in why(Body=b"1", RequestTTLSeconds=21_601)
    assert "at 'invocationTimeoutSeconds' failed" in why(Body=b"1", InvocationTimeoutSeconds=3601)
    assert "at 'inputLocation' failed" in why(InputLocation="ftp://tripling/in")
    variant = {"VariantName": "main", "ModelName": "tripling"}
    serverless = variant | {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
    tripling.sagemaker.create_endpoint_config(EndpointConfigName="at-once", ProductionVariants=[serverless])
    tripling.sagemaker.create_endpoint(EndpointName="at-once", EndpointConfigName="at-once")
    tripling.sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="at-once", WaiterConfig={"Delay": 0.2, "MaxAttempts": 600}
    )
    assert "is not configured for asynchronous inference" in why(EndpointName="at-once", Body=b"1")
    code, message = refusal(tripling.runtime.invoke_endpoint, EndpointName="tripling", Body=b"1")
    assert (code, "InvokeEndpointAsync" in message) == ("ValidationError", True)


def test_a_restart_in_the_middle_loses_nothing_and_answers_nothing_twice(tmp_path: Path) -> None:
    folder, state = tmp_path / "notes", tmp_path / "state"
    folder.mkdir()

    def begun() -> int:
        return len(list(folder.glob("*.begun")))

    with Sandbox.start(state, log=tmp_path / "log") as sandbox:
        endpoint = AsyncEndpoint(sandbox, "kept", environment={"FOLDER": str(folder)})
        asked = {endpoint.invoke([0])["InferenceId"] for _ in range(5)}
        until(lambda: begun() >= 1)
    before = begun()
    with Sandbox.start(state, log=tmp_path / "log") as sandbox:
        until(lambda: begun() > before)
        os.kill(sandbox.pid, signal.SIGKILL)
    (folder / "go").touch()
    with Sandbox.start(state, log=tmp_path / "log") as sandbox:
        endpoint.__dict__.update(sandbox=sandbox, s3=sandbox.client("s3"), sqs=sandbox.client("sqs"))
        told = [notice["inferenceId"] for notice in endpoint.receive_notifications("success", 5)]
        sandbox.advance(60)
        assert sorted(told) == sorted(asked)
        assert sorted(endpoint.list_keys("out")) == sorted(f"out/{inference_id}.out" for inference_id in asked)
        assert endpoint.list_keys("failed") == []


@pytest.mark.parametrize(
    ("asked", "answer", "failure"),
    [
        ({}, "s3://b/out/id.out", "s3://b/failed/id-error.out"),
        ({"Filename": "a.json"}, "s3://b/out/a.json", "s3://b/failed/a-error.json"),
        ({"S3OutputPathExtension": "/of/today/"}, "s3://b/out/of/today/id.out", "s3://b/failed/of/today/id-error.out"),
    ],
)
def test_places_follow_from_the_endpoint_and_the_request(asked: dict[str, str], answer: str, failure: str) -> None:
    assert locations.resolve_output_locations(
        {"S3OutputPath": "s3://b/out/", "S3FailurePath": "s3://b/failed"}, asked, "id"
    ) == (
        answer,
        failure,
    )
    assert locations.resolve_output_locations({"S3FailurePath": "s3://b/failed"}, asked, "id") == (None, failure)
