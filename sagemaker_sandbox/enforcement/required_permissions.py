"""Permissions that an operation needs: its own action, and the actions that AWS checks with it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sagemaker_sandbox.enforcement import resource_policies
from sagemaker_sandbox.enforcement.actions import find_action
from sagemaker_sandbox.enforcement.condition_keys import (
    Keys,
    build_boundary_keys,
    build_request_keys,
)
from sagemaker_sandbox.enforcement.dependent_actions import is_tagging, list_dependent_actions
from sagemaker_sandbox.enforcement.operations import RequestedOperation, walk_members
from sagemaker_sandbox.enforcement.resources import list_resources
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.catalogue.images import IMAGE_ADDRESS

#: First words of operations that pass a role to a service.
_PASSING = ("Add", "Create", "Invoke", "Put", "Register", "Run", "SetTopic", "Start", "Update")
#: Services whose requests name roles without passing them.
_NOT_PASSING = ("iam", "sts", "kms", "sqs", "secretsmanager", "ecr")
#: Operations of IAM that create a resource with a path, by the type in its ARN.
_CREATED_WITH_PATH = {
    "CreateGroup": "group",
    "CreateInstanceProfile": "instance-profile",
    "CreatePolicy": "policy",
    "CreateRole": "role",
    "CreateUser": "user",
}
#: Types in the ARNs of Systems Manager, by the type in requests about tags.
_TAGGED_SSM_TYPES = {
    "Association": "association",
    "Automation": "automation-execution",
    "Document": "document",
    "MaintenanceWindow": "maintenancewindow",
    "ManagedInstance": "managed-instance",
    "OpsItem": "opsitem",
    "OpsMetadata": "opsmetadata",
    "Parameter": "parameter",
    "PatchBaseline": "patchbaseline",
}
_S3_WRITES = ("PutObject", "CreateMultipartUpload", "CopyObject")


class RequiredPermission(NamedTuple):
    """An action on a resource, with the condition keys of the request's parameters."""

    action: str
    resource: str
    keys: Keys


def list_required_permissions(operation: RequestedOperation, account: str, region: str) -> Iterator[RequiredPermission]:
    """Yield the permissions that an operation needs."""
    action = find_action(operation.service, operation.signing_name, operation.name, operation.parameters)
    keys = {
        **build_request_keys(action, operation.parameters),
        **build_boundary_keys(action, operation.parameters, account),
    }
    resources = _list_own_resources(action, operation.parameters, account, region)
    for resource in resources:
        yield RequiredPermission(action, resource, keys)
    for dependent in list_dependent_actions(action, operation.parameters):
        for resource in _list_dependent_resources(dependent, operation.parameters, resources, account, region):
            yield RequiredPermission(dependent, resource, keys)
    if operation.service == "s3":
        yield from _list_s3_permissions(operation, account, region)
    if operation.name.startswith(_PASSING) and operation.signing_name not in _NOT_PASSING:
        service = f"{operation.signing_name}.amazonaws.com"
        for role in dict.fromkeys([*_find_roles(operation.parameters), *_find_runbook_role(operation)]):
            yield RequiredPermission("iam:PassRole", role, {"iam:PassedToService": service})
    yield from _list_image_permissions(operation)
    if operation.service == "sagemaker":
        for key in _list_volume_keys(operation):
            if arn := resource_policies.find_key_arn(account, region, key):
                keys = {"kms:GrantIsForAWSResource": "true", **_build_via_service_keys("sagemaker", account, region)}
                yield RequiredPermission("kms:CreateGrant", arn, keys)


def _list_own_resources(action: str, parameters: Mapping[str, Any], account: str, region: str) -> list[str]:
    """Return the ARNs of the resources of an action for the parameters of an operation."""
    prefix = action.partition(":")[0]
    request = _NamedRequest(action, dict(parameters), account, region)
    find = _OWN_RESOURCES.get(prefix)
    return (find(request) if find is not None else None) or request.list_resources()


def _list_dependent_resources(
    action: str, parameters: Mapping[str, Any], own_resources: list[str], account: str, region: str
) -> list[str]:
    """Return the ARNs of the resources of a dependent action."""
    if action == "kms:TagResource":
        return [f"arn:aws:kms:{region}:{account}:key/new"]  # the key gets its ID from the request
    if is_tagging(action):
        return own_resources
    if action == "scheduler:DeleteSchedule":
        parameters = {"GroupName": parameters.get("Name"), "Name": "*"}
    return _list_own_resources(action, parameters, account, region)


class _NamedRequest(NamedTuple):
    """A request to a service that does not name its resources by the variables of their ARNs."""

    action: str
    parameters: dict[str, Any]
    account: str
    region: str

    @property
    def name(self) -> str:
        """Name of the action."""
        return self.action.partition(":")[2]

    def list_resources(self) -> list[str]:
        """Return the ARNs by the table of IAM's actions."""
        return list_resources(self.action, self.parameters, self.account, self.region)


