"""The alarms by which a deployment goes back to the old model.

They are there before the endpoint and know it by its name: the endpoint names them, from its first apply on. Adding
them later would replace it, since the provider makes an endpoint anew to give it its first alarm.
"""

from typing import Any

from sustainable_mlops.authoring.expressions import Dynamic, set_of


def configuration(names: Any) -> dict[str, Any]:
    """The block of an endpoint's deployment that has these alarms roll it back."""
    return {"alarms": Dynamic(set_of(names), lambda alarm: {"alarm_name": alarm.value})}


def alarms_arn(at: Any, name: str) -> str:
    """The ARN of the alarms whose names begin with an endpoint's."""
    return f"arn:{at.partition}:cloudwatch:{at.region}:{at.account_id}:alarm:{name}-*"
