"""Topics for events, and the role that EventBridge publishes with.

A request of EventBridge to a topic has no value that a condition of the topic's or the key's policy could test. Such a
policy would trust every rule of every account. The trust policy of a role can name the rules.

Sources: AWS, "Amazon EventBridge announces support for IAM execution role for all targets" (March 2025), which advises
roles; EventBridge user guide, "Cross-service confused deputy prevention"; aws/aws-cdk pull request 34259, which tests a
role with an encrypted topic on AWS. Copies of the page "Using resource-based policies for Amazon EventBridge" disagree:
one allows a role for SNS, one warns against it. `smlops prove` asks AWS (check event-target-role). In both cases, a
dead-letter queue keeps the events that a target did not receive, and `observability` has an alarm on each queue.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from cdktn_provider_aws.iam_role_policy import IamRolePolicy
from cdktn_provider_aws.sns_topic import SnsTopic
from cdktn_provider_aws.sns_topic_policy import SnsTopicPolicy
from cdktn_provider_aws.sns_topic_subscription import SnsTopicSubscription

from modules.dead_letters import add_queues
from modules.iam_statements import build_via_condition, equals
from modules.policies import encode_policy, show_policy
from modules.roles import add_service_role, encode_trust
from modules.subscribers import Subscriber
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    concat,
    each_of,
    is_omitted,
    jsonencode,
    list_of,
    map_of,
    one_or_null,
    when,
)
from sustainable_mlops.authoring.resources import Module

PUBLISHER = "events.amazonaws.com"
WHY = "Has no Allow statement: roles publish by their own IAM policies. EventBridge assumes the role publisher."


def build_topic_arn(var: Any, name: str) -> str:
    """Return the ARN of the topic `name`, composed so that every plan knows it."""
    return f"arn:{var.partition}:sns:{var.region}:{var.account_id}:{name}"


def build_rule_arn(var: Any, name: str) -> str:
    """Return the ARN of the rule `name` on the default event bus."""
    return f"arn:{var.partition}:events:{var.region}:{var.account_id}:rule/{name}"


def build_tls_statement(var: Any, name: str) -> dict[str, Any]:
    """Return the statement that denies publishing to the topic `name` without TLS."""
    return {
        "sid": "DenyPlainHttp",
        "effect": "Deny",
        "principals": [{"type": "*", "identifiers": ["*"]}],
        "actions": ["sns:Publish"],
        "resources": [build_topic_arn(var, name)],
        "condition": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}],
    }


def add_topics(module: Module[Any], resource: str, name: str, topics_by_key: Any) -> Any:
    """Add an encrypted topic `name` for each item of `topics_by_key`, and return the topics.

    Each item has a kms_key_arn.
    """
    var = module.var
    topics = module.add(
        SnsTopic,
        resource,
        for_each=topics_by_key,
        name=name,
        kms_master_key_id=topics_by_key.value.kms_key_arn,
        tags=var.tags,
    )
    topic = each_of(topics)
    policy = encode_policy(build_tls_statement(var, name))
    module.add(SnsTopicPolicy, resource, why=WHY, for_each=topic, arn=topic.value.arn, policy=policy)
    return topics


def add_subscriptions(module: Module[Any], resource: str, topic_arn: str, subscribers: Any) -> None:
    """Subscribe each item of the map `subscribers` to a topic. The keys of the map are part of the addresses."""
    subscriber = each_of(subscribers)
    module.add(
        SnsTopicSubscription,
        resource,
        for_each=subscriber,
        topic_arn=topic_arn,
        protocol=subscriber.value.protocol,
        endpoint=subscriber.value.endpoint,
    )


def list_subscribers(topic: Any) -> Any:
    """Return the subscribers of an optional topic by key; none without the topic."""
    nothing: dict[str, Subscriber] = {}
    return when(is_omitted(topic), nothing, assume_not_null(topic).subscribers)


def add_publisher(
    module: Module[Any],
    name: str,
    publisher: Mapping[str, Any],
    topic_names: Iterable[str],
    rules: dict[str, Any],
) -> dict[str, Any]:
    """Add the role that EventBridge publishes with, unless there is one, and the dead-letter queue of the topics.

    Return the arguments of a target: the role, and the queue that keeps events which no topic got.

    `publisher` is a map with one item, or empty if nothing is published. The item has a kms_key_arn and an optional
    existing_role. `rules` is the condition on the ARNs of the rules, from `build_rule_condition`.
    """
    var = module.var
    missing_publishers = module.local(
        "missing_publishers",
        map_of(publisher, lambda _, item: item, where=lambda _, item: is_omitted(item.existing_role)),
    )
    missing_publisher: Any = each_of(missing_publishers)
    existing = list_of(
        publisher,
        lambda _, item: assume_not_null(item.existing_role).arn,
        where=lambda _, item: ~is_omitted(item.existing_role),
    )
    roles = add_service_role(
        module,
        "publisher",
        why="EventBridge may assume the role only for these rules.",
        for_each=missing_publisher,
        name=f"{name}-publisher",
        description=f"Publishes events to {name}",
        trust=encode_trust([PUBLISHER], equals("aws:SourceAccount", var.account_id), rules, sid="PublishEvents"),
    )
    publisher_policies = show_policy(
        module,
        "publisher",
        {
            "sid": "Publish",
            "actions": ["sns:Publish"],
            "resources": [build_topic_arn(var, topic) for topic in topic_names],
        },
        {
            "sid": "PublishEncrypted",
            "actions": ["kms:Decrypt", "kms:GenerateDataKey"],
            "resources": [missing_publisher.value.kms_key_arn],
            "condition": [build_via_condition(var, "sns")],
        },
        for_each=missing_publisher,
    )
    role = each_of(roles)
    policies = module.add(
        IamRolePolicy,
        "publisher",
        for_each=role,
        name="publish",
        role=role.value.name,
        policy=jsonencode(publisher_policies[role.key].input),
    )
    # The reference goes through the policies, so that no target exists before its role may publish.
    ready = list_of(policies, lambda key, _: roles[key].arn)
    queues = add_queues(
        module,
        "undelivered",
        name=build_queue_name(name),
        sid="KeepEvents",
        sources=[equals("aws:SourceAccount", var.account_id), rules],
        for_each=each_of(publisher),
        why="Keeps events that no topic got, such as for a missing permission on its key.",
    )
    return {
        "role_arn": module.local("publisher_role_arn", one_or_null(concat(ready, existing))),
        "dead_letter_config": {"arn": one_or_null(list_of(queues, lambda queue: queue.arn))},
    }


def build_queue_name(name: str) -> str:
    """Return the name of the dead-letter queue of the events for `name`."""
    return f"{name}-undelivered"


def build_rule_condition(arns: Iterable[str], test: str = "ArnEquals") -> dict[str, Any]:
    """Return the condition that limits EventBridge to these rules; use `test` ArnLike for names with a `*`."""
    return {"test": test, "variable": "aws:SourceArn", "values": arns}
