"""Pipelines through the API: definitions and their versions, and executions with real jobs, queues and functions."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.pipelines_support import condition, pipeline, training
from tests.sandbox.support import IMAGE, ROLE, catch_error, create_tar, make_role, subscribe_queue, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]
FAIL = {"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}


def token() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def create_pipeline(sagemaker: Any, fresh: Fresh) -> Callable[..., str]:
    """Return a function that creates a pipeline and returns its name."""

    def make(*steps: dict[str, Any], definition: str | None = None, **more: Any) -> str:
        name = fresh("pipe")
        text = definition or pipeline(*steps or [training("Train")])
        sagemaker.create_pipeline(
            PipelineName=name, PipelineDefinition=text, RoleArn=ROLE, ClientRequestToken=token(), **more
        )
        return name

    return make


@pytest.fixture
def start_execution(sagemaker: Any) -> Callable[..., str]:
    """Return a function that starts a pipeline and returns the ARN of the execution."""

    def start(name: str, **more: Any) -> str:
        request = {"PipelineName": name, "ClientRequestToken": token(), **more}
        return str(sagemaker.start_pipeline_execution(**request)["PipelineExecutionArn"])

    return start


@pytest.fixture
def wait_for_end(sagemaker: Any) -> Callable[..., dict[str, Any]]:
    """Return a function that waits for the end of an execution and returns its steps by name."""

    def wait(arn: str, status: str = "Succeeded") -> dict[str, Any]:
        def over() -> Any:
            description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            return description if description["PipelineExecutionStatus"] not in ("Executing", "Stopping") else None

        description, steps = wait_until(over), list_steps(sagemaker, arn)
        assert description["PipelineExecutionStatus"] == status, (description, steps)
        return steps

    return wait


def list_steps(sagemaker: Any, arn: str) -> dict[str, Any]:
    answer = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
    return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}


# Definitions


def test_a_pipeline_is_described_listed_tagged_and_deleted(sagemaker: Any, create_pipeline: Callable[..., str]) -> None:
    tags = [{"Key": "team", "Value": "flights"}]
    name = create_pipeline(
        FAIL, PipelineDescription="d", Tags=tags, ParallelismConfiguration={"MaxParallelExecutionSteps": 3}
    )
    description = sagemaker.describe_pipeline(PipelineName=name)
    assert json.loads(description["PipelineDefinition"])["Steps"] == [FAIL]
    assert (description["PipelineStatus"], description["PipelineDescription"], description["RoleArn"]) == (
        "Active",
        "d",
        ROLE,
    )
    assert (description["PipelineDisplayName"], description["ParallelismConfiguration"]) == (
        name,
        {"MaxParallelExecutionSteps": 3},
    )
    assert description["PipelineArn"] == f"arn:aws:sagemaker:eu-north-1:123456789012:pipeline/{name}"
    assert sagemaker.describe_pipeline(PipelineName=description["PipelineArn"])["PipelineName"] == name
    assert sagemaker.list_tags(ResourceArn=description["PipelineArn"])["Tags"] == tags
    (summary,) = sagemaker.list_pipelines(PipelineNamePrefix=name)["PipelineSummaries"]
    assert (summary["PipelineName"], summary["RoleArn"]) == (name, ROLE)
    assert sagemaker.list_pipelines(PipelineNamePrefix=name, CreatedBefore=0)["PipelineSummaries"] == []
    answer = sagemaker.delete_pipeline(PipelineName=name, ClientRequestToken=token())
    assert answer["PipelineArn"] == description["PipelineArn"]
    code, message = catch_error(sagemaker.describe_pipeline, PipelineName=name)
    assert (code, message) == ("ResourceNotFound", f"Pipeline '{description['PipelineArn']}' does not exist.")


def test_pipelines_are_listed_the_newest_first_and_page_by_page(
    sagemaker: Any, create_pipeline: Callable[..., str]
) -> None:
    names = [create_pipeline(FAIL) for _ in range(3)]
    first = sagemaker.list_pipelines(MaxResults=2)
    assert [one["PipelineName"] for one in first["PipelineSummaries"]] == names[:0:-1]
    second = sagemaker.list_pipelines(MaxResults=1, NextToken=first["NextToken"])
    assert [one["PipelineName"] for one in second["PipelineSummaries"]] == names[:1]


def test_a_definition_is_checked_on_creation_and_update(
    sagemaker: Any, create_pipeline: Callable[..., str], fresh: Fresh
) -> None:
    bad = pipeline(training("Train", DependsOn=["Gone"]))
    why = "Unable to parse pipeline definition. Step 'Train' depends on step 'Gone', which is not defined."
    request = {"PipelineName": fresh("p"), "RoleArn": ROLE, "ClientRequestToken": token()}
    assert catch_error(sagemaker.create_pipeline, **request, PipelineDefinition=bad) == ("ValidationException", why)
    assert catch_error(sagemaker.update_pipeline, PipelineName=create_pipeline(FAIL), PipelineDefinition=bad)[1] == why
    assert "Either Pipeline Definition or" in catch_error(sagemaker.create_pipeline, **request)[1]
    code, message = catch_error(
        sagemaker.create_pipeline, **request, PipelineDefinition=pipeline({"Name": "E", "Type": "EMR", "Arguments": {}})
    )
    assert code == "UnsupportedOperationException"
    assert message.startswith("Step 'E' of type EMR is not emulated by the sandbox.")


def test_a_definition_may_lie_in_s3(sagemaker: Any, s3: Any, bucket: str, fresh: Fresh) -> None:
    name = fresh("p")
    place = {"Bucket": bucket, "ObjectKey": "a/definition.json"}
    request = {
        "PipelineName": name,
        "RoleArn": ROLE,
        "ClientRequestToken": token(),
        "PipelineDefinitionS3Location": place,
    }
    assert f"s3://{bucket}/a/definition.json" in catch_error(sagemaker.create_pipeline, **request)[1]
    nowhere = request | {"PipelineDefinitionS3Location": place | {"Bucket": "no-such-bucket"}}
    assert "s3://no-such-bucket/a/definition.json" in catch_error(sagemaker.create_pipeline, **nowhere)[1]
    s3.put_object(Bucket=bucket, Key="a/definition.json", Body=pipeline(FAIL).encode())
    sagemaker.create_pipeline(**request)
    assert json.loads(sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"])["Steps"] == [FAIL]
    both = request | {"PipelineName": fresh("p"), "PipelineDefinition": pipeline(FAIL)}
    assert "Both Pipeline Definition and" in catch_error(sagemaker.create_pipeline, **both)[1]


def test_a_repeated_request_creates_one_pipeline(
    sagemaker: Any, fresh: Fresh, create_pipeline: Callable[..., str]
) -> None:
    request = {
        "PipelineName": fresh("p"),
        "RoleArn": ROLE,
        "PipelineDefinition": pipeline(FAIL),
        "ClientRequestToken": token(),
    }
    assert sagemaker.create_pipeline(**request)["PipelineArn"] == sagemaker.create_pipeline(**request)["PipelineArn"]
    code, message = catch_error(sagemaker.create_pipeline, **request | {"ClientRequestToken": token()})
    assert code == "ValidationException"
    assert message.startswith("Pipeline names must be unique within an AWS account and region.")
    start = {"PipelineName": create_pipeline(FAIL), "ClientRequestToken": token()}
    arns = [sagemaker.start_pipeline_execution(**start)["PipelineExecutionArn"] for _ in range(2)]
    assert arns[0] == arns[1]


def test_every_other_definition_is_a_version_which_aliases_name(
    sagemaker: Any,
    create_pipeline: Callable[..., str],
    start_execution: Callable[..., str],
    wait_for_end: Callable[..., Any],
) -> None:
    name = create_pipeline(FAIL, PipelineVersionAliases=["live"])
    other = pipeline(FAIL | {"Name": "Other"})
    assert sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=other)["PipelineVersionId"] == 2
    assert sagemaker.update_pipeline(PipelineName=name, PipelineDescription="only words")["PipelineVersionId"] == 2
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == other
    live = sagemaker.describe_pipeline(PipelineName=name, PipelineVersionAlias="live")
    assert (
        live["PipelineDefinition"]
        == sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=1)["PipelineDefinition"]
    )
    arn = start_execution(name, PipelineVersionAlias="live")
    assert set(wait_for_end(arn, "Failed")) == {"Fail"}
    assert sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineVersionId"] == 1
    text = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)["PipelineDefinition"]
    assert text == live["PipelineDefinition"]

    def move(version: int, **operations: Any) -> Any:
        request = {"PipelineArn": live["PipelineArn"], "PipelineVersionId": version}
        return request | {"PipelineVersionAliasOperations": operations, "PipelineVersionDisplayName": f"v{version}"}

    assert catch_error(sagemaker.update_pipeline_version, **move(2, Add=["live"]))[0] == "ConflictException"
    assert "digits only" in catch_error(sagemaker.update_pipeline_version, **move(2, Add=["12"]))[1]
    sagemaker.update_pipeline_version(**move(1, Remove=["live"]))
    assert sagemaker.update_pipeline_version(**move(2, Add=["live"]))["PipelineVersionId"] == 2
    versions = sagemaker.list_pipeline_versions(PipelineName=name)["PipelineVersionSummaries"]
    assert [(one["PipelineVersionId"], one["PipelineVersionAliases"]) for one in versions] == [(2, ["live"]), (1, [])]
    assert versions[1]["LastExecutionPipelineExecutionArn"] == arn
    assert versions[0]["PipelineVersionDisplayName"] == "v2"
    latest = start_execution(name, PipelineVersionAlias="live")
    assert set(wait_for_end(latest, "Failed")) == {"Other"}
    executions = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert [one["PipelineExecutionArn"] for one in executions] == [latest, arn]
    assert executions[0]["PipelineExecutionFailureReason"] == "Step failure: One or multiple steps failed."
    of_alias = sagemaker.list_pipeline_executions(PipelineName=name, PipelineVersionAlias="live")
    assert [one["PipelineExecutionArn"] for one in of_alias["PipelineExecutionSummaries"]] == [latest]
    error = catch_error(
        sagemaker.start_pipeline_execution, PipelineName=name, PipelineVersionId=9, ClientRequestToken=token()
    )
    assert error[0] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "Parameter 'Rounds' has no default value and is required."),
        ([("Rounds", "many")], "Value 'many' of parameter 'Rounds' is not of type Integer."),
        ([("Rounds", "1"), ("Colour", "red")], "Parameter 'Colour' is not defined in the pipeline definition."),
        ([("Rounds", "3")], "Value '3' of parameter 'Rounds' must be one of: 1, 2."),
    ],
)
def test_invalid_parameters_are_refused(
    sagemaker: Any, create_pipeline: Callable[..., str], values: list[tuple[str, str]], message: str
) -> None:
    parameters = [{"Name": "Rounds", "Type": "Integer", "EnumValues": [1, 2]}]
    name = create_pipeline(definition=pipeline(FAIL, Parameters=parameters))
    start_parameters = [{"Name": parameter, "Value": value} for parameter, value in values]
    request = {"PipelineName": name, "ClientRequestToken": token(), "PipelineParameters": start_parameters}
    assert catch_error(sagemaker.start_pipeline_execution, **request) == ("ValidationException", message)


# Executions

TRAIN = """
import os, pathlib, sys, time
value = sys.argv[sys.argv.index("--value") + 1]
if value == "bad":
    sys.exit("no good")
