"""Topics: of alarms, which somebody should act on, and of events."""

from typing import Any

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.sns_topic import SnsTopic
from cdktn_provider_aws.sns_topic_policy import SnsTopicPolicy

from modules import event_topics
from modules.observability.inputs import Inputs
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> dict[str, Any]:
    """Add both, encrypted, each with who may publish to it; returns them by what they tell of."""
    var = module.var
    account = [{"test": "StringEquals", "variable": "aws:SourceAccount", "values": [var.account_id]}]
    return {
        "alarms": _add(module, "alarms", "PublishAlarms", "cloudwatch.amazonaws.com", "", condition=account),
        "events": _add(module, "events", "PublishEvents", event_topics.PUBLISHER, event_topics.WHY),
    }


def _add(module: Module[Inputs], what: str, sid: str, service: str, why: str, **more: Any) -> Any:
    var = module.var
    name = f"{var.name_prefix}-{what}"
    topic = module.add(SnsTopic, what, name=name, kms_master_key_id=var.kms_key_arn, tags=var.tags)
    document = module.add(
        DataAwsIamPolicyDocument, what, why=why, statement=[event_topics.statement(var, sid, name, service, **more)]
    )
    module.add(SnsTopicPolicy, what, arn=topic.arn, policy=document.json)
    return topic
