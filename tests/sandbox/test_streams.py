"""Answers in parts: they come as the script yields them, and an error on the way is told in the stream."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.hosting.streams import encode_events
from sagemaker_sandbox.runtime.container_invocation import InvocationTimeoutError, ModelError
from tests.sandbox.hosting_support import SERVERLESS, EndpointDeployer
from tests.sandbox.support import until

pytestmark = pytest.mark.slow

#: Yields a part for each word, and waits before one that is a path until it is there.
WORDS = """
import os, pathlib, time
def model_fn(model_dir): return None
def input_fn(data, content_type): return data.split()
def predict_fn(words, model): return words
def output_fn(words, accept):
    if "refuse" in words: raise ValueError("as asked")
    return told(words) if "whole" not in words else " ".join(words)
def told(words):
    for word in words:
        if word == "fail": raise ValueError("as asked")
        if word == "die": os.abort()
        if word == "pid": word = str(os.getpid())
        while word.startswith("/") and not pathlib.Path(word).exists(): time.sleep(0.02)
        yield word
"""


@pytest.fixture
def deploying(sandbox: Sandbox, bucket: str, fresh: Callable[[str], str]) -> EndpointDeployer:
    return EndpointDeployer(sandbox, bucket, fresh)


def invoke_stream(deploying: EndpointDeployer, endpoint: str, text: str) -> Any:
    asked = {"EndpointName": endpoint, "Body": text.encode(), "ContentType": "text/csv", "Accept": "text/plain"}
    return deploying.runtime.invoke_endpoint_with_response_stream(CustomAttributes="a", **asked)


def read_parts(answer: Any) -> list[str]:
    return [event["PayloadPart"]["Bytes"].decode() for event in answer["Body"]]


def test_parts_come_as_the_script_yields_them(deploying: EndpointDeployer, tmp_path: Path) -> None:
    endpoint, gate = deploying.deploy(deploying.create_container(WORDS)), tmp_path / "gate"
    answer = invoke_stream(deploying, endpoint, f"one two {gate} three")
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/plain", "main")
    events = iter(answer["Body"])
    assert [next(events)["PayloadPart"]["Bytes"] for _ in range(2)] == [b"one", b"two"]
    assert deploying.invoke(endpoint, "whole", ContentType="text/csv") == "whole"  # others are answered meanwhile
    gate.touch()
    assert [event["PayloadPart"]["Bytes"].decode() for event in events] == [str(gate), "three"]


def test_what_is_whole_is_one_part_and_what_is_in_parts_is_a_whole_for_who_asks_so(deploying: EndpointDeployer) -> None:
    endpoint = deploying.deploy(deploying.create_container(WORDS), variant=SERVERLESS)
    assert read_parts(invoke_stream(deploying, endpoint, "a whole answer")) == ["a whole answer"]
    assert deploying.invoke(endpoint, "in some parts", ContentType="text/csv") == "insomeparts"


def test_a_failure_is_an_error_before_the_first_part_and_an_event_after_it(deploying: EndpointDeployer) -> None:
    endpoint = deploying.deploy(deploying.create_container(WORDS))
    with pytest.raises(ClientError, match="ModelError") as refused:
        invoke_stream(deploying, endpoint, "refuse")
    told: Any = refused.value.response
    assert told["OriginalMessage"] == "as asked"
    for ending, message in (("fail", "as asked"), ("die", "exit code -6")):
        events = iter(invoke_stream(deploying, endpoint, f"one {ending}")["Body"])
        assert next(events)["PayloadPart"]["Bytes"] == b"one"
        with pytest.raises(EventStreamError, match=message) as failed:
            next(events)
        assert failed.value.response["Error"]["Code"] == "ModelStreamError"
    assert read_parts(invoke_stream(deploying, endpoint, "once more")) == ["once", "more"]


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (InvocationTimeoutError(), "ModelStreamError", {"ErrorCode": "ModelInvocationTimeExceeded"}),
        (ModelError(500, "as asked", ""), "ModelStreamError", {"ErrorCode": "StreamBroken", "Message": "as asked"}),
        (ZeroDivisionError("ours"), "InternalStreamFailure", {"Message": "ZeroDivisionError: ours"}),
    ],
)
def test_an_error_in_the_stream_says_whose_it_is(error: Exception, kind: str, told: dict[str, str]) -> None:
    def failing() -> Iterator[bytes]:
        yield b"one"
        raise error

    read: Any = EventStreamBuffer()
    for sent in encode_events(failing()):
        read.add_data(sent)
    first, last = read
    assert (first.headers[":event-type"], first.payload) == ("PayloadPart", b"one")
    assert (last.headers[":message-type"], last.headers[":exception-type"]) == ("exception", kind)
    assert json.loads(last.payload).items() >= told.items()


def test_a_client_that_goes_away_frees_the_worker(deploying: EndpointDeployer) -> None:
    one_at_once = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
    endpoint = deploying.deploy(deploying.create_container(WORDS), variant=one_at_once)
    answer = invoke_stream(deploying, endpoint, "one " * 100_000)
    assert next(iter(answer["Body"]))["PayloadPart"]["Bytes"] == b"one"
    with pytest.raises(ClientError, match="ThrottlingException"):
        deploying.invoke(endpoint, "two", ContentType="text/csv")
    answer["Body"].close()

    def answers() -> bool:
        try:
            return deploying.invoke(endpoint, "three", ContentType="text/csv") == "three"
        except ClientError:
            return False

    until(answers)
