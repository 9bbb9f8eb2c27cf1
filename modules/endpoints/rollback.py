"""The alarms by which a deployment goes back to the old model.

They are there before the endpoint and know it by its name: the endpoint names them, from its first apply on. Adding
them later would replace it, since the provider makes an endpoint anew to give it its first alarm.
"""

from typing import Any

from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm

from sustainable_mlops.authoring.expressions import Dynamic, set_of
from sustainable_mlops.authoring.resources import Module

#: Two bad minutes roll back, one is chance. Longer periods would keep the alarm on for long after the last bad one.
_MINUTES = {"period": 60, "evaluation_periods": 3, "datapoints_to_alarm": 2}


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


def configuration(names: Any) -> dict[str, Any]:
    """The block of an endpoint's deployment that has these alarms roll it back."""
    return {"alarms": Dynamic(set_of(names), lambda alarm: {"alarm_name": alarm.value})}


def alarms_arn(at: Any, name: str) -> str:
    """The ARN of the alarms whose names begin with an endpoint's."""
    return f"arn:{at.partition}:cloudwatch:{at.region}:{at.account_id}:alarm:{name}-*"