def _find_s3_resources(request: _NamedRequest) -> list[str] | None:
    parameters = request.parameters
    if "AccountId" in parameters:  # S3 Control
        return list_resources(request.action, parameters, str(parameters["AccountId"]), request.region)
    bucket = str(parameters.get("Bucket", "*"))
    if isinstance(deleted := parameters.get("Delete"), Mapping):
        return [f"arn:aws:s3:::{bucket}/{item.get('Key', '')}" for item in deleted.get("Objects") or ()]
    return [f"arn:aws:s3:::{bucket}"] if request.name == "CreateBucket" else None


def _find_queue(request: _NamedRequest) -> list[str] | None:
    url = str(request.parameters.get("QueueUrl") or "")
    # SQS accepts the name of an own queue as the URL.
    owner, _, queue = url.rstrip("/").rpartition("/")
    owner = owner.rpartition("/")[2]
    if not queue or ":" in queue:
        return None
    return [f"arn:aws:sqs:{request.region}:{owner if owner.isdigit() else request.account}:{queue}"]


def _find_topic(request: _NamedRequest) -> list[str] | None:
    target = request.parameters.get("TopicArn") or request.parameters.get("TargetArn")
    return [str(target)] if request.name == "Publish" and target else None


def _find_keys(request: _NamedRequest) -> list[str] | None:
    key = request.parameters.get("KeyId") or request.parameters.get("TargetKeyId")
    arn = resource_policies.find_key_arn(request.account, request.region, str(key)) if key else None
    return [arn if arn and ":key/" in item else item for item in request.list_resources()]


def _find_secret(request: _NamedRequest) -> list[str] | None:
    secret = request.parameters.get("SecretId")
    arn = resource_policies.find_secret_arn(request.account, request.region, str(secret)) if secret else None
    return [arn] if arn else None


def _find_sagemaker_resources(request: _NamedRequest) -> list[str] | None:
    """Return the packages of a group, whose numbers a request does not name. None for other resources."""
    group = str(request.parameters.get("ModelPackageGroupName") or "")
    if request.name not in ("CreateModelPackage", "ListModelPackages") or not group:
        return None
    if group.startswith("arn:") and Arn.parse_or_none(group) is None:
        return None
    owner = group.rpartition(":")[0] or f"arn:aws:sagemaker:{request.region}:{request.account}"
    return [f"{owner}:model-package/{group.rpartition('/')[2].lower()}/*"]


def _find_targets(request: _NamedRequest) -> list[str] | None:
    """Return the ARN of a scalable target, whose ID no request contains."""
    namespace = str(request.parameters.get("ServiceNamespace", "*"))
    base = f"arn:aws:application-autoscaling:{request.region}:{request.account}:scalable-target"
    return [f"{base}/{namespace}" if ":scalable-target/" in arn else arn for arn in request.list_resources()]


def _find_iam_resources(request: _NamedRequest) -> list[str] | None:
    if kind := _CREATED_WITH_PATH.get(request.name):
        name = request.parameters.get(f"{request.name.removeprefix('Create')}Name")
        path = str(request.parameters.get("Path") or "/").strip("/")
        return [f"arn:aws:iam::{request.account}:{'/'.join(filter(None, (kind, path, str(name))))}"] if name else None
    return [_complete_iam_arn(arn, request.account) for arn in request.list_resources()]


def _find_rules(request: _NamedRequest) -> list[str] | None:
    """Return the rule on its event bus. The default bus is not part of the ARN."""
    on_buses = [arn for arn in request.list_resources() if re.search(r":rule/[^/]+/", arn)]
    return [arn.replace(":rule/default/", ":rule/") for arn in on_buses]


def _find_log_groups(request: _NamedRequest) -> list[str] | None:
    """Return log groups with the ARN of their streams, as CloudWatch Logs checks them."""
    return [
        arn if ":log-stream:" in arn or ":log-group:" not in arn else f"{arn.removesuffix(':*')}:log-stream:"
        for arn in request.list_resources()
    ]


def _find_tagged_ssm_resource(request: _NamedRequest) -> list[str] | None:
    """Return the resource whose tags a request reads or changes. None for other requests."""
    kind = _TAGGED_SSM_TYPES.get(str(request.parameters.get("ResourceType", "")))
    name = str(request.parameters.get("ResourceId") or "").removeprefix("/")
    return [f"arn:aws:ssm:{request.region}:{request.account}:{kind}/{name}"] if kind and name else None


_OWN_RESOURCES: Mapping[str, Callable[[_NamedRequest], list[str] | None]] = {
    "application-autoscaling": _find_targets,
    "events": _find_rules,
    "iam": _find_iam_resources,
    "kms": _find_keys,
    "logs": _find_log_groups,
    "s3": _find_s3_resources,
    "sagemaker": _find_sagemaker_resources,
    "secretsmanager": _find_secret,
    "sns": _find_topic,
    "sqs": _find_queue,
    "ssm": _find_tagged_ssm_resource,
}


