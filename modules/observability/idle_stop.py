"""Stop of idle endpoints: an alarm detects one, and EventBridge starts a runbook that reports or deletes it.

Sources: Systems Manager user guide, "Run automations based on EventBridge events"; CloudWatch user guide, "Alarm events
and EventBridge".
"""

from typing import Any

from cdktn_provider_aws.cloudwatch_composite_alarm import CloudwatchCompositeAlarm
from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from cdktn_provider_aws.ssm_document import SsmDocument

from modules import event_topics
from modules.dead_letters import add_queues
from modules.event_patterns import build_alarm_pattern
from modules.iam_statements import equals
from modules.observability import alarm_catalogue, idle_stop_roles, runbook
from modules.observability.idle_stop_roles import DELETE, IDLE, make_single_key
from modules.observability.inputs import RULE_NAME_CHARACTERS, Inputs
from sustainable_mlops.authoring.expressions import (
    coalesce,
    concat,
    contains,
    each_of,
    join,
    jsonencode,
    keys,
    length,
    list_of,
    map_of,
    truncate,
    try_,
    when,
)
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs], topic: Any) -> None:
    """Add the alarms, rules and runbook for the real-time endpoints with idle_stop. `topic` receives the reports."""
    var = module.var
    idle_stop_by_endpoint = map_of(
        var.endpoints,
        lambda _key, endpoint: coalesce(endpoint.idle_stop, var.idle_stop),
        where=lambda _key, endpoint: endpoint.kind == alarm_catalogue.REALTIME,
    )
    stops = module.local(
        "idle_stops",
        map_of(idle_stop_by_endpoint, lambda _key, stop: stop, where=lambda _key, stop: stop != "off"),
        why="Actions for idle real-time endpoints. Other endpoints scale to zero or cost nothing when idle.",
    )
    document_keys = make_single_key(length(stops) > 0)
    documents = _add_documents(module, topic, document_keys, stops)
    _add_rules(module, documents, document_keys, stops)
    _add_alarms(module, stops)


def _format_alarm_name(module: Module[Inputs], key: str) -> str:
    return f"{module.var.endpoints[key].name}/idle-stop"


def _add_alarms(module: Module[Inputs], stops: Any) -> None:
    var, variants = module.var, module.locals.variants
    stop = each_of(stops)
    rules = module.resources.aws_cloudwatch_event_rule.deployment
    deployed = module.add(
        CloudwatchMetricAlarm,
        "deployed",
        why="A deployed endpoint is about to receive requests.",
        for_each=stop,
        alarm_name=f"{var.endpoints[stop.key].name}/deployed",
        alarm_description=f"A deployment took place within {var.waste_hours} hours.",
        namespace="AWS/Events",
        metric_name="TriggeredRules",
        dimensions={"RuleName": rules[stop.key].name},
        statistic="Sum",
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        period=alarm_catalogue.HOUR,
        evaluation_periods=var.waste_hours,
        datapoints_to_alarm=1,
        treat_missing_data="notBreaching",
        tags=var.tags,
    )
    idle_alarms = module.resources.aws_cloudwatch_metric_alarm.math
    variant_conditions = list_of(
        variants,
        lambda key, _variant: f'ALARM("{idle_alarms[f"{key}/idle"].alarm_name}")',
        where=lambda _key, variant: variant.endpoint == stop.key,
    )
    resources = module.resources
    policies = resources.aws_iam_role_policy
    module.add(
        CloudwatchCompositeAlarm,
        IDLE,
        why="All variants ran, and none received a request. The alarm has no action: EventBridge receives its change.",
        for_each=stop,
        alarm_name=_format_alarm_name(module, stop.key),
        alarm_description=f"The endpoint had no requests and no deployments for {var.waste_hours} hours.",
        alarm_rule=join(
            " AND ",
            concat(variant_conditions, [f'OK("{deployed[stop.key].alarm_name}")']),
        ),
        tags=var.tags,
        notes={
            "alarm_rule": "An endpoint is not idle until the alarm of deployments has data.",
            "depends_on": "An endpoint that is already idle changes the alarm once, so the target and its roles must "
            "exist before.",
        },
        depends_on=[resources.aws_cloudwatch_event_target.idle, policies.starter, policies.stopper, policies.deleter],
    )


