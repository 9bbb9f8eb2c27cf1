"""Starter role, with which triggers start the pipeline, and the dead-letter queue of failed starts."""

from typing import Any

from cdktn_provider_aws.iam_role_policy import IamRolePolicy
from cdktn_provider_aws.sqs_queue import SqsQueue
from cdktn_provider_aws.sqs_queue_policy import SqsQueuePolicy

from modules.pipeline.inputs import DATA_ARRIVED, DRIFT, Inputs
from modules.policies import encode_policy
from modules.roles import add_service_role, encode_trust
from sustainable_mlops.authoring.expressions import (
    concat,
    each_of,
    is_omitted,
    list_of,
    one_or_null,
    optional,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module

#: Maximum retention of SQS.
KEPT_SECONDS = 14 * 86_400
KEY = "starter"


def add(module: Module[Inputs]) -> dict[str, Any]:
    """Add the dead-letter queue and, without an existing role, the role.

    Returns the arguments of a target, for an EventBridge rule and for a schedule.
    """
    var, name = module.var, module.locals.name
    empty: list[str] = []
    module.local(
        "starters",
        set_of(
            when(
                is_omitted(var.data_arrival) & is_omitted(var.drift) & is_omitted(var.schedule),
                empty,
                [KEY],
            )
        ),
        why="Empty without a trigger.",
    )
    account = f"{var.region}:{var.account_id}"
    rules = f"arn:{var.partition}:events:{account}:rule/{name}"
    rule_arns = module.local(
        "trigger_rule_arns",
        concat([f"{rules}-{DATA_ARRIVED}"], when(is_omitted(var.drift), empty, [f"{rules}-{DRIFT}"])),
        why="Rules that may start the pipeline.",
    )
    group_arn = f"arn:{var.partition}:scheduler:{account}:schedule-group/{name}"
    queue_arn = f"arn:{var.partition}:sqs:{account}:{format_queue_name(module)}"
    queues = _add_queue(module, queue_arn, rule_arns)
    roles = _add_role(module, queue_arn, concat(rule_arns, [group_arn]))
    new_role_arns, existing_role_arns = (
        list_of(roles, lambda role: role.arn),
        list_of(optional(var.existing_starter_role), lambda existing: existing.arn),
    )
    return {
        "role_arn": module.local("starter_role_arn", one_or_null(concat(new_role_arns, existing_role_arns))),
        "dead_letter_config": {"arn": queues[KEY].arn},
        "retry_policy": {
            "maximum_event_age_in_seconds": var.start_retries.max_age_seconds,
            "maximum_retry_attempts": var.start_retries.max_attempts,
        },
    }


def format_queue_name(module: Module[Inputs]) -> str:
    """Return the name of the dead-letter queue of failed starts."""
    return f"{module.locals.name}-not-started"


def _add_queue(module: Module[Inputs], queue_arn: str, rule_arns: list[str]) -> Any:
    var = module.var
    queues = module.add(
        SqsQueue,
        "not_started",
        why="Keeps failed starts, which would be lost otherwise.",
        for_each=each_of(module.locals.starters),
        name=format_queue_name(module),
        message_retention_seconds=KEPT_SECONDS,
        sqs_managed_sse_enabled=True,
        tags=var.tags,
    )
    queue = each_of(queues)
    module.add(
        SqsQueuePolicy,
        "not_started",
        why="EventBridge sends with its own service principal, Scheduler with the role starter.",
        for_each=queue,
        queue_url=queue.value.url,
        policy=encode_policy(
            {
                "sid": "KeepFailedStarts",
                "actions": ["sqs:SendMessage"],
                "resources": [queue_arn],
                "principals": [{"type": "Service", "identifiers": ["events.amazonaws.com"]}],
                "condition": _build_source_conditions(module, rule_arns),
            }
        ),
    )
    return queues


def _add_role(module: Module[Inputs], queue_arn: str, sources: list[str]) -> Any:
    var, name = module.var, module.locals.name
    no_starters: set[str] = set()
    new_role = each_of(when(is_omitted(var.existing_starter_role), module.locals.starters, set_of(no_starters)))
    roles = add_service_role(
        module,
        "starter",
        why="Only for the rules and the schedule of this pipeline. Scheduler passes the ARN of the group, not of the "
        "schedule.",
        for_each=new_role,
        name=f"{name}-{KEY}",
        description=f"Starts the pipeline {name}",
        trust=encode_trust(
            ["events.amazonaws.com", "scheduler.amazonaws.com"],
            *_build_source_conditions(module, sources),
            sid="StartThisPipeline",
        ),
    )
    policy = encode_policy(
        {"sid": "Start", "actions": ["sagemaker:StartPipelineExecution"], "resources": [module.locals.arn]},
        {"sid": "KeepFailedStarts", "actions": ["sqs:SendMessage"], "resources": [queue_arn]},
    )
    role = each_of(roles)
    module.add(IamRolePolicy, "starter", for_each=role, name="start", role=role.value.name, policy=policy)
    return roles


def _build_source_conditions(module: Module[Inputs], arns: list[str]) -> list[dict[str, Any]]:
    """Return the conditions that a service acts for one of these resources of this account."""
    return [
        {"test": "StringEquals", "variable": "aws:SourceAccount", "values": [module.var.account_id]},
        {"test": "ArnEquals", "variable": "aws:SourceArn", "values": arns},
    ]
