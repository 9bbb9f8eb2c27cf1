"""Recorded calls of Terraform as IAM evaluates them: the action, and the ARN if the request contains it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from clone.deployer.documents import DeployerPolicy
from sustainable_mlops.account.preflight.governance import SCALING_ROLE, SCALING_SERVICE
from tests.policy_decisions import decide

TERRAFORM = re.compile(r"HashiCorp|Terraform|OpenTofu")
BOTO3 = re.compile(r"Boto3")
#: Calls that need no permission.
FREE = {"sts:GetCallerIdentity"}
#: IAM actions that differ from the name of the operation.
ACTIONS = {
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:DeleteBucketTagging": "s3:PutBucketTagging",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "tagging:GetResources": "tag:GetResources",
}
_AT = "eu-north-1:123456789012"
_ROLES = "arn:aws:iam::123456789012:role"
#: Parameters that name a resource, by service, and the start of its ARN.
_NAMED: Mapping[str, Mapping[str, str]] = {
    "events": {
        "Name": f"arn:aws:events:{_AT}:rule/",
        "Rule": f"arn:aws:events:{_AT}:rule/",
        "ResourceARN": "",
    },
    "iam": {"RoleName": f"{_ROLES}/"},
    "logs": {"logGroupName": f"arn:aws:logs:{_AT}:log-group:", "resourceArn": ""},
    "sagemaker": {
        "EndpointName": f"arn:aws:sagemaker:{_AT}:endpoint/",
        "EndpointConfigName": f"arn:aws:sagemaker:{_AT}:endpoint-config/",
        "FeatureGroupName": f"arn:aws:sagemaker:{_AT}:feature-group/",
        "ModelName": f"arn:aws:sagemaker:{_AT}:model/",
        "ModelPackageGroupName": f"arn:aws:sagemaker:{_AT}:model-package-group/",
        "PipelineName": f"arn:aws:sagemaker:{_AT}:pipeline/",
        "ResourceArn": "",
    },
    "s3control": {"ConfigId": f"arn:aws:s3:{_AT}:storage-lens/", "ResourceArn": ""},
    "scheduler": {"ResourceArn": ""},
    "sns": {"TopicArn": "", "ResourceArn": "", "Name": f"arn:aws:sns:{_AT}:"},
    "sqs": {"QueueName": f"arn:aws:sqs:{_AT}:"},
    "cloudwatch": {
        "AlarmName": f"arn:aws:cloudwatch:{_AT}:alarm:",
        "ResourceARN": "",
        "DashboardName": "arn:aws:cloudwatch::123456789012:dashboard/",
    },
}


def get_action(call: Mapping[str, Any]) -> str:
    """Return the IAM action of a call."""
    service = {"s3control": "s3", "service-quotas": "servicequotas"}.get(call["service"], call["service"])
    own = f"{service}:{call['operation']}"
    return ACTIONS.get(own, own)


def get_resource(call: Mapping[str, Any]) -> str | None:
    """Return the ARN of the resource of a call, or None if the request does not contain it."""
    parameters = call["parameters"]
    if call["service"] == "s3" and "Bucket" in parameters:
        key = parameters.get("Key")
        if call["operation"] == "DeleteObjects":
            key = "any"
        return f"arn:aws:s3:::{parameters['Bucket']}" + (f"/{key}" if key else "")
    if parameters.get("RoleName") == SCALING_ROLE:
        return f"{_ROLES}/aws-service-role/{SCALING_SERVICE}/{SCALING_ROLE}"
    if call["service"] == "service-quotas" and "QuotaCode" in parameters:
        return f"arn:aws:servicequotas:{_AT}:{parameters['ServiceCode']}/{parameters['QuotaCode']}"
    if call["service"] == "kms":
        return _find_key(parameters)
    if call["operation"].endswith("ApiDestination"):
        return f"arn:aws:events:{_AT}:api-destination/{parameters['Name']}"
    starts = _NAMED.get(call["service"], {})
    return next((start + parameters[name] for name, start in starts.items() if parameters.get(name)), None)


def _find_key(parameters: Mapping[str, str]) -> str | None:
    key = parameters.get("KeyId") or parameters.get("TargetKeyId")
    if not key:
        return None
    return key if key.startswith("arn:") else f"arn:aws:kms:{_AT}:key/{key}"


def select_calls(calls: Iterable[Mapping[str, Any]], agent: re.Pattern[str] = TERRAFORM) -> list[Mapping[str, Any]]:
    """Return the calls of Terraform and its provider, or of another agent, that need a permission."""
    return [one for one in calls if agent.search(one["user_agent"]) and get_action(one) not in FREE]


def list_refused(
    calls: Iterable[Mapping[str, Any]], documents: Iterable[DeployerPolicy], agent: re.Pattern[str] = TERRAFORM
) -> list[str]:
    """Return the calls of Terraform, or of another agent, that the documents do not allow, each once."""
    statements = [statement for document in documents for statement in document.statements]
    requests = {(get_action(one), get_resource(one)) for one in select_calls(calls, agent)}
    return sorted(
        f"{action} on {arn or 'any'}" for action, arn in requests if not decide(statements, action, arn).allowed
    )
