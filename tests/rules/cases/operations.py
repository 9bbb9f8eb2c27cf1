"""Cases of small concerns: logs, images, experiments, delivery, model cards, budgets and tags."""

from typing import Any

from tests.rules.jobs import HIDDEN, UNKNOWN, Resources, build_job, build_pipeline, build_step, build_tuning_definition

_MODEL: Resources = {"aws_sagemaker_model.m": {"name": "m", "primary_container": {"image": "i"}}}
_IMAGE = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/delay:1"
_REGISTRY = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
_DIGEST = f"{_REGISTRY}/delay@sha256:{'0' * 64}"
_LATEST = f"{_REGISTRY}/delay:latest"


def _serves(image: Any) -> Resources:
    return {"aws_sagemaker_model.m": {"name": "m", "primary_container": {"image": image}}}


def _build_evaluation(image: Any, default: str | None = None) -> Resources:
    parameter = {"Name": "Image", "Type": "String", **({"DefaultValue": default} if default else {})}
    inner = build_step("Processing", {"AppSpecification": {"ImageUri": image}}, name="Evaluate")
    return build_pipeline(build_step("Condition", {"IfSteps": [inner], "ElseSteps": []}), parameters=[parameter])


_ALL_TAGS = {"workload": "delay", "environment": "dev", "owner": "us"}


def _build_tracking(call: str, text: Any, **schedule: Any) -> Resources:
    target = {"arn": f"arn:aws:scheduler:::aws-sdk:sagemaker:{call}MlflowTrackingServer", "input": text}
    return {
        "aws_sagemaker_mlflow_tracking_server.t": {"tracking_server_name": "shop"},
        "aws_scheduler_schedule.s": {"schedule_expression": "rate(1 day)", "target": target, **schedule},
    }


def _logs(name: str, **settings: Any) -> Resources:
    return {"aws_cloudwatch_log_group.l": {"name": name, **settings}}


def _repository(name: str = "sagemaker-delay") -> Resources:
    return {"aws_ecr_repository.r": {"name": name}}


def _policy(repository: str) -> Resources:
    return {"aws_ecr_lifecycle_policy.p": {"repository": repository, "policy": "{}"}}


def _build(name: str = "sagemaker-delay", **settings: Any) -> Resources:
    return {"aws_codebuild_project.b": {"name": name, **settings}}


def _source(provider: str, **configuration: Any) -> dict[str, Any]:
    return {"category": "Source", "provider": provider, "configuration": configuration}


def _delivery(*actions: dict[str, Any], name: str = "sagemaker-delay") -> Resources:
    stages = [{"name": "all", "action": list(actions)}]
    return {"aws_codepipeline.c": {"name": name, "stage": stages}}


def _card(content: Any) -> Resources:
    return {"aws_sagemaker_model_card.c": {"model_card_name": "delay", "content": content}}


def _budget(**settings: Any) -> Resources:
    return {**_MODEL, "aws_budgets_budget.b": {"name": "b", "budget_type": "COST", **settings}}


def _allocation(status: str) -> Resources:
    return {**_budget(), "aws_ce_cost_allocation_tag.t": {"tag_key": "${aws_budgets_budget.b.name}", "status": status}}


def _endpoint(**settings: Any) -> Resources:
    return {"aws_sagemaker_endpoint.e": {"name": "e", **settings}}


