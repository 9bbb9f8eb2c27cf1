"""Retries of clients that lost a response."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from werkzeug import Request, Response
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sagemaker_sandbox.base.retries import ResponseCache


def request(call: str, attempt: str) -> Request:
    headers = Headers([("amz-sdk-invocation-id", call), ("amz-sdk-request", attempt)])
    return EnvironBuilder(method="POST", headers=headers).get_request(Request)


def test_a_retry_gets_the_same_response_and_does_nothing_twice() -> None:
    cache, deletions = ResponseCache(), []

    def delete() -> Response:
        deletions.append("deleted")
        return Response(f"deleted {len(deletions)}")

    first = cache.respond_once(request("one", "attempt=1; max=3"), delete)
    assert cache.respond_once(request("one", "attempt=2; max=3"), delete).get_data() == first.get_data()
    assert cache.respond_once(request("two", "attempt=1"), delete).get_data() == b"deleted 2"
    assert deletions == ["deleted", "deleted"]


@pytest.mark.parametrize("status", [400, 500])
def test_a_retry_after_an_error_is_handled_again(status: int) -> None:
    cache, codes = ResponseCache(), [status, 200]
    assert cache.respond_once(request("one", "attempt=1"), lambda: Response(status=codes.pop(0))).status_code == status
    assert cache.respond_once(request("one", "attempt=2"), lambda: Response(status=codes.pop(0))).status_code == 200


def test_a_retry_waits_for_the_first_attempt() -> None:
    cache, deletions, may_end = ResponseCache(), [], threading.Event()

    def delete() -> Response:
        deletions.append("deleted")
        may_end.wait(60)
        return Response("gone", 200)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.respond_once, request("one", "attempt=1"), delete)
        while not deletions:
            time.sleep(0.001)
        second = pool.submit(cache.respond_once, request("one", "attempt=2"), delete)
        may_end.set()
        assert first.result(60) is second.result(60)
    assert deletions == ["deleted"]


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("kms", "create_alias", {"AliasName": "alias/one"}),  # JSON
        ("iam", "create_user", {"UserName": "retried"}),  # query
        (
            "s3",  # REST
            "create_bucket",
            {"Bucket": "retried", "CreateBucketConfiguration": {"LocationConstraint": "eu-north-1"}},
        ),
    ],
)
def test_a_creation_sent_twice_by_one_call_is_done_once(
    sandbox: Sandbox, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    def send_as_attempt(number: int) -> Any:
        client = make_client(service, "eu-north-1", sandbox.endpoint, retries={"total_max_attempts": 1})

        def set_attempt(request: Any, **_: Any) -> None:
            for name, value in {
                "amz-sdk-invocation-id": f"{service}-call",
                "amz-sdk-request": f"attempt={number}",
            }.items():
                del request.headers[name]
                request.headers[name] = value

        client.meta.events.register("before-send", set_attempt)
        return getattr(client, operation)(**parameters)

    if service == "kms":
        parameters = parameters | {"TargetKeyId": sandbox.client("kms").create_key()["KeyMetadata"]["KeyId"]}
    first, second = send_as_attempt(1), send_as_attempt(2)
    assert first.pop("ResponseMetadata")["HTTPStatusCode"] == second.pop("ResponseMetadata")["HTTPStatusCode"]
    assert first == second
    with pytest.raises(ClientError, match="already"):
        send_as_attempt(1)


def test_long_responses_are_not_cached() -> None:
    cache, bodies = ResponseCache(), [b"x" * 100_000, b"again"]
    assert len(cache.respond_once(request("one", "attempt=1"), lambda: Response(bodies.pop(0))).data) == 100_000
    assert cache.respond_once(request("one", "attempt=2"), lambda: Response(bodies.pop(0))).data == b"again"
