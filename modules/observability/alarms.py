"""The alarms: of each variant by the catalogue, and of each endpoint one that is quiet during deployments."""

from typing import Any

from cdktn_provider_aws.cloudwatch_composite_alarm import CloudwatchCompositeAlarm
from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm

from modules.observability import telling, watching
from modules.observability.inputs import Inputs
from sustainable_mlops.authoring.expressions import (
    contains,
    each_of,
    get,
    is_null,
    join,
    jsonencode,
    list_of,
    map_of,
    merge,
    merged,
    replace,
    try_,
    when,
)
from sustainable_mlops.authoring.resources import Module

#: Seconds that a composite alarm waits for the sign of a deployment, and goes on being quiet after it.
_WAIT, _EXTENSION = 120, 60


def add(module: Module[Inputs], topic: Any, events: Any) -> Any:
    """Add them; returns those of health, by endpoint. `topic` hears of alarms, and `events` of deployments."""
    watched = _watched(module)
    alarms = _of_variants(module, watched, topic)
    _efficiency(module, topic)
    return _health(module, topic, watched, alarms, _deploying(module, events))


def _watched(module: Module[Inputs]) -> Any:
    """What is watched: each variant with each alarm of its endpoint's kind."""
    thresholds, alarms, known = module.var.thresholds, _catalogue(module), _known(module)

    def of_variant(key: str, variant: Any) -> dict[str, Any]:
        def watched(name: str, alarm: Any) -> dict[str, Any]:
            times = when(alarm.times == "", 1, known[key][alarm.times])
            variants = when(alarm.of_variant, {"VariantName": variant.variant}, {})
            return merge(
                alarm,
                {
                    "endpoint": variant.endpoint,
                    "name": f"{variant.title}-watch-{replace(name, '_', '-')}",
                    "threshold": get(thresholds, name, alarm.threshold) * times,
                    "dimensions": merge({"EndpointName": variant.name}, variants),
                },
            )

        def applies(alarm: Any) -> Any:
            is_known = (alarm.needs == "") | ~is_null(known[key][alarm.needs])
            return contains(alarm.kinds, variant.kind) & is_known

        return map_of(alarms, watched, where=applies, key=lambda name, _: f"{key}_{name}")

    return module.local(
        "watched",
        merged(list_of(module.locals.variants, of_variant)),
        why="Each variant with each alarm of its endpoint's kind.",
    )


def _catalogue(module: Module[Inputs]) -> Any:
    usual = module.local("usual", watching.USUAL, why="What an alarm is unless it says otherwise.")
    catalogue = module.local(
        "catalogue",
        watching.alarms(),
        why="What endpoints are watched for, by kind: only metrics that the kind publishes. Where it is multiplied, a "
        "threshold is of one vCPU, GPU or second.",
    )
    return module.local("alarms", map_of(catalogue, lambda _name, alarm: merge(usual, alarm)))


def _known(module: Module[Inputs]) -> Any:
    machine = module.locals.machine

    def known(key: str, variant: Any) -> dict[str, Any]:
        of, ready = machine[key], variant.provisioned_concurrency
        return {
            "latency_slo_ms": variant.latency_slo_ms,
            "backlog_slo_seconds": variant.backlog_slo_seconds,
            "provisioned_concurrency": when(ready > 0, ready, None),
            "vcpus": try_(of.vcpus, None),
            "busy_vcpus": try_(when(of.busy_by == "cpu", of.vcpus, None), None),
            "gpus": try_(when(of.busy_by == "gpu", of.gpus, None), None),
        }

    return module.local(
        "known",
        map_of(module.locals.variants, known),
        why="What alarms may need to know of a variant; null where it is not so.",
    )


def _of_variants(module: Module[Inputs], watched: Any, topic: Any) -> Any:
    var = module.var
    each = each_of(watched)
    alarm, nobody = each.value, list[str]()
    return module.add(
        CloudwatchMetricAlarm,
        "this",
        why="An endpoint that nobody asks publishes nothing, so that no data is well, but where it is looked for. The "
        "composite alarms below tell of harm, these of waste.",
        for_each=each,
        alarm_name=alarm.name,
        alarm_description=alarm.says,
        namespace=alarm.namespace,
        metric_name=alarm.metric,
        dimensions=alarm.dimensions,
        statistic=alarm.statistic,
        extended_statistic=alarm.percentile,
        comparison_operator=when(alarm.below, "LessThanThreshold", "GreaterThanThreshold"),
        threshold=alarm.threshold,
        period=when(alarm.waste, 3600, alarm.period),
        evaluation_periods=when(alarm.waste, var.waste_hours, alarm.periods),
        treat_missing_data=alarm.missing,
        alarm_actions=when(alarm.waste, [topic.arn], nobody),
        tags=var.tags,
    )


