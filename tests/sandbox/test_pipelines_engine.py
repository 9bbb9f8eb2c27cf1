"""Executions of pipelines, with a stand-in for SageMaker: steps, times, values and results."""

import json
import pickle
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox.base.errors import ApiError, ValidationError
from sagemaker_sandbox.pipelines import functions
from sagemaker_sandbox.pipelines.checks import check_definition
from sagemaker_sandbox.pipelines.definition import RetryPolicy
from sagemaker_sandbox.pipelines.durations import parse_duration
from sagemaker_sandbox.pipelines.execution import PipelineExecution, StepRecord, now
from sagemaker_sandbox.pipelines.retries import find_next_attempt
from sagemaker_sandbox.pipelines.runner import ExecutionRunner
from sagemaker_sandbox.pipelines.services import StepError
from tests.cases import check_cases
from tests.sandbox.pipelines_support import Pipeline, ThrottledError, condition, pipeline, reused, statuses, training
from tests.sandbox.support import WAIT_SECONDS, is_alive, wait_until

CACHED = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"}}


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def join(*values: Any, on: str = "") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


@pytest.fixture
def p() -> Pipeline:
    return Pipeline()


def test_a_step_reads_the_result_of_an_earlier_step(p: Pipeline) -> None:
    model = {"PrimaryContainer": {"Image": "i", "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}}
    execution = p.run(pipeline({"Name": "Model", "Type": "Model", "Arguments": model}, training("Train")))
    assert execution.status == "Succeeded"
    (_, job), (_, request) = p.services.create_requests
    assert request["PrimaryContainer"]["ModelDataUrl"] == f"s3://b/{job['TrainingJobName']}/model.tar.gz"
    assert job["TrainingJobName"].startswith("pipelines-e0-Train-")
    assert p.events == [
        ("", "Executing"),
        ("Train", "Starting"),
        ("Train", "Executing"),
        ("Train", "Succeeded"),
        ("Model", "Starting"),
        ("Model", "Succeeded"),
        ("", "Succeeded"),
    ]


def test_values_come_from_parameters_the_execution_and_its_experiment(p: Pipeline) -> None:
    values = {
        "rounds": get("Parameters.Rounds"),
        "where": join("s3:/", get("Parameters.Bucket"), get("Execution.PipelineExecutionId"), 3, True, on="/"),
        "trial": get("PipelineExperimentConfig.TrialName"),
    }
    parameters = [{"Name": "Rounds", "Type": "Integer"}, {"Name": "Bucket"}]
    definition = pipeline(
        training("Train", hyperparameters=values),
        Parameters=parameters,
        PipelineExperimentConfig={"TrialName": join(get("Parameters.Bucket"), "-night")},
    )
    p.run(definition, parameters={"Rounds": 7, "Bucket": "b"})
    request = p.services.create_requests[0][1]
    assert request["HyperParameters"] == {"rounds": 7, "where": "s3://b/e0/3/true", "trial": "b-night"}
    assert request["ExperimentConfig"] == {"TrialName": "b-night"}


def evaluation(uri: str) -> dict[str, Any]:
    output = {"OutputName": "report", "S3Output": {"S3Uri": uri, "LocalPath": "/opt/ml/x", "S3UploadMode": "EndOfJob"}}
    return {
        "Name": "Evaluate",
        "Type": "Processing",
        "Arguments": {"ProcessingOutputConfig": {"Outputs": [output]}},
        "PropertyFiles": [{"PropertyFileName": "Metrics", "OutputName": "report", "FilePath": "metrics.json"}],
    }


AUC = {"Std:JsonGet": {"PropertyFile": get("Steps.Evaluate.PropertyFiles.Metrics"), "Path": "folds[1].auc['mean']"}}


@pytest.mark.parametrize("values", [3, "abc", None])
def test_a_condition_on_no_list_fails_its_step(p: Pipeline, values: Any) -> None:
    choice = condition("Choice", 1, 0, then=[training("Train")], otherwise=[])
    choice["Arguments"]["Conditions"] = [{"Type": "In", "QueryValue": "a", "Values": values}]
    execution = p.run(pipeline(choice))
    assert statuses(execution) == {"Choice": "Failed"}
    assert f"In cannot compare 'a' with {values!r}" in str(execution.records["Choice"].reason)


def test_a_pipelines_own_settings_read_no_document(p: Pipeline) -> None:
    """They are resolved while StartPipelineExecution waits."""
    p.services.documents["s3://b/names.json"] = {"name": "x"}
    name = {"Std:JsonGet": {"S3Uri": "s3://b/names.json", "Path": "name"}}
    with pytest.raises(ValidationError, match=r"Std:JsonGet cannot read s3://b/names.json"):
        p.begin(pipeline(training("Train"), PipelineExperimentConfig={"ExperimentName": name}))


@pytest.mark.parametrize(("mean", "step_name"), [(0.9, "Train"), (0.4, "Give-up")])
def test_a_condition_on_a_property_file_decides_which_branch_runs(p: Pipeline, mean: float, step_name: str) -> None:
    p.services.documents["s3://b/out/metrics.json"] = {"folds": [{}, {"auc": {"mean": mean}}]}
    give_up = {"Name": "Give-up", "Type": "Fail", "Arguments": {"ErrorMessage": join("AUC is ", AUC)}}
    after = training("After", DependsOn=["Train"])
    better = condition("Better", AUC, 0.5, then=[training("Train")], otherwise=[give_up])
    execution = p.run(pipeline(evaluation("s3://b/out/"), better, after))
    assert execution.records["Better"].metadata == {"Condition": {"Outcome": str(mean > 0.5)}}
    if step_name == "Train":
        assert statuses(execution) == dict.fromkeys(("Evaluate", "Better", "Train", "After"), "Succeeded")
    else:
        assert execution.records["Give-up"].reason == "AUC is 0.4"
        assert (execution.status, execution.reason) == ("Failed", "Step failure: One or multiple steps failed.")
        assert "After" not in execution.records


@pytest.mark.parametrize(
    ("one", "true"),
    [
        ({"Type": "Not", "Condition": {"Type": "Equals", "LeftValue": 1, "RightValue": 2}}, True),
        ({"Type": "In", "QueryValue": "a", "Values": ["b", get("Parameters.A")]}, True),
        (
            {
                "Type": "Or",
                "Conditions": [
                    {"Type": "LessThan", "LeftValue": 2, "RightValue": 2},
                    {"Type": "GreaterThanOrEqualTo", "LeftValue": 2, "RightValue": 2.0},
                ],
            },
            True,
        ),
        ({"Type": "LessThanOrEqualTo", "LeftValue": 3, "RightValue": 2}, False),
    ],
)
def test_conditions_are_evaluated_by_their_type(p: Pipeline, one: dict[str, Any], true: bool) -> None:
    branch = condition("If", 1, 0, then=[training("Yes")], otherwise=[training("No")])
    branch["Arguments"]["Conditions"].append(one)
    execution = p.run(pipeline(branch, Parameters=[{"Name": "A"}]), parameters={"A": "a"})
    assert ("Yes" in execution.records, "No" in execution.records) == (true, not true)


def test_independent_steps_run_at_once_and_no_more_than_allowed(p: Pipeline) -> None:
    definition = pipeline(*(training(name) for name in "ABCD"))
    p.services.held[""] = threading.Event()
    runner = p.begin(definition, max_parallel=2)
    wait_until(lambda: len(p.services.create_requests) == 2)
    p.services.held[""].set()
    assert runner.join(WAIT_SECONDS)
    assert p.services.max_running == 2
    p.services.held[""] = threading.Event()
    runner = p.begin(definition)
    wait_until(lambda: p.services.max_running == 4)
    p.services.held[""].set()
    assert runner.join(WAIT_SECONDS)


# The cache


def flights(**changes: Any) -> str:
    """Prepare, then train on what was prepared and, independently, a baseline."""
    inputs = [{"InputName": "data", "S3Input": {"S3Uri": changes.get("data", "s3://b/january")}}]
    output = {"OutputName": "train", "S3Output": {"S3Uri": changes.get("prepared", "s3://b/prepared")}}
    prepare = {
        "Name": "Prepare",
        "Type": "Processing",
        "Arguments": {
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {"Outputs": [output]},
            "ProcessingResources": {"ClusterConfig": {"InstanceType": changes.get("instance", "ml.m5.large")}},
        },
        **CACHED,
    }
    source = get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")
    train = training("Train", hyperparameters={"depth": changes.get("depth", "6")}, **CACHED)
    train["Arguments"]["InputDataConfig"] = [{"ChannelName": "c", "DataSource": {"S3DataSource": {"S3Uri": source}}}]
    train["Arguments"]["EnableManagedSpotTraining"] = changes.get("spot", False)
    return pipeline(prepare, train, training("Baseline", **CACHED))


@pytest.mark.parametrize(
    ("change", "hits"),
    [
        ({}, {"Prepare", "Train", "Baseline"}),
        ({"depth": "8"}, {"Prepare", "Baseline"}),
        ({"data": "s3://b/february"}, {"Train", "Baseline"}),
        ({"prepared": "s3://b/elsewhere"}, {"Prepare", "Train", "Baseline"}),
        ({"data": "s3://b/february", "prepared": "s3://b/elsewhere"}, {"Baseline"}),
        ({"instance": "ml.m7g.large", "spot": True}, {"Prepare", "Train", "Baseline"}),
    ],
)
def test_the_cache_hits_exactly_the_unchanged_steps(p: Pipeline, change: dict[str, Any], hits: set[str]) -> None:
    """Outputs, instances and spot do not count; a step counts as unchanged where its own resolved inputs are."""
    first = p.run(flights())
    request_count = len(p.services.create_requests)
    second = p.run(flights(**change))
    assert second.status == "Succeeded"
    assert reused(second) == hits
    assert len(p.services.create_requests) - request_count == 3 - len(hits)
    for name in hits:
        assert second.records[name].cache_source == first.arn
        assert second.records[name].metadata == first.records[name].metadata


def test_failed_expired_and_disabled_results_are_not_reused(p: Pipeline) -> None:
    p.services.failures["Baseline"] = ["AlgorithmError: no"]
    failed = p.run(flights())
    assert failed.status == "Failed"
    assert reused(p.run(flights())) == {"Prepare", "Train"}, "what succeeded of an execution that failed is used"
    p.services.moment = datetime.now(UTC) + timedelta(days=31)
    assert reused(p.run(flights())) == set()
    assert reused(p.run(flights().replace('"Enabled": true', '"Enabled": false'))) == set()


def test_the_latest_run_of_a_step_of_that_name_counts(p: Pipeline) -> None:
    unasked = flights().replace('"Enabled": true', '"Enabled": false')
    first, second = p.run(unasked), p.run(unasked)
    third = p.run(flights())
    assert {record.cache_source for record in third.records.values()} == {second.arn}
    p.run(unasked, selected=["Train"], source=first)
    assert p.run(flights()).records["Prepare"].cache_source == second.arn, "what was taken over was not run"
    renamed = p.run(flights().replace('"Baseline"', '"Ground"'))
    assert reused(renamed) == {"Prepare", "Train"}


def test_an_hour_later_is_counted_from_the_run_not_from_the_last_hit(p: Pipeline) -> None:
    first = p.run(flights())
    second = p.run(flights())
    assert p.run(flights()).records["Train"].cache_source == first.arn != second.arn


@check_cases(("text", "days"), [("P30D", 30), ("30d", 30), ("T12H", 0.5), ("P4DT12H", 4.5), ("5y", 1825), ("P2W", 14)])
def test_durations_are_read_as_aws_writes_them(text: str, days: float) -> None:
    assert parse_duration(text) == timedelta(days=days)


# Retries


def policy(*exceptions: str, **more: Any) -> dict[str, Any]:
    return {"ExceptionType": list(exceptions), "IntervalSeconds": 0, **more}


def test_a_job_is_retried_by_its_policy_under_a_new_name(p: Pipeline) -> None:
    p.services.failures["Train"] = ["CapacityError: none left"] * 2
    retry = [policy("SageMaker.JOB_INTERNAL_ERROR"), policy("SageMaker.CAPACITY_ERROR", MaxAttempts=2)]
    execution = p.run(pipeline(training("Train", RetryPolicies=retry)))
    assert (execution.status, execution.records["Train"].attempts) == ("Succeeded", 3)
    assert len({request["TrainingJobName"] for _, request in p.services.create_requests}) == 3


def test_a_reason_is_no_longer_than_the_api_has_it(p: Pipeline) -> None:
    p.services.failures["Train"] = ["AlgorithmError: " + "no" * 1000]
    assert len(p.run(pipeline(training("Train"))).records["Train"].reason or "") == 1024


def test_a_tuning_job_retries_its_jobs_itself(p: Pipeline) -> None:
    p.services.failures[""] = ["InternalServerError: try again"]
    tune = {"Name": "Tune", "Type": "Tuning", "Arguments": {}}
    execution = p.run(pipeline(tune | {"RetryPolicies": [policy("SageMaker.JOB_INTERNAL_ERROR")]}))
    assert (execution.status, execution.records["Tune"].attempts) == ("Failed", 1)


def test_an_error_without_a_policy_fails_with_the_reason(p: Pipeline) -> None:
    p.services.failures["Train"] = ["CapacityError: none left"]
    execution = p.run(pipeline(training("Train", RetryPolicies=[policy("SageMaker.JOB_INTERNAL_ERROR")])))
    record = execution.records["Train"]
    assert (execution.status, record.status, record.attempts) == ("Failed", "Failed", 1)
    assert record.reason is not None
    assert record.reason.startswith("ClientError: CapacityError: none left\nRetry not appropriate")
    assert record.reason.endswith("No retry policy configured for the exception type SAGEMAKER_CAPACITY_ERROR.")


def test_throttling_is_retried_without_a_policy_and_a_refused_request_is_not(p: Pipeline) -> None:
    p.services.refusals["CreateModel"] = [ThrottledError("slow down")]
    model = {"Name": "Model", "Type": "Model", "Arguments": {}}
    execution = p.run(pipeline(model))
    assert (execution.status, execution.records["Model"].attempts) == ("Succeeded", 2)
    p.services.refusals["CreateModel"] = [ValidationError("no image")]
    execution = p.run(pipeline(model))
    assert execution.records["Model"].attempts == 1
    reason = "ClientError: Failed to invoke sagemaker:CreateModel. Error Details: no image"
    assert execution.records["Model"].reason == reason


def test_intervals_grow_until_attempts_or_minutes_are_used_up() -> None:
    def seconds(attempts: int, age_seconds: int, **more: Any) -> float | None:
        moment = now()
        record = StepRecord("s", "Training", attempts=attempts, start_time=moment - timedelta(seconds=age_seconds))
        rule = RetryPolicy(ExceptionType=["Step.THROTTLING"], IntervalSeconds=10, BackoffRate=3.0, **more)
        at = find_next_attempt([rule], "Step.THROTTLING", record, moment)
        return None if at is None else (at - moment).total_seconds()

    assert [seconds(attempts, 0, MaxAttempts=2) for attempts in (1, 2, 3)] == [10, 30, None]
    assert [seconds(1, age, ExpireAfterMin=1) for age in (45, 55)] == [10, None]
    assert [seconds(attempts, 0) is None for attempts in (5, 6)] == [False, True], "five attempts by default"


# Failures, stopping, trying again


def test_steps_apart_from_a_failed_one_go_on(p: Pipeline) -> None:
    p.services.failures["Bad"] = ["AlgorithmError: no"]
    execution = p.run(
        pipeline(
            training("Bad"),
            training("After", DependsOn=["Bad"]),
            training("Good"),
            training("Last", DependsOn=["Good"]),
        )
    )
    assert statuses(execution) == {"Bad": "Failed", "Good": "Succeeded", "Last": "Succeeded"}
    assert execution.status == "Failed"


@pytest.mark.parametrize(("fails", "status"), [(True, "CompletedWithFailures"), (False, "Succeeded")])
def test_a_step_may_wait_for_another_to_fail(p: Pipeline, fails: bool, status: str) -> None:
    p.services.failures["Train"] = ["AlgorithmError: no"] if fails else []
    on_failure = training("Clean-up", DependsOn=[{"Step": "Train", "Trigger": "Failed"}])
    always = training("Tell", DependsOn=[{"Step": "Train", "Trigger": "Any"}])
    execution = p.run(pipeline(training("Train"), on_failure, *([always] if fails else [])))
    assert ("Clean-up" in execution.records) is fails
    assert ("Tell" in execution.records) is fails
    assert execution.status == status


def test_a_fail_step_stops_the_running_steps(p: Pipeline) -> None:
    p.services.held["Long"] = threading.Event()
    fail = {"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": "enough"}}
    execution = p.run(pipeline(training("Long"), fail, training("After", DependsOn=["Long"])))
    assert statuses(execution) == {"Long": "Stopped", "Fail": "Failed"}
    assert execution.status == "Failed"
    assert execution.records["Fail"].metadata == {"Fail": {"ErrorMessage": "enough"}}


def test_a_fault_of_the_sandbox_ends_the_execution_and_leaves_no_job(
    p: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    p.services.held["Long"] = threading.Event()
    p.services.refusals["CreateModel"] = [ZeroDivisionError("a fault")]  # type: ignore[list-item]  # that is the fault
    execution = p.run(pipeline(training("Long"), {"Name": "Model", "Type": "Model", "Arguments": {}}))
    assert (execution.status, execution.reason) == (
        "Failed",
        "InternalFailure: The sandbox failed to run the pipeline.",
    )
    assert p.services.stopped == [execution.records["Long"].job]
    assert "ZeroDivisionError: a fault" in capfd.readouterr().err


def test_stopping_stops_the_jobs_and_starts_no_more(p: Pipeline) -> None:
    p.services.held["Long"] = threading.Event()
    runner = p.begin(pipeline(training("Long"), training("After", DependsOn=["Long"])))
    wait_until(lambda: p.services.create_requests)
    runner.stop()
    assert runner.join(WAIT_SECONDS)
    assert runner.execution.status == "Stopped"
    assert statuses(runner.execution) == {"Long": "Stopped"}
    assert p.services.stopped == [runner.execution.records["Long"].job]
    assert [status for name, status in p.events if name == "Long"] == ["Starting", "Executing", "Stopping", "Stopped"]


def test_closing_stops_the_jobs_and_keeps_the_state(p: Pipeline) -> None:
    p.services.held["Long"] = threading.Event()
    runner = p.begin(pipeline(training("Long")))
    wait_until(lambda: p.services.create_requests)
    runner.close()
    assert len(p.services.stopped) == 1
    assert (runner.execution.status, statuses(runner.execution)) == ("Executing", {"Long": "Executing"})
    restored = PipelineExecution.from_data(pickle.loads(pickle.dumps(runner.execution.to_data())))  # noqa: S301 - as the state is kept
    assert restored == runner.execution
    result = p.run(runner.execution.definition, retry=restored)
    assert (result.status, statuses(result)) == ("Stopped", {"Long": "Stopped"}), "taken up where it was left"


def test_a_step_that_was_starting_at_a_crash_is_started_once_more(p: Pipeline) -> None:
    lost = PipelineExecution(
        "e0", "arn", "p", "arn", pipeline(training("Train")), records={"Train": StepRecord("Train", "Training")}
    )
    execution = p.run(lost.definition, retry=lost)
    assert (execution.status, p.services.operations()) == ("Succeeded", ["CreateTrainingJob"])


def test_selected_steps_run_on_the_results_of_an_earlier_execution(p: Pipeline) -> None:
    first = p.run(flights())
    second = p.run(flights(depth="9"), selected=["Train"], source=first)
    assert statuses(second) == {"Prepare": "Succeeded", "Train": "Succeeded"}
    assert second.records["Prepare"].reused_from == first.arn
    assert second.records["Train"].reused_from is None
    assert p.services.create_requests[-1][1]["HyperParameters"] == {"depth": "9"}
    assert "Baseline" not in second.records


@pytest.mark.parametrize(
    ("selected", "why"),
    [
        (["A", "C"], "Missing: B"),
        (["A", "X"], "'X' is not a step"),
        (["A", "Z"], "not connected"),
        (["B"], "SourcePipelineExecutionArn is required"),
    ],
)
def test_a_selection_that_cannot_run_is_refused(p: Pipeline, selected: list[str], why: str) -> None:
    chain = [training("A"), training("B", DependsOn=["A"]), training("C", DependsOn=["B"]), training("Z")]
    with pytest.raises(ValidationError, match=why):
        p.begin(pipeline(*chain), selected=selected)


# Steps that are no jobs


def test_a_callback_waits_for_its_answer(p: Pipeline) -> None:
    outputs = [{"OutputName": "rows", "OutputType": "Integer"}]
    ask = {
        "Name": "Ask",
        "Type": "Callback",
        "SqsQueueUrl": "https://queue",
        "Arguments": {"size": 5},
        "OutputParameters": outputs,
    }
    train = training("Train", hyperparameters={"rows": get("Steps.Ask.OutputParameters['rows']")})
    runner = p.begin(pipeline(ask, train))
    message = wait_until(lambda: p.services.messages)[0]
    assert message == {
        "token": message["token"],
        "pipelineExecutionArn": runner.execution.arn,
        "arguments": {"size": 5},
        "status": "Executing",
        "queue": "https://queue",
    }
    assert not runner.end_callback("another-00", {"rows": "1"}, None)
    assert runner.end_callback(message["token"], {"rows": "12"}, None)
    assert runner.join(WAIT_SECONDS)
    assert p.services.create_requests[0][1]["HyperParameters"] == {"rows": 12}
    assert runner.execution.records["Ask"].metadata["Callback"]["OutputParameters"] == [{"Name": "rows", "Value": "12"}]


def test_an_execution_stops_when_its_callback_has_been_answered(p: Pipeline) -> None:
    ask = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": "https://queue", "Arguments": None}
    runner = p.begin(pipeline(ask))
    wait_until(lambda: p.services.messages)
    runner.stop()
    wait_until(lambda: [message["status"] for message in p.services.messages] == ["Executing", "Stopping"])
    assert runner.execution.status == "Executing"
    assert runner.end_callback(p.services.messages[0]["token"], None, "called off")
    assert runner.join(WAIT_SECONDS)
    assert runner.execution.status == "Stopped"
    assert runner.execution.records["Ask"].reason == "called off"


def test_a_lambda_step_has_the_outputs_of_its_function(p: Pipeline) -> None:
    p.services.functions["arn:f"] = lambda event: {"total": event["a"] + 1, "noise": 0}
    step = {
        "Name": "Add",
        "Type": "Lambda",
        "FunctionArn": "arn:f",
        "Arguments": {"a": 2},
        "OutputParameters": [{"OutputName": "total", "OutputType": "Integer"}],
    }
    high = condition("High", get("Steps.Add.OutputParameters['total']"), 2, then=[training("Yes")], otherwise=[])
    execution = p.run(pipeline(step, high))
    assert "Yes" in execution.records
    outputs = [{"Name": "total", "Value": "3"}]
    assert execution.records["Add"].metadata == {"Lambda": {"Arn": "arn:f", "OutputParameters": outputs}}
    p.services.functions["arn:f"] = lambda _event: {}
    assert p.run(pipeline(step)).records["Add"].reason == "ClientError: Output parameter 'total' is missing."


OPEN = threading.Event()
CODE = """
import os
def answer(event, context):
    print("to the log")
    return {"sum": sum(event["numbers"]), "who": os.environ["WHO"], "context": context}
"""


@pytest.mark.parametrize(("fails", "status"), [(True, "Failed"), (False, "Stopped")])
def test_an_execution_stops_when_its_function_has_ended(p: Pipeline, fails: bool, status: str) -> None:
    go, has_started = threading.Event(), threading.Event()

    def function(_event: dict[str, Any]) -> dict[str, Any]:
        has_started.set()
        assert go.wait(WAIT_SECONDS)
        if fails:
            raise StepError("ClientError: The Lambda function did not end within 1 seconds.")
        return {}

    p.services.functions["arn:f"] = function
    runner = p.begin(pipeline({"Name": "Add", "Type": "Lambda", "FunctionArn": "arn:f", "Arguments": {}}))
    assert has_started.wait(WAIT_SECONDS)
    runner.stop()
    assert not runner.join(0.2)
    go.set()
    assert runner.join(WAIT_SECONDS)
    assert runner.execution.status == status


def _archive(code: str) -> bytes:
    import io
    import zipfile

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app/main.py", code)
    return content.getvalue()


def test_a_function_in_python_runs_as_a_process(tmp_path: Path) -> None:
    function = functions.LambdaFunction(_archive(CODE), "app/main.answer", "python3.12", 60, {"WHO": "me"})
    assert functions.run_function(function, {"numbers": [1, 2]}, {}, tmp_path, OPEN) == {
        "sum": 3,
        "who": "me",
        "context": None,
    }
    with pytest.raises(StepError, match="KeyError: 'numbers'"):
        functions.run_function(function, {}, {}, tmp_path, OPEN)
    with pytest.raises(StepError, match=r"runs functions in Python, not in nodejs22\.x"):
        functions.run_function(function._replace(runtime="nodejs22.x"), {}, {}, tmp_path, OPEN)
    endless = function._replace(code=_archive("import time\ndef answer(event, context):\n    time.sleep(60)"))
    with pytest.raises(StepError, match="did not end within 1 seconds"):
        functions.run_function(endless._replace(timeout_seconds=1), {}, {}, tmp_path, OPEN)
    closing = threading.Event()
    closing.set()
    with pytest.raises(StepError, match="was ended with the sandbox"):
        functions.run_function(endless, {}, {}, tmp_path, closing)


PARENT = """
import pathlib, subprocess, time
def answer(event, context):
    child = subprocess.Popen(["sleep", "600"])
    pathlib.Path(event["file"]).write_text(str(child.pid))
    time.sleep(600)
"""


def test_a_callback_can_end_as_soon_as_it_is_sent(p: Pipeline) -> None:
    answered: list[bool] = []

    def send(_queue: str, body: str) -> None:
        answered.append(runners[0].end_callback(json.loads(body)["token"], {}, None))

    p.services.send = send  # type: ignore[assignment,method-assign]  # a worker that is quicker than SQS's answer
    ask = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": "https://queue", "Arguments": {}}
    runners: list[ExecutionRunner] = []
    execution = PipelineExecution("e0", "arn", "p", "arn", pipeline(ask))
    runners.append(
        ExecutionRunner(execution, check_definition(execution.definition), p.services, lambda *_: None, list)
    )
    runners[0].start()
    assert wait_until(lambda: answered) == [True]
    assert runners[0].join(WAIT_SECONDS)
    assert execution.status == "Succeeded"


def test_the_processes_of_a_function_end_with_it(tmp_path: Path) -> None:
    function = functions.LambdaFunction(_archive(PARENT), "app/main.answer", "python3.12", 60, {})
    file, closing = tmp_path / "child", threading.Event()

    def close() -> None:
        wait_until(lambda: file.exists() and file.read_text())
        closing.set()

    threading.Thread(target=close).start()
    with pytest.raises(StepError, match="was ended with the sandbox"):
        functions.run_function(function, {"file": str(file)}, {}, tmp_path, closing)
    wait_until(lambda: not is_alive(int(file.read_text())))


#: Runs a function that tells its process and goes on for ever, in a process that a test may kill.
OWNER = """
import pathlib, sys, threading
from sagemaker_sandbox.pipelines import functions
archive, file = map(pathlib.Path, sys.argv[1:])
function = functions.LambdaFunction(archive.read_bytes(), "app/main.answer", "python3.12", 600, {})
functions.run_function(function, {"file": str(file)}, {}, file.parent, threading.Event())
"""
ITSELF = """
import os, pathlib, time
def answer(event, context):
    pathlib.Path(event["file"]).write_text(str(os.getpid()))
    time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_function_dies_with_the_process_that_runs_it(tmp_path: Path) -> None:
    archive, file = tmp_path / "code.zip", tmp_path / "pid"
    archive.write_bytes(_archive(ITSELF))
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(archive), str(file)])
    pid = int(wait_until(lambda: file.exists() and file.read_text()))
    assert is_alive(pid)
    owner.kill()
    owner.wait()
    wait_until(lambda: not is_alive(pid))


def test_a_model_is_registered_in_a_group_that_is_created_if_necessary(p: Pipeline) -> None:
    p.services.refusals["DescribeModelPackageGroup"] = [ValidationError("no such group")]
    register = {"Name": "Register", "Type": "RegisterModel", "Arguments": {"ModelPackageGroupName": "flights"}}
    execution = p.run(pipeline(register))
    assert p.services.operations() == ["CreateModelPackageGroup", "CreateModelPackage"]
    assert execution.records["Register"].metadata == {"RegisterModel": {"Arn": "arn:package"}}


@pytest.mark.parametrize(("kind", "order"), [("Minimize", "Ascending"), ("Maximize", "Descending")])
def test_a_tuning_step_has_its_best_job(p: Pipeline, kind: str, order: str) -> None:
    objective = {"HyperParameterTuningJobObjective": {"Type": kind, "MetricName": "m"}}
    tune = {"Name": "Tune-all_of", "Type": "Tuning", "Arguments": {"HyperParameterTuningJobConfig": objective}}
    best = training("Again", hyperparameters={"best": get("Steps.Tune-all_of.TrainingJobSummaries[0].TrainingJobName")})
    p.run(pipeline(tune, best))
    (_, tuning), (_, job) = p.services.create_requests
    assert job["HyperParameters"] == {"best": f"best-{order}"}
    assert tuning["HyperParameterTuningJobName"].startswith("e0-Tune-al-")


# ForEach


def for_each(items: Any, *body: dict[str, Any], most: int = 50, **more: Any) -> dict[str, Any]:
    arguments = {"IterableItems": items, "MaxConcurrency": most, "ForEachBody": list(body), **more}
    return {"Name": "Each", "Type": "ForEach", "Arguments": arguments}


def test_a_body_runs_once_an_item_and_its_steps_see_their_own_iteration(p: Pipeline) -> None:
    one = training("One", hyperparameters={"month": get("ForEach.CurrentItem.month")})
    two = training("Two", hyperparameters={"model": get("Steps.One.ModelArtifacts.S3ModelArtifacts")})
    last = training(
        "Last",
        hyperparameters={
            "first": get("Steps.Each.IterationOutputs[0].One.HyperParameters.month"),
            "n": get("Steps.Each.SucceededStepCount"),
        },
    )
    items = '[{"month": "1"}, {"month": "7"}]'
    execution = p.run(
        pipeline(for_each(get("Parameters.Months"), one, two), last, Parameters=[{"Name": "Months"}]),
        parameters={"Months": items},
    )
    assert execution.status == "Succeeded"
    assert set(execution.records) == {"Each", "One-0", "One-1", "Two-0", "Two-1", "Last"}
    months = {name: request["HyperParameters"].get("month") for name, request in group_by_step(p).items()}
    assert (months["One-0"], months["One-1"]) == ("1", "7")
    for index in (0, 1):
        job = execution.records[f"One-{index}"].job
        assert group_by_step(p)[f"Two-{index}"]["HyperParameters"] == {"model": f"s3://b/{job}/model.tar.gz"}
    assert group_by_step(p)["Last"]["HyperParameters"] == {"first": "1", "n": 4}


def group_by_step(p: Pipeline) -> dict[str, Any]:
    """Return the requests for training jobs by their step."""
    return {
        request["TrainingJobName"].split("-", 2)[2].rsplit("-", 1)[0]: request
        for _, request in p.services.create_requests
    }


def test_a_body_runs_in_the_branch_that_is_taken(p: Pipeline) -> None:
    first_branch, left = for_each(["a"], training("One")), for_each(["b"], training("Two")) | {"Name": "Other"}
    execution = p.run(pipeline(condition("Yes", 1, 0, then=[first_branch], otherwise=[left])))
    assert set(execution.records) == {"Yes", "Each", "One-0"}


def test_a_body_keeps_to_its_concurrency(p: Pipeline) -> None:
    p.run(pipeline(for_each([1, 2, 3, 4], training("One"), most=2)), max_parallel=3)
    assert len(p.services.create_requests) == 4
    assert p.services.max_running <= 2
    p.run(pipeline(for_each([1, 2], training("One"))), max_parallel=1)
    assert len(p.services.create_requests) == 6, "the step itself takes no room"


def test_the_iteration_with_the_largest_output_is_selected(p: Pipeline) -> None:
    p.services.functions["arn:f"] = lambda event: {"score": -abs(event["x"] - 3), "x": event["x"]}
    score = {
        "Name": "Score",
        "Type": "Lambda",
        "FunctionArn": "arn:f",
        "Arguments": {"x": get("ForEach.CurrentItem")},
        "OutputParameters": [{"OutputName": name, "OutputType": "Integer"} for name in ("score", "x")],
    }
    selector = {"Pick": "MaxBy", "Field": get("IterationOutput.Score.OutputParameters['score']")}
    use = training("Use", hyperparameters={"x": get("Steps.Each.Selected.OutputParameters['x']")})
    execution = p.run(pipeline(for_each([1, 4, 9], score, Selector=selector), use))
    assert p.services.create_requests[0][1]["HyperParameters"] == {"x": 4}
    assert execution.records["Each"].metadata["ForEach"]["Selector"] == {"StepName": "Score", "Index": 1}


def test_a_body_that_fails_fails_its_step_after_the_others_have_ended(p: Pipeline) -> None:
    p.services.failures["One-0"] = ["AlgorithmError: no"]
    execution = p.run(pipeline(for_each(["a", "b"], training("One")), training("After", DependsOn=["Each"])))
    assert statuses(execution) == {"Each": "Failed", "One-0": "Failed", "One-1": "Succeeded"}
    counts = execution.records["Each"].metadata["ForEach"]
    assert (counts["FailedStepCount"], counts["SucceededStepCount"], counts["TotalStepCount"]) == (1, 1, 2)


def test_a_step_may_wait_for_a_body_to_fail(p: Pipeline) -> None:
    p.services.failures["One-0"] = ["AlgorithmError: no"]
    after = training("After", DependsOn=[{"Step": "Each", "Trigger": "Failed"}])
    execution = p.run(pipeline(for_each(["a"], training("One")), after))
    assert (execution.status, "After" in execution.records) == ("CompletedWithFailures", True)


def test_a_selected_step_with_a_body_runs_it(p: Pipeline) -> None:
    execution = p.run(pipeline(for_each(["a", "b"], training("One")), training("Else")), selected=["Each"])
    assert (execution.status, set(execution.records)) == ("Succeeded", {"Each", "One-0", "One-1"})


def test_stopping_leaves_no_iteration_to_begin(p: Pipeline) -> None:
    p.services.held["One"] = threading.Event()
    runner = p.begin(pipeline(for_each([1, 2, 3], training("One"), most=1)))
    wait_until(lambda: p.services.create_requests)
    runner.stop()
    assert runner.join(WAIT_SECONDS)
    assert (runner.execution.status, len(p.services.create_requests)) == ("Stopped", 1)
    assert statuses(runner.execution) == {"Each": "Stopped", "One-0": "Stopped"}


def test_a_fault_of_sagemaker_itself_is_no_client_error(p: Pipeline) -> None:
    class BrokenError(ApiError):
        status = 500

    p.services.refusals["CreateModel"] = [BrokenError("oops")]
    never = [policy("Step.SERVICE_FAULT", MaxAttempts=0)]
    execution = p.run(pipeline({"Name": "M", "Type": "Model", "Arguments": {}, "RetryPolicies": never}))
    assert (execution.records["M"].reason or "").startswith("InternalFailure: Failed to invoke sagemaker:CreateModel")
