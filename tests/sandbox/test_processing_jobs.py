"""Processing jobs through the API: descriptions during and after the run, and EventBridge events."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, catch_error, subscribe_queue, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]


@pytest.fixture
def job(bucket: str, fresh: Fresh) -> dict[str, Any]:
    """Return the request of a job with one output and an exit message."""
    script = "echo 1 > /opt/ml/processing/out/one; echo fine > /opt/ml/output/message"
    target = {"S3Uri": f"s3://{bucket}/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingJobName": fresh("processing"),
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c"], "ContainerArguments": [script]},
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": target}]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "Tags": [{"Key": "owner", "Value": "us"}],
    }


def find_finished(sagemaker: Any, name: str) -> Any:
    described = sagemaker.describe_processing_job(ProcessingJobName=name)
    return described if described["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped") else None


def test_a_job_is_described_from_start_to_end(sagemaker: Any, s3: Any, bucket: str, job: dict[str, Any]) -> None:
    name = job["ProcessingJobName"]
    arn = sagemaker.create_processing_job(**job)["ProcessingJobArn"]
    assert arn == f"arn:aws:sagemaker:eu-north-1:123456789012:processing-job/{name}"
    assert catch_error(sagemaker.create_processing_job, **job) == (
        "ResourceInUse",
        "Processing job names must be unique within an AWS account and region, and a processing job with this name "
        f"already exists ({arn})",
    )
    description = wait_until(lambda: find_finished(sagemaker, name))
    assert (description["ProcessingJobStatus"], description["ExitMessage"]) == ("Completed", "fine\n")
    assert description["CreationTime"] <= description["ProcessingStartTime"] <= description["ProcessingEndTime"]
    assert description["AppSpecification"] == job["AppSpecification"]
    assert s3.get_object(Bucket=bucket, Key="out/one")["Body"].read() == b"1\n"
    summaries = sagemaker.list_processing_jobs(NameContains=name, StatusEquals="Completed")["ProcessingJobSummaries"]
    assert [(summary["ProcessingJobArn"], summary["ProcessingJobStatus"]) for summary in summaries] == [
        (arn, "Completed")
    ]
    assert sagemaker.list_processing_jobs(NameContains=name, StatusEquals="Failed")["ProcessingJobSummaries"] == []
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == job["Tags"]
    assert catch_error(sagemaker.stop_processing_job, ProcessingJobName=name)[1] == (
        "The request was rejected because the processing job is in status Completed."
    )
    sagemaker.delete_processing_job(ProcessingJobName=name)
    assert catch_error(sagemaker.describe_processing_job, ProcessingJobName=name) == (
        "ValidationException",
        f"Could not find requested job with name: {name}",
    )


def test_the_states_of_a_stopped_job_are_published_to_eventbridge(
    sandbox: Sandbox, sagemaker: Any, job: dict[str, Any], fresh: Fresh
) -> None:
    queue = subscribe_states(sandbox, fresh("states"), "SageMaker Processing Job State Change")
    job["AppSpecification"]["ContainerArguments"] = ["while :; do sleep 0.05; done"]
    name = job["ProcessingJobName"]
    sagemaker.create_processing_job(**job)
    wait_until(lambda: "ProcessingStartTime" in sagemaker.describe_processing_job(ProcessingJobName=name))
    assert catch_error(sagemaker.delete_processing_job, ProcessingJobName=name)[0] == "ResourceInUse"
    sagemaker.stop_processing_job(ProcessingJobName=name)
    stopping = sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"]
    assert stopping in ("Stopping", "Stopped")
    assert wait_until(lambda: find_finished(sagemaker, name))["ProcessingJobStatus"] == "Stopped"
    details: list[dict[str, Any]] = []

    def is_stopped() -> bool:
        details.extend(detail for detail in receive_details(sandbox, queue) if detail["ProcessingJobName"] == name)
        return "Stopped" in [detail["ProcessingJobStatus"] for detail in details]

    wait_until(is_stopped)


@pytest.mark.parametrize(
    ("change", "expected_message"),
    [
        ({"ProcessingInputs": [{"InputName": "a"}]}, "Input a must have exactly one of S3Input and DatasetDefinition."),
        (
            {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "a"}, {"OutputName": "a"}]}},
            "Output names of a processing job must be unique.",
        ),
        ({"RoleArn": "arn:aws:iam::123456789012:role/none"}, "Could not assume role"),
    ],
    ids=["input", "output", "role"],
)
def test_an_inconsistent_request_is_refused(
    sagemaker: Any, job: dict[str, Any], change: Any, expected_message: str
) -> None:
    code, message = catch_error(sagemaker.create_processing_job, **job | change)
    assert (code, message[: len(expected_message)]) == ("ValidationException", expected_message)


def subscribe_states(sandbox: Sandbox, name: str, detail_type: str) -> str:
    """Create a queue that receives these events, and return its URL."""
    return subscribe_queue(sandbox, name, {"source": ["aws.sagemaker"], "detail-type": [detail_type]})


def receive_details(sandbox: Sandbox, url: str) -> list[dict[str, Any]]:
    """Return the details of the new events."""
    messages = sandbox.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"])["detail"] for message in messages]
