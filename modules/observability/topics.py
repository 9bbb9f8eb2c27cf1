"""Topics: of alarms, which somebody should act on, and of events."""

from collections.abc import Callable
from typing import Any

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.sns_topic import SnsTopic
from cdktn_provider_aws.sns_topic_policy import SnsTopicPolicy

from modules import event_topics
from modules.observability.inputs import Inputs
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> dict[str, Any]:
    """Add both, encrypted, each with who may publish to it; returns them by what they tell of."""
    account = {"test": "StringEquals", "variable": "aws:SourceAccount", "values": [module.var.account_id]}

    def events(name: str) -> dict[str, Any]:
        return event_topics.statement(module.var, "PublishEvents", name)

    def alarms(name: str) -> dict[str, Any]:
        return event_topics.statement(
            module.var, "PublishAlarms", name, "cloudwatch.amazonaws.com", condition=[account]
        )

    return {"alarms": _add(module, "alarms", alarms, events), "events": _add(module, "events", events)}


def _add(module: Module[Inputs], what: str, *may: Callable[[str], dict[str, Any]]) -> Any:
    var = module.var
    name = f"{var.name_prefix}-{what}"
    topic = module.add(SnsTopic, what, name=name, kms_master_key_id=var.kms_key_arn, tags=var.tags)
    document = module.add(
        DataAwsIamPolicyDocument, what, why=event_topics.WHY, statement=[statement(name) for statement in may]
    )
    module.add(SnsTopicPolicy, what, arn=topic.arn, policy=document.json)
    return topic