while value == "endless":
    time.sleep(0.1)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text(value)
print(f"auc={value};")
"""


@pytest.fixture
def train(s3: Any, bucket: str) -> Callable[..., dict[str, Any]]:
    """Return a function that builds a training step: `bad` fails, `endless` runs until it is stopped."""
    s3.put_object(Bucket=bucket, Key="source.tar.gz", Body=create_tar(train_py=TRAIN))

    def make(name: str = "Train", *, value: Any, **more: Any) -> dict[str, Any]:
        algorithm: dict[str, Any] = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
        algorithm["MetricDefinitions"] = [{"Name": "auc", "Regex": "auc=([0-9.]+);"}]
        arguments = {
            "RoleArn": ROLE,
            "AlgorithmSpecification": algorithm,
            "HyperParameters": {
                "sagemaker_program": "train.py",
                "sagemaker_submit_directory": f"s3://{bucket}/source.tar.gz",
                "value": value,
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        }
        return {"Name": name, "Type": "Training", "Arguments": arguments, **more}

    return make


@pytest.fixture
def events(sandbox: Sandbox, fresh: Fresh) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """Return a function that returns the events of a pipeline's executions and steps, in order."""
    sqs, bridge, rule = sandbox.client("sqs"), sandbox.client("events"), fresh("rule")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": [
            "SageMaker Model Building Pipeline Execution Status Change",
            "SageMaker Model Building Pipeline Execution Step Status Change",
        ],
    }
    url = subscribe_queue(sandbox, rule, pattern)
    events_received: list[dict[str, Any]] = []

    def of_pipeline(pipeline_arn: str) -> list[dict[str, Any]]:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            events_received.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [event for event in events_received if event["detail"]["pipelineArn"] == pipeline_arn]

    yield of_pipeline
    bridge.remove_targets(Rule=rule, Ids=["queue"])
    bridge.delete_rule(Name=rule)


