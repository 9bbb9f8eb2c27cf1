"""What AWS asks before it delivers: a role that lets it, or the policies of the queue, the topic and their keys."""

from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from sustainable_mlops.aws.service_model import service_model
from sagemaker_sandbox import conditions, policies, roles
from sagemaker_sandbox.context import Context
from sagemaker_sandbox.policies import Decision

#: Prefixes of IAM's actions, where they are not the name that requests are signed for.
_OF_IAM = {"monitoring": "cloudwatch"}
#: IAM action that DeleteEndpoint needs besides its own where an endpoint is scaled.
DEREGISTER = "application-autoscaling:DeregisterScalableTarget"
_ACTIONS = {("lambda", "Invoke"): "lambda:InvokeFunction"}
_EVENTS = "events.amazonaws.com"
#: Service pairs whose requests name no source resource. Source: EventBridge user guide, "Amazon SNS permissions", which
#: supports no Condition blocks.
_WITHOUT_SOURCE = ((_EVENTS, "sns"),)
#: Condition keys of such a request. EventBridge's requests for keys carry no more. Source: SNS developer guide, "Enable
#: compatibility between event sources from AWS services and encrypted topics".
_NO_SOURCE: dict[str, str | None] = {"aws:SourceArn": None, "aws:SourceAccount": None}
#: Name of the resource in the encryption context, by service.
_NOUNS = {"sns": "topic", "sqs": "queue"}
#: Requests to resources that may be encrypted, and the operations that these need on the key.
_SENDING = (("sns", "Publish"), ("sqs", "SendMessage"))
_KEY_OPERATIONS = ("GenerateDataKey", "Decrypt")


class Call(NamedTuple):
    """An operation to be asked for; `resource` is the ARN that it is about, None where that is not known."""

    service: str
    operation: str
    parameters: dict[str, Any]
    resource: str | None

    @property
    def action(self) -> str:
        """IAM's name of it."""
        signed = service_model(self.service).signing_name
        own = f"{_OF_IAM.get(signed, signed)}:{self.operation}"
        return _ACTIONS.get((self.service, self.operation), own)


class NotPermittedError(Exception):
    """The delivery is not allowed; the text says what is missing."""


def must_allow_role(account: str, role: str, service: str, call: Call, source: str | None = None) -> None:
    """Raise NotPermittedError unless the service may assume the role, and this may do it.

    `source` is the ARN that the service assumes the role for, where that is known.
    """
    if not roles.assumable(account, role, service, source_keys(source) if source else {}):
        raise NotPermittedError(f"{role} does not exist or does not trust {service} for {source or 'this'}")
    _must_be_allowed(account, role, call, {})


def must_allow_role_key(context: Context, account: str, role: str, call: Call) -> None:
    """Raise NotPermittedError unless the role may use the key of the queue or topic that it sends to.

    The key is used through the service, on behalf of the role.
    """
    if (call.service, call.operation) not in _SENDING or call.resource is None:
        return
    _, _, _, region, owner, _ = call.resource.split(":", 5)
    key = _attributes(context, call).get("KmsMasterKeyId")
    if not key or _is_of_aws(key):  # the policy of a key that AWS manages lets all of the account use it
        return
    arn, policy = _key(context.client("kms", region, owner), key)
    for action in _KEY_OPERATIONS:
        asked = Call("kms", action, {}, arn)
        if not policies.allows_account(policy, account, asked.action, arn):
            raise NotPermittedError(f"the policy of the key {key} does not let account {account} do {asked.action}")
        _must_be_allowed(account, role, asked, {"kms:ViaService": f"{call.service}.{region}.amazonaws.com"})


