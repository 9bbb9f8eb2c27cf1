"""Batch transform jobs through the API."""

from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, refusal, tar, until
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
    """A job over one file, by a model whose environment it overrules."""
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=tar(code__inference_py=TIMES))
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


def test_a_job_is_told_from_its_start_to_its_end(
    sandbox: Sandbox, sagemaker: Any, s3: Any, bucket: str, job: dict[str, Any], fresh: Fresh
) -> None:
    queue = subscribe_states(sandbox, fresh("states"), "SageMaker Transform Job State Change")
    name = job["TransformJobName"]
    arn = sagemaker.create_transform_job(**job)["TransformJobArn"]
    assert arn == f"arn:aws:sagemaker:eu-north-1:123456789012:transform-job/{name}"
    assert refusal(sagemaker.create_transform_job, **job)[0] == "ResourceInUse"
    done = until(lambda: find_finished(sagemaker, name))
    assert done["TransformJobStatus"] == "Completed", done
    assert done["CreationTime"] <= done["TransformStartTime"] <= done["TransformEndTime"]
    assert done["DataProcessing"] == job["DataProcessing"]
    assert s3.get_object(Bucket=bucket, Key="out/numbers.csv.out")["Body"].read() == b"1,3\n2,6\n3,9\n"
    listed = sagemaker.list_transform_jobs(NameContains=name)["TransformJobSummaries"]
    assert [(one["TransformJobArn"], one["TransformJobStatus"]) for one in listed] == [(arn, "Completed")]

    def completed() -> bool:
        told = [(one["TransformJobArn"], one["TransformJobStatus"]) for one in receive_details(sandbox, queue)]
        return (arn, "Completed") in told

    until(completed)


def test_a_stopped_job_is_stopped_once_and_stores_nothing(
    sagemaker: Any, s3: Any, bucket: str, job: dict[str, Any]
) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="model.tar.gz",
        Body=tar(
            code__inference_py=TIMES.replace("    return int", "    import time; time.sleep(600)\n    return int")
        ),
    )
    name = job["TransformJobName"]
    sagemaker.create_transform_job(**job)
    until(lambda: "TransformStartTime" in sagemaker.describe_transform_job(TransformJobName=name))
    sagemaker.stop_transform_job(TransformJobName=name)
    assert until(lambda: find_finished(sagemaker, name), seconds=200)["TransformJobStatus"] == "Stopped"
    assert refusal(sagemaker.stop_transform_job, TransformJobName=name)[1] == (
        "The request was rejected because the transform job is in status Stopped."
    )
    assert s3.list_objects_v2(Bucket=bucket, Prefix="out/")["KeyCount"] == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ModelName": "none"}, "Could not find model"),
        ({"MaxConcurrentTransforms": 20}, "The value of MaxConcurrentTransforms * MaxPayloadInMB cannot exceed 100 MB"),
        ({"BatchStrategy": "MultiRecord", "TransformInput": {"SplitType": "None"}}, "BatchStrategy MultiRecord needs"),
    ],
    ids=["model", "payload", "strategy"],
)
def test_what_contradicts_itself_is_refused(sagemaker: Any, job: dict[str, Any], change: Any, why: str) -> None:
    for member, value in change.items():
        job[member] = {**job[member], **value} if isinstance(value, dict) else value
    code, message = refusal(sagemaker.create_transform_job, **job)
    assert (code, message[: len(why)]) == ("ValidationException", why)