CASES = {
    "SUS_LOG_RETENTION": {
        "pass": {"a month": _logs("/aws/sagemaker/TrainingJobs", retention_in_days=30)},
        "fail": {
            "not set": _logs("/aws/sagemaker/Endpoints/delay"),
            "forever": _logs("/aws/sagemaker/studio", retention_in_days=0),
            "a name from an endpoint": {
                "aws_sagemaker_endpoint.e": {},
                **_logs("/aws/sagemaker/Endpoints/${aws_sagemaker_endpoint.e.name}"),
            },
            "a known name prefix": _logs(UNKNOWN, name_prefix="/aws/sagemaker/Endpoints/delay"),
        },
        "unknown": {"unknown": _logs("/aws/sagemaker/TrainingJobs", retention_in_days=UNKNOWN)},
        "not_applicable": {
            "another service": _logs("/aws/lambda/x"),
            "another service's prefix": _logs(UNKNOWN, name_prefix="/aws/lambda/"),
            "unknown name": _logs(UNKNOWN),
        },
    },
    "SUS_ECR_LIFECYCLE": {
        "pass": {"policy": {**_repository(), **_policy("${aws_ecr_repository.r.name}")}},
        "fail": {
            "none": _repository(),
            "image of a model": {
                **_repository("delay"),
                "aws_sagemaker_model.m": {"primary_container": {"image": _IMAGE}},
            },
        },
        "unknown": {"a policy of an unknown repository": {**_repository(), **_policy(UNKNOWN)}},
        "not_applicable": {"another workload": _repository("web")},
    },
    "SUS_IMAGE_VERSION": {
        "pass": {
            "a digest": _serves(_DIGEST),
            "a tag and a digest": _serves(_DIGEST.replace("@", ":latest@")),
            "a tag": _serves(_IMAGE),
            "a port in the registry address": _serves("registry.example.com:5000/delay:2"),
            "one of several containers": {
                "aws_sagemaker_model.m": {"container": [{"image": _IMAGE}, {"image": _DIGEST}]}
            },
            "an AWS image without tags": {
                "aws_sagemaker_data_quality_job_definition.q": {
                    "data_quality_app_specification": {"image_uri": f"{_REGISTRY}/sagemaker-model-monitor-analyzer"}
                }
            },
        },
        "fail": {
            "latest": _serves(_LATEST),
            "no tag": _serves(f"{_REGISTRY}/delay"),
            "no tag, with a port": _serves("registry.example.com:5000/delay"),
            "the second of several": {"aws_sagemaker_model.m": {"container": [{"image": _IMAGE}, {"image": _LATEST}]}},
            "a training": build_job(algorithm_specification={"training_image": _LATEST}),
            "a tuning": build_tuning_definition(algorithm_specification={"training_image": _LATEST}),
            "a step in a branch": _build_evaluation(_LATEST),
            "a step, by default": _build_evaluation({"Get": "Parameters.Image"}, _LATEST),
            "a registration": build_pipeline(
                build_step("RegisterModel", {"InferenceSpecification": {"Containers": [{"Image": _LATEST}]}})
            ),
            "a monitor": {
                "aws_sagemaker_data_quality_job_definition.q": {"data_quality_app_specification": {"image_uri": "q"}}
            },
        },
        "unknown": {
            "known after apply": _serves(UNKNOWN),
            "a parameter without a default": _build_evaluation({"Get": "Parameters.Image"}),
            **HIDDEN,
        },
        "not_applicable": {
            "a model package": {"aws_sagemaker_model.m": {"primary_container": {"model_package_name": "p"}}},
            "a model package, read back": _serves(""),
        },
    },
    "SUS_MLFLOW_SERVER": {
        "pass": {"stopped by a schedule": _build_tracking("stop", '{"TrackingServerName": "shop"}')},
        "fail": {
            "no schedule": _build_tracking("start", '{"TrackingServerName": "shop"}'),
            "another server": _build_tracking("stop", '{"TrackingServerName": "other"}'),
            "disabled": _build_tracking("stop", '{"TrackingServerName": "shop"}', state="DISABLED"),
        },
        "unknown": {"input known after apply": _build_tracking("stop", UNKNOWN)},
        "not_applicable": {"serverless": {"aws_sagemaker_mlflow_app.a": {"name": "a"}}},
    },
    "SUS_CODEBUILD_TIMEOUT": {
        "pass": {"by default": _build(), "an hour": _build(build_timeout=60)},
        "fail": {"a day": _build(build_timeout=1440)},
        "unknown": {"unknown": _build(build_timeout=UNKNOWN)},
        "not_applicable": {"another workload": _build("web", build_timeout=1440)},
    },
    "SUS_DELIVERY_BY_EVENT": {
        "pass": {
            "not polled": _delivery(_source("CodeCommit", PollForSourceChanges="false")),
            "a connection with events": _delivery(_source("CodeStarSourceConnection")),
            "a deployment to S3": _delivery({"category": "Deploy", "provider": "S3", "configuration": {}}),
        },
        "fail": {
            "polled": _delivery(_source("CodeCommit", PollForSourceChanges="true")),
            "polled by default": _delivery(_source("S3")),
            "it builds for machine learning": _delivery(
                _source("GitHub"), {"category": "Build", "configuration": {"ProjectName": "sagemaker-build"}}, name="ml"
            ),
        },
        "unknown": {
            "unknown": _delivery(_source("S3", PollForSourceChanges=UNKNOWN)),
            "unknown source": _delivery(_source(UNKNOWN)),
            "unknown stages": {"aws_codepipeline.c": {"name": "sagemaker-delay", "stage": UNKNOWN}},
        },
        "not_applicable": {"another workload": _delivery(_source("S3"), name="web")},
    },
    "SUS_MODEL_CARD_ENVIRONMENT": {
        "pass": {
            "carbon": _card({"additional_information": {"custom_details": {"kgCO2e": "0.02", "kWh": "0.4"}}}),
            "in words": _card({"additional_information": {"ethical_considerations": "Training emitted 0.02 kgCO2e."}}),
            "as a metric": _card(
                {
                    "training_details": {
                        "training_job_details": {"user_provided_training_metrics": [{"name": "kgCO2e", "value": 0.02}]}
                    }
                }
            ),
        },
        "fail": {
            "nothing": _card({"model_overview": {"model_description": "delays"}}),
            "empty": _card(None),
            "a model about energy": _card(
                {
                    "model_overview": {"model_description": "energy demand in kWh, and its CO2"},
                    "training_details": {"objective_function": "error of the energy demand"},
                }
            ),
            "invalid JSON": _card("0.02 kgCO2e"),
        },
        "unknown": {"unknown": _card(UNKNOWN)},
        "not_applicable": {"no card": _MODEL},
    },
    "SUS_BUDGET_NOTIFIES": {
        "pass": {"email": _budget(notification={"subscriber_email_addresses": ["us@example.org"]})},
        "fail": {"nobody": _budget()},
        "unknown": {"unknown": _budget(notification=UNKNOWN)},
        "not_applicable": {"no SageMaker": {"aws_budgets_budget.b": {"name": "b"}}},
    },
    "SUS_BUDGET_BY_WORKLOAD": {
        "pass": {"by tag": _budget(cost_filter={"name": "TagKeyValue", "values": ["user:workload$delay"]})},
        "fail": {"account": _budget(), "service": _budget(cost_filter={"name": "Service", "values": ["SageMaker"]})},
        "unknown": {"unknown": _budget(cost_filter={"name": UNKNOWN, "values": ["x"]})},
        "not_applicable": {"no SageMaker": {"aws_budgets_budget.b": {"name": "b"}}},
    },
    "SUS_BUDGET_TAG_FORM": {
        "pass": {
            "a tag of the user": _budget(cost_filter={"name": "TagKeyValue", "values": ["user:workload$delay"]}),
            "a tag of AWS": _budget(cost_filter={"name": "TagKeyValue", "values": ["aws:createdBy$IAMUser"]}),
        },
        "fail": {
            "without the prefix": _budget(cost_filter={"name": "TagKeyValue", "values": ["workload$delay"]}),
            "another separator": _budget(cost_filter={"name": "TagKeyValue", "values": ["user:workload=delay"]}),
        },
        "unknown": {"unknown": _budget(cost_filter={"name": "TagKeyValue", "values": UNKNOWN})},
        "not_applicable": {
            "no filter": _budget(),
            "another filter": _budget(cost_filter={"name": "Service", "values": ["SageMaker"]}),
        },
    },
    "SUS_COST_ALLOCATION_TAG": {
        "pass": {"active": _allocation("Active")},
        "fail": {"inactive": _allocation("Inactive")},
        "unknown": {"unknown": _allocation(UNKNOWN)},
        "not_applicable": {"no SageMaker": {"aws_ce_cost_allocation_tag.t": {"tag_key": "x", "status": "Inactive"}}},
    },
    "SUS_TAGS": {
        "pass": {
            "the usual tags": _endpoint(tags=_ALL_TAGS),
            "other tag names": _endpoint(tags={"Project": "x", "Stage": "dev", "acme:team": "us"}),
            "an unknown value": _endpoint(tags={**_ALL_TAGS, "owner": UNKNOWN}),
        },
        "fail": {"none": _endpoint(), "no owner": _endpoint(tags={"workload": "x", "environment": "dev"})},
        "unknown": {"an unknown tag": _endpoint(tags=_ALL_TAGS, tags_all=UNKNOWN)},
        "not_applicable": {"a resource without costs": _MODEL},
    },
}
