"""Malformed requests are refused with AWS's codes, and never with an error that a client retries."""

import json
import random
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import ROLE, wait_until

REQUESTS = 1_000
NESTED = '{"a":' * 5_000 + "1" + "}" * 5_000
S3_PUT = "PUT /bucket/key HTTP/1.1"
CBOR_CALL = """POST /service/GraniteServiceVersion20100801/operation/ListMetrics HTTP/1.1\r
smithy-protocol: rpc-v2-cbor\r
Authorization: AWS4-HMAC-SHA256 Credential=k/20260101/eu-north-1/monitoring/aws4_request"""
LISTED = "[" * 100_000


class RawRequest(NamedTuple):
    """One HTTP request."""

    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="session")
def group(sandbox: Sandbox) -> str:
    """Create a feature group, which receives invalid records."""
    sagemaker, name = sandbox.client("sagemaker"), "malformed"
    sagemaker.create_feature_group(
        FeatureGroupName=name,
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        RoleArn=ROLE,
        FeatureDefinitions=[
            {"FeatureName": "id", "FeatureType": "String"},
            {"FeatureName": "at", "FeatureType": "Fractional"},
        ],
        OnlineStoreConfig={"EnableOnlineStore": True},
    )
    wait_until(lambda: sagemaker.describe_feature_group(FeatureGroupName=name)["FeatureGroupStatus"] == "Created")
    return name


@pytest.mark.slow
def test_malformed_requests_over_all_protocols_are_refused_with_aws_codes(sandbox: Sandbox, group: str) -> None:
    generator = random.Random(7)  # noqa: S311 no secret
    for _ in range(REQUESTS):
        raw_request = generator.choice(PROTOCOLS)(generator, group)
        status, code = get_error(sandbox, raw_request)
        assert 400 <= status < 500, (raw_request, status, code)
        assert re.fullmatch(r"[A-Za-z.]+", code), (raw_request, status, code)
        assert code not in ("NotImplemented", "InternalFailure"), (raw_request, status, code)


def control_plane(chance: random.Random, _group: str) -> RawRequest:
    target = chance.choice(["CreateModel", "CreateTrainingJob", "ListModels", "Search", "CreateExperiment", "AddTags"])
    bodies = [
        build_non_object(chance, {"ModelName": "m"}),
        build_wrong_types(chance, ["ModelName", "MaxResults", "Tags", "Resource"]),
    ]
    target = chance.choice([target] * 5 + ["NoSuchOperation", ""])
    return RawRequest(
        "sagemaker", "POST", "/", {"X-Amz-Target": f"SageMaker.{target}", **json11()}, chance.choice(bodies)
    )


@pytest.mark.slow
def test_a_query_of_ec2_is_refused_in_the_form_of_ec2(sandbox: Sandbox) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, body, _ = send_raw(sandbox, RawRequest("ec2", "POST", "/", form, b"Action=NoSuchAction"))
    assert status == 400
    assert re.search(r"<Response[^>]*><Errors><Error><Code>InvalidAction</Code>", body)


def times(chance: random.Random, _group: str) -> RawRequest:
    bad = chance.choice(["yesterday", "2024-13-45T00:00:00Z", "", "1e999", "T", "2024-01-01T"])
    body = json.dumps({"CreationTimeAfter": bad, "NameContains": "x"}).encode()
    return RawRequest("sagemaker", "POST", "/", {"X-Amz-Target": "SageMaker.ListModels", **json11()}, body)


def record(chance: random.Random, group: str) -> RawRequest:
    identifier, moment = ({"FeatureName": "id", "ValueAsString": "1"}, {"FeatureName": "at", "ValueAsString": "1"})
    no_moment = moment | {"ValueAsString": chance.choice(["1e300", "nan", "-inf", "x", "", "9" * 400])}
    half_a_character = identifier | {"ValueAsString": "\ud800"}
    bad: dict[str, Any] = chance.choice(
        [
            {"Record": [identifier, no_moment]},
            {"Record": [half_a_character, moment]},
            {"Record": [identifier, moment], "TtlDuration": {"Unit": "Weeks", "Value": 2**31 - 1}},
        ]
    )
    body = chance.choice(
        [json.dumps(bad).encode(), build_non_object(chance, bad), build_wrong_types(chance, ["Record"])]
    )
    return RawRequest("sagemaker", "PUT", f"/FeatureGroup/{group}", {"Content-Type": "application/json"}, body)


def invocation(chance: random.Random, _group: str) -> RawRequest:
    name, kind = chance.choice(["none", "%ff"]), chance.choice(["invocations", "async-invocations"])
    headers = {"Content-Type": "application/json"}
    return RawRequest("sagemaker", "POST", f"/endpoints/{name}/{kind}", headers, chance.randbytes(20))


def json_of_moto(chance: random.Random, _group: str) -> RawRequest:
    service, target = chance.choice(
        [
            ("kms", "TrentService.CreateAlias"),
            ("logs", "Logs_20140328.CreateLogGroup"),
            ("ssm", "AmazonSSM.PutParameter"),
            ("events", "AWSEvents.PutRule"),
        ]
    )
    target = chance.choice([target, target, f"{target}ButNot"])
    return RawRequest(
        service, "POST", "/", {"X-Amz-Target": target, **json11()}, build_non_object(chance, {"Name": "n"})
    )


