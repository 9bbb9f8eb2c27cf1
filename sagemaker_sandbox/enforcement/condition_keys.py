"""Condition keys of a request. Source: IAM user guide, "AWS global condition context keys"; the keys of each service in
AWS's Service Authorization Reference.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from sagemaker_sandbox.enforcement import resource_policies
from sagemaker_sandbox.enforcement.operations import walk_members
from sagemaker_sandbox.iam.conditions import to_text
from sagemaker_sandbox.iam.evaluation import Principal

Keys = dict[str, str | Sequence[str] | None]

#: Condition keys with the value of a parameter, by the IAM prefix of the action. A parameter is found at any depth.
_PARAMETER_KEYS: Mapping[str, Mapping[str, str]] = {
    "application-autoscaling": {
        "application-autoscaling:scalable-dimension": "ScalableDimension",
        "application-autoscaling:service-namespace": "ServiceNamespace",
    },
    "cloudwatch": {"cloudwatch:namespace": "Namespace"},
    "iam": {
        "iam:AWSServiceName": "AWSServiceName",
        "iam:PolicyARN": "PolicyArn",
    },
    "kms": {"kms:GranteePrincipal": "GranteePrincipal"},
    "sagemaker": {
        "sagemaker:DirectInternetAccess": "DirectInternetAccess",
        "sagemaker:InterContainerTrafficEncryption": "EnableInterContainerTrafficEncryption",
        "sagemaker:MaxRuntimeInSeconds": "MaxRuntimeInSeconds",
        "sagemaker:ModelApprovalStatus": "ModelApprovalStatus",
        "sagemaker:NetworkIsolation": "EnableNetworkIsolation",
        "sagemaker:OutputKmsKey": "KmsKeyId",
        "sagemaker:RootAccess": "RootAccess",
        "sagemaker:TargetModel": "TargetModel",
        "sagemaker:VolumeKmsKey": "VolumeKmsKeyId",
    },
    "sns": {"sns:Endpoint": "Endpoint", "sns:Protocol": "Protocol"},
    "sts": {"sts:ExternalId": "ExternalId", "sts:RoleSessionName": "RoleSessionName"},
}
#: The same for keys with several values.
_LIST_KEYS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "kms": {"kms:GrantOperations": ("Operations",)},
    "sagemaker": {
        "sagemaker:InstanceTypes": ("InstanceType",),
        "sagemaker:VpcSecurityGroupIds": ("SecurityGroupIds",),
        "sagemaker:VpcSubnets": ("Subnets", "SubnetIds"),
    },
    "sts": {"sts:TransitiveTagKeys": ("TransitiveTagKeys",)},
}
#: Actions of IAM with the condition key `iam:PermissionsBoundary`. These have the boundary of the request.
_NEW_BOUNDARY_ACTIONS = {
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:PutRolePermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
}
#: These have the boundary of the role or the user that they change, by the kind of the principal.
_TARGET_BOUNDARY_ACTIONS = {
    f"iam:{verb}{kind}{noun}": kind
    for kind in ("Role", "User")
    for verb, noun in (
        ("Attach", "Policy"),
        ("Delete", "PermissionsBoundary"),
        ("Delete", "Policy"),
        ("Detach", "Policy"),
        ("Put", "Policy"),
    )
}


def build_global_keys(
    principal: Principal, tags: Mapping[str, str], region: str, now: datetime, user_agent: str
) -> Keys:
    """Return the keys that every request has. `tags` are the tags of the principal."""
    keys: Keys = {
        "aws:CurrentTime": now.isoformat(),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:RequestedRegion": region,
        # The sandbox listens only on this computer, and requests to it count as TLS.
        "aws:SecureTransport": "true",
        "aws:SourceIp": "127.0.0.1",
        "aws:UserAgent": user_agent,
        "aws:ViaAWSService": "false",
        "s3:TlsVersion": "1.3",
        **principal.build_keys(tags),
    }
    if principal.is_role:
        keys["aws:MultiFactorAuthPresent"] = "false"
    return keys


def build_request_keys(action: str, parameters: Mapping[str, Any]) -> Keys:
    """Return the keys with the values of a request's parameters."""
    prefix, _, operation = action.partition(":")
    members = list(walk_members(parameters))
    keys: Keys = {}
    for key, member in _PARAMETER_KEYS.get(prefix, {}).items():
        if (value := next((value for name, value in members if name == member), None)) is not None:
            keys[key] = to_text(value)
    for key, names in _LIST_KEYS.get(prefix, {}).items():
        if values := [text for name, value in members if name in names for text in _list_texts(value)]:
            keys[key] = values
    if prefix == "sagemaker" and operation == "CreateEndpointConfig" and parameters.get("KmsKeyId"):
        keys["sagemaker:VolumeKmsKey"] = keys.pop("sagemaker:OutputKmsKey", None)
    if prefix == "kms":
        context = parameters.get("EncryptionContext") or {}
        keys |= {f"kms:EncryptionContext:{name}": str(value) for name, value in context.items()}
        keys |= {"kms:EncryptionContextKeys": list(context)} if context else {}
        if str(parameters.get("KeyId", "")).rpartition(":")[2].startswith("alias/"):
            keys["kms:RequestAlias"] = str(parameters["KeyId"]).rpartition(":")[2]
    if prefix == "s3":
        keys |= _build_s3_keys(parameters)
    tags = read_tags(parameters)
    keys |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags or parameters.get("TagKeys"):
        keys["aws:TagKeys"] = [*tags, *parameters.get("TagKeys", ())]
    return keys


