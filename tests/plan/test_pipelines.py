"""Steps of a pipeline definition."""

import json
from typing import Any

from sustainable_mlops.plan import UNKNOWN, PlannedPipeline, Resource, load
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.plan.test_load import FIXTURES

TRAIN = {
    "Name": "Train",
    "Type": "Training",
    "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"},
    "DependsOn": ["Prepare"],
    "Arguments": {
        "ResourceConfig": {"InstanceType": {"Get": "Parameters.Type"}, "InstanceCount": {"Get": "Parameters.Count"}},
        "TrainingJobName": {"Std:Join": {"On": "-", "Values": ["a", {"Get": "Execution.PipelineExecutionId"}]}},
        "Environment": {"Get": "x", "Other": "y"},
    },
}
PARAMETERS = [{"Name": "Type", "Type": "String", "DefaultValue": "ml.m5.xlarge"}, {"Name": "Count", "Type": "Integer"}]


def build_pipeline(definition: Any, **after: Any) -> PlannedPipeline:
    text = definition if isinstance(definition, str) else json.dumps(definition)
    return build_plan(build_change("aws_sagemaker_pipeline.p", {"pipeline_definition": text, **after})).pipelines[0]


def test_arguments_have_the_defaults_of_parameters() -> None:
    (step,) = build_pipeline({"Parameters": PARAMETERS, "Steps": [TRAIN]}).list_steps("Training")
    assert step.text("ResourceConfig.InstanceType") == "ml.m5.xlarge"
    assert step.number("ResourceConfig.InstanceCount") is UNKNOWN  # an execution must set it
    assert step.text("TrainingJobName") is UNKNOWN
    assert step.get("StoppingCondition.MaxRuntimeInSeconds") is None
    assert step.get("Environment") == {"Get": "x", "Other": "y"}
    assert (step.is_cached, step.cache_duration, step.depends_on) == (True, "P30D", ["Prepare"])


def test_settings_are_resolved_at_any_depth_without_inner_steps() -> None:
    gate = {"Name": "Gate", "Type": "Condition", "Arguments": {"IfSteps": [TRAIN], "Conditions": []}}
    steps = build_pipeline({"Parameters": PARAMETERS, "Steps": [gate]}).steps
    assert steps is not UNKNOWN
    assert steps[0].resolve_settings() == {"Name": "Gate", "Type": "Condition", "Arguments": {"Conditions": []}}
    assert steps[1].resolve_settings()["Arguments"] == {
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": '{"Get": "Parameters.Count"}'},
        "TrainingJobName": 'a-{"Get": "Execution.PipelineExecutionId"}',
        "Environment": {"Get": "x", "Other": "y"},
    }


def test_a_step_that_reads_as_an_expression_has_its_fields_as_settings() -> None:
    steps = build_pipeline({"Steps": [{"Get": "Steps.Other"}]}).steps
    assert steps is not UNKNOWN
    assert [step.resolve_settings() for step in steps] == [{"Get": "Steps.Other"}]


def test_steps_of_branches_and_loops_have_parents() -> None:
    each = {"Name": "Each", "Type": "ForEach", "Arguments": {"ForEachBody": [TRAIN], "MaxConcurrency": 2}}
    gate = {"Name": "Gate", "Type": "Condition", "Arguments": {"IfSteps": [each], "ElseSteps": [{"Name": "Stop"}]}}
    pipeline = build_pipeline({"Steps": [gate]})
    assert pipeline.steps is not UNKNOWN
    assert [(step.name, step.branch, step.parent and step.parent.name) for step in pipeline.steps] == [
        ("Gate", "", None),
        ("Each", "IfSteps", "Gate"),
        ("Train", "ForEachBody", "Each"),
        ("Stop", "ElseSteps", "Gate"),
    ]
    assert pipeline.steps[3].type is UNKNOWN