def _efficiency(module: Module[Inputs], topic: Any) -> None:
    """How much of an instance a request takes: what is provisioned, by the work that it does."""
    var = module.var
    variant = each_of(map_of(module.locals.variants, lambda one: one, where=lambda one: one.kind == watching.REALTIME))
    dimensions = {"EndpointName": variant.value.name, "VariantName": variant.value.variant}
    metrics = (
        ("minutes", watching.MACHINES, "CPUUtilization", "SampleCount"),
        ("requests", watching.REQUESTS, "Invocations", "Sum"),
    )
    module.add(
        CloudwatchMetricAlarm,
        "efficiency",
        why="Each instance tells its use of CPU once a minute: as many values as there were minutes of instances.",
        for_each=variant,
        alarm_name=f"{variant.value.title}-watch-efficiency",
        alarm_description=f"A request takes more than {var.instance_seconds_per_request} seconds of an instance.",
        comparison_operator="GreaterThanThreshold",
        threshold=var.instance_seconds_per_request,
        evaluation_periods=1,
        treat_missing_data="notBreaching",
        alarm_actions=[topic.arn],
        tags=var.tags,
        metric_query=[
            {
                "id": "seconds_per_request",
                "expression": "60 * minutes / requests",
                "label": "Seconds of an instance, by request",
                "return_data": True,
            },
            *(
                {
                    "id": name,
                    "metric": {
                        "namespace": namespace,
                        "metric_name": metric,
                        "dimensions": dimensions,
                        "stat": statistic,
                        "period": 86400,
                    },
                }
                for name, namespace, metric, statistic in metrics
            ),
        ],
    )


def _deploying(module: Module[Inputs], events: Any) -> Any:
    """An alarm for each endpoint that is on while a deployment goes on: EventBridge counts its events."""
    var = module.var
    endpoint = each_of(var.endpoints)
    name = endpoint.value.name
    pending = {"EndpointName": [name], "PendingDeploymentSummary": {"EndpointConfigName": [{"exists": True}]}}
    rules = module.add(
        CloudwatchEventRule,
        "deployment",
        why="Each step of a deployment is an event, in which something is pending, unlike when it scales. A serverless "
        "endpoint has no steps: of it the state alone tells.",
        for_each=endpoint,
        name=name,
        description=f"The endpoint {name} is being given another configuration.",
        event_pattern=when(
            endpoint.value.kind == watching.SERVERLESS,
            jsonencode(telling.pattern(telling.STATE, {"EndpointName": [name], "EndpointStatus": ["UPDATING"]})),
            jsonencode(telling.pattern(telling.DEPLOYMENT, pending)),
        ),
        tags=var.tags,
    )
    rule = each_of(rules)
    module.add(
        CloudwatchEventTarget,
        "deployment",
        for_each=rule,
        rule=rule.value.name,
        target_id="topic",
        arn=events.arn,
    )
    return module.add(
        CloudwatchMetricAlarm,
        "deploying",
        why="EventBridge counts what a rule matches. One event in so many minutes, and the deployment goes on.",
        for_each=rule,
        alarm_name=f"{rule.value.name}-deploying",
        alarm_description="Keeps the alarm of its health quiet.",
        namespace="AWS/Events",
        metric_name="TriggeredRules",
        dimensions={"RuleName": rule.value.name},
        statistic="Sum",
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        period=60,
        evaluation_periods=var.deployment_minutes,
        datapoints_to_alarm=1,
        treat_missing_data="notBreaching",
        tags=var.tags,
    )


def _health(module: Module[Inputs], topic: Any, watched: Any, alarms: Any, deploying: Any) -> Any:
    var = module.var
    endpoint = each_of(var.endpoints)
    return module.add(
        CloudwatchCompositeAlarm,
        "health",
        why="One voice an endpoint. A deployment has alarms of its own that take it back, so this one is quiet "
        "meanwhile; what is still wrong afterwards, it tells.",
        for_each=endpoint,
        alarm_name=f"{endpoint.value.name}-watch",
        alarm_description=f"Something is wrong with the endpoint {endpoint.value.name}.",
        alarm_rule=join(
            " OR ",
            list_of(
                watched,
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
