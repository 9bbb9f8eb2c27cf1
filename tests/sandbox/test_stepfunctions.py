"""State machines run SageMaker's jobs and Lambda functions, functions are invoked, and queries are refused."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, catch_error, make_service_role, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]

FUNCTION = """
def handler(event, context):
    return {"total": event["a"] + event["b"]}
"""


@pytest.fixture
def function(sandbox: Sandbox, fresh: Fresh) -> str:
    """Create a function that adds two numbers, and return its name."""
    archive, name = io.BytesIO(), fresh("function")
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("index.py", FUNCTION)
    sandbox.client("lambda").create_function(
        FunctionName=name,
        Role=make_service_role(sandbox, "lambda.amazonaws.com", "logs:*"),
        Runtime="python3.12",
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    return name


def test_a_function_is_invoked(sandbox: Sandbox, function: str) -> None:
    client = sandbox.client("lambda")

    def invoke(payload: Any, **members: Any) -> tuple[str | None, Any]:
        response = client.invoke(FunctionName=function, Payload=json.dumps(payload), **members)
        return response.get("FunctionError"), json.loads(response["Payload"].read() or "null")

    assert invoke({"a": 1, "b": 2}) == (None, {"total": 3})
    kind, failure = invoke({"a": 1})
    assert (kind, failure["errorType"]) == ("Unhandled", "KeyError")
    assert client.invoke(FunctionName=function, Payload=b"{}", InvocationType="Event")["StatusCode"] == 202
    assert catch_error(client.invoke, FunctionName=f"{function}-not")[0] == "ResourceNotFoundException"
    client.update_function_configuration(FunctionName=function, Runtime="nodejs22.x")
    code, message = catch_error(client.invoke, FunctionName=function)
    assert (code, "not in nodejs22.x" in message) == ("UnsupportedOperationException", True)


def test_a_state_machine_runs_a_job_and_a_function(
    sandbox: Sandbox, sagemaker: Any, function: str, fresh: Fresh
) -> None:
    name, states = fresh("machine"), sandbox.client("stepfunctions")
    job = {
        "ProcessingJobName.$": "$.job",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint.$": "$.command"},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    }
    failed = {"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.error", "Next": "Failed"}
    refused = {"ErrorEquals": ["SageMaker.ResourceInUseException"], "Next": "Add"}
    definition = {
        "StartAt": "Job",
        "States": {
            "Job": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
                "Parameters": job,
                "ResultPath": "$.result",
                "Catch": [refused, failed],
                "Next": "Add",
            },
            "Add": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": function, "Payload": {"a": 1, "b": 2}},
                "ResultSelector": {"total.$": "$.Payload.total"},
                "ResultPath": "$.sum",
                "End": True,
            },
            "Failed": {"Type": "Fail", "CausePath": "$.error.Cause", "Error": "JobFailed"},
        },
    }
    role = make_service_role(sandbox, "states.amazonaws.com", "sagemaker:*", "lambda:*")
    machine = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)["stateMachineArn"]

    def run(job: str, *command: str) -> Any:
        request = json.dumps({"job": job, "command": command})
        execution = states.start_execution(stateMachineArn=machine, input=request)["executionArn"]
        return wait_until(
            lambda: (
                (description := states.describe_execution(executionArn=execution))["status"] != "RUNNING"
                and description
            )
        )

    output = json.loads(run(name, "true")["output"])
    assert output["result"]["ProcessingJobStatus"] == "Completed"
    assert output["sum"] == {"total": 3}
    assert sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"] == "Completed"
    failure = run(f"{name}-not", "false")
    assert (failure["status"], failure["error"]) == ("FAILED", "JobFailed")
    assert json.loads(failure["cause"])["ProcessingJobStatus"] == "Failed"
    assert run(name, "true")["status"] == "SUCCEEDED", "the machine catches the error of a taken name"
    assert name in sandbox.inventory()["stepfunctions"]["state machine"]

    definition["States"]["Job"]["Resource"] = "arn:aws:states:::sagemaker:createApp.sync"  # type: ignore[index]
    code, message = catch_error(
        states.create_state_machine, name=f"{name}-2", definition=json.dumps(definition), roleArn=role
    )
    assert (code, "createApp.sync; the sandbox has" in message) == ("InvalidDefinition", True)


def test_a_query_of_athena_is_refused_with_an_alternative(sandbox: Sandbox) -> None:
    code, message = catch_error(sandbox.client("athena").start_query_execution, QueryString="select 1")
    assert (code, "Read the Parquet files" in message) == ("UnsupportedOperationException", True)
