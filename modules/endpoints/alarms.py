"""Alarms on SageMaker's metrics of endpoints."""

from typing import Any

from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm

from sustainable_mlops.authoring.resources import Module

#: Two bad periods of three. A single bad period may be chance.
NOT_BY_CHANCE = {"evaluation_periods": 3, "datapoints_to_alarm": 2}
#: Longer periods would keep the alarm on long after the last bad period.
_MINUTES = {"period": 60, **NOT_BY_CHANCE}


def add_alarm(module: Module[Any], label: str, name: str, description: str, **arguments: Any) -> Any:
    """Add an alarm on a SageMaker metric of an endpoint."""
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
