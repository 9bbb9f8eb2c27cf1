"""Alarms: metric alarms of each variant, and a health alarm of each endpoint that is suppressed during deployments.

An alarm on each dead-letter queue reports events that a target of EventBridge did not get.
"""

from collections.abc import Mapping
from typing import Any

from cdktn_provider_aws.cloudwatch_composite_alarm import CloudwatchCompositeAlarm
from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm

from modules import event_patterns
from modules.endpoints.alarms import NOT_BY_CHANCE
from modules.endpoints.hosting import CREATE_BEFORE_DESTROY
from modules.event_topics import build_queue_name
from modules.observability import alarm_catalogue, notifications
from modules.observability.idle_stop_roles import IDLE
from modules.observability.inputs import EVENTS, Inputs
from sustainable_mlops.authoring.expressions import (
    Dynamic,
    coalesce,
    concat,
    contains,
    each_of,
    get,
    is_null,
    join,
    jsonencode,
    list_of,
    map_of,
    merge,
    merge_all,
    replace,
    set_of,
    try_,
    when,
)
from sustainable_mlops.authoring.resources import Module
from sustainable_mlops.catalogue.limits import list_serverless_memory_mb

#: Wait period and extension period of the suppression of a composite alarm, in seconds.
_WAIT, _EXTENSION = 180, 60
_LEAST_MB = min(list_serverless_memory_mb())


def add(module: Module[Inputs], topic: Any, events: Any, target_arguments: Mapping[str, Any]) -> Any:
    """Add the alarms and return the health alarms by endpoint.

    `topic` receives alarms, and `events` receives deployments.
    """
    variant_alarms = _add_variant_alarms(module)
    alarms = _add_metric_alarms(module, variant_alarms, topic)
    deploying = _add_deployment_alarms(module, events, target_arguments)
    return _add_health_alarms(module, topic, variant_alarms, alarms, deploying)


def _add_variant_alarms(module: Module[Inputs]) -> Any:
    """Return each variant with each alarm of its endpoint's kind."""
    thresholds, alarms, factors = module.var.thresholds, _add_catalogue(module), _add_threshold_factors(module)

    def build_alarms(key: str, variant: Any) -> dict[str, Any]:
        def build_alarm(name: str, alarm: Any) -> dict[str, Any]:
            hours = when(alarm.period == alarm_catalogue.DAY, 1, module.var.waste_hours)
            factor = when(is_null(alarm.of), 1, factors[key][alarm.of])

            def count_periods(which: str) -> int:
                return when(alarm.waste, hours, when(alarm.is_immediate, 1, NOT_BY_CHANCE[which]))

            variants = when(alarm.of_variant, {"VariantName": variant.variant}, {})
            return merge(
                alarm,
                {
                    "endpoint": variant.endpoint,
                    "name": f"{variant.title}/{replace(name, '_', '-')}",
                    "periods": count_periods("evaluation_periods"),
                    "bad": count_periods("datapoints_to_alarm"),
                    "threshold": get(thresholds, name, alarm.threshold) * factor,
                    "dimensions": merge({"EndpointName": variant.name}, variants),
                },
            )

        def applies(alarm: Any) -> Any:
            is_known = is_null(alarm.of) | ~is_null(factors[key][alarm.of])
            return contains(alarm.kinds, variant.kind) & is_known

        return map_of(alarms, build_alarm, where=applies, key=lambda name, _: f"{key}/{name}")

    return module.local(
        "variant_alarms",
        merge_all(list_of(module.locals.variants, build_alarms)),
        why="Each variant with each alarm of its endpoint's kind.",
    )


def _add_catalogue(module: Module[Inputs]) -> Any:
    defaults = module.local("alarm_defaults", alarm_catalogue.DEFAULTS, why="Defaults of an alarm.")
    catalogue = module.local(
        "catalogue",
        alarm_catalogue.list_alarm_overrides(),
        why="Alarms by kind of endpoint, with only the metrics that the kind publishes. With `of`, a threshold is per "
        "vCPU, GPU, worker, second or millisecond.",
    )
    return module.local("alarms", map_of(catalogue, lambda _name, alarm: merge(defaults, alarm)))