def test_a_model_is_trained_evaluated_and_registered_and_the_cache_is_used(
    sagemaker: Any,
    train: Callable[..., Any],
    create_pipeline: Callable[..., str],
    start_execution: Callable[..., str],
    wait_for_end: Callable[..., Any],
    events: Callable[[str], list[dict[str, Any]]],
    fresh: Fresh,
) -> None:
    group, data = fresh("group"), {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    container = {"Image": IMAGE, "ModelDataUrl": data}
    inference = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    register = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {"ModelPackageGroupName": group, "InferenceSpecification": inference},
    }
    model = {"Name": "Model", "Type": "Model", "Arguments": {"PrimaryContainer": container, "ExecutionRoleArn": ROLE}}
    metric = {"Get": "Steps.Train.FinalMetricDataList['auc'].Value"}
    cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "T1H"}}
    value = {"Get": "Parameters.Value"}
    definition = pipeline(
        train(value=value, **cached),
        train("Baseline", value="0.5", **cached),
        condition("Good", metric, 0.7, then=[register, model], otherwise=[FAIL]),
        Parameters=[{"Name": "Value", "DefaultValue": "0.8"}],
        PipelineExperimentConfig={"ExperimentName": "flights", "TrialName": {"Get": "Execution.PipelineExecutionId"}},
    )
    name = create_pipeline(definition=definition)
    first = start_execution(name, PipelineExecutionDisplayName="first")
    steps = wait_for_end(first)
    assert {step: description["StepStatus"] for step, description in steps.items()} == dict.fromkeys(
        ("Train", "Baseline", "Good", "Register", "Model"), "Succeeded"
    )
    assert steps["Good"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].split("/")[1]
    identity = first.split("/")[-1]
    assert job.startswith(f"pipelines-{identity}-Train-")
    assert sagemaker.describe_training_job(TrainingJobName=job)["ExperimentConfig"]["TrialName"] == identity
    package = sagemaker.describe_model_package(ModelPackageName=steps["Register"]["Metadata"]["RegisterModel"]["Arn"])
    artifacts = sagemaker.describe_training_job(TrainingJobName=job)["ModelArtifacts"]["S3ModelArtifacts"]
    assert package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == artifacts
    description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=first)
    assert description["PipelineExperimentConfig"] == {"ExperimentName": "flights", "TrialName": identity}
    assert description["PipelineExecutionDisplayName"] == "first"

    second = start_execution(name)
    later_steps = wait_for_end(second)
    hits = {
        step: description["CacheHitResult"]["SourcePipelineExecutionArn"]
        for step, description in later_steps.items()
        if "CacheHitResult" in description
    }
    assert hits == {"Train": first, "Baseline": first}
    assert later_steps["Train"]["Metadata"] == steps["Train"]["Metadata"]

    third = wait_for_end(start_execution(name, PipelineParameters=[{"Name": "Value", "Value": "0.6"}]), "Failed")
    assert {step for step, description in third.items() if "CacheHitResult" in description} == {"Baseline"}
    assert third["Fail"]["FailureReason"] == "no"

    arn = sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]
    wait_until(
        lambda: [event for event in events(arn) if event["detail"].get("currentPipelineExecutionStatus") == "Failed"]
    )
    of_second = [event for event in events(arn) if event["detail"]["pipelineExecutionArn"] == second]
    whole = [event["detail"] for event in of_second if "Step" not in event["detail-type"]]
    assert [(one.get("previousPipelineExecutionStatus"), one["currentPipelineExecutionStatus"]) for one in whole] == [
        (None, "Executing"),
        ("Executing", "Succeeded"),
    ]
    hit = next(
        event for event in of_second if event["detail"].get("cacheHitResult") and event["detail"]["stepName"] == "Train"
    )
    assert hit["detail-type"] == "SageMaker Model Building Pipeline Execution Step Status Change"
    assert hit["resources"] == [arn, second]
    assert hit["detail"] == {
        "metadata": {"trainingJob": {"arn": steps["Train"]["Metadata"]["TrainingJob"]["Arn"]}},
        "stepStartTime": hit["detail"]["stepStartTime"],
        "stepEndTime": hit["detail"]["stepEndTime"],
        "stepName": "Train",
        "stepType": "Training",
        "previousStepStatus": "Starting",
        "currentStepStatus": "Succeeded",
        "cacheHitResult": {"sourcePipelineExecutionArn": first},
        "pipelineArn": arn,
        "pipelineExecutionArn": second,
    }


