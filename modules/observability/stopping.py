"""Idle endpoints are told of, or deleted: an alarm says that one is idle, EventBridge hears it, and Systems Manager
Automation does the rest. Sources: Systems Manager user guide, "Run automations based on EventBridge events" and
"Configuring a service role"; CloudWatch user guide, "Alarm events and EventBridge"."""

from typing import Any

from cdktn_provider_aws.cloudwatch_composite_alarm import CloudwatchCompositeAlarm
from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.iam_role import IamRole
from cdktn_provider_aws.iam_role_policy import IamRolePolicy
from cdktn_provider_aws.ssm_document import SsmDocument

from modules.needs import equals, through
from modules.observability import runbook, watching
from modules.observability.inputs import NAMED, Inputs
from sustainable_mlops.authoring.expressions import (
    concat,
    contains,
    cut,
    each_of,
    is_null,
    join,
    jsonencode,
    keys,
    length,
    list_of,
    lower,
    map_of,
    set_of,
    try_,
    when,
)
from sustainable_mlops.authoring.resources import Module

_IDLE, _DELETE = "idle", "delete"
_AUTOMATION = "ssm.amazonaws.com"


def add(module: Module[Inputs], topic: Any) -> Any:
    """Add it for the realtime endpoints that are asked for; returns the alarms that say that one is idle."""
    var = module.var
    said = map_of(
        var.endpoints,
        lambda _key, endpoint: when(is_null(endpoint.idle_stop), var.idle_stop, endpoint.idle_stop),
        where=lambda _key, endpoint: endpoint.kind == watching.REALTIME,
    )
    stops = module.local(
        "idle_stops",
        map_of(said, lambda _key, stop: stop, where=lambda _key, stop: stop != "off"),
        why="What becomes of idle endpoints; others cost nothing idle, or go to no instance by themselves.",
    )
    asked = _where(length(stops) > 0)
    alarms = _alarms(module, stops)
    documents = _documents(module, topic, asked, stops)
    _rules(module, alarms, documents, asked, stops)
    return alarms


def _alarms(module: Module[Inputs], stops: Any) -> Any:
    var, variants = module.var, module.locals.variants
    stop = each_of(stops)
    rules = module.resources.aws_cloudwatch_event_rule.deployment
    deployed = module.add(
        CloudwatchMetricAlarm,
        "deployed",
        why="Whoever deploys is about to ask.",
        for_each=stop,
        alarm_name=f"{var.endpoints[stop.key].name}/deployed",
        alarm_description=f"It was deployed to within {var.waste_hours} hours.",
        namespace="AWS/Events",
        metric_name="TriggeredRules",
        dimensions={"RuleName": rules[stop.key].name},
        statistic="Sum",
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        period=watching.HOUR,
        evaluation_periods=var.waste_hours,
        datapoints_to_alarm=1,
        treat_missing_data="notBreaching",
        tags=var.tags,
    )
    unasked = module.resources.aws_cloudwatch_metric_alarm.math
    of_variants = list_of(
        variants,
        lambda key, _variant: f'ALARM("{unasked[f"{key}/idle"].alarm_name}")',
        where=lambda _key, variant: variant.endpoint == stop.key,
    )
    return module.add(
        CloudwatchCompositeAlarm,
        _IDLE,
        why="All of its variants have run, and none was asked. It acts on nothing: EventBridge hears of it.",
        for_each=stop,
        alarm_name=f"{var.endpoints[stop.key].name}/idle-stop",
        alarm_description=f"Nobody has asked the endpoint for {var.waste_hours} hours, nor deployed to it.",
        alarm_rule=join(
            " AND ",
            concat(of_variants, [f'NOT ALARM("{deployed[stop.key].alarm_name}")']),
        ),
        tags=var.tags,
    )


def _documents(module: Module[Inputs], topic: Any, asked: Any, stops: Any) -> Any:
    var = module.var
    role = each_of(_stopper(module, topic, asked, stops))
    return module.add(
        SsmDocument,
        _IDLE,
        why="It looks again, and is a dry run unless it is told otherwise.",
        for_each=role,
        name=_document_name(module),
        document_type="Automation",
        document_format="JSON",
        content=jsonencode(runbook.document(role.value.arn, topic.arn, var.waste_hours)),
        tags=var.tags,
    )


def _document_name(module: Module[Inputs]) -> str:
    return f"{module.var.name_prefix}-stop-idle-endpoint"


def _stopper(module: Module[Inputs], topic: Any, asked: Any, stops: Any) -> Any:
    """The role of the automation: it may delete what is to be deleted, and look at the others."""
    var, each = module.var, each_of(asked)
    account = f"{var.region}:{var.account_id}"
    roles = _role(
        module,
        "stopper",
        _AUTOMATION,
        f"arn:{var.partition}:ssm:{account}:automation-execution/*",
        "Deletes idle endpoints, or tells of them",
        each,
    )

    def arns(which: Any) -> Any:
        return list_of(
            stops,
            lambda key, _stop: f"arn:{var.partition}:sagemaker:{account}:endpoint/{lower(var.endpoints[key].name)}",
            where=which,
        )

    _policy(
        module,
        "stopper",
        roles,
        each,
        [
            {"sid": "SeeAlarms", "actions": ["cloudwatch:DescribeAlarms"], "resources": ["*"]},
            {
                "sid": "SeeEndpoints",
                "actions": ["sagemaker:DescribeEndpoint"],
                "resources": arns(lambda _key, stop: stop != "off"),
            },
            {"sid": "Tell", "actions": ["sns:Publish"], "resources": [topic.arn]},
            {
                "sid": "TellEncrypted",
                "actions": ["kms:Decrypt", "kms:GenerateDataKey"],
                "resources": [var.kms_key_arn],
                "condition": [through(var, "sns")],
            },
        ],
        why="Composite alarms are shown to who may see all alarms alone.",
        skips={"CKV_AWS_356": "composite alarms are shown to who may see all alarms alone"},
    )
    deleting = list_of(stops, lambda _key, stop: stop, where=lambda _key, stop: stop == _DELETE)
    _policy(
        module,
        "deleter",
        roles,
        each_of(_where(length(deleting) > 0)),
        [
            {
                "sid": "DeleteIdle",
                "actions": ["sagemaker:DeleteEndpoint"],
                "resources": arns(lambda _key, stop: stop == _DELETE),
            }
        ],
        why="Only where it is asked for: what reports could delete nothing.",
    )
    return roles


