"""A sandbox whose topics are heard."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sagemaker_sandbox import Sandbox

REGION = "eu-north-1"


class Hearing:
    """Queues that hear topics, and the alarms beside them."""

    def __init__(self, sandbox: Sandbox, topics: Iterable[str]) -> None:
        self.sandbox = sandbox
        self.cloudwatch, self.sqs = sandbox.client("cloudwatch"), sandbox.client("sqs")
        self._queues: dict[str, str] = {}
        self._heard: dict[str, list[Any]] = {topic: [] for topic in topics}

    def key(self) -> str:
        """A key that CloudWatch and roles of the account may use, as that of `storage` lets them."""
        allowed = [
            {"AWS": "arn:aws:iam::123456789012:root"},
            {"Service": ["cloudwatch.amazonaws.com"]},
        ]
        statements = [
            {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"} for principal in allowed
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        return str(self.sandbox.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"])

    def subscribe(self, topics: Mapping[str, str]) -> None:
        """Hear these, by the names that they were announced by."""
        sns = self.sandbox.client("sns")
        for name, topic in topics.items():
            self._queues[name] = self.sqs.create_queue(QueueName=name)["QueueUrl"]
            arn = f"arn:aws:sqs:{REGION}:123456789012:{name}"
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})

    def heard(self, topic: str) -> list[Any]:
        """All that a topic has told so far: what is JSON as its value, else a text."""
        while found := self.sqs.receive_message(QueueUrl=self._queues[topic], MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self._heard[topic].append(_read(message["Body"]))
                self.sqs.delete_message(QueueUrl=self._queues[topic], ReceiptHandle=message["ReceiptHandle"])
        return self._heard[topic]

    def alarm(self, name: str) -> dict[str, Any]:
        """An alarm of either type."""
        found = self.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return next(iter((*found["MetricAlarms"], *found["CompositeAlarms"])))


def _read(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
