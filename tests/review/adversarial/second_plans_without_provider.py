"""Manually written plans of the second set: shapes of provider 6, CloudFormation types, and workflows."""

import json
from typing import Any

from tests.review.adversarial.plans_without_provider import ManualChange

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_READING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}],
}
_ROLE = {"role_name": "orders", "assume_role_policy_document": json.dumps(_TRUST)}
_LOGGING = {
    "embedding_data_delivery_enabled": True,
    "text_data_delivery_enabled": True,
    "image_data_delivery_enabled": True,
    "video_data_delivery_enabled": True,
    "cloudwatch_config": [],
    "s3_config": [{"bucket_name": "invocations", "key_prefix": "bedrock"}],
}
_WORK = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "release"}}


def _build_logging(**values: Any) -> dict[str, Any]:
    return {"id": "eu-north-1", "region": "eu-north-1", "logging_config": [_LOGGING | values]}


def _build_workflow(**states: Any) -> dict[str, Any]:
    return {
        "name": "release",
        "role_arn": "arn:aws:iam::111111111111:role/workflow",
        "definition": json.dumps({"StartAt": next(iter(states)), "States": states}),
        "type": "STANDARD",
    }


def _build_bucket_policy(principal: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Principal": {"AWS": principal},
        "Resource": "arn:aws:s3:::reports/*",
    }
    return {"bucket": "reports", "policy_document": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}


SECOND_MANUAL_CHANGES: dict[str, ManualChange] = {
    "invocations_without_text_on_provider_6": ManualChange(
        "removed_safeguards",
        "aws_bedrock_model_invocation_logging_configuration",
        _build_logging(),
        _build_logging(text_data_delivery_enabled=False),
        "look",
        ("text_data_delivery_enabled", "log"),
    ),
    "invocations_logged_elsewhere_on_provider_6": ManualChange(
        "everyday",
        "aws_bedrock_model_invocation_logging_configuration",
        _build_logging(image_data_delivery_enabled=False),
        _build_logging(),
        "fine",
        (),
    ),
    "release_without_approval": ManualChange(
        "removed_safeguards",
        "aws_sfn_state_machine",
        _build_workflow(
            Approve={
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "Parameters": {
                    "QueueUrl": "https://sqs.eu-north-1.amazonaws.com/111111111111/approvals",
                    "MessageBody": {"token.$": "$$.Task.Token"},
                },
                "Next": "Release",
            },
            Release=_WORK | {"End": True},
        ),
        _build_workflow(Release=_WORK | {"End": True}),
        "look",
        ("approv", "waitForTaskToken"),
    ),
    "another_step_of_a_release": ManualChange(
        "everyday",
        "aws_sfn_state_machine",
        _build_workflow(Release=_WORK | {"End": True}),
        _build_workflow(Release=_WORK | {"Next": "Wait"}, Wait={"Type": "Wait", "Seconds": 60, "End": True}),
        "fine",
        (),
    ),
    "role_of_cloudformation_with_everything": ManualChange(
        "trust_and_destinations",
        "awscc_iam_role",
        {**_ROLE, "policies": [{"policy_name": "work", "policy_document": json.dumps(_READING)}]},
        {**_ROLE, "policies": [{"policy_name": "work", "policy_document": json.dumps(_EVERYTHING)}]},
        "stop",
        ("*",),
    ),
    "managed_policy_of_cloudformation_with_everything": ManualChange(
        "trust_and_destinations",
        "awscc_iam_managed_policy",
        {"managed_policy_name": "work", "policy_document": json.dumps(_READING), "roles": ["orders"]},
        {"managed_policy_name": "work", "policy_document": json.dumps(_EVERYTHING), "roles": ["orders"]},
        "stop",
        ("*",),
    ),
    "bucket_policy_of_cloudformation": ManualChange(
        "trust_and_destinations",
        "awscc_s3_bucket_policy",
        _build_bucket_policy("arn:aws:iam::111111111111:role/reader"),
        _build_bucket_policy("*"),
        "stop",
        ("everyone", "anyone", "public", "*"),
    ),
    "database_of_cloudformation_in_public": ManualChange(
        "protective_attributes",
        "awscc_rds_db_instance",
        {"db_instance_identifier": "orders", "publicly_accessible": False, "storage_encrypted": True},
        {"db_instance_identifier": "orders", "publicly_accessible": True, "storage_encrypted": True},
        "look",
        ("publicly_accessible", "public"),
    ),
    "database_of_cloudformation_unprotected": ManualChange(
        "protective_attributes",
        "awscc_rds_db_instance",
        {"db_instance_identifier": "orders", "deletion_protection": True},
        {"db_instance_identifier": "orders", "deletion_protection": False},
        "look",
        ("deletion_protection", "deletion protection"),
    ),
    "table_of_cloudformation_without_recovery": ManualChange(
        "protective_attributes",
        "awscc_dynamodb_table",
        {"table_name": "orders", "point_in_time_recovery_specification": {"point_in_time_recovery_enabled": True}},
        {"table_name": "orders", "point_in_time_recovery_specification": {"point_in_time_recovery_enabled": False}},
        "look",
        ("point_in_time_recovery", "recovery"),
    ),
    "log_group_of_cloudformation_forgets": ManualChange(
        "copies_and_retention",
        "awscc_logs_log_group",
        {"log_group_name": "/orders", "retention_in_days": 365},
        {"log_group_name": "/orders", "retention_in_days": 7},
        "look",
        ("retention",),
    ),
    "detector_of_cloudformation_off": ManualChange(
        "removed_safeguards",
        "awscc_guardduty_detector",
        {"enable": True},
        {"enable": False},
        "look",
        ("enable", "GuardDuty"),
    ),
    "memory_of_a_function_of_cloudformation": ManualChange(
        "everyday",
        "awscc_lambda_function",
        {"function_name": "orders", "role": "arn:aws:iam::111111111111:role/orders", "timeout": 30},
        {"function_name": "orders", "role": "arn:aws:iam::111111111111:role/orders", "timeout": 60},
        "fine",
        (),
    ),
    "description_of_a_role_of_cloudformation": ManualChange(
        "everyday",
        "awscc_iam_role",
        {**_ROLE, "description": "orders"},
        {**_ROLE, "description": "orders and parcels"},
        "fine",
        (),
    ),
    "queue_of_cloudformation": ManualChange(
        "everyday",
        "awscc_sqs_queue",
        {"queue_name": "orders", "visibility_timeout": 30},
        {"queue_name": "orders", "visibility_timeout": 60},
        "fine",
        (),
    ),
    "interpreter_of_an_agent_in_public": ManualChange(
        "protective_attributes",
        "aws_bedrockagentcore_code_interpreter",
        {"name": "code", "network_configuration": [{"network_mode": "SANDBOX"}]},
        {"name": "code", "network_configuration": [{"network_mode": "PUBLIC"}]},
        "look",
        ("network_mode", "PUBLIC"),
    ),
    "findings_of_inspector_suppressed": ManualChange(
        "removed_safeguards",
        "aws_inspector2_filter",
        None,
        {
            "name": "noise",
            "action": "SUPPRESS",
            "filter_criteria": [{"severity": [{"comparison": "EQUALS", "value": "CRITICAL"}]}],
        },
        "look",
        ("suppress",),
    ),
    "bucket_with_vectors_deleted": ManualChange(
        "copies_and_retention",
        "aws_s3vectors_vector_bucket",
        {"vector_bucket_name": "documents"},
        None,
        "look",
        ("delete", "data", "bucket"),
    ),
}
