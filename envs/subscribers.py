"""Subscribers of the environment's topics, as inputs of the modules that own the topics."""

from typing import Annotated

from modules.common import MapKey
from modules.observability.inputs import ALARMS, EVENTS
from modules.subscribers import Subscriber, require_distinct_endpoints
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.choice import one_of

APPROVALS, PIPELINES = "approvals", "pipelines"
TopicName = Annotated[str, one_of((ALARMS, APPROVALS, EVENTS, PIPELINES))]


class EnvironmentSubscriber(Subscriber):
    """Receiver of messages of the environment."""

    topics: list[TopicName] = Field(
        [ALARMS, PIPELINES],
        min_length=1,
        description="Topics to subscribe to: alarms, approvals of models, events, and pipelines (failed executions). "
        "Default: alarms and pipelines, which require action.",
    )


class NotificationSettings(ModuleInputs):
    """Notifications of all components."""

    subscribers: dict[MapKey, EnvironmentSubscriber] = Field(
        {}, description="Subscribers of the topics, by a key of your choice. Default: none, so nobody is notified."
    )

    rules = (require_distinct_endpoints("subscribers", lambda v: v.subscribers),)

    def select(self, topic: str) -> dict[str, dict[str, str]]:
        """Return the subscribers of one topic by key, as an input of its module."""
        return {
            key: {"protocol": subscriber.protocol, "endpoint": subscriber.endpoint}
            for key, subscriber in self.subscribers.items()
            if topic in subscriber.topics
        }