def build_boundary_keys(action: str, parameters: Mapping[str, Any], account: str) -> Keys:
    """Return `iam:PermissionsBoundary` of an action of IAM. It is absent if there is no boundary."""
    boundary: Any = None
    if action in _NEW_BOUNDARY_ACTIONS:
        boundary = parameters.get("PermissionsBoundary")
    elif kind := _TARGET_BOUNDARY_ACTIONS.get(action):
        name = str(parameters.get(f"{kind}Name", ""))
        boundary = resource_policies.find_boundary_arn(account, kind.lower(), name)
    return {"iam:PermissionsBoundary": str(boundary)} if boundary else {}


def _build_s3_keys(parameters: Mapping[str, Any]) -> Keys:
    members = {
        "s3:delimiter": "Delimiter",
        "s3:max-keys": "MaxKeys",
        "s3:prefix": "Prefix",
        "s3:VersionId": "VersionId",
        "s3:x-amz-acl": "ACL",
        "s3:x-amz-copy-source": "CopySource",
        "s3:x-amz-grant-full-control": "GrantFullControl",
        "s3:x-amz-grant-read": "GrantRead",
        "s3:x-amz-grant-read-acp": "GrantReadACP",
        "s3:x-amz-grant-write": "GrantWrite",
        "s3:x-amz-grant-write-acp": "GrantWriteACP",
        "s3:x-amz-server-side-encryption": "ServerSideEncryption",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
        "s3:x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
        "s3:x-amz-storage-class": "StorageClass",
    }
    keys: Keys = {key: str(parameters[name]) for key, name in members.items() if parameters.get(name) is not None}
    if isinstance(tagging := parameters.get("Tagging"), str):
        tags = dict(parse_qsl(tagging))
        keys |= {f"s3:RequestObjectTag/{key}": value for key, value in tags.items()}
        keys["s3:RequestObjectTagKeys"] = list(tags)
    return keys


def read_tags(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags in the parameters of a request."""
    for name in ("Tags", "tags", "TagList"):
        tags = parameters.get(name)
        if isinstance(tags, Mapping):
            return {str(key): str(value) for key, value in tags.items()}
        if isinstance(tags, list):
            pairs = [{key.lower(): value for key, value in tag.items()} for tag in tags if isinstance(tag, Mapping)]
            return {
                str(pair.get("key", pair.get("tagkey"))): str(pair.get("value", pair.get("tagvalue", "")))
                for pair in pairs
            }
    return {}


def _list_texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