def test_a_retry_continues_a_failed_execution(
    sandbox: Sandbox,
    sagemaker: Any,
    create_pipeline: Callable[..., str],
    start_execution: Callable[..., str],
    wait_for_end: Callable[..., Any],
    fresh: Fresh,
) -> None:
    queue = sandbox.client("sqs").create_queue(QueueName=fresh("queue"))["QueueUrl"]
    ask = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}, "DependsOn": ["First"]}
    name = create_pipeline(condition("First", 1, 0, then=[], otherwise=[]), ask)
    arn = start_execution(name)

    def receive_token() -> str:
        """Receive and delete a message. Return its token."""
        sqs = sandbox.client("sqs")
        for message in sqs.receive_message(QueueUrl=queue).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return str(json.loads(message["Body"])["token"])
        return ""

    callback = wait_until(receive_token)
    assert (
        catch_error(sagemaker.delete_pipeline, PipelineName=name, ClientRequestToken=token())[0] == "ConflictException"
    )
    busy = catch_error(sagemaker.retry_pipeline_execution, PipelineExecutionArn=arn, ClientRequestToken=token())
    assert busy[0] == "ConflictException"
    answer = sagemaker.send_pipeline_execution_step_failure(CallbackToken=callback, FailureReason="called off")
    assert answer["PipelineExecutionArn"] == arn
    steps = wait_for_end(arn, "Failed")
    assert steps["Ask"]["FailureReason"] == "called off"
    assert (
        sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=token())["PipelineExecutionArn"]
        == arn
    )
    callback = wait_until(receive_token)
    outputs = [{"Name": "unused", "Value": "1"}]
    answer = sagemaker.send_pipeline_execution_step_success(CallbackToken=callback, OutputParameters=outputs)
    assert answer["PipelineExecutionArn"] == arn
    later_steps = wait_for_end(arn)
    assert later_steps["First"] == steps["First"], "what had succeeded was left alone"
    assert later_steps["Ask"]["Metadata"]["Callback"]["OutputParameters"] == outputs
    code, _ = catch_error(sagemaker.send_pipeline_execution_step_success, CallbackToken=callback)
    assert code == "ResourceNotFound"


