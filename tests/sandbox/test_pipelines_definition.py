"""Definitions of pipelines that are refused, as CreatePipeline refuses them, and those that are not."""

import json
import random
from typing import Any

import pytest

from sagemaker_sandbox.base.errors import ApiError, NotEmulatedError, ValidationError
from sagemaker_sandbox.pipelines.checks import check_definition
from tests.cases import check_cases
from tests.sandbox.pipelines_support import condition, pipeline, training


def reads(path: str, name: str = "Train", **more: Any) -> dict[str, Any]:
    return training(name, hyperparameters={"x": {"Get": path}}, **more)


def fail(name: str = "Fail") -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}


def each(*body: dict[str, Any], **more: Any) -> dict[str, Any]:
    arguments = {"IterableItems": ["a"], "MaxConcurrency": 1, "ForEachBody": list(body)} | more
    return {"Name": "Each", "Type": "ForEach", "Arguments": arguments}


def no_file(path: str) -> dict[str, Any]:
    return training("Train", hyperparameters={"x": {"Std:JsonGet": {"PropertyFile": {"Get": path}, "Path": "a"}}})


def processing(**more: Any) -> dict[str, Any]:
    return {"Name": "Prepare", "Type": "Processing", "Arguments": {}, **more}


DEPTH = {"Name": "Depth", "Type": "Integer", "DefaultValue": 3}
A_FILE = {"PropertyFileName": "Metrics", "OutputName": "out", "FilePath": "m.json"}
METRIC = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Prepare.PropertyFiles.Metrics"}, "Path": "a.b"}}
BOTH_ENDS = {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 1, "ExpireAfterMin": 1}
PICK = {"Pick": "MaxBy", "Field": {"Get": "IterationOutput.Another.X"}}


