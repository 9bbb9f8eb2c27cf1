"""Streaming responses: parts arrive as the script yields them, and errors are events of the stream."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.endpoints.hosting.streams import encode_events
from sagemaker_sandbox.jobs.runtime.container_invocation import InvocationTimeoutError, ModelError
from tests.cases import check_cases
from tests.sandbox.hosting_support import SERVERLESS, EndpointDeployer
from tests.sandbox.support import wait_until

pytestmark = pytest.mark.slow

#: Model script: yields a part for each word, and waits for the file if the word is a path.
WORDS = """
import os, pathlib, time
def model_fn(model_dir): return None
def input_fn(data, content_type): return data.split()
def predict_fn(words, model): return words
def output_fn(words, accept):
    if "refuse" in words: raise ValueError("as requested")
    return yield_parts(words) if "whole" not in words else " ".join(words)
def yield_parts(words):
    for word in words:
        if word == "fail": raise ValueError("as requested")
        if word == "die": os.abort()
        if word == "pid": word = str(os.getpid())
        while word.startswith("/") and not pathlib.Path(word).exists(): time.sleep(0.02)
        yield word
"""


@pytest.fixture
def deployer(sandbox: Sandbox, bucket: str, fresh: Callable[[str], str]) -> EndpointDeployer:
    return EndpointDeployer(sandbox, bucket, fresh)


def invoke_stream(deployer: EndpointDeployer, endpoint: str, text: str) -> Any:
    request = {"EndpointName": endpoint, "Body": text.encode(), "ContentType": "text/csv", "Accept": "text/plain"}
    return deployer.runtime.invoke_endpoint_with_response_stream(CustomAttributes="a", **request)


def read_parts(response: Any) -> list[str]:
    return [event["PayloadPart"]["Bytes"].decode() for event in response["Body"]]


def test_parts_arrive_as_the_script_yields_them(deployer: EndpointDeployer, tmp_path: Path) -> None:
    endpoint, gate = deployer.deploy(deployer.create_container(WORDS)), tmp_path / "gate"
    response = invoke_stream(deployer, endpoint, f"one two {gate} three")
    assert (response["ContentType"], response["InvokedProductionVariant"]) == ("text/plain", "main")
    events = iter(response["Body"])
    assert [next(events)["PayloadPart"]["Bytes"] for _ in range(2)] == [b"one", b"two"]
    assert (
        deployer.invoke(endpoint, "whole", ContentType="text/csv") == "whole"
    )  # other requests are answered meanwhile
    gate.touch()
    assert [event["PayloadPart"]["Bytes"].decode() for event in events] == [str(gate), "three"]


def test_whole_responses_are_one_part_and_parts_are_joined_without_streaming(deployer: EndpointDeployer) -> None:
    endpoint = deployer.deploy(deployer.create_container(WORDS), variant=SERVERLESS)
    assert read_parts(invoke_stream(deployer, endpoint, "a whole answer")) == ["a whole answer"]
    assert deployer.invoke(endpoint, "in some parts", ContentType="text/csv") == "insomeparts"


def test_an_error_is_an_event_once_the_first_part_was_sent(deployer: EndpointDeployer) -> None:
    endpoint = deployer.deploy(deployer.create_container(WORDS))
    with pytest.raises(ClientError, match="ModelError") as error:
        invoke_stream(deployer, endpoint, "refuse")
    response: Any = error.value.response
    assert response["OriginalMessage"] == "as requested"
    for ending, message in (("fail", "as requested"), ("die", "exit code -6")):
        events = iter(invoke_stream(deployer, endpoint, f"one {ending}")["Body"])
        assert next(events)["PayloadPart"]["Bytes"] == b"one"
        with pytest.raises(EventStreamError, match=message) as stream_error:
            next(events)
        assert stream_error.value.response["Error"]["Code"] == "ModelStreamError"
    assert read_parts(invoke_stream(deployer, endpoint, "once more")) == ["once", "more"]


@check_cases(
    ("error", "kind", "payload"),
    [
        (InvocationTimeoutError(), "ModelStreamError", {"ErrorCode": "ModelInvocationTimeExceeded"}),
        (
            ModelError(500, "as requested", ""),
            "ModelStreamError",
            {"ErrorCode": "StreamBroken", "Message": "as requested"},
        ),
        (ZeroDivisionError("ours"), "InternalStreamFailure", {"Message": "ZeroDivisionError: ours"}),
    ],
)
def test_a_stream_error_names_its_origin(error: Exception, kind: str, payload: dict[str, str]) -> None:
    def yield_and_fail() -> Iterator[bytes]:
        yield b"one"
        raise error

    events: Any = EventStreamBuffer()
    for chunk in encode_events(yield_and_fail()):
        events.add_data(chunk)
    first, last = events
    assert (first.headers[":event-type"], first.payload) == ("PayloadPart", b"one")
    assert (last.headers[":message-type"], last.headers[":exception-type"]) == ("exception", kind)
    assert json.loads(last.payload).items() >= payload.items()


def test_a_disconnected_client_frees_the_worker(deployer: EndpointDeployer) -> None:
    single_worker = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
    endpoint = deployer.deploy(deployer.create_container(WORDS), variant=single_worker)
    response = invoke_stream(deployer, endpoint, "one " * 100_000)
    assert next(iter(response["Body"]))["PayloadPart"]["Bytes"] == b"one"
    with pytest.raises(ClientError, match="ThrottlingException"):
        deployer.invoke(endpoint, "two", ContentType="text/csv")
    response["Body"].close()

    def is_answered() -> bool:
        try:
            return deployer.invoke(endpoint, "three", ContentType="text/csv") == "three"
        except ClientError:
            return False

    wait_until(is_answered)
