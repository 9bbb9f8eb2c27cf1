"""Topics of alarms, which require action, and of events."""

from typing import Any

from cdktn_provider_aws.sns_topic import SnsTopic
from cdktn_provider_aws.sns_topic_policy import SnsTopicPolicy

from modules import event_topics
from modules.iam_statements import equals
from modules.observability.inputs import ALARMS, EVENTS, Inputs, TopicSubscriber
from modules.policies import encode_policy
from sustainable_mlops.authoring.expressions import can, concat, contains, length, list_of, map_of, match
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> dict[str, Any]:
    """Add both topics, encrypted and with their policies, and return them by purpose."""
    var = module.var
    account_conditions = [
        equals("aws:SourceAccount", var.account_id),
        {
            "test": "ArnLike",
            "variable": "aws:SourceArn",
            "values": [f"arn:{var.partition}:cloudwatch:{var.region}:{var.account_id}:alarm:*"],
        },
    ]
    publish_alarms = {
        "sid": "PublishAlarms",
        "actions": ["sns:Publish"],
        "resources": [event_topics.build_topic_arn(var, f"{var.name_prefix}-{ALARMS}")],
        "principals": [{"type": "Service", "identifiers": ["cloudwatch.amazonaws.com"]}],
        "condition": account_conditions,
    }
    why = "Allows alarms of this account. Roles publish by their own policies. EventBridge assumes the role publisher."
    topics = {
        ALARMS: _add_topic(module, ALARMS, why, publish_alarms),
        EVENTS: _add_topic(module, EVENTS, event_topics.WHY),
    }
    for purpose, topic in topics.items():
        event_topics.add_subscriptions(module, purpose, topic.arn, _list_subscribers(var, purpose))
    return topics


def add_publisher(module: Module[Inputs]) -> dict[str, Any]:
    """Add the role that EventBridge publishes to both topics with, and return the arguments of a target."""
    var = module.var
    topic = {"kms_key_arn": var.kms_key_arn, "existing_role": var.existing_publisher_role}
    publisher = module.local(
        "publishers", map_of({EVENTS: topic}, lambda _, topic: topic, where=lambda _: length(var.events) > 0)
    )
    names = [f"{var.name_prefix}-{purpose}" for purpose in (ALARMS, EVENTS)]
    # The rule of a deployment has the name of its endpoint. A pattern covers those with this prefix, because a trust
    # policy has at most 2,048 characters.
    others = list_of(
        var.endpoints,
        lambda endpoint: event_topics.build_rule_arn(var, endpoint.name),
        lambda endpoint: ~can(match(f"^{var.name_prefix}-", endpoint.name)),
    )
    own = [event_topics.build_rule_arn(var, f"{var.name_prefix}{end}") for end in (".*", "-*")]
    rules = event_topics.build_rule_condition(concat(own, others), "ArnLike")
    return event_topics.add_publisher(module, f"{var.name_prefix}-events", publisher, names, rules)


def _list_subscribers(var: Inputs, purpose: str) -> dict[str, TopicSubscriber]:
    """Return the subscribers of one topic by key."""
    return map_of(
        var.subscribers,
        lambda _, subscriber: subscriber,
        where=lambda _, subscriber: contains(subscriber.topics, purpose),
    )


def _add_topic(module: Module[Inputs], purpose: str, why: str, *statements: dict[str, Any]) -> Any:
    var = module.var
    name = f"{var.name_prefix}-{purpose}"
    topic = module.add(SnsTopic, purpose, name=name, kms_master_key_id=var.kms_key_arn, tags=var.tags)
    policy = encode_policy(*statements, event_topics.build_tls_statement(var, name))
    module.add(SnsTopicPolicy, purpose, why=why, arn=topic.arn, policy=policy)
    return topic