@check_cases(
    ("definition", "why"),
    [
        ("{", "It is not valid JSON"),
        ("[" * 100_000, "It is not valid JSON"),
        ("[]", "Expecting start of Json Object"),
        ('{"Version": "2019-01-01", "Steps": []}', "Version: Input should be '2020-12-01'"),
        (pipeline(), "Steps: List should have at least 1 item"),
        (pipeline(training("A"), Extra=1), "Unknown member 'Extra'"),
        (pipeline(training("A", Extra=1)), "Unknown member 'Steps.0.Extra'"),
        (pipeline({"Name": "A", "Type": "Dance"}), "Unknown step type 'Dance' of step 'A'"),
        (pipeline(training("A b")), "Steps.0.Name"),
        (pipeline(training("A"), training("A")), "Duplicate step name: 'A'"),
        (pipeline(training("A"), condition("C", 1, 0, then=[training("A")], otherwise=[])), "Duplicate step name: 'A'"),
        (
            pipeline({"Name": "A", "Type": "Model", "Arguments": {"PrimaryContainer": {"Imago": "x"}}}),
            "Step 'A': Unknown Argument member 'Imago'",
        ),
        (
            pipeline({"Name": "A", "Type": "Processing", "Arguments": {"ProcessingInputs": 11 * [{"InputName": "x"}]}}),
            "Step 'A': Argument member 'ProcessingInputs' has 11 items, and can have at most 10",
        ),
        (pipeline(reads("Parameters.Depth")), "Undefined reference: 'Parameters.Depth'"),
        (pipeline(reads("Steps.Gone.X")), "Undefined reference: 'Steps.Gone.X'"),
        (pipeline(reads("Execution.Mood")), "Undefined reference: 'Execution.Mood'"),
        (pipeline(reads("Elsewhere.X")), "Undefined reference: 'Elsewhere.X'"),
        (pipeline(reads("Steps")), "'Steps' has no name after its root"),
        (pipeline(training("A", hyperparameters={"x": {"Std:Split": ["a"]}})), "unknown function Std:Split"),
        (pipeline(training("A"), Parameters=[DEPTH, DEPTH]), "Duplicate parameter name: 'Depth'"),
        (pipeline(training("A"), Parameters=[DEPTH | {"DefaultValue": "deep"}]), "'deep' of parameter 'Depth' is no"),
        (
            pipeline(training("A"), Parameters=[DEPTH | {"EnumValues": [1, 2]}]),
            "'3' of parameter 'Depth' must be one of",
        ),
        (pipeline(reads("Steps.A[")), r"Invalid expression: 'Steps.A\[' is not a path"),
        (pipeline(training("A", hyperparameters={"x": {"Std:Join": ["a"]}})), "Std:Join has On, a string, and Values"),
        (
            pipeline(training("A", hyperparameters={"x": {"Std:JsonGet": {"Path": "a"}}})),
            "either PropertyFile or S3Uri",
        ),
        (pipeline(no_file("Steps.Prepare.Arn"), processing()), "PropertyFile is a Get of Steps.<step>.PropertyFiles"),
        (
            pipeline(no_file("Steps.B.PropertyFiles.Metrics"), training("B", PropertyFiles=[A_FILE])),
            "property files belong to Processing steps, but 'B' is not one",
        ),
        (pipeline(no_file("Parameters.X"), Parameters=[{"Name": "X"}]), "PropertyFile is a Get of Steps.<step>"),
        (pipeline(reads("Steps.Fail.X"), fail()), "refers to a Fail step"),
        (pipeline(reads("ForEach.CurrentItem")), "Undefined reference: 'ForEach.CurrentItem'"),
        (pipeline(reads("Steps.Prepare.PropertyFiles.Metrics"), processing()), "Undefined property file"),
        (pipeline(training("A", DependsOn=["B"])), "depends on step 'B', which is not defined"),
        (pipeline(training("A", DependsOn=["Fail"]), fail()), "which is a Fail step"),
        (pipeline(training("A", DependsOn=[{"Step": "B", "Trigger": "Maybe"}]), training("B")), "DependsOn"),
        (pipeline(training("A", DependsOn=["A"])), "Cycle detected in the pipeline: A -> A"),
        (pipeline(reads("Steps.B.X", "A"), training("B", DependsOn=["A"])), "Cycle detected in the pipeline"),
        (
            pipeline(condition("C", {"Get": "Steps.In.X"}, 0, then=[training("In")], otherwise=[])),
            "Cycle detected in the pipeline",
        ),
        (
            pipeline(each(reads("Steps.After.X", "A")), reads("Steps.Each.Status", "After")),
            "Cycle detected in the pipeline",
        ),
        (pipeline(training("A", CacheConfig={"Enabled": True, "ExpireAfter": "soon"})), "not an ISO 8601 duration"),
        (pipeline(training("A", CacheConfig={"Enabled": True})), "ExpireAfter is required if caching is enabled"),
        (pipeline(training("A", RetryPolicies=[BOTH_ENDS])), "only one of MaxAttempts and ExpireAfterMin"),
        (pipeline(training("A", RetryPolicies=[{"ExceptionType": ["Bad.LUCK"]}])), "ExceptionType"),
        (pipeline(fail() | {"RetryPolicies": [BOTH_ENDS | {"MaxAttempts": None}]}), "RetryPolicies are not supported"),
        (pipeline({"Name": "C", "Type": "Callback", "Arguments": {}}), "SqsQueueUrl is missing"),
        (pipeline({"Name": "L", "Type": "Lambda", "Arguments": {}}), "FunctionArn is missing"),
        (
            pipeline(condition("C", 1, 0, then=[], otherwise=[])).replace("GreaterThan", "Like"),
            "unknown condition type",
        ),
        (
            pipeline(condition("C", 1, 0, then=[], otherwise=[])).replace("LeftValue", "Left"),
            "has the members Type, Left",
        ),
        (pipeline(each(fail())), "not allowed in the body of a ForEach step"),
        (pipeline(each(training("A"), MaxConcurrency=51)), "MaxConcurrency"),
        (pipeline(each(training("A"), IterableItems=[])), "a list of 1 to 100 items"),
        (pipeline(each(training("A")), training("A-3")), "'A-3' is taken by an iteration of step 'Each'"),
        (pipeline(each(training("A")), reads("Steps.A.X")), "refers to a step in the body of a ForEach step"),
        (pipeline(each(training("A"), Selector=PICK)), "Selector.Field is an IterationOutput of a step of its body"),
    ],
)
def test_an_invalid_definition_is_refused_with_the_reason(definition: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        check_definition(definition)
    assert refused.value.message.startswith("Unable to parse pipeline definition. ")


@check_cases("kind", ["EMR", "EMRServerless", "QualityCheck", "ClarifyCheck", "AutoML", "Cleanup"])
def test_a_type_of_step_that_is_not_emulated_is_refused_by_name(kind: str) -> None:
    with pytest.raises(NotEmulatedError, match=f"Step 'S' of type {kind} is not emulated"):
        check_definition(pipeline({"Name": "S", "Type": kind, "Arguments": {}}))


def test_expressions_stand_anywhere_in_the_arguments() -> None:
    parameters = [{"Name": "Config", "DefaultValue": "x"}]
    step = training("A")
    step["Arguments"]["ResourceConfig"] = {"Get": "Parameters.Config"}
    assert check_definition(pipeline(step, Parameters=parameters, Metadata={}, MlflowConfig=None)).steps[0].name == "A"


@check_cases("seed", range(20))
def test_no_mangled_definition_breaks_the_checks(seed: int) -> None:
    """Any member of a good definition replaced by any value: taken, or refused as SageMaker refuses."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    step = training(
        "B",
        DependsOn=["A"],
        CacheConfig={"Enabled": True, "ExpireAfter": "P1D"},
        RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"]}],
    )
    steps = [training("A"), step, each(reads("ForEach.CurrentItem", "One")), processing(PropertyFiles=[A_FILE])]
    good = json.loads(pipeline(*steps, condition("C", METRIC, 1, then=[fail()], otherwise=[])))
    check_definition(json.dumps(good))
    values = [None, 0, -1, 1.5, "", "x", [], {}, [None], {"Get": 1}, {"Get": "Steps.A"}, {"Std:Join": 1}, True]
    for _ in range(50):
        mangled = json.loads(json.dumps(good))
        places = list(_list_places(mangled))
        holder, key = chance.choice(places)
        holder[key] = chance.choice(values)
        try:
            check_definition(json.dumps(mangled))
        except ApiError:
            continue


def _list_places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _list_places(inner)
