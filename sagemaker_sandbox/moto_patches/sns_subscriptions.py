"""SNS: moto confirms every subscription itself, and delivers to queues that do not accept the messages.

Sources: API reference, Subscribe, ConfirmSubscription and Unsubscribe; SNS developer guide, "Subscribing an Amazon SQS
queue to an Amazon SNS topic" and "Configuring AWS KMS permissions for Amazon SNS". Terraform's provider
recognizes the refusal of Unsubscribe by its message.
"""

import sys
import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.kms.models import kms_backends
from moto.sns.exceptions import SNSInvalidParameter, SNSNotFoundError
from moto.sns.models import SNSBackend, Subscription
from moto.sns.responses import SNSResponse
from moto.sqs.models import sqs_backends
from requests import RequestException

from sagemaker_sandbox.iam.partial_requests import allows_service
from sustainable_mlops.aws.arn import Arn

_PUBLISHER = "sns.amazonaws.com"
#: Protocols whose endpoint must confirm a subscription, with the error for an endpoint of another form.
_CONFIRMED = {
    "email": "Invalid parameter: Email address",
    "email-json": "Invalid parameter: Email address",
    "http": "Invalid parameter: Endpoint must match the specified protocol",
    "https": "Invalid parameter: Endpoint must match the specified protocol",
}
_PENDING = "PendingConfirmation"
_NOT_SENT = {"email": "no email is sent", "email-json": "no email is sent", "lambda": "no function is invoked"}


def apply() -> None:
    """Keep subscriptions pending until they are confirmed, and check the permissions of deliveries."""
    _patch_subscribe()
    _patch_unsubscribe()
    _patch_publish()
    _patch_responses()


def _patch_subscribe() -> None:
    subscribe = SNSBackend.subscribe

    def subscribe_pending(self: Any, topic_arn: str, endpoint: str, protocol: str) -> Any:
        if protocol in _CONFIRMED and not _has_form(endpoint, protocol):
            raise SNSInvalidParameter(_CONFIRMED[protocol])
        subscription: Any = subscribe(self, topic_arn, endpoint, protocol)
        if protocol in _CONFIRMED and not hasattr(subscription, "token"):
            subscription.token = uuid.uuid4().hex
            subscription.attributes.update({_PENDING: True, "ConfirmationWasAuthenticated": False})
            command = f"aws sns confirm-subscription --topic-arn {topic_arn} --token {subscription.token}"
            _log(f"{endpoint} must confirm its subscription: {command}")
        return subscription

    SNSBackend.subscribe = subscribe_pending


def _patch_unsubscribe() -> None:
    unsubscribe = SNSBackend.unsubscribe

    def unsubscribe_confirmed(self: Any, subscription_arn: str) -> None:
        subscription = self.subscriptions.get(subscription_arn)
        if subscription is not None and _is_pending(subscription):
            raise SNSInvalidParameter(
                "Invalid parameter: SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending "
                "confirmation"
            )
        unsubscribe(self, subscription_arn)

    SNSBackend.unsubscribe = unsubscribe_confirmed


def _patch_publish() -> None:
    publish = Subscription.publish

    def publish_if_allowed(self: Any, *arguments: Any, **options: Any) -> None:
        if _is_pending(self):
            return
        obstacle = _find_obstacle(self)
        try:
            if obstacle is None:
                publish(self, *arguments, **options)
        except RequestException as error:
            obstacle = str(error)
        if obstacle is not None:
            _log(f"{self.topic.arn} did not reach {self.endpoint}: {obstacle}")

    Subscription.publish = publish_if_allowed


