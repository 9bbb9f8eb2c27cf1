"""What the role of an asynchronous endpoint's model must be allowed: read requests, write answers, publish notices.

The policies of the role decide. Those of buckets and topics are not asked, as the role is of their account; keys are
not either.
"""

from collections.abc import Iterable

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.sandbox import roles
from sustainable_mlops.sandbox.parts.resources import Fields
from sustainable_mlops.sandbox.policies import Decision


class NotPermittedError(Exception):
    """The role may not do it; the text says so as AWS does."""


def must_allow(account: str, role: str, action: str, resource: str) -> None:
    """Raise NotPermittedError unless the role may do this."""
    decision = roles.decision(account, role, action, resource)
    if decision is not Decision.ALLOWED:
        why = (
            "with an explicit deny" if decision is Decision.EXPLICIT_DENY else "because no identity-based policy allows"
        )
        why += " in an identity-based policy" if decision is Decision.EXPLICIT_DENY else f" the {action} action"
        name = role.rpartition("/")[2]
        raise NotPermittedError(
            f"User: arn:aws:sts::{account}:assumed-role/{name}/SageMaker is not authorized to perform: {action} on "
            f'resource: "{resource}" {why}'
        )


def object_arn(address: S3Uri) -> str:
    """An object in IAM's words."""
    return f"arn:aws:s3:::{address.bucket}/{address.key}"


def topics(config: Fields) -> dict[str, str]:
    """The topics of an AsyncInferenceConfig, by their member."""
    notified = config["OutputConfig"].get("NotificationConfig", {})
    return {member: notified[member] for member in ("SuccessTopic", "ErrorTopic") if notified.get(member)}


def refusal(account: str, of: Iterable[str], config: Fields) -> str | None:
    """Why an endpoint with these roles and this AsyncInferenceConfig is not made; None where it is."""
    for role in of:
        for topic in topics(config).values():
            if roles.decision(account, role, "sns:Publish", topic) is not Decision.ALLOWED:
                return (
                    f'The provided role "{role}" is invalid. Please ensure the role exists, that its trust '
                    'relationship policy allows the action "sts:AssumeRole" for the service principal '
                    f'"sagemaker.amazonaws.com", and has "sns:Publish" permissions for topic "{topic}".'
                )
    return None
