"""Data capture: what endpoints were asked and answered is in S3, as documented, when somebody looks."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.hosting_support import REAL_TIME, EndpointDeployer
from tests.sandbox.support import ROLE, make_role, refusal, until

pytestmark = pytest.mark.slow

ECHO = """
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept):
    if content_type == "text/parts": return iter(data.split()), content_type
    return data, content_type
"""
#: Folders by the hour, and files of lines by the minute.
_NAME = r"(?P<folder>.*)/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl"


@pytest.fixture
def deploying(sandbox: Sandbox, bucket: str, fresh: Callable[[str], str]) -> EndpointDeployer:
    return EndpointDeployer(sandbox, bucket, fresh)


def build_capture_config(bucket: str, *modes: str, **members: Any) -> dict[str, Any]:
    return {
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{bucket}/captured/",
            "CaptureOptions": [{"CaptureMode": mode} for mode in modes],
            **members,
        }
    }


def read_records(s3: Any, bucket: str, folder: str) -> Iterator[dict[str, Any]]:
    """The records under a folder, by file."""
    for one in s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/").get("Contents", []):
        name = re.fullmatch(_NAME, one["Key"])
        assert name is not None, one["Key"]
        assert name["folder"] == folder
        lines = s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read().decode().splitlines()
        yield from map(json.loads, lines)


def test_what_was_asked_and_answered_is_there_when_somebody_looks(deploying: EndpointDeployer) -> None:
    types = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}
    config = build_capture_config(deploying.bucket, "Input", "Output", CaptureContentTypeHeader=types)
    endpoint = deploying.deploy(deploying.create_container(ECHO), config=config)
    deploying.invoke(endpoint, "1,2", ContentType="text/csv; charset=utf-8", InferenceId="i-1", CustomAttributes="a=b")
    deploying.invoke(endpoint, "[1]", ContentType="application/json")
    deploying.invoke(endpoint, b"\0", ContentType="image/png")
    asked = {"EndpointName": endpoint, "Body": b"a b c", "ContentType": "text/parts"}
    for event in deploying.runtime.invoke_endpoint_with_response_stream(**asked)["Body"]:
        assert "PayloadPart" in event

    def side(mode: str, content_type: str, encoding: str, data: str) -> dict[str, str]:
        return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}

    folder = f"captured/{endpoint}/main"
    records = until(lambda: len(found := list(read_records(deploying.s3, deploying.bucket, folder))) == 4 and found)
    for record, content_type, encoding, data in zip(
        records,
        ("text/csv; charset=utf-8", "application/json", "image/png", "text/parts"),
        ("CSV", "JSON", "BASE64", "BASE64"),
        ("1,2", "[1]", base64.b64encode(b"\0").decode(), base64.b64encode(b"a b c").decode()),
        strict=True,
    ):
        assert record["eventVersion"] == "0"
        assert record["captureData"]["endpointInput"] == side("INPUT", content_type, encoding, data)
        if content_type != "text/parts":
            assert record["captureData"]["endpointOutput"] == side("OUTPUT", content_type, encoding, data)
    assert records[3]["captureData"]["endpointOutput"]["data"] == base64.b64encode(b"abc").decode()
    metadata = records[0]["eventMetadata"]
    assert (metadata["inferenceId"], metadata["customAttributes"]) == ("i-1", ["a=b"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["inferenceTime"])
    assert len({record["eventMetadata"]["eventId"] for record in records}) == 4


def test_one_side_alone_or_nothing_is_captured_where_the_configuration_says_so(
    sandbox: Sandbox, deploying: EndpointDeployer
) -> None:
    container, bucket = deploying.create_container(ECHO), deploying.bucket
    key = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    inputs = deploying.deploy(container, config=build_capture_config(bucket, "Input", KmsKeyId=key))
    never = deploying.deploy(container, config=build_capture_config(bucket, "Input", InitialSamplingPercentage=0))
    off = deploying.deploy(container, config=build_capture_config(bucket, "Input", EnableCapture=False))
    for endpoint in (inputs, never, off):
        deploying.invoke(endpoint, "1", ContentType="text/csv")
    [record] = read_records(deploying.s3, bucket, f"captured/{inputs}/main")
    assert list(record["captureData"]) == ["endpointInput"]
    [file] = deploying.s3.list_objects_v2(Bucket=bucket, Prefix="captured/")["Contents"]
    described = deploying.s3.head_object(Bucket=bucket, Key=file["Key"])
    assert (described["ServerSideEncryption"], described["SSEKMSKeyId"]) == ("aws:kms", key)


def test_a_part_of_the_requests_is_captured(deploying: EndpointDeployer) -> None:
    config = build_capture_config(deploying.bucket, "Input", InitialSamplingPercentage=50)
    endpoint = deploying.deploy(deploying.create_container(ECHO), config=config)
    for _ in range(100):
        deploying.invoke(endpoint, "1", ContentType="text/csv")
    found = len(list(read_records(deploying.s3, deploying.bucket, f"captured/{endpoint}/main")))
    assert 20 <= found <= 80  # beyond it comes once in a thousand million runs


def test_what_cannot_be_captured_keeps_nobody_from_asking_or_looking(
    deploying: EndpointDeployer, fresh: Callable[[str], str]
) -> None:
    gone = fresh("gone")
    where = {"CreateBucketConfiguration": {"LocationConstraint": "eu-north-1"}}
    deploying.s3.create_bucket(Bucket=gone, **where)
    endpoint = deploying.deploy(deploying.create_container(ECHO), config=build_capture_config(gone, "Input"))
    deploying.s3.delete_bucket(Bucket=gone)
    for _ in range(2):
        assert deploying.invoke(endpoint, "1", ContentType="text/csv") == "1"
        assert refusal(deploying.s3.list_objects_v2, Bucket=gone)[0] == "NoSuchBucket"
    deploying.s3.create_bucket(Bucket=gone, **where)
    assert list(read_records(deploying.s3, gone, f"captured/{endpoint}/main")) == []


def test_what_a_shadow_variant_answers_is_captured_beside(deploying: EndpointDeployer) -> None:
    name = deploying.fresh("shadow")
    shadow = deploying.create_container("def model_fn(_): pass\ndef transform_fn(*_): return 'shadow', 'text/plain'\n")
    deploying.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=shadow)
    config = build_capture_config(deploying.bucket, "Output") | {
        "ShadowProductionVariants": [
            {"VariantName": "shadow", "ModelName": name, "InitialVariantWeight": 1, **REAL_TIME}
        ]
    }
    endpoint = deploying.deploy(deploying.create_container(ECHO), config=config)
    assert deploying.invoke(endpoint, "1", ContentType="text/csv") == "1"

    def said(variant: str) -> list[bytes]:
        records = read_records(deploying.s3, deploying.bucket, f"captured/{endpoint}/{variant}")
        return [base64.b64decode(record["captureData"]["endpointOutput"]["data"]) for record in records]

    until(lambda: said("shadow") == [b"shadow"])
    assert said("main") == [b"1"]


def test_files_are_written_each_minute_without_being_looked_for(fresh: Callable[[str], str]) -> None:
    with Sandbox.start() as sandbox:
        make_role(sandbox)
        s3 = sandbox.client("s3")
        s3.create_bucket(Bucket="own", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        deploying = EndpointDeployer(sandbox, "own", fresh)
        endpoint = deploying.deploy(deploying.create_container(ECHO), config=build_capture_config("own", "Input"))
        for seconds in (60, 60, 3600):
            deploying.invoke(endpoint, "1", ContentType="text/csv")
            sandbox.advance(seconds)
        files = [one["Key"] for one in s3.list_objects_v2(Bucket="own", Prefix="captured/")["Contents"]]
        assert len(files) == 3
        deploying.invoke(endpoint, "2", ContentType="text/csv")
        deploying.sagemaker.delete_endpoint(EndpointName=endpoint)
        until(lambda: len(list(read_records(s3, "own", f"captured/{endpoint}/main"))) == 4)
