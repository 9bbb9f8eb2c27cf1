"""Tuning jobs through the API; their training jobs are processes."""

import json
import statistics
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.control_plane.control_plane import ControlPlane
from sagemaker_sandbox.jobs.tuning.tuner import ParentTuningJob, Tuner
from sagemaker_sandbox.resources.resources import SageMakerResource
from tests.sandbox.support import IMAGE, ROLE, catch_error, create_tar, subscribe_queue, wait_until
from tests.sandbox.tuning import TuningSimulation

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]

#: The loss is known, and least at 7. The jobs that early stopping stops wait for that after their first epoch.
TRAIN = """
import os, time
loss = (float(os.environ["SM_HP_RATE"]) - 7) ** 2
for epoch in range(int(os.environ.get("SM_HP_EPOCHS", 3))):
    print(f"loss={loss};", flush=True)
    time.sleep(600 if os.environ["SM_HP_RATE"] in STOPPED else min(loss, 5) / 5)
"""


@pytest.fixture(scope="session")
def bucket(s3: Any) -> str:
    name = "tuning-jobs"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_object(
        Bucket=name, Key="source.tar.gz", Body=create_tar(train_py=TRAIN.replace("STOPPED", repr(list_stopped_rates())))
    )
    return name


def list_stopped_rates() -> list[str]:
    """Return the rates of `searched` that early stopping stops, from a simulation."""
    world = TuningSimulation(tuning_job("searched", "", 14, TrainingJobEarlyStoppingType="Auto"), known, epochs=3)
    return [
        trial.suggestion.hyperparameters["rate"] for trial in world.run_to_end().trials if trial.status == "Stopped"
    ]


def known(tried: Mapping[str, str], _epoch: int) -> float:
    """Return the loss that the script prints."""
    return (float(tried["rate"]) - 7) ** 2


def tuning_job(name: str, bucket: str, jobs: int, strategy: str = "Bayesian", **config: Any) -> dict[str, Any]:
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "20"}]},
            "RandomSeed": 3,
        }
        | config,
        "TrainingJobDefinition": {
            "StaticHyperParameters": {
                "sagemaker_program": "train.py",
                "sagemaker_submit_directory": f"s3://{bucket}/source.tar.gz",
            },
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*);"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
        "Tags": [{"Key": "team", "Value": "flights"}],
    }


def start(sagemaker: Any, request: dict[str, Any]) -> str:
    sagemaker.create_hyper_parameter_tuning_job(**request)
    return str(request["HyperParameterTuningJobName"])


