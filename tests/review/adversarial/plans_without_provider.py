"""Manually written plans, as of `terraform show -json`, of changes that the provider cannot plan without an account.

The provider `awscc` is not on this computer. `aws_sfn_state_machine` and `aws_snapshot_create_volume_permission` call
AWS during the plan.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_ROLE = {"role_name": "orders", "assume_role_policy_document": json.dumps(_TRUST)}
_NOT_READ = "CloudFormation types without a counterpart are not reviewed in either direction"


@dataclass(frozen=True)
class ManualChange:
    """A change of one resource: its values before and after."""

    cause: str
    kind: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    verdict: str
    words: tuple[str, ...]
    reverse: str = ""


def _build_controlled_role(*policies: str) -> dict[str, Any]:
    state = {"RoleName": "orders", "AssumeRolePolicyDocument": _TRUST, "ManagedPolicyArns": policies}
    return {"type_name": "AWS::IAM::Role", "desired_state": json.dumps(state)}


def _build_state_machine(**states: Any) -> dict[str, Any]:
    definition = {"StartAt": next(iter(states)), "States": states}
    return {
        "name": "orders",
        "role_arn": "arn:aws:iam::111111111111:role/workflow",
        "definition": json.dumps(definition),
        "type": "STANDARD",
    }


_WORK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "orders"},
    "End": True,
}
_RETRY = {"Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 3}]}
_DELETE_OBJECTS = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:s3:deleteObjects",
    "Parameters": {"Bucket": "reports", "Delete.$": "$.keys"},
    "End": True,
}
_DELETE_TABLE = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:dynamodb:deleteTable",
    "Parameters": {"TableName": "orders"},
    "End": True,
}

MANUAL_CHANGES: dict[str, ManualChange] = {
    "role_of_an_administrator": ManualChange(
        "trust_and_destinations",
        "awscc_iam_role",
        {**_ROLE, "managed_policy_arns": []},
        {**_ROLE, "managed_policy_arns": [_ADMINISTRATOR]},
        "stop",
        ("AdministratorAccess",),
    ),
    "new_role_of_an_administrator": ManualChange(
        "trust_and_destinations",
        "awscc_iam_role",
        None,
        {**_ROLE, "managed_policy_arns": [_ADMINISTRATOR]},
        "stop",
        ("AdministratorAccess",),
    ),
    "controlled_role_of_an_administrator": ManualChange(
        "trust_and_destinations",
        "aws_cloudcontrolapi_resource",
        _build_controlled_role(),
        _build_controlled_role(_ADMINISTRATOR),
        "stop",
        ("AdministratorAccess",),
    ),
    "new_controlled_role_of_an_administrator": ManualChange(
        "trust_and_destinations",
        "aws_cloudcontrolapi_resource",
        None,
        _build_controlled_role(_ADMINISTRATOR),
        "stop",
        ("AdministratorAccess",),
    ),
    "role_without_boundary": ManualChange(
        "trust_and_destinations",
        "awscc_iam_role",
        {**_ROLE, "permissions_boundary": "arn:aws:iam::111111111111:policy/boundary"},
        {**_ROLE, "permissions_boundary": None},
        "look",
        ("boundary",),
    ),
    "user_joins_the_administrators": ManualChange(
        "trust_and_destinations",
        "awscc_iam_user",
        {"user_name": "mallory", "groups": ["readers"]},
        {"user_name": "mallory", "groups": ["readers", "admins"]},
        "look",
        ("not reviewed", "group"),
        _NOT_READ,
    ),
    "account_of_another_administrator": ManualChange(
        "trust_and_destinations",
        "awscc_sso_assignment",
        None,
        {"principal_id": "1", "principal_type": "USER", "target_id": "111111111111", "target_type": "AWS_ACCOUNT"},
        "look",
        ("not reviewed", "assignment"),
        _NOT_READ,
    ),
    "threat_detection_deleted": ManualChange(
        "removed_safeguards",
        "awscc_guardduty_detector",
        {"enable": True},
        None,
        "look",
        ("GuardDuty", "not reviewed"),
        _NOT_READ,
    ),
    "function_for_everybody": ManualChange(
        "trust_and_destinations",
        "awscc_lambda_permission",
        None,
        {"action": "lambda:InvokeFunction", "function_name": "orders", "principal": "*"},
        "look",
        ("public", "everyone"),
        _NOT_READ,
    ),
    "group_open_to_the_internet": ManualChange(
        "trust_and_destinations",
        "awscc_ec2_security_group_ingress",
        None,
        {"group_id": "sg-0a1b2c3d", "ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_ip": "0.0.0.0/0"},
        "look",
        ("0.0.0.0/0", "internet"),
        _NOT_READ,
    ),
    "workflow_deletes_objects": ManualChange(
        "instance_commands",
        "aws_sfn_state_machine",
        _build_state_machine(Work=_WORK),
        _build_state_machine(Work={**_WORK, "End": False, "Next": "Tidy"}, Tidy=_DELETE_OBJECTS),
        "look",
        ("deleteObjects",),
    ),
    "workflow_deletes_a_table": ManualChange(
        "instance_commands",
        "aws_sfn_state_machine",
        None,
        _build_state_machine(Tidy=_DELETE_TABLE),
        "look",
        ("deleteTable",),
    ),
    "workflow_retry": ManualChange(
        "everyday",
        "aws_sfn_state_machine",
        _build_state_machine(Work=_WORK),
        _build_state_machine(Work={**_WORK, **_RETRY}),
        "fine",
        (),
    ),
    "snapshot_for_another_account": ManualChange(
        "trust_and_destinations",
        "aws_snapshot_create_volume_permission",
        None,
        {"snapshot_id": "snap-0123456789abcdef0", "account_id": "999999999999"},
        "look",
        ("999999999999", "account"),
    ),
}