def query(chance: random.Random, _group: str) -> RawRequest:
    body = chance.choice([b"", b"Action=NoSuchAction", b"Action=", b"\xff\xfe", b"Action=GetRole", chance.randbytes(9)])
    return RawRequest("iam", "POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, body)


def xml(chance: random.Random, _group: str) -> RawRequest:
    body = chance.choice([b"<", b"<A><B></A>", b"text", chance.randbytes(30), b"<A>" * 1000])
    subresource = chance.choice(["tagging", "lifecycle", "versioning", "encryption", "cors"])
    return RawRequest(
        "s3", "PUT", f"/no-such-bucket-{chance.random()}?{subresource}", {"Content-Type": "application/xml"}, body
    )


def cbor(chance: random.Random, _group: str) -> RawRequest:
    operation = chance.choice(["DescribeAlarms", "PutMetricAlarm", "PutMetricData", "NoSuchOperation"])
    path = f"/service/GraniteServiceVersion20100801/operation/{operation}"
    body = chance.choice([b"\xa1", b"{}", b"\xa0\xa0", b"\xa1" * 10_000, b"\xa3" + chance.randbytes(20), b"\x80"])
    return RawRequest("monitoring", "POST", path, {"smithy-protocol": "rpc-v2-cbor"}, body)


PROTOCOLS = [control_plane, times, record, invocation, json_of_moto, query, xml, cbor]


def json11() -> dict[str, str]:
    return {"Content-Type": "application/x-amz-json-1.1"}


def build_non_object(chance: random.Random, fields: dict[str, Any]) -> bytes:
    """Return a body that is not a JSON object."""
    text = json.dumps(fields)
    cut = text[: chance.randrange(1, len(text) - 1)]
    return chance.choice([cut, NESTED[: len(NESTED) // 2], LISTED, "[]", "1", "{]", "\x00", '"x"', "{'a': 1}"]).encode()


def build_wrong_types(chance: random.Random, members: list[str]) -> bytes:
    """Return a body with a member of a wrong type, and missing members."""
    value = chance.choice([{}, [[[]]], 10**40, 1.5, True, json.loads(NESTED[: 5 * 400] + "1" + "}" * 400)])
    return json.dumps(dict.fromkeys(members, value)).encode()


def send_raw(sandbox: Sandbox, raw_request: RawRequest) -> tuple[int, str, str]:
    """Return status, body, and error code in the header of the response."""
    url = urlsplit(sandbox.endpoint)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=60)
    scope = f"AWS4-HMAC-SHA256 Credential=k/20260101/eu-north-1/{raw_request.service}/aws4_request"
    signed = {"Authorization": f"{scope}, SignedHeaders=host, Signature=0"}
    connection.request(raw_request.method, raw_request.path, raw_request.body, raw_request.headers | signed)
    response = connection.getresponse()
    body = response.read().decode(errors="replace")
    connection.close()
    return response.status, body, response.getheader("x-amzn-ErrorType", "")


def get_error(sandbox: Sandbox, raw_request: RawRequest) -> tuple[int, str]:
    """Return status and error code."""
    status, body, in_header = send_raw(sandbox, raw_request)
    in_body = re.search(r'"(?:__type|code)":\s*"([^"]*)"|<Code>([^<]*)</Code>', body, re.IGNORECASE)
    code: str = (in_body[1] or in_body[2]) if in_body else in_header
    return status, code.rpartition("#")[2]


@pytest.fixture
def short_timeout_port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Yield the port of a sandbox with a short timeout, in seconds."""
    server = [sys.executable, "-m", "sagemaker_sandbox.server.server", "--until-stdin-closes"]
    patience = ["--silence-seconds", request.param]
    with subprocess.Popen([*server, *patience], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield urlsplit(json.loads(process.stdout.readline())["endpoint"]).port or 0
        process.stdin.close()  # type: ignore[union-attr]  # it is a pipe


@pytest.mark.slow
@pytest.mark.parametrize(
    ("short_timeout_port", "ends", "code"),
    [("3", False, "RequestTimeout"), ("60", True, "IncompleteBody")],
    indirect=["short_timeout_port"],
)
def test_an_incomplete_request_gets_a_response(short_timeout_port: int, ends: bool, code: str) -> None:
    for start, words in ((S3_PUT, f"<Code>{code}</Code>"), (CBOR_CALL, f"#{code}")):
        with socket.create_connection(("127.0.0.1", short_timeout_port), timeout=60) as connection:
            connection.sendall(f"{start}\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nhalf".encode())
            if ends:
                connection.shutdown(socket.SHUT_WR)
            response = b"".join(iter(lambda: connection.recv(4096), b"")).decode(errors="replace")
        assert response.startswith("HTTP/1.1 400 ")
        assert words in response
        assert ("smithy-protocol: rpc-v2-cbor" in response) == (start == CBOR_CALL)