def _rules(module: Module[Inputs], alarms: Any, documents: Any, asked: Any, stops: Any) -> None:
    var, each = module.var, each_of(asked)
    account = f"{var.region}:{var.account_id}"
    name = _document_name(module)
    definition = f"arn:{var.partition}:ssm:{account}:automation-definition/{name}:$DEFAULT"
    starters = _role(
        module,
        "starter",
        "events.amazonaws.com",
        f"arn:{var.partition}:events:{account}:rule/*.{_IDLE}",
        "Starts what deletes idle endpoints, or tells of them",
        each,
    )
    stoppers = module.resources.aws_iam_role.stopper
    _policy(
        module,
        "starter",
        starters,
        each,
        [
            {
                "sid": "Start",
                "actions": ["ssm:StartAutomationExecution"],
                "resources": [definition, f"arn:{var.partition}:ssm:{account}:document/{name}"],
            },
            {
                "sid": "HandOnRole",
                "actions": ["iam:PassRole"],
                "resources": [stoppers[_IDLE].arn],
                "condition": [equals("iam:PassedToService", _AUTOMATION)],
            },
        ],
    )
    alarm = each_of(alarms)
    rules = module.add(
        CloudwatchEventRule,
        _IDLE,
        for_each=alarm,
        name=f"{cut(var.endpoints[alarm.key].name, NAMED)}.{_IDLE}",
        description=f"The endpoint {var.endpoints[alarm.key].name} is idle.",
        event_pattern=jsonencode(
            {
                "source": ["aws.cloudwatch"],
                "detail-type": ["CloudWatch Alarm State Change"],
                "resources": [alarm.value.arn],
                "detail": {"state": {"value": ["ALARM"]}},
            }
        ),
        tags=var.tags,
    )
    rule = each_of(rules)
    given = {
        runbook.ENDPOINT: [var.endpoints[rule.key].name],
        runbook.ALARM: [alarms[rule.key].alarm_name],
        runbook.DRY_RUN: [when(stops[rule.key] == _DELETE, "false", "true")],
        runbook.TAKES: [_takes(module, stops)[rule.key]],
    }
    module.add(
        CloudwatchEventTarget,
        _IDLE,
        for_each=rule,
        rule=rule.value.name,
        target_id="automation",
        arn=f"arn:{var.partition}:ssm:{account}:automation-definition/{documents[_IDLE].name}:$DEFAULT",
        role_arn=starters[_IDLE].arn,
        input=jsonencode(given),
    )


def _takes(module: Module[Inputs], stops: Any) -> Any:
    """What an hour of an instance takes, in words, by endpoint: how many there are, SageMaker does not say."""
    local = module.locals

    def factors(endpoint: Any) -> Any:
        known = list_of(
            local.variants,
            lambda name, _variant: local.factors[name],
            where=lambda name, variant: (variant.endpoint == endpoint) & contains(keys(local.factors), name),
        )
        return try_(known[0], None)

    def words(machine: Any) -> Any:
        usd = try_(f" and {machine.usd:.4f} USD", "")
        return try_(
            f"An hour of each of its instances is about {machine.grams[0] / 1000:.4f} kg CO2e{usd}, estimated.",
            "What an hour of its instances takes is not known.",
        )

    machines = module.local("idle_machines", map_of(stops, lambda key, _stop: factors(key)))
    return module.local("idle_takes", map_of(machines, lambda _key, machine: words(machine)))


def _role(module: Module[Inputs], label: str, service: str, source: str, does: str, each: Any) -> Any:
    """A role that a service takes for what is `source`, and for nobody else."""
    var = module.var
    trust = module.add(
        DataAwsIamPolicyDocument,
        f"{label}_trust",
        for_each=each,
        statement=[
            {
                "actions": ["sts:AssumeRole"],
                "principals": [{"type": "Service", "identifiers": [service]}],
                "condition": [
                    equals("aws:SourceAccount", var.account_id),
                    {"test": "ArnLike", "variable": "aws:SourceArn", "values": [source]},
                ],
            }
        ],
    )
    return module.add(
        IamRole,
        label,
        for_each=each,
        name_prefix=f"{cut(f'{var.name_prefix}-idle-{label}', 37)}-",
        description=f"{does}, in {var.name_prefix}",
        path=var.role_path,
        permissions_boundary=var.permissions_boundary_arn,
        assume_role_policy=trust[each.key].json,
        tags=var.tags,
    )


def _policy(
    module: Module[Inputs], label: str, roles: Any, each: Any, statements: list[dict[str, Any]], **meta: Any
) -> None:
    document = module.add(DataAwsIamPolicyDocument, label, for_each=each, statement=statements, **meta)
    module.add(
        IamRolePolicy,
        label,
        for_each=each,
        name=label,
        role=roles[each.key].name,
        policy=document[each.key].json,
    )


def _where(asked: object) -> Any:
    """The one key of what there is once for all endpoints, where it is asked for."""
    nothing: list[str] = []
    return set_of(when(asked, [_IDLE], nothing))
