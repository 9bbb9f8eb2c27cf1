"""Encrypted topic of the notifications on costs."""

from typing import Any

from cdktn_provider_aws.sns_topic import SnsTopic
from cdktn_provider_aws.sns_topic_policy import SnsTopicPolicy

from modules.event_topics import add_subscriptions, build_tls_statement, build_topic_arn
from modules.footprint.inputs import Inputs
from modules.iam_statements import equals
from modules.keys import add_key, allow_account
from modules.policies import encode_policy
from sustainable_mlops.authoring.resources import Module

_BUDGETS, _ANOMALIES = "budgets.amazonaws.com", "costalerts.amazonaws.com"


def add(module: Module[Inputs]) -> tuple[str, Any]:
    """Add the topic and its key. Return the ARN of the key, and the policy of the topic."""
    var = module.var
    uses = ["kms:Decrypt", "kms:GenerateDataKey*"]
    key_arn = add_key(
        module,
        "this",
        alias=f"{var.name_prefix}-costs",
        description=f"Notifications on costs of {var.name_prefix}",
        policy=encode_policy(
            allow_account(var),
            _allow(var, "Budgets", _BUDGETS, uses, "*"),
            _allow(var, "CostAnomalies", _ANOMALIES, uses, "*"),
        ),
        deletion_days=7,
        why="AWS services cannot publish to a topic with the key that AWS manages for SNS. Source: Cost Management "
        'user guide, "Creating an Amazon SNS topic for budget notifications" and "… for anomaly notifications".',
    )
    name = f"{var.name_prefix}-costs"
    topic = module.add(SnsTopic, "costs", name=name, kms_master_key_id=key_arn, tags=var.tags)
    policy = module.add(
        SnsTopicPolicy,
        "costs",
        why="Budgets and Cost Anomaly Detection have no role, so the policy allows them for this account only.",
        arn=topic.arn,
        policy=encode_policy(
            *[
                _allow(var, sid, service, ["sns:Publish"], build_topic_arn(var, name))
                for sid, service in (("Budgets", _BUDGETS), ("CostAnomalies", _ANOMALIES))
            ],
            build_tls_statement(var, name),
        ),
    )
    add_subscriptions(module, "costs", topic.arn, var.subscribers)
    return key_arn, policy


def _allow(var: Inputs, sid: str, service: str, actions: list[str], resource: str) -> dict[str, Any]:
    """Return the statement that allows a service to act on behalf of this account."""
    conditions = [equals("aws:SourceAccount", var.account_id)]
    if service == _BUDGETS:
        budgets = f"arn:{var.partition}:budgets::{var.account_id}:*"
        conditions.append({"test": "ArnLike", "variable": "aws:SourceArn", "values": [budgets]})
    return {
        "sid": sid,
        "principals": [{"type": "Service", "identifiers": [service]}],
        "actions": actions,
        "resources": [resource],
        "condition": conditions,
    }
