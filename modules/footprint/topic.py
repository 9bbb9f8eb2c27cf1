"""Encrypted topic of the notifications on costs."""

from typing import Any

from cdktn_provider_aws.kms_alias import KmsAlias
from cdktn_provider_aws.kms_key import KmsKey
from cdktn_provider_aws.sns_topic import SnsTopic
from cdktn_provider_aws.sns_topic_policy import SnsTopicPolicy

from modules.event_topics import add_subscriptions, build_tls_statement, topic_arn
from modules.footprint.inputs import Inputs
from modules.iam_statements import equals
from modules.policies import encode_policy
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    each_of,
    is_null,
    is_omitted,
    list_of,
    one_or_null,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module

_BUDGETS, _ANOMALIES = "budgets.amazonaws.com", "costalerts.amazonaws.com"


def add(module: Module[Inputs]) -> tuple[str, Any]:
    """Add the topic and its key. Return the ARN of the key, and the policy of the topic."""
    var = module.var
    key_arn = _add_key(module)
    name = f"{var.name_prefix}-costs"
    topic = module.add(SnsTopic, "costs", name=name, kms_master_key_id=key_arn, tags=var.tags)
    policy = module.add(
        SnsTopicPolicy,
        "costs",
        why="Budgets and Cost Anomaly Detection have no role, so the policy allows them for this account only.",
        arn=topic.arn,
        policy=encode_policy(
            *[
                _allow(var, sid, service, ["sns:Publish"], topic_arn(var, name))
                for sid, service in (("Budgets", _BUDGETS), ("CostAnomalies", _ANOMALIES))
            ],
            build_tls_statement(var, name),
        ),
    )
    add_subscriptions(module, "costs", topic.arn, var.subscribers)
    return key_arn, policy


def _add_key(module: Module[Inputs]) -> str:
    """Add the key unless an existing key is set, and return its ARN."""
    var = module.var
    nothing: set[str] = set()
    own_key = module.local("own_key", when(is_omitted(var.existing_kms_key), set_of(["own"]), set_of(nothing)))
    uses = ["kms:Decrypt", "kms:GenerateDataKey*"]
    keys = module.add(
        KmsKey,
        "this",
        why="AWS services cannot publish to a topic with the key that AWS manages for SNS. Source: Cost Management "
        'user guide, "Creating an Amazon SNS topic for budget notifications" and "… for anomaly notifications".',
        for_each=each_of(own_key),
        description=f"Notifications on costs of {var.name_prefix}",
        enable_key_rotation=True,
        deletion_window_in_days=7,
        policy=encode_policy(
            {
                "sid": "Account",
                "principals": [{"type": "AWS", "identifiers": [f"arn:{var.partition}:iam::{var.account_id}:root"]}],
                "actions": ["kms:*"],
                "resources": ["*"],
            },
            _allow(var, "Budgets", _BUDGETS, uses, "*"),
            _allow(var, "CostAnomalies", _ANOMALIES, uses, "*"),
        ),
        tags=var.tags,
    )
    new_key = each_of(keys)
    module.add(
        KmsAlias,
        "this",
        for_each=new_key,
        name=f"alias/{var.name_prefix}-costs",
        target_key_id=new_key.value.key_id,
    )
    own_arn = one_or_null(list_of(keys, lambda key: key.arn))
    key_arn: str = module.local(
        "kms_key_arn", when(is_null(var.existing_kms_key), own_arn, assume_not_null(var.existing_kms_key).arn)
    )
    return key_arn


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
