"""Topics that EventBridge publishes to."""

from typing import Any

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.sns_topic import SnsTopic
from cdktn_provider_aws.sns_topic_policy import SnsTopicPolicy

from sustainable_mlops.authoring.expressions import each_of
from sustainable_mlops.authoring.resources import Module

PUBLISHER = "events.amazonaws.com"
WHY = "No condition: EventBridge sends none of the context that one could test when it publishes to a topic."


def statement(var: Any, sid: str, name: str, service: str = PUBLISHER, **more: Any) -> dict[str, Any]:
    """What lets a service publish to the topic called `name`."""
    return {
        "sid": sid,
        "actions": ["sns:Publish"],
        "resources": [f"arn:{var.partition}:sns:{var.region}:{var.account_id}:{name}"],
        "principals": [{"type": "Service", "identifiers": [service]}],
        **more,
    }


def add(module: Module[Any], resource: str, sid: str, name: str, asked: Any) -> Any:
    """An encrypted topic called `name` for each of `asked`, whose values have a kms_key_arn; returns the topics."""
    var = module.var
    topics = module.add(
        SnsTopic,
        resource,
        for_each=asked,
        name=name,
        kms_master_key_id=asked.value.kms_key_arn,
        tags=var.tags,
    )
    document = module.add(
        DataAwsIamPolicyDocument, resource, why=WHY, for_each=asked, statement=[statement(var, sid, name)]
    )
    topic = each_of(topics)
    module.add(SnsTopicPolicy, resource, for_each=topic, arn=topic.value.arn, policy=document[topic.key].json)
    return topics
