"""Subscribers of SNS topics: people and systems that receive notifications."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from modules.common import ARN, ExistingPublisherRole, KmsKeyArn, MapKey
from sustainable_mlops.authoring import Field, ModuleInputs, rule
from sustainable_mlops.authoring.expressions import can, distinct, length, list_of, match
from sustainable_mlops.authoring.rules import InputRule

#: Protocols that encrypt messages in transit. The topics refuse plain HTTP.
Protocol = Literal["email", "https", "lambda", "sqs"]
#: Patterns of the endpoints of each protocol. A FIFO queue cannot subscribe to a standard topic.
_ENDPOINTS = {
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "https": r"https://\S+",
    "lambda": rf"{ARN}:lambda:[a-z0-9-]+:[0-9]{{12}}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?",
    "sqs": rf"{ARN}:sqs:[a-z0-9-]+:[0-9]{{12}}:[A-Za-z0-9_-]+",
}
_PATTERN = f"^({'|'.join(f'{protocol} {endpoint}' for protocol, endpoint in _ENDPOINTS.items())})$"


class Subscriber(ModuleInputs):
    """Receiver of the messages of a topic."""

    protocol: Protocol = Field(
        description="Kind of the receiver. It receives nothing over email or https until it confirms the subscription."
    )
    endpoint: str = Field(description="Email address, HTTPS address, or ARN of the function or the standard queue.")

    rules = (
        rule(
            "endpoint",
            lambda v: can(match(_PATTERN, f"{v.protocol} {v.endpoint}")),
            lambda v: (
                f"{v.endpoint} does not fit protocol {v.protocol}; use an address such as ml-team@example.com for "
                "email, an https:// address for https, the ARN of a function for lambda, or the ARN of a standard "
                "queue for sqs."
            ),
        ),
    )


def require_distinct_endpoints(field: str, read_subscribers: Callable[[Any], Any]) -> InputRule:
    """Return the rule that subscribers have different endpoints. SNS creates one subscription for equal endpoints."""
    return rule(
        field,
        lambda v: length(distinct(_list_endpoints(read_subscribers(v)))) == length(read_subscribers(v)),
        "two subscribers have the same endpoint, which SNS subscribes once; remove one.",
    )


def _list_endpoints(subscribers: Any) -> list[str]:
    return list_of(subscribers, lambda _, subscriber: subscriber.endpoint)


class SubscribedTopic(ModuleInputs):
    """Encrypted SNS topic of events, with its subscribers."""

    existing_role: ExistingPublisherRole | None = Field(
        None, description="Publish with this role instead of a new one."
    )
    kms_key_arn: KmsKeyArn = Field(description="Key of the topic. Its policy must let this account's roles use it.")
    subscribers: dict[MapKey, Subscriber] = Field(
        default_factory=dict, description="Subscribers of the topic, by a key of your choice. Default: none."
    )

    rules: ClassVar[tuple[InputRule, ...]] = (require_distinct_endpoints("subscribers", lambda v: v.subscribers),)