def test_stopping_an_execution_stops_its_job(
    sagemaker: Any,
    train: Callable[..., Any],
    create_pipeline: Callable[..., str],
    start_execution: Callable[..., str],
    wait_for_end: Callable[..., Any],
) -> None:
    name = create_pipeline(train(value="endless"), train("After", value="0.5", DependsOn=["Train"]))
    arn = start_execution(name)

    def job() -> str:
        metadata = list_steps(sagemaker, arn).get("Train", {}).get("Metadata", {})
        return str(metadata["TrainingJob"]["Arn"]).split("/")[1] if metadata else ""

    running = wait_until(job)
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName=running)["SecondaryStatus"] == "Training")
    sagemaker.update_pipeline_execution(
        PipelineExecutionArn=arn,
        PipelineExecutionDescription="long",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 1},
    )
    assert (
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=token())["PipelineExecutionArn"]
        == arn
    )
    assert {step: description["StepStatus"] for step, description in wait_for_end(arn, "Stopped").items()} == {
        "Train": "Stopped"
    }
    assert sagemaker.describe_training_job(TrainingJobName=running)["TrainingJobStatus"] == "Stopped"
    description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert (
        description["PipelineExecutionDescription"],
        description["ParallelismConfiguration"]["MaxParallelExecutionSteps"],
    ) == (
        "long",
        1,
    )
    late = catch_error(sagemaker.stop_pipeline_execution, PipelineExecutionArn=arn, ClientRequestToken=token())
    assert late[0] == "ConflictException"


