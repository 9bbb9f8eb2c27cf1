"""Roles of idle_stop: EventBridge starts the runbook with one; the runbook checks, reports and deletes with the other.

SageMaker deregisters the scalable targets of a deleted endpoint with the permissions of the caller, and refuses
DeleteEndpoint without them. The ARN of a scalable target has an id that AWS chooses, so the resource ends with `*` and
a condition limits it to SageMaker.

Sources: Systems Manager user guide, "Configuring a service role"; CloudWatch API reference, DescribeAlarms; Service
Authorization Reference, "Application Auto Scaling"; awslabs/stable-diffusion-aws-extension, issue 161.
"""

from typing import Any

from cdktn_provider_aws.iam_role_policy import IamRolePolicy

from modules import event_topics
from modules.iam_statements import build_via_condition, equals
from modules.observability.inputs import ALARMS, Inputs
from modules.policies import encode_policy, show_policy
from modules.roles import add_service_role, encode_trust
from sustainable_mlops.authoring.expressions import each_of, jsonencode, length, list_of, lower, set_of, when
from sustainable_mlops.authoring.resources import Module

#: Key of resources that exist once for all endpoints, and the action that deletes.
IDLE, DELETE = "idle", "delete"
_AUTOMATION = "ssm.amazonaws.com"


def make_single_key(is_required: object) -> Any:
    """Return the set of the key IDLE if `is_required`, else an empty set."""
    nothing: list[str] = []
    return set_of(when(is_required, [IDLE], nothing))


def add_stopper_role(module: Module[Inputs], document_keys: Any, stops: Any) -> Any:
    """Add the role of the runbook: it may describe all endpoints, and delete those with idle_stop delete."""
    var, each = module.var, each_of(document_keys)
    account = f"{var.region}:{var.account_id}"
    topic_arn = event_topics.build_topic_arn(var, f"{var.name_prefix}-{ALARMS}")
    roles = _add_role(
        module,
        "stopper",
        _AUTOMATION,
        f"arn:{var.partition}:ssm:{account}:automation-execution/*",
        "Deletes idle endpoints, or reports them",
        each,
    )

    def list_endpoint_arns(which: Any) -> Any:
        return list_of(
            stops,
            lambda key, _stop: f"arn:{var.partition}:sagemaker:{account}:endpoint/{lower(var.endpoints[key].name)}",
            where=which,
        )

    _add_policy(
        module,
        "stopper",
        roles,
        each,
        [
            {"sid": "ReadAlarms", "actions": ["cloudwatch:DescribeAlarms"], "resources": ["*"]},
            {
                "sid": "ReadEndpoints",
                "actions": ["sagemaker:DescribeEndpoint"],
                "resources": list_endpoint_arns(lambda _key, stop: stop != "off"),
            },
            {
                "sid": "PublishReports",
                "actions": ["sns:Publish"],
                "resources": [topic_arn],
            },
            {
                "sid": "EncryptReports",
                "actions": ["kms:Decrypt", "kms:GenerateDataKey"],
                "resources": [var.kms_key_arn],
                "condition": [build_via_condition(var, "sns")],
            },
        ],
        why="Composite alarms are visible only with permission for all alarms.",
    )
    deleting = list_of(stops, lambda _key, stop: stop, where=lambda _key, stop: stop == DELETE)
    deleter = each_of(make_single_key(length(deleting) > 0))
    policy = encode_policy(
        {
            "sid": "DeleteIdle",
            "actions": ["sagemaker:DeleteEndpoint"],
            "resources": list_endpoint_arns(lambda _key, stop: stop == DELETE),
        },
        {
            "sid": "DeregisterScaling",
            "actions": ["application-autoscaling:DeregisterScalableTarget"],
            "resources": [f"arn:{var.partition}:application-autoscaling:{account}:scalable-target/*"],
            "condition": [equals("application-autoscaling:service-namespace", "sagemaker")],
        },
    )
    module.add(
        IamRolePolicy,
        "deleter",
        why="Only with idle_stop delete. With report, the role can delete nothing.",
        for_each=deleter,
        name="deleter",
        role=roles[deleter.key].name,
        policy=policy,
    )
    return roles


def add_starter_role(module: Module[Inputs], document_keys: Any, document: str) -> Any:
    """Add the role that EventBridge starts the document with. It passes the role of the runbook."""
    var, each = module.var, each_of(document_keys)
    account = f"{var.region}:{var.account_id}"
    roles = _add_role(
        module,
        "starter",
        "events.amazonaws.com",
        f"arn:{var.partition}:events:{account}:rule/*.{IDLE}",
        "Starts the runbook that deletes idle endpoints, or reports them",
        each,
    )
    _add_policy(
        module,
        "starter",
        roles,
        each,
        [
            {
                "sid": "Start",
                "actions": ["ssm:StartAutomationExecution"],
                "resources": [
                    f"arn:{var.partition}:ssm:{account}:automation-definition/{document}:$DEFAULT",
                    f"arn:{var.partition}:ssm:{account}:document/{document}",
                ],
            },
            {
                "sid": "HandOnRole",
                "actions": ["iam:PassRole"],
                "resources": [module.resources.aws_iam_role.stopper[each.key].arn],
                "condition": [equals("iam:PassedToService", _AUTOMATION)],
            },
        ],
    )
    return roles


def _add_role(module: Module[Inputs], label: str, service: str, source: str, purpose: str, each: Any) -> Any:
    """Add a role that a service may assume only for the resources `source`."""
    var = module.var
    return add_service_role(
        module,
        label,
        for_each=each,
        name=f"{var.name_prefix}-idle-{label}",
        description=f"{purpose}, in {var.name_prefix}",
        trust=encode_trust(
            [service],
            equals("aws:SourceAccount", var.account_id),
            {"test": "ArnLike", "variable": "aws:SourceArn", "values": [source]},
        ),
    )


def _add_policy(
    module: Module[Inputs], label: str, roles: Any, each: Any, statements: list[dict[str, Any]], why: str = ""
) -> None:
    policies = show_policy(module, label, *statements, for_each=each, why=why)
    module.add(
        IamRolePolicy,
        label,
        for_each=each,
        name=label,
        role=roles[each.key].name,
        policy=jsonencode(policies[each.key].input),
    )
