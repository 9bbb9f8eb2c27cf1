"""Plans that break one rule learned from the field, and are correct otherwise.

Those of `CHOICES` need a decision by a person; nothing else in them needs a look.
"""

# ruff: noqa: S106  (none of them is a password)

from typing import Any

from tests.review.missed_cases.case import Case
from tests.rules.case_tables import RuleCase as Plan
from tests.rules.cases.account.plain_secrets import HUGGING_FACE, build_model, build_notebook_script
from tests.rules.endpoints import IMAGE, MODEL, add_alarm, build_serverless
from tests.rules.plan_builder import build_document

_BLUE_GREEN = {"traffic_routing_configuration": {"type": "ALL_AT_ONCE", "wait_interval_in_seconds": 0}}
_ROLLS_BACK = {
    "blue_green_update_policy": _BLUE_GREEN,
    "auto_rollback_configuration": {"alarms": {"alarm_name": "delay-errors"}},
}
_SERVED = add_alarm(
    add_alarm(
        build_serverless(configuration={"name": None}, endpoint={"deployment_config": _ROLLS_BACK}), "ModelLatency"
    ),
    "Invocation5XXErrors",
    "aws_cloudwatch_metric_alarm.errors",
)


def _waits(pattern: dict[str, Any]) -> dict[str, Any]:
    return build_document({"aws_cloudwatch_event_rule.r": {"name": "retrain", "event_pattern": pattern}})


CASES: dict[str, Case] = {
    "a token in a model's environment": Case(
        build_document(build_model(HUB=HUGGING_FACE)), "stop", "HUB contains a Hugging Face token"
    ),
    "a password in a model's environment": Case(
        build_document(build_model(DB_PASSWORD="hunter2")), "stop", "DB_PASSWORD has a literal value"
    ),
    "a token in a notebook's script": Case(
        build_document(build_notebook_script(f"export HF_TOKEN={HUGGING_FACE}")),
        "stop",
        "its text contains a Hugging Face token",
    ),
    "an event that nothing sends": Case(
        _waits({"source": ["aws.sagemaker"], "detail-type": ["SageMaker Pipeline Execution Status Change"]}),
        "stop",
        "SageMaker Model Building Pipeline Execution Status Change",
    ),
    "a state of endpoints as the API has it": Case(
        _waits(
            {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Endpoint State Change"],
                "detail": {"EndpointStatus": ["Failed"]},
            }
        ),
        "stop",
        "statuses of endpoints are sent in capitals",
    ),
    "two models of one name": Case(
        build_document(
            {f"aws_sagemaker_model.{name}": {**build_model()[MODEL], "name": "delay"} for name in ("a", "b")}
        ),
        "stop",
        "has the same name delay",
    ),
}
CHOICES: dict[str, Case] = {
    "a sensitive value in a model's environment": Case(
        Plan(
            build_model(HF_TOKEN="hunter2"),
            sensitive={MODEL: {"primary_container": [{"environment": {"HF_TOKEN": True}}]}},
        ).document(),
        "look",
        "A sensitive value is passed in plain text",
    ),
    "an image that is latest": Case(
        build_document({MODEL: {"primary_container": {"image": IMAGE.replace(":1", ":latest")}}}),
        "look",
        "An image is referenced without its version",
    ),
    "an image without a tag": Case(
        build_document({MODEL: {"primary_container": {"image": IMAGE.replace(":1", "")}}}),
        "look",
        "An image is referenced without its version",
    ),
    "a GPU notebook": Case(
        build_document(
            {
                "aws_sagemaker_notebook_instance.n": {
                    "name": "n",
                    "instance_type": "ml.g4dn.xlarge",
                    "lifecycle_config_name": "stop-when-idle",
                    "volume_size": 20,
                }
            }
        ),
        "look",
        "A notebook instance has a GPU or another accelerator",
    ),
    "a rollback that an apply does not notice": Case(
        build_document(_SERVED), "look", "An apply succeeds although SageMaker rolls back the endpoint"
    ),
    "a pipeline from S3": Case(
        build_document(
            {
                "aws_sagemaker_pipeline.p": {
                    "pipeline_name": "p",
                    "pipeline_definition_s3_location": {"bucket": "b", "object_key": "p.json", "version_id": "1"},
                },
                "aws_s3_object.p": {"bucket": "b", "key": "p.json", "content": {"Version": "2020-12-01", "Steps": []}},
            }
        ),
        "look",
        "A pipeline definition is not inline",
    ),
}