def _add_threshold_factors(module: Module[Inputs]) -> Any:
    variant_factors = module.locals.variant_factors

    def build_factors(key: str, variant: Any) -> dict[str, Any]:
        row, ready = variant_factors[key], variant.provisioned_concurrency
        return {
            "latency_slo_ms": variant.latency_slo_ms,
            "backlog_slo_seconds": variant.backlog_slo_seconds,
            "provisioned_concurrency": when(ready > 0, ready, None),
            "vcpus": try_(row.vcpus, None),
            "more_than_least_memory": when(coalesce(variant.memory_mb, _LEAST_MB) > _LEAST_MB, 1, None),
            "busy_vcpus": try_(when(row.busy_by == "cpu", row.vcpus, None), None),
            "gpus": try_(when(row.busy_by == "gpu", row.gpus, None), None),
        }

    return module.local(
        "threshold_factors",
        map_of(module.locals.variants, build_factors),
        why="Attributes of a variant that scale thresholds; null if they do not apply.",
    )


def _add_metric_alarms(module: Module[Inputs], variant_alarms: Any, topic: Any) -> Any:
    """Add the alarms on a metric and return them."""
    no_topics = list[str]()
    each = each_of(map_of(variant_alarms, lambda _, alarm: alarm, where=lambda alarm: is_null(alarm.math)))
    alarm = each.value
    metric_alarms = module.add(
        CloudwatchMetricAlarm,
        "this",
        why="An endpoint without requests publishes no data, so missing data is no failure. The health alarms "
        "below report failures, these alarms report waste.",
        for_each=each,
        **_build_common_arguments(module, alarm),
        namespace=alarm.namespace,
        metric_name=alarm.metric,
        dimensions=alarm.dimensions,
        statistic=alarm.statistic,
        extended_statistic=alarm.percentile,
        period=alarm.period,
        alarm_actions=when(alarm.waste, [topic.arn], no_topics),
    )
    _add_math_alarms(module, variant_alarms, topic)
    return metric_alarms


def _add_math_alarms(module: Module[Inputs], variant_alarms: Any, topic: Any) -> None:
    each = each_of(map_of(variant_alarms, lambda _, alarm: alarm, where=lambda alarm: ~is_null(alarm.math)))
    alarm = each.value
    module.add(
        CloudwatchMetricAlarm,
        "math",
        why="Waste that no single metric shows: running instances compared with requests.",
        for_each=each,
        **_build_common_arguments(module, alarm),
        alarm_actions=[topic.arn],
        metric_query=[
            {"id": "result", "expression": alarm.math, "label": alarm.description, "return_data": True},
            Dynamic(
                alarm.metrics,
                lambda source: {
                    "id": source.key,
                    "metric": {
                        "namespace": source.value[0],
                        "metric_name": source.value[1],
                        "stat": source.value[2],
                        "dimensions": alarm.dimensions,
                        "period": alarm.period,
                    },
                },
            ),
        ],
    )


def _build_common_arguments(module: Module[Inputs], alarm: Any) -> dict[str, Any]:
    """Return the shared arguments of alarms on a metric and on metric math."""
    return {
        "alarm_name": alarm.name,
        "alarm_description": alarm.description,
        "comparison_operator": when(alarm.below, "LessThanThreshold", "GreaterThanThreshold"),
        "threshold": alarm.threshold,
        "evaluation_periods": alarm.periods,
        "datapoints_to_alarm": alarm.bad,
        "treat_missing_data": "notBreaching",
        "tags": module.var.tags,
        "notes": {"lifecycle": "CloudWatch does not delete an alarm that a composite alarm refers to."},
        "lifecycle": CREATE_BEFORE_DESTROY,
    }