def _complete_iam_arn(arn: str, account: str) -> str:
    """Return the ARN of an existing role, user, group or instance profile with its path."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    return (resource_policies.find_iam_arn(account, kind, name) if "/" not in name else None) or arn


def _list_s3_permissions(operation: RequestedOperation, account: str, region: str) -> Iterator[RequiredPermission]:
    """Yield the permissions for the source of a copy, tags, access control lists and the key of an object."""
    parameters = operation.parameters
    bucket, name = str(parameters.get("Bucket", "")), str(parameters.get("Key", ""))
    target = f"arn:aws:s3:::{bucket}/{name}"
    if operation.name in _S3_WRITES:
        keys = build_request_keys("s3:PutObject", parameters)
        if parameters.get("Tagging"):
            yield RequiredPermission("s3:PutObjectTagging", target, keys)
        if any(str(member).startswith(("ACL", "Grant")) and value for member, value in parameters.items()):
            yield RequiredPermission("s3:PutObjectAcl", target, keys)
        key = parameters.get("SSEKMSKeyId")
        if not key and parameters.get("ServerSideEncryption") in (None, "aws:kms"):
            key = resource_policies.find_default_key(bucket)
        yield from _list_key_permissions(key, "kms:GenerateDataKey", target, account, region)
    source = parameters.get("CopySource")
    if source:
        path = source if isinstance(source, str) else f"{source.get('Bucket')}/{source.get('Key')}"
        source_bucket, _, source_name = path.lstrip("/").partition("?")[0].partition("/")
        yield RequiredPermission("s3:GetObject", f"arn:aws:s3:::{source_bucket}/{source_name}", {})
        key = resource_policies.find_object_key(source_bucket, source_name)
        yield from _list_key_permissions(
            key, "kms:Decrypt", f"arn:aws:s3:::{source_bucket}/{source_name}", account, region
        )
    if operation.name == "GetObject":
        key = resource_policies.find_object_key(bucket, name)
        yield from _list_key_permissions(key, "kms:Decrypt", target, account, region)
    if operation.name in ("GetObject", "HeadObject") and not resource_policies.has_object(bucket, name):
        # S3 returns 404 for a missing object only to callers with s3:ListBucket. Only list requests have the
        # key s3:prefix, so a condition on it fails.
        yield RequiredPermission("s3:ListBucket", f"arn:aws:s3:::{bucket}", {})


def _list_key_permissions(
    key: Any, action: str, object_arn: str, account: str, region: str
) -> Iterator[RequiredPermission]:
    """Yield the permission of the caller to use a customer's key through S3."""
    arn = resource_policies.find_key_arn(account, region, str(key)) if key else None
    if arn is not None:
        context: Keys = {"kms:EncryptionContext:aws:s3:arn": object_arn, "kms:EncryptionContextKeys": ["aws:s3:arn"]}
        yield RequiredPermission(action, arn, {**context, **_build_via_service_keys("s3", account, region)})


def _build_via_service_keys(service: str, account: str, region: str) -> Keys:
    """Return the keys of a request to KMS that a service sends for the caller."""
    return {"kms:CallerAccount": account, "kms:ViaService": f"{service}.{region}.amazonaws.com"}


def _list_volume_keys(operation: RequestedOperation) -> list[str]:
    own = operation.parameters.get("KmsKeyId") if operation.name == "CreateEndpointConfig" else None
    return [str(key) for key in (own, *_find_members(operation.parameters, "VolumeKmsKeyId")) if key]


def _list_image_permissions(operation: RequestedOperation) -> Iterator[RequiredPermission]:
    """Yield the permission to read each image of a model package.

    AWS does not document whether SageMaker reads the images with the permissions of the caller. The sandbox requires
    them, so that a role works either way.
    """
    if (operation.service, operation.name) != ("sagemaker", "CreateModelPackage"):
        return
    for image in dict.fromkeys(map(str, _find_members(operation.parameters, "Image"))):
        if parts := IMAGE_ADDRESS.fullmatch(image):
            repository = f"arn:aws:ecr:{parts['region']}:{parts['account']}:repository/{parts['repository']}"
            yield RequiredPermission("ecr:BatchGetImage", repository, {})


def _find_members(value: Any, name: str) -> Iterator[Any]:
    return (one for member, one in walk_members(value) if member == name)


def _find_roles(value: Any) -> Iterator[str]:
    """Yield the ARNs of the roles in the members for roles, and of a role that is the value of an attribute."""
    attribute = value.get("AttributeName") if isinstance(value, Mapping) else None
    for member, one in walk_members(value):
        name = attribute if member == "AttributeValue" else member
        if _is_role(one) and str(name).lower().endswith(("rolearn", "role")):
            yield one


def _find_runbook_role(operation: RequestedOperation) -> Iterator[str]:
    """Yield the role that a new or changed runbook of Systems Manager assumes. A placeholder names no role."""
    if operation.service != "ssm" or not isinstance(content := operation.parameters.get("Content"), str):
        return
    import yaml

    try:
        document = yaml.safe_load(content)
    except yaml.YAMLError:
        return
    if isinstance(document, Mapping) and _is_role(role := document.get("assumeRole")):
        yield str(role)


def _is_role(value: Any) -> bool:
    return isinstance(value, str) and ":iam::" in value and ":role/" in value
