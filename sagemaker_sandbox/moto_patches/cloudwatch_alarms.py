"""CloudWatch: moto's other services create and delete alarms in moto's backend, and moto keeps metric data as it comes.

The methods of the backend lead to the sandbox's alarms and metrics instead.
"""

import math
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterValue
from moto.cloudwatch.models import CloudWatchBackend

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import metrics
from sagemaker_sandbox.services.cloudwatch.alarm import Alarm
from sagemaker_sandbox.services.cloudwatch.alarms import Alarms

#: moto's parameters of `put_metric_alarm` that are not the operation's members in another spelling.
_MEMBERS = {
    "name": "AlarmName",
    "description": "AlarmDescription",
    "rule": "AlarmRule",
    "metric_data_queries": "Metrics",
    "ok_actions": "OKActions",
}
#: Largest number. "The Value and Values members" of MetricDatum in the API reference: from -2^360 to 2^360.
_LARGEST = 2.0**360


def apply(alarms: Alarms, clock: Clock) -> None:
    """Redirect the backend's methods to `alarms`, and metric data to the sandbox's store."""

    def put_metric_alarm(self: Any, **parameters: Any) -> Alarm:
        request = {
            _MEMBERS.get(name, _to_member(name)): value for name, value in parameters.items() if value not in (None, [])
        }
        return alarms.put(self.account_id, self.region_name, request)

    def delete_alarms(self: Any, alarm_names: list[str]) -> None:
        alarms.delete(self.account_id, self.region_name, alarm_names)

    def put_metric_data(self: Any, namespace: str, metric_data: list[Fields]) -> None:
        for number, datum in enumerate(metric_data, 1):
            _check_numbers(datum, number)
            self._validate_parameters_put_metric_data(datum, number)
        metrics.find_store(self).put(namespace, metric_data, clock.now())

    CloudWatchBackend.put_metric_alarm = put_metric_alarm
    CloudWatchBackend.delete_alarms = delete_alarms
    CloudWatchBackend.put_metric_data = put_metric_data


def _check_numbers(datum: Fields, position: int) -> None:
    """Raise InvalidParameterValue for a number that PutMetricData does not support."""
    statistics = datum.get("StatisticValues", {})
    numbers = [("Value", datum.get("Value", 0.0)), *(("Values", value) for value in datum.get("Values") or ())]
    for name, number in [*numbers, *((f"StatisticValues.{name}", value) for name, value in statistics.items())]:
        if not abs(number) <= _LARGEST:  # false for NaN, too
            member = f"MetricData.member.{position}.{name}"
            raise InvalidParameterValue(f"The value {_format(number)} for parameter {member} is invalid.")


def _format(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    return str(number) if math.isfinite(number) else "Infinity" if number > 0 else "-Infinity"


def _to_member(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
