"""Triggers of the pipeline: new data, an alarm on drift, and a schedule."""

from collections.abc import Mapping
from typing import Any

from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from cdktn_provider_aws.scheduler_schedule import SchedulerSchedule
from cdktn_provider_aws.scheduler_schedule_group import SchedulerScheduleGroup

from modules.event_patterns import build_alarm_pattern
from modules.pipeline.inputs import DATA_ARRIVED, DRIFT, Inputs
from sustainable_mlops.authoring.expressions import (
    Dynamic,
    assume_not_null,
    coalesce,
    concat,
    each_of,
    jsonencode,
    length,
    list_of,
    merge,
    optional_map,
    replace,
    when,
)
from sustainable_mlops.authoring.resources import Module

#: Period of the alarm on drift. It is longer than the delay of a metric.
PERIOD_SECONDS = 300


def add_data_arrival(module: Module[Inputs], pipeline: Any, target_arguments: Mapping[str, Any]) -> Any:
    """Add the rule that starts the pipeline for each new object. Returns a map with at most one rule."""
    var, name = module.var, module.locals.name
    arrival = each_of(optional_map(DATA_ARRIVED, var.data_arrival))
    data = arrival.value
    rules = module.add(
        CloudwatchEventRule,
        "data_arrived",
        why="A wildcard requires both the prefix and the suffix; separate patterns would require only one of them.",
        for_each=arrival,
        name=f"{name}-{DATA_ARRIVED}",
        description=f"Data has arrived for the pipeline {name}.",
        event_pattern=jsonencode(
            {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [data.bucket]},
                    "object": {
                        "key": list_of(
                            when(length(data.key_suffixes) == 0, [""], data.key_suffixes),
                            lambda suffix: {"wildcard": f"{data.key_prefix}*{suffix}"},
                        ),
                    },
                },
            }
        ),
        tags=var.tags,
    )
    rule = each_of(rules)
    module.add(
        CloudwatchEventTarget,
        "data_arrived",
        for_each=rule,
        rule=rule.value.name,
        target_id="pipeline",
        arn=pipeline.arn,
        sagemaker_pipeline_target={
            "pipeline_parameter_list": [
                {"name": assume_not_null(var.data_arrival).key_parameter, "value": "$.detail.object.key"}
            ]
        },
        **target_arguments,
    )
    return rules


def add_drift(module: Module[Inputs], pipeline: Any, target_arguments: Mapping[str, Any]) -> tuple[Any, Any]:
    """Add the alarm on drift and the rule that starts the pipeline. Returns maps of alarms and rules, at most one each.

    Each change to ALARM is one event, so the same drift starts the pipeline once.
    """
    var, name = module.var, f"{module.locals.name}-{DRIFT}"
    drift_each = each_of(optional_map(DRIFT, var.drift))
    drift = drift_each.value
    alarms = module.add(
        CloudwatchMetricAlarm,
        "drift",
        why="Without new data the alarm keeps its state: the same drift starts the pipeline once, not at each check.",
        for_each=drift_each,
        alarm_name=name,
        alarm_description=f"Inputs or predictions differ from the training data; starts the pipeline "
        f"{module.locals.name}.",
        namespace=coalesce(drift.namespace, f"{var.name_prefix}/{DRIFT}"),
        metric_name=drift.metric_name,
        dimensions={"Workload": drift.workload},
        statistic="Maximum",
        period=PERIOD_SECONDS,
        evaluation_periods=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=drift.threshold,
        treat_missing_data="ignore",
        tags=var.tags,
    )
    rules = module.add(
        CloudwatchEventRule,
        "drift",
        for_each=each_of(alarms),
        name=name,
        description=f"Drift starts the pipeline {module.locals.name}.",
        event_pattern=jsonencode(
            build_alarm_pattern(f"arn:{var.partition}:cloudwatch:{var.region}:{var.account_id}:alarm:{name}")
        ),
        tags=var.tags,
    )
    rule, settings = each_of(rules), assume_not_null(var.drift)
    module.add(
        CloudwatchEventTarget,
        "drift",
        for_each=rule,
        rule=rule.value.name,
        target_id="pipeline",
        arn=pipeline.arn,
        sagemaker_pipeline_target={
            "pipeline_parameter_list": Dynamic(
                concat(
                    list_of(settings.parameters, lambda name, value: {"name": name, "value": value}),
                    [{"name": settings.reason_parameter, "value": "$.detail.state.reason"}],
                ),
                lambda parameter: {"name": parameter.value.name, "value": parameter.value.value},
            )
        },
        **target_arguments,
    )
    return alarms, rules


def add_schedule(module: Module[Inputs], pipeline: Any, target_arguments: Mapping[str, Any]) -> Any:
    """Add the schedule that starts a version of the pipeline. Returns a map with at most one schedule."""
    var, name = module.var, module.locals.name
    schedule_each = each_of(optional_map("schedule", var.schedule))
    groups = module.add(
        SchedulerScheduleGroup,
        "this",
        why="A separate group, because a trust policy can name a group of schedules and not a single schedule.",
        for_each=schedule_each,
        name=name,
        tags=var.tags,
    )
    schedule = schedule_each.value
    call = merge(
        {
            "PipelineName": pipeline.pipeline_name,
            "PipelineParameters": list_of(schedule.parameters, lambda name, value: {"Name": name, "Value": value}),
            "ClientRequestToken": f"{name}-by-the-clock-at-<aws.scheduler.scheduled-time>",
        },
        optional_map("PipelineVersionAlias", schedule.alias),
    )
    return module.add(
        SchedulerSchedule,
        "this",
        why="The universal target, because the pipeline target has no alias and starts the latest version.",
        skips={"CKV_AWS_297": "It contains a name and parameters, no secret; a separate key would only add KMS calls"},
        notes={
            "target": "Scheduler replaces its placeholder by the time; jsonencode escapes the placeholder. Each firing "
            "has one token, so a retry does not start a second execution."
        },
        for_each=schedule_each,
        name=name,
        group_name=groups[schedule_each.key].name,
        description=f"Starts the pipeline {name}.",
        schedule_expression=schedule.expression,
        schedule_expression_timezone=schedule.timezone,
        flexible_time_window={"mode": "FLEXIBLE", "maximum_window_in_minutes": schedule.flexible_window_minutes},
        target={
            "arn": f"arn:{var.partition}:scheduler:::aws-sdk:sagemaker:startPipelineExecution",
            "input": replace(replace(jsonencode(call), "\\u003c", "<"), "\\u003e", ">"),
            **target_arguments,
        },
    )
