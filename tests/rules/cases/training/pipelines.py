"""Cases of rules/training/pipelines.py."""

from typing import Any

from tests.rules.jobs import HIDDEN, IDLE, UNKNOWN, Resources, build_pipeline, build_step, build_training_pipeline

_S3 = {"bucket": "pipelines", "object_key": "p.json"}
_ON = {"Enabled": True, "ExpireAfter": "P30D"}
_REGISTER = build_step("RegisterModel", {"ModelPackageGroupName": "delay"}, name="Register")
_EVALUATE = build_step("Processing", name="Evaluate")
_METRIC = {
    "Type": "LessThanOrEqualTo",
    "LeftValue": {
        "Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.evaluation"}, "Path": "metrics.rmse"}
    },
    "RightValue": 9,
}
_OWN_METRIC = {
    "Type": "LessThanOrEqualTo",
    "LeftValue": {"Get": "Steps.Train.FinalMetricDataList['rmse'].Value"},
    "RightValue": 9,
}


def _build_from_s3(version: Any) -> Resources:
    location = {**_S3, "version_id": version} if version else _S3
    return {"aws_sagemaker_pipeline.p": {"pipeline_name": "p", "pipeline_definition_s3_location": location}}


def _build_gate(condition: dict[str, Any], *before: dict[str, Any]) -> Resources:
    branches = {"Conditions": [condition], "IfSteps": [_REGISTER], "ElseSteps": []}
    return build_pipeline(*before, build_step("Condition", branches, name="Gate"))


def _processing(**cluster: Any) -> Resources:
    return build_pipeline(build_step("Processing", {"ProcessingResources": {"ClusterConfig": cluster}}))


def _build_parameterized(count: int | None) -> Resources:
    resources = {"ClusterConfig": {"InstanceCount": {"Get": "Parameters.Count"}}}
    default = {} if count is None else {"DefaultValue": count}
    parameter = {"Name": "Count", "Type": "Integer", **default}
    return build_pipeline(build_step("Processing", {"ProcessingResources": resources}), parameters=[parameter])


