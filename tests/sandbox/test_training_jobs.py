"""Training jobs through the API: refusals, spot interruptions, warm pools and final descriptions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, catch_error, create_tar, make_role, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]

#: Script with one round every 0.1 s. Each round is saved, and the model records the rounds at which the script started.
#: After one round the script waits for an interruption, for the given number of interruptions.
TRAIN = """
import os, pathlib, sys, time
rounds, interruptions = (int(sys.argv[sys.argv.index(name) + 1]) for name in ("--rounds", "--interruptions"))
checkpoints = pathlib.Path(os.environ["CHECKPOINT_DIR"])
checkpoints.mkdir(parents=True, exist_ok=True)
done, starts = checkpoints / "done", checkpoints / "starts"
first = int(done.read_text()) if done.exists() else 0
starts.write_text((starts.read_text() if starts.exists() else "") + f"{first} ")
waits = len(starts.read_text().split()) <= interruptions
for number in range(first, rounds):
    time.sleep(600 if waits and number > first else 0.1)
    print(f"auc={number / 100};", flush=True)
    whole = checkpoints.parent / "done"  # a concurrent copy is the old or the new file
    whole.write_text(str(number + 1))
    whole.replace(done)
pathlib.Path(os.environ["SM_MODEL_DIR"], "starts").write_text(starts.read_text())
"""


@pytest.fixture
def job(s3: Any, fresh: Fresh, bucket: str) -> dict[str, Any]:
    """Return the request of a managed spot job."""
    s3.put_object(Bucket=bucket, Key="source.tar.gz", Body=create_tar(train_py=TRAIN))
    return {
        "TrainingJobName": fresh("job"),
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "auc", "Regex": "auc=([0-9.]+);"}],
        },
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{bucket}/source.tar.gz",
            "rounds": "12",
            "interruptions": "1",
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1200},
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": f"s3://{bucket}/checkpoints", "LocalPath": "/opt/ml/checkpoints"},
        "Environment": {"CHECKPOINT_DIR": "/opt/ml/checkpoints"},
    }


@pytest.mark.parametrize(
    ("change", "expected_message"),
    [
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 60}}, "Invalid MaxWaitTimeInSeconds. It must be present"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59}},
            "greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {
                "ResourceConfig": {
                    "InstanceType": "ml.m5.large",
                    "InstanceCount": 1,
                    "VolumeSizeInGB": 10,
                    "KeepAlivePeriodInSeconds": 600,
                }
            },
            "KeepAlivePeriodInSeconds cannot be set when EnableManagedSpotTraining is true",
        ),
        (
            {
                "ResourceConfig": {
                    "InstanceType": "ml.g5.xlarge",
                    "InstanceCount": 1,
                    "VolumeSizeInGB": 10,
                    "VolumeKmsKeyId": "alias/volumes",
                }
            },
            "can't request a VolumeKmsKeyId when using an instance type with local storage",
        ),
        (
            {
                "ResourceConfig": {
                    "InstanceGroups": [
                        {"InstanceGroupName": "cpu", "InstanceType": "ml.m5.large", "InstanceCount": 1},
                        {"InstanceGroupName": "nvme", "InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1},
                    ],
                    "VolumeSizeInGB": 10,
                    "VolumeKmsKeyId": "alias/volumes",
                }
            },
            "with local storage: ml.g4dn.xlarge",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 0, "VolumeSizeInGB": 10}},
            "either InstanceGroups, or InstanceType and InstanceCount",
        ),
        ({"EnableManagedSpotTraining": False}, "MaxWaitTimeInSeconds must only be set when"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "Either TrainingImage or AlgorithmName"),
    ],
)
def test_an_invalid_request_is_refused_and_creates_no_job(
    sagemaker: Any, job: Any, change: Any, expected_message: str
) -> None:
    code, message = catch_error(sagemaker.create_training_job, **(job | change))
    assert code == "ValidationException"
    assert expected_message in message
    missing = catch_error(sagemaker.describe_training_job, TrainingJobName=job["TrainingJobName"])
    assert missing == ("ValidationException", "Requested resource not found.")


def test_an_interrupted_spot_job_resumes_and_reports_it(
    sandbox: Sandbox, sagemaker: Any, s3: Any, bucket: str, job: Any
) -> None:
    name = job["TrainingJobName"]
    sandbox.fault("CreateTrainingJob", error="SpotInterruption", after_checkpoints=2, resource=name)
    arn = sagemaker.create_training_job(**job)["TrainingJobArn"]
    assert catch_error(sagemaker.create_training_job, **job)[0] == "ResourceInUse"
    description = wait_until(lambda: find_finished(sagemaker, name))
    assert (description["TrainingJobStatus"], description["SecondaryStatus"]) == ("Completed", "Completed")
    statuses = [transition["Status"] for transition in description["SecondaryStatusTransitions"]]
    attempt = ["Starting", "Downloading", "Training"]
    assert statuses == [*attempt, "Interrupted", *attempt, "Uploading", "Completed"]
    assert all("EndTime" in transition for transition in description["SecondaryStatusTransitions"])
    assert {metric["MetricName"]: metric["Value"] for metric in description["FinalMetricDataList"]} == {"auc": 0.11}
    assert description["BillableTimeInSeconds"] <= description["TrainingTimeInSeconds"]
    assert description["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{bucket}/models/{name}/output/model.tar.gz"
    first, second = s3.get_object(Bucket=bucket, Key="checkpoints/starts")["Body"].read().split()
    assert (int(first), 0 < int(second) < 12) == (0, True)
    summaries = sagemaker.list_training_jobs(NameContains=name)[
        "TrainingJobSummaries"
    ]  # filtered before the page of ten
    assert [summary["TrainingJobArn"] for summary in summaries] == [arn]
    sagemaker.delete_training_job(TrainingJobName=name)


def test_a_job_can_be_stopped_only_once(sagemaker: Any, job: Any) -> None:
    name = job["TrainingJobName"]
    sagemaker.create_training_job(**job)
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training")
    assert catch_error(sagemaker.delete_training_job, TrainingJobName=name)[0] == "ResourceInUse"
    sagemaker.stop_training_job(TrainingJobName=name)
    assert wait_until(lambda: find_finished(sagemaker, name))["TrainingJobStatus"] == "Stopped"
    message = catch_error(sagemaker.stop_training_job, TrainingJobName=name)[1]
    assert message == "The request was rejected because the training job is in status Stopped."


def find_finished(sagemaker: Any, name: str) -> Any:
    job = sagemaker.describe_training_job(TrainingJobName=name)
    return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None


def build_quick_request(job: dict[str, Any], fresh: Fresh, **resources: Any) -> dict[str, Any]:
    """Return the request of an on-demand job that ends at once, with its own entry point."""
    algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "ContainerEntrypoint": ["true"]}
    common = {name: value for name, value in job.items() if name in ("RoleArn", "OutputDataConfig")}
    settings = job["ResourceConfig"] | resources
    return common | {"TrainingJobName": fresh("quick"), "AlgorithmSpecification": algorithm, "ResourceConfig": settings}


def run_job(sagemaker: Any, request: dict[str, Any]) -> Any:
    sagemaker.create_training_job(**request)
    return wait_until(lambda: find_finished(sagemaker, request["TrainingJobName"]))


def get_warm_pool(sagemaker: Any, name: str) -> Any:
    return sagemaker.describe_training_job(TrainingJobName=name)["WarmPoolStatus"]


def test_a_matching_job_reuses_a_warm_pool(sagemaker: Any, job: Any, fresh: Fresh) -> None:
    first = build_quick_request(job, fresh, KeepAlivePeriodInSeconds=600)
    name = first["TrainingJobName"]
    assert run_job(sagemaker, first)["WarmPoolStatus"] == {
        "Status": "Available",
        "ResourceRetainedBillableTimeInSeconds": 0,
    }
    other = build_quick_request(job, fresh, InstanceType="ml.m5.xlarge")
    assert "WarmPoolStatus" not in run_job(sagemaker, other)
    assert get_warm_pool(sagemaker, name)["Status"] == "Available"
    available = sagemaker.list_training_jobs(WarmPoolStatusEquals="Available")["TrainingJobSummaries"]
    assert name in [summary["TrainingJobName"] for summary in available]
    code, message = catch_error(sagemaker.delete_training_job, TrainingJobName=name)
    assert (code, "while its warm pool is Available" in message) == ("ResourceInUse", True)
    limits = {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600}
    run_job(
        sagemaker, build_quick_request(job, fresh) | {"EnableManagedSpotTraining": True, "StoppingCondition": limits}
    )
    assert get_warm_pool(sagemaker, name)["Status"] == "Available", "a spot job does not reuse a pool"
    second = build_quick_request(job, fresh, KeepAlivePeriodInSeconds=1)
    run_job(sagemaker, second)
    reused = get_warm_pool(sagemaker, name)
    assert (reused["Status"], reused["ReusedByJob"]) == ("Reused", second["TrainingJobName"])
    final = wait_until(
        lambda: (current := get_warm_pool(sagemaker, second["TrainingJobName"]))["Status"] == "Terminated" and current
    )
    assert final["ResourceRetainedBillableTimeInSeconds"] == 1


def test_an_update_terminates_a_warm_pool(sagemaker: Any, job: Any, fresh: Fresh) -> None:
    request = build_quick_request(job, fresh, KeepAlivePeriodInSeconds=600)
    name = request["TrainingJobName"]
    arn = run_job(sagemaker, request)["TrainingJobArn"]
    period = {"KeepAlivePeriodInSeconds": 0}
    assert sagemaker.update_training_job(TrainingJobName=name, ResourceConfig=period)["TrainingJobArn"] == arn
    assert get_warm_pool(sagemaker, name)["Status"] == "Terminated"
    assert "is Terminated" in catch_error(sagemaker.update_training_job, TrainingJobName=name, ResourceConfig=period)[1]


def test_a_script_has_the_role_of_the_job_unless_it_is_isolated(
    sagemaker: Any, s3: Any, job: Any, fresh: Fresh
) -> None:
    bucket = job["OutputDataConfig"]["S3OutputPath"].split("/")[2]
    script = "import boto3; print('I am', boto3.client('sts').get_caller_identity()['Arn'])"
    s3.put_object(Bucket=bucket, Key="who.tar.gz", Body=create_tar(train_py=script))
    algorithm = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "assumed", "Regex": r"I am arn:aws:sts::(123456789012):assumed-role/test/Sage"}],
    }
    hyperparameters = {"sagemaker_program": "train.py", "sagemaker_submit_directory": f"s3://{bucket}/who.tar.gz"}
    request = build_quick_request(job, fresh) | {
        "AlgorithmSpecification": algorithm,
        "HyperParameters": hyperparameters,
    }
    description = run_job(sagemaker, request)
    assert [metric["Value"] for metric in description["FinalMetricDataList"]] == [123456789012.0], description
    isolated = request | {"TrainingJobName": fresh("isolated"), "EnableNetworkIsolation": True}
    isolated_description = run_job(sagemaker, isolated)
    assert isolated_description["TrainingJobStatus"] == "Failed"
    assert "NoCredentialsError" in isolated_description["FailureReason"]


def test_a_job_that_ran_at_the_end_of_the_sandbox_is_failed_after_a_restart(tmp_path: Path) -> None:
    with Sandbox.start(state=tmp_path) as sandbox:
        s3, sagemaker = sandbox.client("s3"), sandbox.client("sagemaker")
        s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": sandbox.region})
        sagemaker.create_training_job(
            TrainingJobName="kept",
            RoleArn=make_role(sandbox),
            AlgorithmSpecification={
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["sleep", "600"],
            },
            OutputDataConfig={"S3OutputPath": "s3://kept/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )
        wait_until(lambda: sagemaker.describe_training_job(TrainingJobName="kept")["SecondaryStatus"] == "Training")
    with Sandbox.start(state=tmp_path) as sandbox:
        job = sandbox.client("sagemaker").describe_training_job(TrainingJobName="kept")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert [transition["Status"] for transition in job["SecondaryStatusTransitions"]][-2:] == ["Training", "Failed"]
    assert all("EndTime" in transition for transition in job["SecondaryStatusTransitions"])