def test_the_failure_of_a_job_is_the_reason_of_its_step(
    train: Callable[..., Any],
    create_pipeline: Callable[..., str],
    start_execution: Callable[..., str],
    wait_for_end: Callable[..., Any],
) -> None:
    steps = wait_for_end(start_execution(create_pipeline(train(value="bad"))), "Failed")
    assert steps["Train"]["FailureReason"].startswith("ClientError: AlgorithmError")
    assert steps["Train"]["AttemptCount"] == 1


def test_selected_steps_run_on_an_earlier_execution(
    sagemaker: Any,
    train: Callable[..., Any],
    create_pipeline: Callable[..., str],
    start_execution: Callable[..., str],
    wait_for_end: Callable[..., Any],
) -> None:
    model = {
        "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}}
    }
    step = {"Name": "Model", "Type": "Model", "Arguments": model | {"ExecutionRoleArn": ROLE}}
    name = create_pipeline(train(value="0.5"), step)
    first = start_execution(name)
    before = wait_for_end(first)
    config = {"SourcePipelineExecutionArn": first, "SelectedSteps": [{"StepName": "Model"}]}
    second = start_execution(name, SelectiveExecutionConfig=config)
    steps = wait_for_end(second)
    assert steps["Train"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": first}
    assert steps["Train"]["Metadata"] == before["Train"]["Metadata"]
    assert steps["Model"]["Metadata"] != before["Model"]["Metadata"]
    assert "SelectiveExecutionResult" not in steps["Model"]
    assert sagemaker.describe_pipeline_execution(PipelineExecutionArn=second)["SelectiveExecutionConfig"] == config


FUNCTION = """
import boto3, os
def handler(event, context):
    who = boto3.client("sts").get_caller_identity()["Arn"]
    return {"total": event["a"] + int(os.environ["MORE"]), "who": who}
"""


def test_a_lambda_step_runs_the_function_as_its_role(
    sandbox: Sandbox,
    create_pipeline: Callable[..., str],
    start_execution: Callable[..., str],
    wait_for_end: Callable[..., Any],
    fresh: Fresh,
) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("index.py", FUNCTION)
    name = fresh("function")
    arn = sandbox.client("lambda").create_function(
        FunctionName=name,
        Role=make_role(sandbox, name),
        Runtime="python3.12",
        Handler="index.handler",
        Timeout=60,
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"MORE": "3"}},
    )["FunctionArn"]
    outputs = [{"OutputName": "total", "OutputType": "Integer"}, {"OutputName": "who", "OutputType": "String"}]
    step = {"Name": "Add", "Type": "Lambda", "FunctionArn": arn, "Arguments": {"a": 2}, "OutputParameters": outputs}
    description = wait_for_end(start_execution(create_pipeline(step)))["Add"]["Metadata"]["Lambda"]
    parameter_values = {one["Name"]: one["Value"] for one in description["OutputParameters"]}
    assert parameter_values["total"] == "5"
    assert parameter_values["who"].startswith(f"arn:aws:sts::123456789012:assumed-role/{name}/")
    missing = step | {"FunctionArn": arn + "-gone"}
    assert (
        "The Lambda function"
        in wait_for_end(start_execution(create_pipeline(missing)), "Failed")["Add"]["FailureReason"]
    )


FIT = """
import os, pathlib, sys
factor = int(sys.argv[sys.argv.index("--factor") + 1])
rows = sum(1 for _ in open(pathlib.Path(os.environ["SM_CHANNEL_DATA"], "rows.csv")))
code = pathlib.Path(os.environ["SM_MODEL_DIR"], "code")
code.mkdir()
(code / "inference.py").write_text(f'''
def model_fn(folder):
    return {factor * rows}
def transform_fn(model, data, content_type, accept):
    return "\\\\n".join(str(model * int(line)) for line in data.split()), accept
''')
"""


