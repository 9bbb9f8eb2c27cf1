"""Attributes of a mocked AWS provider, by resource type: those that the provider or a module validates."""

import json
from collections.abc import Container

#: Location of the mocks.
ACCOUNT, REGION = "123456789012", "eu-north-1"
_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"


def _format_arn(service: str, resource: str) -> str:
    """Return an ARN in the account and Region of the mocks."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


#: ARN formats: https://docs.aws.amazon.com/service-authorization/latest/reference/, "Resource types" of each service.
RESOURCES: dict[str, dict[str, str]] = {
    "aws_appautoscaling_policy": {
        "arn": _format_arn(
            "autoscaling",
            f"scalingPolicy:{_KEY}:resource/sagemaker/endpoint/example/variant/main:policyName/example",
        )
    },
    "aws_appautoscaling_scheduled_action": {
        "arn": _format_arn(
            "autoscaling",
            f"scheduledAction:{_KEY}:resource/sagemaker/endpoint/example/variant/main:scheduledActionName/example",
        )
    },
    "aws_appautoscaling_target": {
        "arn": _format_arn("application-autoscaling", "scalable-target/0ab1c23456789012345678901234567890ab"),
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
    },
    "aws_bcmdataexports_export": {
        "id": f"arn:aws:bcm-data-exports:us-east-1:{ACCOUNT}:export/example-{_KEY}",
    },
    "aws_budgets_budget": {"arn": f"arn:aws:budgets::{ACCOUNT}:budget/example"},
    "aws_ce_anomaly_monitor": {"arn": f"arn:aws:ce::{ACCOUNT}:anomalymonitor/{_KEY}"},
    "aws_ce_anomaly_subscription": {"arn": f"arn:aws:ce::{ACCOUNT}:anomalysubscription/{_KEY}"},
    "aws_cloudwatch_composite_alarm": {"arn": _format_arn("cloudwatch", "alarm:example")},
    "aws_cloudwatch_event_api_destination": {"arn": _format_arn("events", f"api-destination/example/{_KEY}")},
    "aws_cloudwatch_event_rule": {"arn": _format_arn("events", "rule/example")},
    "aws_cloudwatch_log_group": {"arn": _format_arn("logs", "log-group:example")},
    "aws_cloudwatch_metric_alarm": {"arn": _format_arn("cloudwatch", "alarm:example")},
    "aws_ecr_repository": {
        "arn": _format_arn("ecr", "repository/example"),
        "repository_url": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/example",
    },
    "aws_iam_policy": {"arn": f"arn:aws:iam::{ACCOUNT}:policy/example"},
    "aws_iam_role": {"arn": f"arn:aws:iam::{ACCOUNT}:role/example"},
    "aws_kms_alias": {"arn": _format_arn("kms", "alias/example"), "target_key_arn": _format_arn("kms", f"key/{_KEY}")},
    "aws_kms_key": {"arn": _format_arn("kms", f"key/{_KEY}"), "key_id": _KEY},
    "aws_s3_bucket": {"arn": "arn:aws:s3:::example"},
    "aws_sagemaker_domain": {
        "arn": _format_arn("sagemaker", "domain/d-example"),
        "url": "https://d-example.studio.aws",
    },
    "aws_sagemaker_endpoint": {"arn": _format_arn("sagemaker", "endpoint/example")},
    "aws_sagemaker_endpoint_configuration": {"arn": _format_arn("sagemaker", "endpoint-config/example")},
    "aws_sagemaker_feature_group": {"arn": _format_arn("sagemaker", "feature-group/example")},
    "aws_sagemaker_mlflow_tracking_server": {
        "arn": _format_arn("sagemaker", "mlflow-tracking-server/example"),
        "tracking_server_url": "https://t-example.eu-north-1.experiments.sagemaker.aws",
    },
    "aws_sagemaker_model": {"arn": _format_arn("sagemaker", "model/example")},
    "aws_sagemaker_model_package_group": {"arn": _format_arn("sagemaker", "model-package-group/example")},
    "aws_sagemaker_pipeline": {"arn": _format_arn("sagemaker", "pipeline/example")},
    "aws_sagemaker_space": {"arn": _format_arn("sagemaker", "space/d-example/example")},
    "aws_sagemaker_studio_lifecycle_config": {"arn": _format_arn("sagemaker", "studio-lifecycle-config/example")},
    "aws_sagemaker_user_profile": {"arn": _format_arn("sagemaker", "user-profile/d-example/example")},
    "aws_scheduler_schedule": {"arn": _format_arn("scheduler", "schedule/example/example")},
    "aws_scheduler_schedule_group": {"arn": _format_arn("scheduler", "schedule-group/example")},
    "aws_sns_topic": {"arn": _format_arn("sns", "example")},
    "aws_sns_topic_subscription": {"arn": _format_arn("sns", "example:1234abcd-12ab-34cd-56ef-1234567890ab")},
    "aws_sqs_queue": {
        "arn": _format_arn("sqs", "example"),
        "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/example",
    },
    "aws_ssm_document": {"arn": _format_arn("ssm", "document/example")},
}
DATA_SOURCES: dict[str, dict[str, str]] = {
    "aws_caller_identity": {"account_id": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:role/example", "id": ACCOUNT},
    "aws_region": {"id": REGION, "name": REGION},
}


def render_mocks(types: Container[str]) -> str:
    """Return the mocks of these types."""
    blocks = []
    for block, values_by_type in (("mock_resource", RESOURCES), ("mock_data", DATA_SOURCES)):
        for kind, values in values_by_type.items():
            if kind not in types:
                continue
            width = max(map(len, values))
            lines = "".join(f"    {name:{width}} = {json.dumps(value)}\n" for name, value in values.items())
            blocks.append(f'{block} "{kind}" {{\n  defaults = {{\n{lines}  }}\n}}\n')
    return "\n".join(blocks)