def described(sagemaker: Any, name: str) -> Any:
    return sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def ended(sagemaker: Any, name: str) -> Any:
    """Wait for the end of a tuning job and return it."""

    def look() -> Any:
        job = described(sagemaker, name)
        return job if job["HyperParameterTuningJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return wait_until(look)


def children(sagemaker: Any, name: str, **request: Any) -> list[dict[str, Any]]:
    """Return all training jobs of a tuning job."""
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    results = pages.paginate(HyperParameterTuningJobName=name, **request)
    return [summary for page in results for summary in page["TrainingJobSummaries"]]


def loss(summary: dict[str, Any]) -> float:
    return float(summary["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


@pytest.fixture(scope="session")
def searched(sagemaker: Any, bucket: str) -> str:
    """Run a tuning job with 14 points, some of which early stopping stops."""
    name = start(sagemaker, tuning_job("searched", bucket, 14, TrainingJobEarlyStoppingType="Auto"))
    ended(sagemaker, name)
    return name


def test_early_stopping_stops_the_worse_half_and_the_optimum_is_reached(sagemaker: Any, searched: str) -> None:
    job = described(sagemaker, searched)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    counted = job["TrainingJobStatusCounters"]
    assert (counted["Completed"] + counted["Stopped"], counted["InProgress"]) == (14, 0)
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 14, "Pending": 0, "Failed": 0}
    completed = [loss(summary) for summary in children(sagemaker, searched, StatusEquals="Completed")]
    stopped = [loss(summary) for summary in children(sagemaker, searched, StatusEquals="Stopped")]
    assert (len(completed), len(stopped)) == (counted["Completed"], counted["Stopped"])
    assert len(stopped) == len(list_stopped_rates()) >= 7
    assert min(stopped) > statistics.median(completed)
    best = job["BestTrainingJob"]
    assert loss(best) == min(completed)
    assert float(best["TunedHyperParameters"]["rate"]) == pytest.approx(7, abs=0.5)
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] == "loss"
    assert job["ConsumedResources"]["RuntimeInSeconds"] >= 1
    assert job["HyperParameterTuningEndTime"] > job["CreationTime"]


def test_the_seed_determines_the_points(sagemaker: Any, bucket: str, searched: str) -> None:
    job_request = tuning_job(searched, bucket, 14)
    world = TuningSimulation(job_request, known, epochs=1)
    world.run_to_end()
    assert [summary["TunedHyperParameters"] for summary in children(sagemaker, searched)] == world.tried()


def test_its_training_jobs_are_described_and_listed(sagemaker: Any, searched: str) -> None:
    job = described(sagemaker, searched)
    assert job["TrainingJobDefinition"]["StaticHyperParameters"]["_tuning_objective_metric"] == "loss"
    summary = children(sagemaker, searched)[0]
    child = sagemaker.describe_training_job(TrainingJobName=summary["TrainingJobName"])
    assert child["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert child["HyperParameters"]["_tuning_objective_metric"] == "loss"
    assert child["HyperParameters"]["rate"] == summary["TunedHyperParameters"]["rate"]
    assert (summary["TrainingJobArn"], summary["TrainingJobStatus"]) == (
        child["TrainingJobArn"],
        child["TrainingJobStatus"],
    )
    assert summary["TrainingEndTime"] == child["TrainingEndTime"]
    tags = sagemaker.list_tags(ResourceArn=child["TrainingJobArn"])["Tags"]
    assert tags == sagemaker.list_tags(ResourceArn=job["HyperParameterTuningJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "flights"}]


def test_training_jobs_are_filtered_sorted_and_listed_in_pages_of_ten(sagemaker: Any, searched: str) -> None:
    page = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=searched)
    assert (len(page["TrainingJobSummaries"]), "NextToken" in page) == (10, True)
    names = [summary["TrainingJobName"] for summary in children(sagemaker, searched)]
    assert len(names) == 14
    assert names == sorted(names)
    newest = children(sagemaker, searched, SortBy="CreationTime", SortOrder="Descending")
    assert [summary["TrainingJobName"] for summary in newest] == names[::-1]
    losses = [loss(summary) for summary in children(sagemaker, searched, SortBy="FinalObjectiveMetricValue")]
    assert losses == sorted(losses)
    assert loss(described(sagemaker, searched)["BestTrainingJob"]) == losses[0]


def test_tuning_jobs_are_listed_with_their_counters(sagemaker: Any, searched: str) -> None:
    page = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=searched, StatusEquals="Completed")
    [summary] = page["HyperParameterTuningJobSummaries"]
    job = described(sagemaker, searched)
    assert summary == {
        "HyperParameterTuningJobName": searched,
        "HyperParameterTuningJobArn": job["HyperParameterTuningJobArn"],
        "HyperParameterTuningJobStatus": "Completed",
        "Strategy": "Bayesian",
        "CreationTime": job["CreationTime"],
        "HyperParameterTuningEndTime": job["HyperParameterTuningEndTime"],
        "LastModifiedTime": job["LastModifiedTime"],
        "TrainingJobStatusCounters": job["TrainingJobStatusCounters"],
        "ObjectiveStatusCounters": job["ObjectiveStatusCounters"],
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 14, "MaxParallelTrainingJobs": 1},
    }
    failed = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=searched, StatusEquals="Failed")
    assert failed["HyperParameterTuningJobSummaries"] == []


def warm(name: str, bucket: str, kind: str, parent: str) -> dict[str, Any]:
    """Return a request for a tuning job of one training job that starts from another tuning job."""
    parents = [{"HyperParameterTuningJobName": parent}]
    start_from = {"WarmStartType": kind, "ParentHyperParameterTuningJobs": parents}
    return tuning_job(name, bucket, 1) | {"WarmStartConfig": start_from}


