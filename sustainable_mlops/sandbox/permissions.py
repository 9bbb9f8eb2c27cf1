"""What AWS asks before it delivers: a role that lets it, or the policies of the queue, the topic and their keys."""

from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from sustainable_mlops.aws.service_model import service_model
from sustainable_mlops.sandbox import policies, roles
from sustainable_mlops.sandbox.context import Context
from sustainable_mlops.sandbox.policies import Decision

#: Prefixes of IAM's actions, where they are not the name that requests are signed for.
_OF_IAM = {"monitoring": "cloudwatch"}
#: IAM action that DeleteEndpoint needs besides its own where an endpoint is scaled.
DEREGISTER = "application-autoscaling:DeregisterScalableTarget"
_ACTIONS = {("lambda", "Invoke"): "lambda:InvokeFunction"}


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


def must_allow_role(account: str, role: str, service: str, call: Call) -> None:
    """Raise NotPermittedError unless the service may assume the role, and this may do it."""
    if not roles.assumable(account, role, service):
        raise NotPermittedError(f"{role} does not exist or does not trust {service}")
    if roles.decision(account, role, call.action, call.resource) is not Decision.ALLOWED:
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
    for arn in list_scalable_targets(context, account, region, str(call.parameters.get("EndpointName", ""))):
        if roles.decision(account, role, DEREGISTER, arn) is not Decision.ALLOWED:
            raise NotPermittedError(
                "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM identity "
                f"used to invoke DeleteEndpoint does not have {DEREGISTER} permission to deregister the scalable "
                "target."
            )


def must_allow_service(context: Context, service: str, call: Call, *, owner: str | None = None) -> None:
    """Raise NotPermittedError unless the policies of the queue or the topic, and of its key, let the service do it.

    `owner`: the account on whose behalf the service asks, where what the policy lets this account do suffices.
    """
    arn = call.resource or ""
    _, _, _, region, account, name = arn.split(":", 5)
    client = context.client(call.service, region, account)
    attributes = _queue(client, name) if call.service == "sqs" else _topic(client, arn)
    policy = attributes.get("Policy") or "{}"
    own = owner == account and policies.allows_account(policy, account, call.action, arn)
    if not own and not policies.allows_service(policy, service, call.action, arn):
        raise NotPermittedError(f"the policy of {arn} does not let {service} do {call.action}")
    if key := attributes.get("KmsMasterKeyId"):
        _must_allow_key(context.client("kms", region, account), key, service)


def _queue(client: Any, name: str) -> dict[str, str]:
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    wanted = ["Policy", "KmsMasterKeyId"]
    found: dict[str, str] = client.get_queue_attributes(QueueUrl=url, AttributeNames=wanted).get("Attributes", {})
    return found


def _topic(client: Any, arn: str) -> dict[str, str]:
    found: dict[str, str] = client.get_topic_attributes(TopicArn=arn)["Attributes"]
    return found


def _must_allow_key(kms: Any, key: str, service: str) -> None:
    """The policy of a key that AWS manages lets no other service use it."""
    try:
        found = kms.describe_key(KeyId=key)["KeyMetadata"]
        policy = kms.get_key_policy(KeyId=found["KeyId"], PolicyName="default")["Policy"]
    except ClientError:
        raise NotPermittedError(f"the key {key} does not exist") from None
    own = found["KeyManager"] == "CUSTOMER" and not key.split("/", 1)[-1].startswith("aws/")
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        if not own or not policies.allows_service(policy, service, action, found["Arn"]):
            raise NotPermittedError(f"the policy of the key {key} does not let {service} do {action}")