@pytest.fixture
def batch(s3: Any, bucket: str, train: Callable[..., Any]) -> str:
    """Prepare rows, look at how many there are, fit a factor to them, and transform them by it."""
    s3.put_object(Bucket=bucket, Key="in/rows.csv", Body=b"1\n2\n3\n")
    s3.put_object(Bucket=bucket, Key="fit.tar.gz", Body=create_tar(train_py=FIT))
    folder = "/opt/ml/processing"
    work = f"cp {folder}/in/rows.csv {folder}/out/; echo '{{\"rows\": 3}}' > {folder}/out/told.json"
    output = {"S3Uri": f"s3://{bucket}/prepared", "LocalPath": f"{folder}/out", "S3UploadMode": "EndOfJob"}
    source = {
        "S3Uri": f"s3://{bucket}/in",
        "LocalPath": f"{folder}/in",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "PT1H"}}
    prepare = {
        "Name": "Prepare",
        "Type": "Processing",
        "Arguments": {
            "RoleArn": ROLE,
            "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c"], "ContainerArguments": [work]},
            "ProcessingInputs": [{"InputName": "rows", "S3Input": source}],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "prepared", "S3Output": output}]},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
        },
        "PropertyFiles": [{"PropertyFileName": "Told", "OutputName": "prepared", "FilePath": "told.json"}],
        **cached,
    }
    prepared = {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['prepared'].S3Output.S3Uri"}
    fit = train("Fit", value="", **cached)
    fit["Arguments"]["HyperParameters"] = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": f"s3://{bucket}/fit.tar.gz",
        "factor": {"Get": "Parameters.Factor"},
    }
    channel = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": prepared}}
    fit["Arguments"]["InputDataConfig"] = [{"ChannelName": "data", "DataSource": channel}]
    container = {"Image": IMAGE, "ModelDataUrl": {"Get": "Steps.Fit.ModelArtifacts.S3ModelArtifacts"}}
    model = {"Name": "Model", "Type": "Model", "Arguments": {"PrimaryContainer": container, "ExecutionRoleArn": ROLE}}
    rows = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in"}}
    transform = {
        "Name": "Transform",
        "Type": "Transform",
        "Arguments": {
            "ModelName": {"Get": "Steps.Model.ModelName"},
            "TransformInput": {"DataSource": rows, "ContentType": "text/csv", "SplitType": "Line"},
            "TransformOutput": {"S3OutputPath": f"s3://{bucket}/out", "AssembleWith": "Line"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
        **cached,
    }
    row_count = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Prepare.PropertyFiles.Told"}, "Path": "rows"}}
    enough = condition("Enough", row_count, 2, then=[fit, model, transform], otherwise=[FAIL])
    return pipeline(prepare, enough, Parameters=[{"Name": "Factor", "DefaultValue": "2"}])


def test_data_is_prepared_a_model_fitted_and_the_data_transformed_each_once(
    s3: Any,
    bucket: str,
    batch: str,
    create_pipeline: Callable[..., str],
    start_execution: Callable[..., str],
    wait_for_end: Callable[..., Any],
) -> None:
    """The second execution creates a new model of the same artifacts, which is another model for the cache."""

    def hits(**more: Any) -> tuple[set[str], bytes]:
        steps = wait_for_end(start_execution(name, **more))
        assert set(steps) == {"Prepare", "Enough", "Fit", "Model", "Transform"}
        output = s3.get_object(Bucket=bucket, Key="out/rows.csv.out")["Body"].read()
        return {step for step, description in steps.items() if "CacheHitResult" in description}, output

    name = create_pipeline(definition=batch)
    assert hits() == (set(), b"6\n12\n18\n")
    assert hits() == ({"Prepare", "Fit"}, b"6\n12\n18\n")
    factor = [{"Name": "Factor", "Value": "5"}]
    assert hits(PipelineParameters=factor) == ({"Prepare"}, b"15\n30\n45\n")


def test_a_tuning_step_hands_on_its_best_job(
    sagemaker: Any,
    train: Callable[..., Any],
    create_pipeline: Callable[..., str],
    start_execution: Callable[..., str],
    wait_for_end: Callable[..., Any],
) -> None:
    arguments = train(value="0")["Arguments"]
    hyperparameters = arguments.pop("HyperParameters")
    del hyperparameters["value"]
    objective = {"Type": "Maximize", "MetricName": "auc"}
    config = {
        "Strategy": "Grid",
        "HyperParameterTuningJobObjective": objective,
        "ResourceLimits": {"MaxParallelTrainingJobs": 2},
        "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "value", "Values": ["0.4", "0.9"]}]},
    }
    tune = {
        "Name": "Tune",
        "Type": "Tuning",
        "Arguments": {
            "HyperParameterTuningJobConfig": config,
            "TrainingJobDefinition": arguments | {"StaticHyperParameters": hyperparameters},
        },
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"},
    }
    best = {"Get": "Steps.Tune.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value"}
    name = create_pipeline(tune, condition("Good", best, 0.8, then=[], otherwise=[FAIL]))
    first = start_execution(name)
    steps = wait_for_end(first)
    tuning = steps["Tune"]["Metadata"]["TuningJob"]["Arn"].split("/")[1]
    description = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning)
    assert description["TrainingJobStatusCounters"]["Completed"] == 2
    later_steps = wait_for_end(start_execution(name))
    assert later_steps["Tune"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first}


def test_the_parameters_of_the_request_are_listed(
    sagemaker: Any,
    create_pipeline: Callable[..., str],
    start_execution: Callable[..., str],
    wait_for_end: Callable[..., Any],
) -> None:
    parameters = [{"Name": "A"}, {"Name": "B", "DefaultValue": "b"}]
    parameter_values = [{"Name": "A", "Value": "a"}]
    arn = start_execution(
        create_pipeline(definition=pipeline(FAIL, Parameters=parameters)), PipelineParameters=parameter_values
    )
    wait_for_end(arn, "Failed")
    assert (
        sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
        == parameter_values
    )


def test_a_json_document_in_s3_is_read_where_an_expression_says(
    s3: Any,
    bucket: str,
    create_pipeline: Callable[..., str],
    start_execution: Callable[..., str],
    wait_for_end: Callable[..., Any],
) -> None:
    s3.put_object(Bucket=bucket, Key="metrics.json", Body=b'{"auc": [0.9]}')
    uri = {"Std:Join": {"On": "/", "Values": [f"s3://{bucket}", "metrics.json"]}}
    metric = {"Std:JsonGet": {"S3Uri": uri, "Path": "auc[0]"}}
    steps = wait_for_end(start_execution(create_pipeline(condition("Good", metric, 0.8, then=[], otherwise=[FAIL]))))
    assert steps["Good"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    bad = {"Std:JsonGet": {"S3Uri": f"s3://{bucket}/gone.json", "Path": "auc"}}
    steps = wait_for_end(start_execution(create_pipeline(condition("Good", bad, 0.8, then=[], otherwise=[]))), "Failed")
    assert steps["Good"]["FailureReason"].startswith(f"ClientError: Failed to read s3://{bucket}/gone.json")


def test_an_execution_continues_after_a_restart(tmp_path: Path) -> None:
    with Sandbox.start(state=tmp_path) as sandbox:
        make_role(sandbox)
        queue = sandbox.client("sqs").create_queue(QueueName="queue")["QueueUrl"]
        ask = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {"size": 5}}
        definition = pipeline(ask, training("Train", DependsOn=["Ask"]))
        sagemaker = sandbox.client("sagemaker")
        sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=definition, RoleArn=ROLE)
        arn = sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
        messages = wait_until(lambda: sandbox.client("sqs").receive_message(QueueUrl=queue).get("Messages"))
        assert "p/" in json.dumps(sandbox.inventory())
    with Sandbox.start(state=tmp_path) as sandbox:
        sagemaker = sandbox.client("sagemaker")
        assert list_steps(sagemaker, arn)["Ask"]["StepStatus"] == "Executing"
        sagemaker.send_pipeline_execution_step_success(CallbackToken=json.loads(messages[0]["Body"])["token"])
        wait_until(lambda: list_steps(sagemaker, arn).get("Train", {}).get("StepStatus") == "Failed")
        why = list_steps(sagemaker, arn)["Train"]["FailureReason"]
        assert why.startswith("ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: ")
        assert sagemaker.list_pipelines()["PipelineSummaries"][0]["LastExecutionTime"]
