"""Batch transform jobs through the API."""

from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, catch_error, create_tar, wait_until
from tests.sandbox.test_processing_jobs import receive_details, subscribe_states

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]

TIMES = """
import os
def model_fn(folder):
    return int(os.environ["FACTOR"])
def transform_fn(model, data, content_type, accept):
    return "\\n".join(str(model * int(line)) for line in data.split()), accept
"""


@pytest.fixture
def job(sagemaker: Any, s3: Any, bucket: str, fresh: Fresh) -> dict[str, Any]:
    """Return the request of a job over one file, which overrides the environment of its model."""
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=create_tar(code__inference_py=TIMES))
    s3.put_object(Bucket=bucket, Key="in/numbers.csv", Body=b"1\n2\n3\n")
    name = fresh("times")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz", "Environment": {"FACTOR": "2"}}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in"}}
    return {
        "TransformJobName": fresh("transform"),
        "ModelName": name,
        "TransformInput": {"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": f"s3://{bucket}/out", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "DataProcessing": {"JoinSource": "Input"},
        "Environment": {"FACTOR": "3"},
    }


def find_finished(sagemaker: Any, name: str) -> Any:
    described = sagemaker.describe_transform_job(TransformJobName=name)
    return described if described["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None


def test_a_job_is_described_from_start_to_end(
    sandbox: Sandbox, sagemaker: Any, s3: Any, bucket: str, job: dict[str, Any], fresh: Fresh
) -> None:
    queue = subscribe_states(sandbox, fresh("states"), "SageMaker Transform Job State Change")
    name = job["TransformJobName"]
    arn = sagemaker.create_transform_job(**job)["TransformJobArn"]
    assert arn == f"arn:aws:sagemaker:eu-north-1:123456789012:transform-job/{name}"
    assert catch_error(sagemaker.create_transform_job, **job)[0] == "ResourceInUse"
    description = wait_until(lambda: find_finished(sagemaker, name))
    assert description["TransformJobStatus"] == "Completed", description
    assert description["CreationTime"] <= description["TransformStartTime"] <= description["TransformEndTime"]
    assert description["DataProcessing"] == job["DataProcessing"]
    assert s3.get_object(Bucket=bucket, Key="out/numbers.csv.out")["Body"].read() == b"1,3\n2,6\n3,9\n"
    summaries = sagemaker.list_transform_jobs(NameContains=name)["TransformJobSummaries"]
    assert [(summary["TransformJobArn"], summary["TransformJobStatus"]) for summary in summaries] == [
        (arn, "Completed")
    ]

    def is_completed() -> bool:
        states = [
            (summary["TransformJobArn"], summary["TransformJobStatus"]) for summary in receive_details(sandbox, queue)
        ]
        return (arn, "Completed") in states

    wait_until(is_completed)


def test_a_job_can_be_stopped_only_once_and_then_has_no_output(
    sagemaker: Any, s3: Any, bucket: str, job: dict[str, Any]
) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="model.tar.gz",
        Body=create_tar(
            code__inference_py=TIMES.replace("    return int", "    import time; time.sleep(600)\n    return int")
        ),
    )
    name = job["TransformJobName"]
    sagemaker.create_transform_job(**job)
    wait_until(lambda: "TransformStartTime" in sagemaker.describe_transform_job(TransformJobName=name))
    sagemaker.stop_transform_job(TransformJobName=name)
    assert wait_until(lambda: find_finished(sagemaker, name))["TransformJobStatus"] == "Stopped"
    assert catch_error(sagemaker.stop_transform_job, TransformJobName=name)[1] == (
        "The request was rejected because the transform job is in status Stopped."
    )
    assert s3.list_objects_v2(Bucket=bucket, Prefix="out/")["KeyCount"] == 0


@pytest.mark.parametrize(
    ("change", "expected_message"),
    [
        ({"ModelName": "none"}, "Could not find model"),
        ({"MaxConcurrentTransforms": 20}, "The value of MaxConcurrentTransforms * MaxPayloadInMB cannot exceed 100 MB"),
        ({"BatchStrategy": "MultiRecord", "TransformInput": {"SplitType": "None"}}, "BatchStrategy MultiRecord needs"),
    ],
    ids=["model", "payload", "strategy"],
)
def test_an_inconsistent_request_is_refused(
    sagemaker: Any, job: dict[str, Any], change: Any, expected_message: str
) -> None:
    for member, value in change.items():
        job[member] = {**job[member], **value} if isinstance(value, dict) else value
    code, message = catch_error(sagemaker.create_transform_job, **job)
    assert (code, message[: len(expected_message)]) == ("ValidationException", expected_message)
