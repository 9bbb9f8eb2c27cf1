"""Connections: requests by AWS's host names reach the sandbox, and web pages do not."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from sagemaker_sandbox import Sandbox
from tests.cases import check_cases
from tests.sandbox.sdk import sdk_environment as sdk_environment
from tests.sandbox.support import IMAGE, ROLE

#: Asks AWS by host name, as clients with an `endpoint_url` of their own do, and other hosts.
BY_HOST_NAME = """
import boto3, json, sys, urllib.request
from botocore.config import Config

def create(service, host, **config):
    return boto3.client(service, endpoint_url=f"https://{host}", config=Config(**config))

def fetch(url):
    try:
        with urllib.request.urlopen(url) as response:
            return response.read().decode()
    except OSError as error:
        return error.read().decode() if hasattr(error, "read") else str(error)

bucket = sys.argv[1]
virtual = create("s3", "s3.eu-north-1.amazonaws.com", s3={"addressing_style": "virtual"})
virtual.put_object(Bucket=bucket, Key="a b/c", Body=b"by host name")
print(json.dumps({
    "account": create("sts", "sts.cn-north-1.amazonaws.com.cn").get_caller_identity()["Account"],
    "endpoints": create("sagemaker", "sagemaker.eu-north-1.api.aws").list_endpoints()["Endpoints"] is not None,
    "object": create("s3", "s3.amazonaws.com").get_object(Bucket=bucket, Key="a b/c")["Body"].read().decode(),
    "keys": [one["Key"] for one in virtual.list_objects_v2(Bucket=bucket)["Contents"]],
    "presigned": fetch(virtual.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/c"})),
    "telemetry": fetch("https://sm-pysdk-t-eu-north-1.s3.eu-north-1.amazonaws.com/telemetry?x-accountId=1"),
    "foreign": [fetch(f"{scheme}://pypi.example/simple") for scheme in ("https", "http")],
}))
"""


@pytest.mark.slow
def test_a_program_reaches_the_sandbox_by_the_host_names_of_aws_and_no_other_host(
    sandbox: Sandbox, bucket: str
) -> None:
    process = subprocess.run(
        [sys.executable, "-c", BY_HOST_NAME, bucket],
        env=sandbox.process_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    results = json.loads(process.stdout)
    assert "<Code>NoSuchBucket</Code>" in results.pop("telemetry")
    for message in results.pop("foreign"):
        assert "pypi.example is not a host of AWS, and no request leaves this computer" in message
    assert results == {
        "account": "123456789012",
        "endpoints": True,
        "object": "by host name",
        "keys": ["a b/c"],
        "presigned": "by host name",
    }


@pytest.mark.slow
@pytest.mark.usefixtures("sdk_environment")
def test_the_sdk_finds_its_default_bucket_through_the_host_name_of_sts(sandbox: Sandbox) -> None:
    from sagemaker.core.helper.session_helper import Session

    with sandbox.record_calls() as calls:
        name = Session().default_bucket()
    assert name in sandbox.inventory()["s3"]["bucket"]
    assert "GetCallerIdentity" in {call["operation"] for call in calls}


def send(sandbox: Sandbox, operation: str, headers: Mapping[str, str], **members: Any) -> tuple[int, str]:
    """Send a request of SageMaker with these headers, and return its status and body."""
    url = urlsplit(sandbox.endpoint)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=60)
    try:
        connection.request(
            "POST",
            "/",
            body=json.dumps(members),
            headers={"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1", **headers},
        )
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@check_cases(
    ("headers", "message"),
    [
        ({"Host": "evil.example"}, "evil.example is not a host of AWS"),
        ({"Host": "127.0.0.1.evil.example:80"}, "127.0.0.1.evil.example is not a host of AWS"),
        ({"Host": "s3.amazonaws.com.evil.example"}, "s3.amazonaws.com.evil.example is not a host of AWS"),
        ({"Host": "evilamazonaws.com"}, "evilamazonaws.com is not a host of AWS"),
        ({"Host": "10.0.0.1"}, "10.0.0.1 is not a host of AWS"),
        ({"Host": ""}, "is not a host of AWS"),
        ({"Host": "[::1"}, "is not a host of AWS"),
        ({"Origin": "https://evil.example"}, "a web page of https://evil.example sent this request"),
        ({"Origin": "https://page.s3-website.eu-north-1.amazonaws.com"}, "sent this request"),
        ({"Origin": "https://localhost.evil.example"}, "sent this request"),
        ({"Origin": "null"}, "sent this request"),
        ({"Sec-Fetch-Site": "cross-site"}, "a foreign web page sent this request"),
        ({"Host": "localhost"}, None),
        ({"Host": "LOCALHOST:8000"}, None),
        ({"Host": "[::1]:8000"}, None),
        ({"Host": "127.0.0.2"}, None),
        ({"Host": "api.sagemaker.eu-north-1.amazonaws.com"}, None),
        ({"Origin": "http://localhost:8888"}, None),
        ({"Origin": "http://127.0.0.1:8888", "Sec-Fetch-Site": "cross-site"}, None),
        ({"Sec-Fetch-Site": "same-origin"}, None),
    ],
)
def test_only_host_names_of_this_machine_and_of_aws_are_accepted(
    sandbox: Sandbox, headers: Mapping[str, str], message: str | None
) -> None:
    status, body = send(sandbox, "ListTrainingJobs", headers)
    assert status == (200 if message is None else 403)
    assert (message or "TrainingJobSummaries") in body


def test_a_web_page_cannot_start_a_job_or_remove_everything(
    sandbox: Sandbox, sagemaker: Any, bucket: str, fresh: Callable[[str], str]
) -> None:
    name = fresh("rebound")
    job = {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    }
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert send(sandbox, "CreateProcessingJob", headers, **job)[0] == 403
    assert sagemaker.list_processing_jobs(NameContains=name)["ProcessingJobSummaries"] == []
    url = urlsplit(sandbox.endpoint)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=60)
    connection.request("POST", "/moto-api/reset", headers={"Origin": "https://evil.example"})
    assert connection.getresponse().status == 403
    connection.close()
    assert bucket in sandbox.inventory()["s3"]["bucket"]