def test_a_warm_start_continues_from_the_observations(sagemaker: Any, bucket: str, fresh: Fresh, searched: str) -> None:
    job_request = warm(fresh("warm"), bucket, "IdenticalDataAndAlgorithm", searched)
    job = ended(sagemaker, start(sagemaker, job_request))
    parent = ParentTuningJob(tuning_job(searched, bucket, 14), children(sagemaker, searched))
    world = TuningSimulation(job_request, known, epochs=1, parents=[parent])
    world.run_to_end()
    [tried] = [summary["TunedHyperParameters"] for summary in children(sagemaker, job["HyperParameterTuningJobName"])]
    assert [tried] == world.tried()
    best = described(sagemaker, searched)["BestTrainingJob"]
    overall = job["OverallBestTrainingJob"]
    assert loss(overall) == min(loss(best), loss(job["BestTrainingJob"]))
    assert overall["TuningJobName"] == (searched if loss(overall) == loss(best) else job["HyperParameterTuningJobName"])


def test_a_warm_start_with_other_data_begins_with_the_best_point(
    sagemaker: Any, bucket: str, fresh: Fresh, searched: str
) -> None:
    job = ended(sagemaker, start(sagemaker, warm(fresh("warm"), bucket, "TransferLearning", searched)))
    best = described(sagemaker, searched)["BestTrainingJob"]
    assert loss(job["BestTrainingJob"]) == pytest.approx(loss(best))
    missing = warm(fresh("warm"), bucket, "TransferLearning", "nobody")
    code, message = catch_error(sagemaker.create_hyper_parameter_tuning_job, **missing)
    assert code == "ResourceNotFound"
    assert message == "Amazon SageMaker can't find a tuning job called nobody. Type another name."


def test_hyperband_gives_each_job_its_epochs_and_no_more(sagemaker: Any, bucket: str, fresh: Fresh) -> None:
    job_request = tuning_job(fresh("hyperband"), bucket, 4, "Hyperband")
    job_request["HyperParameterTuningJobConfig"]["StrategyConfig"] = {"HyperbandStrategyConfig": {"MaxResource": 3}}
    # So near to the optimum an epoch is short, but as many as these take longer than the test waits.
    near = [{"Name": "rate", "MinValue": "7.5", "MaxValue": "8"}]
    job_request["HyperParameterTuningJobConfig"]["ParameterRanges"] = {"ContinuousParameterRanges": near}
    job_request["TrainingJobDefinition"]["StaticHyperParameters"]["epochs"] = "100000"
    job = ended(sagemaker, start(sagemaker, job_request))
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Stopped"] == job["ObjectiveStatusCounters"]["Succeeded"] == 4
    assert loss(job["BestTrainingJob"]) == min(map(loss, children(sagemaker, job["HyperParameterTuningJobName"])))


def test_each_status_is_published_to_eventbridge(sandbox: Sandbox, sagemaker: Any, bucket: str, fresh: Fresh) -> None:
    name, sqs = fresh("told"), sandbox.client("sqs")
    pattern = {
        "detail-type": ["SageMaker HyperParameter Tuning Job State Change"],
        "detail": {"HyperParameterTuningJobName": [name]},
    }
    url = subscribe_queue(sandbox, name, pattern)
    start(sagemaker, tuning_job(name, bucket, 5))
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    events: list[dict[str, Any]] = []

    def all_came() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            events.append(json.loads(message["Body"])["detail"])
        return "Stopped" in [detail["HyperParameterTuningJobStatus"] for detail in events]

    wait_until(all_came)
    assert [detail["HyperParameterTuningJobStatus"] for detail in events] == ["InProgress", "Stopping", "Stopped"]
    assert events[-1]["TrainingJobStatusCounters"]["InProgress"] == 0
    assert events[-1]["Tags"] == {"team": "flights"}


