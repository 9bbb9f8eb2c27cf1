"""Receiver of the messages of SNS topics in a sandbox."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import make_queue


class TopicListener:
    """Queues that are subscribed to topics, and clients for alarms."""

    def __init__(self, sandbox: Sandbox, topics: Iterable[str]) -> None:
        self.sandbox = sandbox
        self.cloudwatch, self.sqs = sandbox.client("cloudwatch"), sandbox.client("sqs")
        self._queues: dict[str, str] = {}
        self._received: dict[str, list[Any]] = {topic: [] for topic in topics}

    def key(self) -> str:
        """Create a KMS key that CloudWatch and roles of the account can use, like that of `storage`."""
        allowed = [{"AWS": "arn:aws:iam::123456789012:root"}, {"Service": ["cloudwatch.amazonaws.com"]}]
        statements = [
            {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"} for principal in allowed
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        return str(self.sandbox.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"])

    def create_queue(self, topic: str) -> str:
        """Create the queue for the messages of a topic, and return its ARN."""
        self._queues[topic], arn = make_queue(self.sandbox, topic, "sns.amazonaws.com")
        return arn

    def subscribe(self, topics: Mapping[str, str]) -> None:
        """Subscribe to topics, by name."""
        sns = self.sandbox.client("sns")
        for name, topic in topics.items():
            arn = self.create_queue(name)
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})

    def receive_messages(self, topic: str) -> list[Any]:
        """Return all messages of a topic so far: JSON as its value, other messages as text."""
        while received := self.sqs.receive_message(QueueUrl=self._queues[topic], MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in received:
                self._received[topic].append(_read(message["Body"]))
                self.sqs.delete_message(QueueUrl=self._queues[topic], ReceiptHandle=message["ReceiptHandle"])
        return self._received[topic]

    def alarm(self, name: str) -> dict[str, Any]:
        """Return a metric alarm or composite alarm."""
        received = self.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return next(iter((*received["MetricAlarms"], *received["CompositeAlarms"])))


def _read(body: str) -> Any:
    """Return the JSON or the text of a message. SNS wraps it for a subscription without raw message delivery."""
    try:
        message = json.loads(body)
    except ValueError:
        return body
    is_wrapped = isinstance(message, dict) and message.get("Type") == "Notification"
    return _read(message["Message"]) if is_wrapped else message