def must_allow_service(context: Context, service: str, call: Call, source: str, *, owner: str | None = None) -> None:
    """Raise NotPermittedError unless the policies of the queue or the topic, and of its key, let the service do it.

    `source` is the ARN of the rule or the alarm. `owner` is the account on whose behalf the service asks, where what
    the policy lets this account do suffices.
    """
    arn = call.resource or ""
    _, _, _, region, account, _ = arn.split(":", 5)
    attributes = _attributes(context, call)
    policy = attributes.get("Policy") or "{}"
    own = owner == account and policies.allows_account(policy, account, call.action, arn)
    told = _NO_SOURCE if (service, call.service) in _WITHOUT_SOURCE else source_keys(source)
    if not own and not policies.allows_service(policy, service, call.action, arn, told):
        raise NotPermittedError(f"the policy of {arn} does not let {service} do {call.action} for {source}")
    if key := attributes.get("KmsMasterKeyId"):
        of_key = _NO_SOURCE if service == _EVENTS else source_keys(source)
        encryption = {f"kms:EncryptionContext:aws:{call.service}:{_NOUNS[call.service]}Arn": arn}
        _must_allow_key(context.client("kms", region, account), key, service, {**of_key, **encryption})


def source_keys(source: str) -> dict[str, str | None]:
    """Return the condition keys that say for which resource a service acts, and for whose."""
    return {"aws:SourceArn": source, "aws:SourceAccount": source.split(":")[4]}


def _must_be_allowed(account: str, role: str, call: Call, keys: conditions.Context) -> None:
    if roles.decision(account, role, call.action, call.resource, keys) is not Decision.ALLOWED:
        raise NotPermittedError(f"{role} is not allowed {call.action} on {call.resource or 'any resource'}")


def list_scalable_targets(context: Context, account: str, region: str, endpoint: str) -> list[str]:
    """Return the ARNs of the scalable targets of an endpoint's variants."""
    client = context.client("application-autoscaling", region, account)
    pages = client.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="sagemaker")
    targets = [target for page in pages for target in page["ScalableTargets"]]
    variants = f"endpoint/{endpoint}/variant/".lower()
    return [target["ScalableTargetARN"] for target in targets if target["ResourceId"].lower().startswith(variants)]


def must_allow_endpoint_deletion(context: Context, account: str, region: str, role: str, call: Call) -> None:
    """Raise NotPermittedError if the role deletes an endpoint and may not deregister its scalable targets.

    SageMaker deregisters the targets of a deleted endpoint with the permissions of the caller. The message is AWS's,
    quoted in https://github.com/awslabs/stable-diffusion-aws-extension/issues/161.
    """
    if (call.service, call.operation) != ("sagemaker", "DeleteEndpoint"):
        return
    keys = {"application-autoscaling:service-namespace": "sagemaker"}
    for arn in list_scalable_targets(context, account, region, str(call.parameters.get("EndpointName", ""))):
        if roles.decision(account, role, DEREGISTER, arn, keys) is not Decision.ALLOWED:
            raise NotPermittedError(
                "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM identity "
                f"used to invoke DeleteEndpoint does not have {DEREGISTER} permission to deregister the scalable "
                "target."
            )


def _attributes(context: Context, call: Call) -> dict[str, str]:
    arn = call.resource or ""
    _, _, _, region, account, name = arn.split(":", 5)
    client = context.client(call.service, region, account)
    return _queue(client, name) if call.service == "sqs" else _topic(client, arn)


def _queue(client: Any, name: str) -> dict[str, str]:
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    wanted = ["Policy", "KmsMasterKeyId"]
    found: dict[str, str] = client.get_queue_attributes(QueueUrl=url, AttributeNames=wanted).get("Attributes", {})
    return found


def _topic(client: Any, arn: str) -> dict[str, str]:
    found: dict[str, str] = client.get_topic_attributes(TopicArn=arn)["Attributes"]
    return found


def _must_allow_key(kms: Any, key: str, service: str, keys: conditions.Context) -> None:
    """The policy of a key that AWS manages lets no other service use it."""
    arn, policy = _key(kms, key)
    for operation in _KEY_OPERATIONS:
        action = f"kms:{operation}"
        if _is_of_aws(key) or not policies.allows_service(policy, service, action, arn, keys):
            raise NotPermittedError(f"the policy of the key {key} does not let {service} do {action}")


def _is_of_aws(key: str) -> bool:
    return key.split("/", 1)[-1].startswith("aws/")


def _key(kms: Any, key: str) -> tuple[str, str]:
    """Return ARN and policy of a key."""
    try:
        arn = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
        return arn, kms.get_key_policy(KeyId=arn.rpartition("/")[2], PolicyName="default")["Policy"]
    except ClientError:
        raise NotPermittedError(f"the key {key} does not exist") from None