def _add_deployment_alarms(module: Module[Inputs], events: Any, target_arguments: Mapping[str, Any]) -> Any:
    """Add an alarm for each endpoint that is in ALARM during a deployment, when EventBridge receives its events."""
    var = module.var
    endpoint = each_of(var.endpoints)
    name = endpoint.value.name
    pending = {"EndpointName": [name], "PendingDeploymentSummary": {"EndpointConfigName": [{"exists": True}]}}
    rules = module.add(
        CloudwatchEventRule,
        "deployment",
        why="Each step of a deployment is an event with a pending configuration, unlike scaling. A serverless endpoint "
        "has no steps, so its rule matches the status.",
        for_each=endpoint,
        name=name,
        description=f"The endpoint {name} is being updated to another configuration.",
        event_pattern=when(
            endpoint.value.kind == alarm_catalogue.SERVERLESS,
            jsonencode(
                event_patterns.build_pattern(
                    notifications.STATE, {"EndpointName": [name], "EndpointStatus": ["UPDATING"]}
                )
            ),
            jsonencode(event_patterns.build_pattern(notifications.DEPLOYMENT, pending)),
        ),
        tags=var.tags,
    )
    endpoint_with_events = each_of(
        map_of(rules, lambda _, rule: rule, where=lambda _, _rule: contains(var.events, notifications.DEPLOYMENTS))
    )
    module.add(
        CloudwatchEventTarget,
        "deployment",
        why="Optional: the rule counts its events without a target too.",
        for_each=endpoint_with_events,
        rule=endpoint_with_events.value.name,
        target_id="topic",
        arn=events.arn,
        **target_arguments,
    )
    rule = each_of(rules)
    return module.add(
        CloudwatchMetricAlarm,
        "deploying",
        why="EventBridge counts the events of a rule. After one event, the alarm is in ALARM for deployment_minutes.",
        for_each=rule,
        alarm_name=f"{rule.value.name}/deploying",
        alarm_description="Suppresses the health alarm during a deployment.",
        namespace="AWS/Events",
        metric_name="TriggeredRules",
        dimensions={"RuleName": rule.value.name},
        statistic="Sum",
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        period=60,
        evaluation_periods=var.endpoints[rule.key].deployment_minutes,
        datapoints_to_alarm=1,
        treat_missing_data="notBreaching",
        tags=var.tags,
    )


def add_dead_letter_alarms(module: Module[Inputs], topic: Any) -> None:
    """Add an alarm on each dead-letter queue. CloudWatch publishes it itself, and not with a role of EventBridge."""
    var = module.var
    own_queues = module.resources.aws_sqs_queue
    own = [
        list_of(own_queues.undelivered, lambda _: build_queue_name(f"{var.name_prefix}-{EVENTS}")),
        list_of(own_queues.idle, lambda _: build_queue_name(f"{var.name_prefix}-{IDLE}")),
    ]
    queue = each_of(set_of(concat(*own, var.dead_letter_queues)))
    module.add(
        CloudwatchMetricAlarm,
        "dead_letters",
        why="A message in the queue is an event that EventBridge could not deliver. It contains the reason.",
        for_each=queue,
        alarm_name=f"{queue.key}/not-empty",
        alarm_description=f"EventBridge could not deliver an event; read the queue {queue.key}.",
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": queue.key},
        statistic="Maximum",
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        period=300,
        evaluation_periods=1,
        treat_missing_data="notBreaching",
        alarm_actions=[topic.arn],
        tags=var.tags,
    )


def _add_health_alarms(module: Module[Inputs], topic: Any, variant_alarms: Any, alarms: Any, deploying: Any) -> Any:
    var = module.var
    endpoint = each_of(var.endpoints)
    return module.add(
        CloudwatchCompositeAlarm,
        "health",
        why="One notification for each endpoint. A deployment has its own rollback alarms, so this alarm is suppressed "
        "meanwhile. It reports problems that remain afterward.",
        for_each=endpoint,
        alarm_name=f"{endpoint.value.name}/health",
        alarm_description=f"The endpoint {endpoint.value.name} is unhealthy.",
        alarm_rule=join(
            " OR ",
            list_of(
                variant_alarms,
                lambda key, _alarm: f'ALARM("{alarms[key].alarm_name}")',
                where=lambda alarm: (alarm.endpoint == endpoint.key) & ~alarm.waste,
            ),
        ),
        actions_suppressor={
            "alarm": deploying[endpoint.key].alarm_name,
            "wait_period": _WAIT,
            "extension_period": _EXTENSION,
        },
        alarm_actions=[topic.arn],
        ok_actions=[topic.arn],
        tags=var.tags,
    )