def test_an_unknown_definition_is_read_from_the_module() -> None:
    text = json.dumps({"Parameters": PARAMETERS, "Steps": [TRAIN]})
    values = {"input": {"definition": text, "parameters": {"Count": "2", "Type": None}}}
    unknown = {"input": {"parameters": {"Type": True}}}
    pipeline = build_change("module.a.aws_sagemaker_pipeline.this", {}, unknown={"pipeline_definition": True})
    read_pipeline = build_plan(
        pipeline, build_change("module.a.terraform_data.definition", values, unknown=unknown)
    ).pipelines[0]
    (step,) = read_pipeline.list_steps("Training")
    assert step.number("ResourceConfig.InstanceCount") == 2
    assert step.text("ResourceConfig.InstanceType") is UNKNOWN, "not the default, because its value replaces it"
    assert step.is_cached is True
    for other_values in (
        [build_change("module.b.terraform_data.definition", values)],
        [build_change("module.a.terraform_data.other", values)],
        [build_change("module.a.terraform_data.definition", {"input": text})],
        [build_change("module.a.terraform_data.definition", {}, unknown={"input": True})],
    ):
        read_pipeline = build_plan(pipeline, *other_values).pipelines[0]
        assert (read_pipeline.steps, read_pipeline.unreadable_reason) == (
            UNKNOWN,
            "the definition is not known until apply",
        )


@check_cases(
    ("definition", "reason"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ("[" * 100_000, "is not JSON"),
        ('{"a":' * 80 + "1" + "}" * 80, "is nested more than"),
        ({"Steps": {}}, "Steps of the definition is not a list"),
        ({}, "Steps of the definition is not a list"),
        ({"Steps": [TRAIN, 7]}, "Steps[1] of the definition is not an object"),
        ({"Steps": [{"Name": "G", "Arguments": {"IfSteps": 1}}]}, "G.IfSteps of the definition is not a list"),
    ],
)
def test_an_unreadable_definition_is_unknown_with_the_reason(definition: Any, reason: str) -> None:
    pipeline = build_pipeline(definition)
    assert pipeline.steps is UNKNOWN
    assert reason in pipeline.unreadable_reason
    assert pipeline.list_steps("Training") == []


def test_known_unknown_and_remote_definitions_of_a_plan() -> None:
    known, remote, unknown = load(FIXTURES / "platform.json").pipelines
    assert known.steps is not UNKNOWN
    assert [step.name for step in known.steps] == ["Prepare", "Train", "Gate", "Register", "Stop"]
    assert remote.unreadable_reason == "the definition is in S3, and its text is not in the plan"
    assert unknown.unreadable_reason == "the definition is not known until apply"


def test_a_definition_that_the_plan_uploads_is_read() -> None:
    plan = build_plan(
        build_change("aws_s3_bucket.b", {"bucket": "definitions"}),
        build_change(
            "aws_s3_object.o", {"bucket": "definitions", "key": "k", "content": json.dumps({"Steps": [TRAIN]})}
        ),
        build_change(
            "aws_sagemaker_pipeline.p",
            {"pipeline_definition_s3_location": [{"bucket": "definitions", "object_key": "k"}]},
        ),
    )
    assert [step.name for step in plan.pipelines[0].list_steps("Training")] == ["Train"]


def test_a_definition_of_the_same_key_in_another_bucket_is_not_read() -> None:
    of = {name: {"references": [f"aws_s3_bucket.{name}.bucket", f"aws_s3_bucket.{name}"]} for name in "ab"}
    location = "pipeline_definition_s3_location"
    texts = {name: json.dumps({"Steps": [{**TRAIN, "Name": f"Of{name}"}]}) for name in of}
    uploads = [
        build_change(f"aws_s3_object.{name}", {"key": "k", "content": text}, unknown={"bucket": True})
        for name, text in texts.items()
    ]
    plan = build_plan(
        *(build_change(f"aws_s3_bucket.{name}", {}, unknown={"bucket": True}) for name in of),
        *uploads,
        build_change(
            "aws_sagemaker_pipeline.p", {location: [{"object_key": "k"}]}, unknown={location: [{"bucket": True}]}
        ),
        root={
            "resources": [
                build_configuration("aws_sagemaker_pipeline.p", **{location: [{"bucket": of["b"]}]}),
                *(
                    build_configuration(f"aws_s3_object.{name}", bucket=refers["references"])
                    for name, refers in of.items()
                ),
                *(build_configuration(f"aws_s3_bucket.{name}") for name in of),
            ]
        },
    )
    assert [step.name for step in plan.pipelines[0].list_steps("Training")] == ["Ofb"]


def test_the_definition_before_the_plan_is_read() -> None:
    old, new = ({"pipeline_definition": json.dumps({"Steps": steps})} for steps in ([], [TRAIN]))
    plan = build_plan(build_change("aws_sagemaker_pipeline.p", new, before=old))
    assert plan.pipelines_before[0].steps == []
    assert isinstance(plan.pipelines[0].resource, Resource)
    assert len(plan.pipelines[0].list_steps("Training")) == 1