CASES = {
    "SUS_PIPELINE_FROM_S3": {
        "pass": {"inline": IDLE["no such step"], "inline, known after apply": HIDDEN["unknown definition"]},
        "fail": {"in S3": _build_from_s3(None), "a version in S3": _build_from_s3("1")},
        "unknown": {
            "known after apply": {
                "aws_sagemaker_pipeline.p": {"pipeline_name": "p", "pipeline_definition_s3_location": UNKNOWN}
            }
        },
        "not_applicable": "every pipeline has a definition",
    },
    "SUS_PIPELINE_VERSION": {
        "pass": {"version": _build_from_s3("3sL4k"), "a version known after apply": _build_from_s3(UNKNOWN)},
        "fail": {"no version": _build_from_s3(None)},
        "unknown": "an unknown version counts",
        "not_applicable": {"inline": build_training_pipeline(), "unknown": HIDDEN["unknown definition"]},
    },
    "SUS_PIPELINE_PARALLELISM": {
        "pass": {
            "capped": build_pipeline(
                build_step("Lambda"),
                build_step("Lambda"),
                build_step("Lambda"),
                parallelism_configuration={"max_parallel_execution_steps": 2},
            ),
            "capped with unknown steps": {
                "aws_sagemaker_pipeline.p": {
                    **HIDDEN["unknown definition"]["aws_sagemaker_pipeline.p"],
                    "parallelism_configuration": {"max_parallel_execution_steps": 2},
                }
            },
        },
        "fail": {"not capped": build_pipeline(build_step("Lambda"), build_step("Lambda"), build_step("Lambda"))},
        "unknown": {
            "unknown": build_pipeline(
                build_step("Lambda"),
                build_step("Lambda"),
                build_step("Lambda"),
                parallelism_configuration={"max_parallel_execution_steps": UNKNOWN},
            ),
            **HIDDEN,
        },
        "not_applicable": {"one step": build_training_pipeline()},
    },
    "SUS_STEP_CACHING": {
        "pass": {
            "cached": build_pipeline(
                build_step("Processing", CacheConfig=_ON), build_step("Training", CacheConfig=_ON)
            ),
            "cached in a branch": build_pipeline(
                build_step("Condition", {"IfSteps": [build_step("Transform", CacheConfig=_ON)]})
            ),
            "an age from a parameter": build_pipeline(
                build_step("Training", CacheConfig={"Enabled": True, "ExpireAfter": {"Get": "Parameters.Age"}})
            ),
        },
        "fail": {
            "not set": build_training_pipeline(),
            "off": build_pipeline(build_step("Tuning", CacheConfig={"Enabled": False})),
            "without an age": build_pipeline(build_step("Processing", CacheConfig={"Enabled": True})),
            "not set in a loop": build_pipeline(build_step("ForEach", {"ForEachBody": [build_step("Processing")]})),
        },
        "unknown": HIDDEN,
        "not_applicable": IDLE,
    },
    "SUS_PROCESSING_RUNTIME_CAP": {
        "pass": {
            "capped": build_pipeline(build_step("Processing", {"StoppingCondition": {"MaxRuntimeInSeconds": 3600}}))
        },
        "fail": {
            "no cap": build_pipeline(build_step("Processing")),
            "the maximum": build_pipeline(
                build_step("Processing", {"StoppingCondition": {"MaxRuntimeInSeconds": 777_600}})
            ),
        },
        "unknown": {
            "parameter without a default": build_pipeline(
                build_step("Processing", {"StoppingCondition": {"MaxRuntimeInSeconds": {"Get": "Parameters.Cap"}}}),
                parameters=[{"Name": "Cap", "Type": "Integer"}],
            ),
            **HIDDEN,
        },
        "not_applicable": IDLE,
    },
    "SUS_PROCESSING_INSTANCES": {
        "pass": {"two": _processing(InstanceCount=2), "a parameter with the default two": _build_parameterized(2)},
        "fail": {"fifty": _processing(InstanceCount=50), "fifty by default": _build_parameterized(50)},
        "unknown": {"a parameter without a default": _build_parameterized(None), **HIDDEN},
        "not_applicable": {"no count": build_pipeline(build_step("Processing")), **IDLE},
    },
    "SUS_PROCESSING_GRAVITON": {
        "pass": {
            "x86": build_pipeline(
                build_step(
                    "Processing", {"ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.c7i-flex.large"}}}
                )
            ),
            "GPU with a g": build_pipeline(
                build_step("Transform", {"TransformResources": {"InstanceType": "ml.g4dn.xlarge"}})
            ),
        },
        "fail": {
            "processing": build_pipeline(
                build_step("Processing", {"ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.c7g.large"}}})
            ),
            "transform": build_pipeline(
                build_step("Transform", {"TransformResources": {"InstanceType": "ml.m6gd.xlarge"}})
            ),
            "check": build_pipeline(
                build_step("QualityCheck", {"ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m7g.large"}}})
            ),
        },
        "unknown": HIDDEN,
        "not_applicable": IDLE,
    },
    "SUS_GATE_BEFORE_REGISTRATION": {
        "pass": {
            "in a branch": _build_gate(_METRIC, _EVALUATE),
            "after a condition that ends the pipeline": build_pipeline(
                _EVALUATE,
                build_step("Condition", {"Conditions": [_METRIC], "ElseSteps": [build_step("Fail")]}, name="Gate"),
                build_step("Lambda", name="Notify", DependsOn=["Gate"]),
                {**_REGISTER, "DependsOn": ["Notify"]},
            ),
        },
        "fail": {
            "alone": build_pipeline(_EVALUATE, _REGISTER),
            "after a condition without effect": build_pipeline(
                build_step("Condition", {"Conditions": [_METRIC], "ElseSteps": [build_step("Lambda")]}, name="Gate"),
                {**_REGISTER, "DependsOn": ["Gate"]},
            ),
            "an endpoint for the trained model": build_pipeline(build_step("Training"), build_step("Endpoint")),
        },
        "unknown": {
            "unknown dependencies": build_pipeline({**_REGISTER, "DependsOn": [{"Get": "Parameters.Before"}]}),
            **HIDDEN,
        },
        "not_applicable": {
            "a batch transform": build_pipeline(build_step("Model"), build_step("Transform")),
            "a deployment of an approved model": build_pipeline(build_step("EndpointConfig"), build_step("Endpoint")),
            **IDLE,
        },
    },
    "SUS_EVALUATION_BEFORE_GATE": {
        "pass": {"reads the evaluation": _build_gate(_METRIC, _EVALUATE)},
        "fail": {"reads the training": _build_gate(_OWN_METRIC, build_step("Training", name="Train"))},
        "unknown": HIDDEN,
        "not_applicable": {"no gate": build_pipeline(_REGISTER), **IDLE},
    },
    "SUS_MODEL_APPROVAL": {
        "pass": {
            "pending": build_pipeline(build_step("RegisterModel", {"ModelApprovalStatus": "PendingManualApproval"})),
            "not set": build_pipeline(_REGISTER),
        },
        "fail": {
            "approved": build_pipeline(build_step("RegisterModel", {"ModelApprovalStatus": "Approved"})),
            "approved by default": build_pipeline(
                build_step("RegisterModel", {"ModelApprovalStatus": {"Get": "Parameters.Approval"}}),
                parameters=[{"Name": "Approval", "Type": "String", "DefaultValue": "Approved"}],
            ),
        },
        "unknown": {
            "a parameter without a default": build_pipeline(
                build_step("RegisterModel", {"ModelApprovalStatus": {"Get": "Parameters.Approval"}}),
                parameters=[{"Name": "Approval", "Type": "String"}],
            ),
            **HIDDEN,
        },
        "not_applicable": IDLE,
    },
}
