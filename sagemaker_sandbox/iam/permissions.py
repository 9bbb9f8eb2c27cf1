"""Permission checks before a delivery: the role's policies, or the resource policies of the queue, topic and key."""

from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.iam.conditions import ConditionKeys
from sagemaker_sandbox.iam.evaluation import Delegation, Policy, PolicyKind, ResourcePolicy
from sagemaker_sandbox.iam.partial_requests import allows_service, decide_root_access, decide_service_access
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.aws.service_model import load_service_model

#: Prefixes of IAM actions by signing name, if the two differ.
_IAM_PREFIXES = {"monitoring": "cloudwatch"}
#: Further IAM action that DeleteEndpoint needs if an endpoint has a scaling target.
DEREGISTER_ACTION = "application-autoscaling:DeregisterScalableTarget"
_ACTIONS = {("lambda", "Invoke"): "lambda:InvokeFunction"}
_EVENTS = "events.amazonaws.com"
#: Pairs of services whose requests name no source resource. EventBridge user guide, "Amazon SNS permissions": it
#: supports no Condition blocks.
_WITHOUT_SOURCE = ((_EVENTS, "sns"),)
#: Condition keys of such a request. EventBridge's requests for keys carry no more. Source: SNS developer guide, "Enable
#: compatibility between event sources from AWS services and encrypted topics".
_NO_SOURCE: dict[str, str | None] = {"aws:SourceArn": None, "aws:SourceAccount": None}
#: Name of the resource in the encryption context, by service.
_CONTEXT_NOUNS = {"sns": "topic", "sqs": "queue"}
#: Requests to resources that may be encrypted, and the operations that they need on the key.
_SEND_OPERATIONS = (("sns", "Publish"), ("sqs", "SendMessage"))
_KEY_OPERATIONS = ("GenerateDataKey", "Decrypt")


class ServiceCall(NamedTuple):
    """An operation to authorize. `resource` is the ARN of its resource, or None if the ARN is unknown."""

    service: str
    operation: str
    parameters: dict[str, Any]
    resource: str | None

    @property
    def action(self) -> str:
        """The IAM action of the operation."""
        signing_name = load_service_model(self.service).signing_name
        action = f"{_IAM_PREFIXES.get(signing_name, signing_name)}:{self.operation}"
        return _ACTIONS.get((self.service, self.operation), action)


class DeliveryNotPermittedError(Exception):
    """A delivery that is not allowed. The message names the missing permission."""


def check_role(account: str, role: str, service: str, call: ServiceCall, source: str | None = None) -> None:
    """Raise DeliveryNotPermittedError unless the service may assume the role, and the role may make the call.

    `source` is the ARN for which the service assumes the role, if it is known.
    """
    if not roles.can_assume(account, role, service, build_source_keys(source) if source else {}):
        raise DeliveryNotPermittedError(f"{role} does not exist or does not trust {service} for {source or 'this'}")
    _check_action(account, role, call, {})


def check_role_key(context: SandboxContext, account: str, role: str, call: ServiceCall) -> None:
    """Raise DeliveryNotPermittedError unless the role may use the key of the queue or topic that it sends to.

    The service uses the key on behalf of the role.
    """
    if (call.service, call.operation) not in _SEND_OPERATIONS or call.resource is None:
        return
    _, _, region, owner, _ = Arn.parse(call.resource)
    key = _get_attributes(context, call).get("KmsMasterKeyId")
    if not key or _is_aws_managed(key):  # the policy of a key that AWS manages lets all of the account use it
        return
    arn, policy = _get_key(context.client("kms", region, owner), key)
    for action in _KEY_OPERATIONS:
        key_call = ServiceCall("kms", action, {}, arn)
        keys = {"kms:ViaService": f"{call.service}.{region}.amazonaws.com"}
        key_policy = ResourcePolicy(Policy.parse(policy), Delegation.REQUIRED)
        decision = roles.decide_action(account, role, key_call.action, arn, keys, key_policy)
        if not decision.allowed and decision.kind is PolicyKind.RESOURCE:
            raise DeliveryNotPermittedError(f"the policy of the key {key} does not let {role} do {key_call.action}")
        if not decision.allowed:
            raise _build_role_error(role, key_call)


