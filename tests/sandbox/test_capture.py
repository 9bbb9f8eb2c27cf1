"""Data capture: requests and responses of endpoints are in S3, in the documented format."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.hosting_support import REAL_TIME, EndpointDeployer
from tests.sandbox.support import ROLE, catch_error, make_role, wait_until

pytestmark = pytest.mark.slow

ECHO = """
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept):
    if content_type == "text/parts": return iter(data.split()), content_type
    return data, content_type
"""
#: Keys of captured files: a folder for each hour.
_KEY_PATTERN = r"(?P<folder>.*)/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl"


@pytest.fixture
def deployer(sandbox: Sandbox, bucket: str, fresh: Callable[[str], str]) -> EndpointDeployer:
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
    """Yield the records under a folder, by file."""
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/").get("Contents", []):
        match = re.fullmatch(_KEY_PATTERN, entry["Key"])
        assert match is not None, entry["Key"]
        assert match["folder"] == folder
        lines = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode().splitlines()
        yield from map(json.loads, lines)


def test_requests_and_responses_are_captured(deployer: EndpointDeployer) -> None:
    types = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}
    config = build_capture_config(deployer.bucket, "Input", "Output", CaptureContentTypeHeader=types)
    endpoint = deployer.deploy(deployer.create_container(ECHO), config=config)
    deployer.invoke(endpoint, "1,2", ContentType="text/csv; charset=utf-8", InferenceId="i-1", CustomAttributes="a=b")
    deployer.invoke(endpoint, "[1]", ContentType="application/json")
    deployer.invoke(endpoint, b"\0", ContentType="image/png")
    request = {"EndpointName": endpoint, "Body": b"a b c", "ContentType": "text/parts"}
    for event in deployer.runtime.invoke_endpoint_with_response_stream(**request)["Body"]:
        assert "PayloadPart" in event

    def build_side(mode: str, content_type: str, encoding: str, data: str) -> dict[str, str]:
        return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}

    folder = f"captured/{endpoint}/main"
    records = wait_until(
        lambda: len(records_so_far := list(read_records(deployer.s3, deployer.bucket, folder))) == 4 and records_so_far
    )
    for record, content_type, encoding, data in zip(
        records,
        ("text/csv; charset=utf-8", "application/json", "image/png", "text/parts"),
        ("CSV", "JSON", "BASE64", "BASE64"),
        ("1,2", "[1]", base64.b64encode(b"\0").decode(), base64.b64encode(b"a b c").decode()),
        strict=True,
    ):
        assert record["eventVersion"] == "0"
        assert record["captureData"]["endpointInput"] == build_side("INPUT", content_type, encoding, data)
        if content_type != "text/parts":
            assert record["captureData"]["endpointOutput"] == build_side("OUTPUT", content_type, encoding, data)
    assert records[3]["captureData"]["endpointOutput"]["data"] == base64.b64encode(b"abc").decode()
    metadata = records[0]["eventMetadata"]
    assert (metadata["inferenceId"], metadata["customAttributes"]) == ("i-1", ["a=b"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["inferenceTime"])
    assert len({record["eventMetadata"]["eventId"] for record in records}) == 4


def test_the_configuration_selects_the_captured_sides(sandbox: Sandbox, deployer: EndpointDeployer) -> None:
    container, bucket = deployer.create_container(ECHO), deployer.bucket
    key = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    input_only = deployer.deploy(container, config=build_capture_config(bucket, "Input", KmsKeyId=key))
    unsampled = deployer.deploy(container, config=build_capture_config(bucket, "Input", InitialSamplingPercentage=0))
    disabled = deployer.deploy(container, config=build_capture_config(bucket, "Input", EnableCapture=False))
    for endpoint in (input_only, unsampled, disabled):
        deployer.invoke(endpoint, "1", ContentType="text/csv")
    [record] = read_records(deployer.s3, bucket, f"captured/{input_only}/main")
    assert list(record["captureData"]) == ["endpointInput"]
    [file] = deployer.s3.list_objects_v2(Bucket=bucket, Prefix="captured/")["Contents"]
    head = deployer.s3.head_object(Bucket=bucket, Key=file["Key"])
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_the_sampling_percentage_limits_the_captured_requests(deployer: EndpointDeployer) -> None:
    config = build_capture_config(deployer.bucket, "Input", InitialSamplingPercentage=50)
    endpoint = deployer.deploy(deployer.create_container(ECHO), config=config)
    for _ in range(100):
        deployer.invoke(endpoint, "1", ContentType="text/csv")
    count = len(list(read_records(deployer.s3, deployer.bucket, f"captured/{endpoint}/main")))
    assert 20 <= count <= 80  # outside this range about once in 10^9 runs


def test_a_failed_capture_fails_neither_the_request_nor_the_listing(
    deployer: EndpointDeployer, fresh: Callable[[str], str]
) -> None:
    missing_bucket = fresh("gone")
    location = {"CreateBucketConfiguration": {"LocationConstraint": "eu-north-1"}}
    deployer.s3.create_bucket(Bucket=missing_bucket, **location)
    endpoint = deployer.deploy(deployer.create_container(ECHO), config=build_capture_config(missing_bucket, "Input"))
    deployer.s3.delete_bucket(Bucket=missing_bucket)
    for _ in range(2):
        assert deployer.invoke(endpoint, "1", ContentType="text/csv") == "1"
        assert catch_error(deployer.s3.list_objects_v2, Bucket=missing_bucket)[0] == "NoSuchBucket"
    deployer.s3.create_bucket(Bucket=missing_bucket, **location)
    assert list(read_records(deployer.s3, missing_bucket, f"captured/{endpoint}/main")) == []


def test_responses_of_a_shadow_variant_are_captured_separately(deployer: EndpointDeployer) -> None:
    name = deployer.fresh("shadow")
    shadow = deployer.create_container("def model_fn(_): pass\ndef transform_fn(*_): return 'shadow', 'text/plain'\n")
    deployer.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=shadow)
    config = build_capture_config(deployer.bucket, "Output") | {
        "ShadowProductionVariants": [
            {"VariantName": "shadow", "ModelName": name, "InitialVariantWeight": 1, **REAL_TIME}
        ]
    }
    endpoint = deployer.deploy(deployer.create_container(ECHO), config=config)
    assert deployer.invoke(endpoint, "1", ContentType="text/csv") == "1"

    def list_outputs(variant: str) -> list[bytes]:
        records = read_records(deployer.s3, deployer.bucket, f"captured/{endpoint}/{variant}")
        return [base64.b64decode(record["captureData"]["endpointOutput"]["data"]) for record in records]

    wait_until(lambda: list_outputs("shadow") == [b"shadow"])
    assert list_outputs("main") == [b"1"]


def test_files_are_written_each_minute(fresh: Callable[[str], str]) -> None:
    with Sandbox.start() as sandbox:
        make_role(sandbox)
        s3 = sandbox.client("s3")
        s3.create_bucket(Bucket="own", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        deployer = EndpointDeployer(sandbox, "own", fresh)
        endpoint = deployer.deploy(deployer.create_container(ECHO), config=build_capture_config("own", "Input"))
        for seconds in (60, 60, 3600):
            deployer.invoke(endpoint, "1", ContentType="text/csv")
            sandbox.advance(seconds)
        files = [entry["Key"] for entry in s3.list_objects_v2(Bucket="own", Prefix="captured/")["Contents"]]
        assert len(files) == 3
        deployer.invoke(endpoint, "2", ContentType="text/csv")
        deployer.sagemaker.delete_endpoint(EndpointName=endpoint)
        wait_until(lambda: len(list(read_records(s3, "own", f"captured/{endpoint}/main"))) == 4)