def _patch_responses() -> None:
    respond_to_subscribe = SNSResponse.subscribe

    def subscribe_with_status(self: Any) -> Any:
        response: Any = respond_to_subscribe(self)
        subscription = self.backend.subscriptions[response.result["SubscriptionArn"]]
        if _is_pending(subscription) and not self._get_bool_param("ReturnSubscriptionArn", if_none=False):
            response.result["SubscriptionArn"] = "pending confirmation"
        return response

    def confirm_subscription(self: Any) -> Any:
        topic, token = self._get_param("TopicArn"), self._get_param("Token")
        if topic not in self.backend.topics:
            raise SNSNotFoundError("Topic does not exist")
        for subscription in self.backend.subscriptions.values():
            if subscription.topic.arn == topic and getattr(subscription, "token", None) == token:
                is_authenticated = self._get_bool_param("AuthenticateOnUnsubscribe", if_none=False)
                subscription.attributes.update({_PENDING: False, "ConfirmationWasAuthenticated": is_authenticated})
                return ActionResult({"SubscriptionArn": subscription.arn})
        raise SNSInvalidParameter("Invalid parameter: Token")

    SNSResponse.subscribe = subscribe_with_status
    SNSResponse.confirm_subscription = confirm_subscription
    SNSResponse.list_subscriptions = _list_with_status(SNSResponse.list_subscriptions)
    SNSResponse.list_subscriptions_by_topic = _list_with_status(SNSResponse.list_subscriptions_by_topic)


def _list_with_status(respond: Any) -> Any:
    """Return an operation that lists the status of pending subscriptions in place of their ARNs, as AWS does."""

    def list_subscriptions(self: Any) -> Any:
        response = respond(self)
        response.result["Subscriptions"] = [
            _summarize(subscription) for subscription in response.result["Subscriptions"]
        ]
        return response

    return list_subscriptions


def _summarize(subscription: Any) -> Any:
    names = ("Owner", "Protocol", "Endpoint", "TopicArn")
    if not _is_pending(subscription):
        return subscription
    return {"SubscriptionArn": _PENDING, **{name: subscription.attributes[name] for name in names}}


def _is_pending(subscription: Any) -> bool:
    return bool(subscription.attributes.get(_PENDING))


def _has_form(endpoint: str, protocol: str) -> bool:
    if protocol.startswith("email"):
        name, _, domain = endpoint.partition("@")
        return bool(name) and "." in domain and "@" not in domain
    return endpoint.startswith(f"{protocol}://")


def _find_obstacle(subscription: Any) -> str | None:
    """Return the reason that a message cannot reach the endpoint, or None."""
    return (
        _find_queue_obstacle(subscription) if subscription.protocol == "sqs" else _NOT_SENT.get(subscription.protocol)
    )


def _find_queue_obstacle(subscription: Any) -> str | None:
    """Return the reason that SNS cannot send to a queue, or None."""
    _, _, region, account, name = Arn.parse(subscription.endpoint)
    topic = subscription.topic.arn
    queue = sqs_backends[account][region].queues.get(name)
    if queue is None:
        return "the queue does not exist"
    keys: dict[str, str | None] = {"aws:SourceArn": topic, "aws:SourceAccount": Arn.parse(topic).account}
    if not allows_service(queue.policy or "{}", _PUBLISHER, "sqs:SendMessage", queue.queue_arn, keys):
        return f"the policy of the queue does not let {_PUBLISHER} do sqs:SendMessage for this topic"
    return _find_key_obstacle(str(queue.kms_master_key_id), account, region, keys) if queue.kms_master_key_id else None


def _find_key_obstacle(key_id: str, account: str, region: str, keys: dict[str, str | None]) -> str | None:
    """Return the reason that SNS cannot use the key of a queue, or None. Keys that AWS manages allow no service."""
    key = None if "alias/aws/" in key_id else kms_backends[account][region].describe_key(key_id)
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        if key is None or not allows_service(key.policy, _PUBLISHER, action, key.arn, keys):
            return f"the policy of the queue's key {key_id} does not let {_PUBLISHER} do {action}"
    return None


def _log(message: str) -> None:
    print(f"sandbox: {message}", file=sys.stderr)
