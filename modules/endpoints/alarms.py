"""Alarms on what SageMaker publishes of endpoints."""

from typing import Any

from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm

from sustainable_mlops.authoring.resources import Module

#: Two bad periods of three are a fault, one is chance.
NOT_BY_CHANCE = {"evaluation_periods": 3, "datapoints_to_alarm": 2}
#: Longer ones would keep the alarm on for long after the last bad one.
_MINUTES = {"period": 60, **NOT_BY_CHANCE}


def add_alarm(module: Module[Any], label: str, name: str, description: str, **arguments: Any) -> Any:
    """Add an alarm on what SageMaker publishes of an endpoint."""
    var = module.var
    return module.add(
        CloudwatchMetricAlarm,
        label,
        alarm_name=name,
        alarm_description=description,
        namespace="AWS/SageMaker",
        **{**_MINUTES, **arguments},
        comparison_operator="GreaterThanThreshold",
        treat_missing_data="notBreaching",
        alarm_actions=var.alarm_actions,
        tags=var.tags,
    )
