"""Subscriptions of SNS topics: confirmations, and the permissions of deliveries to queues."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import catch_error, make_queue

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]


@pytest.fixture
def sns(sandbox: Sandbox) -> Any:
    return sandbox.client("sns")


@pytest.fixture
def topic(sns: Any, fresh: Fresh) -> str:
    return str(sns.create_topic(Name=fresh("topic"))["TopicArn"])


def get_attributes(sns: Any, subscription: str) -> dict[str, str]:
    result: dict[str, str] = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    return result


@pytest.mark.parametrize(
    ("protocol", "endpoint", "wrong"),
    [
        ("email", "ml-team@example.com", "ml-team"),
        ("https", "https://on-call.example.com/", "http://on-call.example.com/"),
    ],
)
def test_a_subscription_of_people_is_pending_until_it_is_confirmed(
    sns: Any, topic: str, protocol: str, endpoint: str, wrong: str
) -> None:
    subscription = {"TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint}
    assert catch_error(sns.subscribe, **{**subscription, "Endpoint": wrong})[0] == "InvalidParameter"
    assert sns.subscribe(**subscription)["SubscriptionArn"] == "pending confirmation"
    arn = sns.subscribe(**subscription, ReturnSubscriptionArn=True)["SubscriptionArn"]
    assert get_attributes(sns, arn)["PendingConfirmation"] == "true"
    [listed_subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (listed_subscription["SubscriptionArn"], listed_subscription["Endpoint"]) == (
        "PendingConfirmation",
        endpoint,
    )
    sns.publish(TopicArn=topic, Message="nobody has confirmed")

    code, message = catch_error(sns.unsubscribe, SubscriptionArn=arn)
    assert (code, "pending confirmation" in message) == ("InvalidParameter", True)
    assert catch_error(sns.confirm_subscription, TopicArn=topic, Token="0" * 32)[0] == "InvalidParameter"


def test_a_confirmed_subscription_can_be_deleted(tmp_path: Path) -> None:
    log = tmp_path / "sandbox.log"
    with Sandbox.start(log=log) as sandbox:
        sns = sandbox.client("sns")
        topic = str(sns.create_topic(Name="alarms")["TopicArn"])
        check_confirmation(sns, topic, log)


def check_confirmation(sns: Any, topic: str, log: Path) -> None:
    subscription = {"TopicArn": topic, "Protocol": "email", "Endpoint": "ml-team@example.com"}
    arn = sns.subscribe(**subscription, ReturnSubscriptionArn=True)["SubscriptionArn"]
    [token] = re.findall(r"--token (\w+)", log.read_text())
    assert sns.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"] == arn
    assert get_attributes(sns, arn)["PendingConfirmation"] == "false"
    [listed_subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed_subscription["SubscriptionArn"] == arn
    sns.unsubscribe(SubscriptionArn=arn)
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_a_queue_receives_messages_only_if_its_policy_and_its_key_allow_it(
    sandbox: Sandbox, sns: Any, topic: str, fresh: Fresh
) -> None:
    sqs, kms = sandbox.client("sqs"), sandbox.client("kms")
    url, arn = make_queue(sandbox, fresh("queue"), "events.amazonaws.com")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})

    def is_delivered(message: str) -> bool:
        sns.publish(TopicArn=topic, Message=message)
        return [one["Body"] for one in sqs.receive_message(QueueUrl=url).get("Messages", [])] == [message]

    assert not is_delivered("the policy allows another service")
    allow_sns = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = {"Policy": json.dumps({"Statement": [allow_sns]})}
    sqs.set_queue_attributes(QueueUrl=url, Attributes=policy)
    assert is_delivered("allowed")

    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={**policy, "KmsMasterKeyId": key})
    assert not is_delivered("the key allows only the account")
    allow_key = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({"Statement": [allow_key]}))
    assert is_delivered("the key allows SNS")