def check_service(
    context: SandboxContext, service: str, call: ServiceCall, source: str, *, owner: str | None = None
) -> None:
    """Raise DeliveryNotPermittedError unless the policies of the queue or topic and of its key allow the service.

    `source` is the ARN of the rule or the alarm. `owner` is the account that the service acts for, if that account's
    own permission is enough.
    """
    arn = call.resource or ""
    _, _, region, account, _ = Arn.parse(arn)
    attributes = _get_attributes(context, call)
    policy = attributes.get("Policy") or "{}"
    condition_keys = _NO_SOURCE if (service, call.service) in _WITHOUT_SOURCE else build_source_keys(source)
    decision = decide_service_access(policy, service, call.action, arn, condition_keys)
    if owner == account and not decision.allowed and not decision.explicit:
        decision = decide_root_access(policy, account, call.action, arn, condition_keys)
    if not decision.allowed:
        raise DeliveryNotPermittedError(f"the policy of {arn} does not let {service} do {call.action} for {source}")
    if key := attributes.get("KmsMasterKeyId"):
        key_conditions = _NO_SOURCE if service == _EVENTS else build_source_keys(source)
        encryption = {f"kms:EncryptionContext:aws:{call.service}:{_CONTEXT_NOUNS[call.service]}Arn": arn}
        _check_key(context.client("kms", region, account), key, service, {**key_conditions, **encryption})


def build_source_keys(source: str) -> dict[str, str | None]:
    """Return the condition keys for the resource and the account that a service acts for."""
    return {"aws:SourceArn": source, "aws:SourceAccount": Arn.parse(source).account}


def _check_action(account: str, role: str, call: ServiceCall, keys: ConditionKeys) -> None:
    if not roles.decide_action(account, role, call.action, call.resource, keys).allowed:
        raise _build_role_error(role, call)


def _build_role_error(role: str, call: ServiceCall) -> DeliveryNotPermittedError:
    return DeliveryNotPermittedError(f"{role} is not allowed {call.action} on {call.resource or 'any resource'}")


def list_scalable_targets(context: SandboxContext, account: str, region: str, endpoint: str) -> list[str]:
    """Return the ARNs of the scalable targets of an endpoint's variants."""
    client = context.client("application-autoscaling", region, account)
    pages = client.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="sagemaker")
    targets = [target for page in pages for target in page["ScalableTargets"]]
    variants = f"endpoint/{endpoint}/variant/".lower()
    return [target["ScalableTargetARN"] for target in targets if target["ResourceId"].lower().startswith(variants)]


def check_endpoint_deletion(context: SandboxContext, account: str, region: str, role: str, call: ServiceCall) -> None:
    """Raise NotPermittedError if the role deletes an endpoint and may not deregister its scalable targets.

    SageMaker deregisters the targets of a deleted endpoint with the permissions of the caller. The message is AWS's,
    quoted in https://github.com/awslabs/stable-diffusion-aws-extension/issues/161.
    """
    if (call.service, call.operation) != ("sagemaker", "DeleteEndpoint"):
        return
    keys = {"application-autoscaling:service-namespace": "sagemaker"}
    for arn in list_scalable_targets(context, account, region, str(call.parameters.get("EndpointName", ""))):
        if not roles.decide_action(account, role, DEREGISTER_ACTION, arn, keys).allowed:
            raise DeliveryNotPermittedError(
                "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM identity "
                f"used to invoke DeleteEndpoint does not have {DEREGISTER_ACTION} permission to deregister the "
                "scalable target."
            )


def _get_attributes(context: SandboxContext, call: ServiceCall) -> dict[str, str]:
    arn = call.resource or ""
    _, _, region, account, name = Arn.parse(arn)
    client = context.client(call.service, region, account)
    return _get_queue_attributes(client, name) if call.service == "sqs" else _get_topic_attributes(client, arn)


def _get_queue_attributes(client: Any, name: str) -> dict[str, str]:
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    names = ["Policy", "KmsMasterKeyId"]
    attributes: dict[str, str] = client.get_queue_attributes(QueueUrl=url, AttributeNames=names).get("Attributes", {})
    return attributes


def _get_topic_attributes(client: Any, arn: str) -> dict[str, str]:
    attributes: dict[str, str] = client.get_topic_attributes(TopicArn=arn)["Attributes"]
    return attributes


def _check_key(kms: Any, key: str, service: str, keys: ConditionKeys) -> None:
    """Raise DeliveryNotPermittedError unless the key's policy allows the service to use the key.

    The policy of a key that AWS manages allows no other service.
    """
    arn, policy = _get_key(kms, key)
    for operation in _KEY_OPERATIONS:
        action = f"kms:{operation}"
        if _is_aws_managed(key) or not allows_service(policy, service, action, arn, keys):
            raise DeliveryNotPermittedError(f"the policy of the key {key} does not let {service} do {action}")


def _is_aws_managed(key: str) -> bool:
    return key.split("/", 1)[-1].startswith("aws/")


def _get_key(kms: Any, key: str) -> tuple[str, str]:
    """Return ARN and policy of a key."""
    try:
        arn = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
        return arn, kms.get_key_policy(KeyId=Arn.parse(arn).name, PolicyName="default")["Policy"]
    except ClientError:
        raise DeliveryNotPermittedError(f"the key {key} does not exist") from None