def test_a_tuning_job_is_stopped_and_deleted(sagemaker: Any, bucket: str, fresh: Fresh) -> None:
    job_request = tuning_job(fresh("stop"), bucket, 9)
    job_request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"] = 2
    job_request["TrainingJobDefinition"]["StaticHyperParameters"] |= {
        "rate": "25",
        "epochs": "1000",
    }  # until they are stopped
    job_request["HyperParameterTuningJobConfig"]["ParameterRanges"] = {
        "CategoricalParameterRanges": [{"Name": "other", "Values": [*"abcdefghi"]}]
    }
    name = start(sagemaker, job_request)
    request = {"HyperParameterTuningJobName": name}
    wait_until(lambda: len(children(sagemaker, name)) == 2)
    assert described(sagemaker, name)["TrainingJobStatusCounters"]["InProgress"] == 2
    code, message = catch_error(sagemaker.create_hyper_parameter_tuning_job, **job_request)
    assert code == "ResourceInUse"
    assert message == f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name."
    code, message = catch_error(sagemaker.delete_hyper_parameter_tuning_job, **request)
    assert (code, "not in a terminal state" in message) == ("ValidationException", True)
    sagemaker.stop_hyper_parameter_tuning_job(**request)
    assert described(sagemaker, name)["HyperParameterTuningJobStatus"] in ("Stopping", "Stopped")
    job = ended(sagemaker, name)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["Stopped"] == 2
    code, message = catch_error(sagemaker.stop_hyper_parameter_tuning_job, **request)
    assert (code, "already in status Stopped" in message) == ("ValidationException", True)
    jobs = [summary["TrainingJobName"] for summary in children(sagemaker, name)]
    sagemaker.delete_hyper_parameter_tuning_job(**request)

    def is_deleted() -> bool:
        page = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name)
        return not page["HyperParameterTuningJobSummaries"]

    wait_until(is_deleted)
    code, message = catch_error(sagemaker.describe_hyper_parameter_tuning_job, **request)
    assert (code, message) == (
        "ResourceNotFound",
        f"Amazon SageMaker can't find a tuning job called {name}. Type another name.",
    )
    assert all(sagemaker.describe_training_job(TrainingJobName=one)["TuningJobArn"] for one in jobs)


def test_failed_training_jobs_fail_the_tuning_job_with_the_reason(sagemaker: Any, bucket: str, fresh: Fresh) -> None:
    job_request = tuning_job(fresh("failing"), bucket, 20, "Random")
    job_request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"] = 5
    job_request["TrainingJobDefinition"]["StaticHyperParameters"]["sagemaker_program"] = "nothing.py"
    job = ended(sagemaker, start(sagemaker, job_request))
    assert (job["HyperParameterTuningJobStatus"], job["FailureReason"]) == (
        "Failed",
        "No training job succeeded after 5 attempts. Please take a look at the training job failures to get more "
        "details.",
    )
    reasons = {summary["FailureReason"] for summary in children(sagemaker, job_request["HyperParameterTuningJobName"])}
    assert all("nothing.py" in reason for reason in reasons)


def test_a_tuning_job_of_a_killed_sandbox_has_failed(tmp_path: Path) -> None:
    job_request = tuning_job("killed", "bucket", 3)
    tuner = Tuner(job_request)
    tuner.launch()
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:hyper-parameter-tuning-job/killed"
    times = {"CreationTime": datetime.now(UTC), "LastModifiedTime": datetime.now(UTC)}
    fields = {**job_request, **tuner.build_fields(), **times, "HyperParameterTuningJobArn": arn}
    resource = SageMakerResource(
        "killed", arn, fields, private={"request": job_request, "summaries": tuner.build_summaries()}
    )
    plane = ControlPlane(SandboxContext(client=lambda *_: None, customer_client=lambda *_: None, folder=tmp_path))
    place = ("123456789012", "eu-north-1")
    plane.restore({place: {"HyperParameterTuningJobs": [resource.to_data()]}})
    job = plane.call(*place, "DescribeHyperParameterTuningJob", {"HyperParameterTuningJobName": "killed"})
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert "the sandbox ended" in job["FailureReason"]
    assert (job["TrainingJobStatusCounters"]["InProgress"], job["ObjectiveStatusCounters"]["Failed"]) == (0, 1)
    request = {"HyperParameterTuningJobName": "killed"}
    [child] = plane.call(*place, "ListTrainingJobsForHyperParameterTuningJob", request)["TrainingJobSummaries"]
    assert (child["TrainingJobStatus"], child["FailureReason"]) == ("Failed", job["FailureReason"])
    plane.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 9}},
            "MaxWaitTimeInSeconds must only",
        ),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "A metric is required"),
    ],
)
def test_an_invalid_training_job_is_refused_and_leaves_no_tuning_job(
    sagemaker: Any, bucket: str, fresh: Fresh, change: dict[str, Any], why: str
) -> None:
    job_request = tuning_job(fresh("refused"), bucket, 2)
    job_request["TrainingJobDefinition"] |= change
    code, message = catch_error(sagemaker.create_hyper_parameter_tuning_job, **job_request)
    assert (code, why in message) == ("ValidationException", True)
    page = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=job_request["HyperParameterTuningJobName"])
    assert page["HyperParameterTuningJobSummaries"] == []