def _add_documents(module: Module[Inputs], topic: Any, document_keys: Any, stops: Any) -> Any:
    var = module.var
    role = each_of(idle_stop_roles.add_stopper_role(module, document_keys, stops))
    return module.add(
        SsmDocument,
        IDLE,
        why="Checks the endpoint again, and is a dry run by default.",
        for_each=role,
        name=_format_document_name(module),
        document_type="Automation",
        document_format="JSON",
        content=jsonencode(runbook.build_document(role.value.arn, topic.arn, var.waste_hours)),
        tags=var.tags,
    )


def _format_rule_name(endpoint: str) -> str:
    return f"{truncate(endpoint, RULE_NAME_CHARACTERS)}.{IDLE}"


def _format_document_name(module: Module[Inputs]) -> str:
    return f"{module.var.name_prefix}-stop-idle-endpoint"


def _add_rules(module: Module[Inputs], documents: Any, document_keys: Any, stops: Any) -> None:
    var, starter_roles = (
        module.var,
        idle_stop_roles.add_starter_role(module, document_keys, _format_document_name(module)),
    )
    account = f"{var.region}:{var.account_id}"
    rule_arns = list_of(
        stops, lambda key, _stop: event_topics.build_rule_arn(var, _format_rule_name(var.endpoints[key].name))
    )
    queues = add_queues(
        module,
        IDLE,
        name=event_topics.build_queue_name(f"{var.name_prefix}-{IDLE}"),
        sid="KeepStarts",
        sources=[equals("aws:SourceAccount", var.account_id), event_topics.build_rule_condition(rule_arns)],
        for_each=each_of(document_keys),
        why="Keeps events of idle endpoints that did not start the runbook.",
    )
    stop = each_of(stops)
    rules = module.add(
        CloudwatchEventRule,
        IDLE,
        for_each=stop,
        name=_format_rule_name(var.endpoints[stop.key].name),
        description=f"The endpoint {var.endpoints[stop.key].name} is idle.",
        event_pattern=jsonencode(
            build_alarm_pattern(
                f"arn:{var.partition}:cloudwatch:{account}:alarm:{_format_alarm_name(module, stop.key)}"
            )
        ),
        tags=var.tags,
    )
    rule = each_of(rules)
    parameters = {
        runbook.ENDPOINT: [var.endpoints[rule.key].name],
        runbook.ALARM: [_format_alarm_name(module, rule.key)],
        runbook.DRY_RUN: [when(stops[rule.key] == DELETE, "false", "true")],
        runbook.FOOTPRINT: [_add_footprint(module, stops)[rule.key]],
    }
    module.add(
        CloudwatchEventTarget,
        IDLE,
        for_each=rule,
        rule=rule.value.name,
        target_id="automation",
        arn=f"arn:{var.partition}:ssm:{account}:automation-definition/{documents[IDLE].name}:$DEFAULT",
        role_arn=starter_roles[IDLE].arn,
        dead_letter_config={"arn": queues[IDLE].arn},
        input=jsonencode(parameters),
    )


def _add_footprint(module: Module[Inputs], stops: Any) -> Any:
    """Return the footprint and cost of an instance hour as text, by endpoint. The number of instances is unknown."""
    local = module.locals

    def find_factors(endpoint: Any) -> Any:
        known = list_of(
            local.variants,
            lambda name, _variant: local.hour_factors[name],
            where=lambda name, variant: (variant.endpoint == endpoint) & contains(keys(local.hour_factors), name),
        )
        return try_(known[0], None)

    def format_footprint(hour: Any) -> Any:
        usd = try_(f" and {hour.usd:.4f} USD", "")
        return try_(
            f"An hour of each of its instances is about {hour.grams[0] / 1000:.4f} kgCO2e{usd}, estimated.",
            "The footprint of its instances is unknown.",
        )

    idle_factors = module.local("idle_factors", map_of(stops, lambda key, _stop: find_factors(key)))
    return module.local("idle_footprints", map_of(idle_factors, lambda _key, hour: format_footprint(hour)))
