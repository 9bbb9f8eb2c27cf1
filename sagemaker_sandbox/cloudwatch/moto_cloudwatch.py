"""moto's CloudWatch with these alarms and these metrics: it keeps data and alarms, and evaluates nothing."""

import math
from collections.abc import Callable
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterValue
from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from sagemaker_sandbox.clock import Clock
from sagemaker_sandbox.cloudwatch import metrics
from sagemaker_sandbox.cloudwatch.alarm import Alarm
from sagemaker_sandbox.cloudwatch.alarm_answers import AlarmAnswers
from sagemaker_sandbox.cloudwatch.alarms import Alarms
from sagemaker_sandbox.cloudwatch.metric_answers import MetricAnswers
from sagemaker_sandbox.parts.resources import Fields

#: moto's names of what PutMetricAlarm is given, where they are not the operation's in another spelling.
_OF_MOTO = {
    "name": "AlarmName",
    "description": "AlarmDescription",
    "rule": "AlarmRule",
    "metric_data_queries": "Metrics",
    "ok_actions": "OKActions",
}
#: "The Value and Values members" of MetricDatum in the API reference: from -2^360 to 2^360.
_LARGEST = 2.0**360


def share(alarms: Alarms, clock: Clock) -> None:
    """Let moto's operations be these."""
    for answers in (AlarmAnswers(alarms), MetricAnswers(clock)):
        for name in vars(type(answers)):
            if not name.startswith("_"):
                setattr(CloudWatchResponse, name, _of_response(getattr(answers, name)))

    def put_metric_alarm(self: Any, **given: Any) -> Alarm:
        """As other services of moto's ask for one."""
        asked = {_OF_MOTO.get(name, _spelled(name)): value for name, value in given.items() if value not in (None, [])}
        return alarms.put(self.account_id, self.region_name, asked)

    def delete_alarms(self: Any, alarm_names: list[str]) -> None:
        alarms.delete(self.account_id, self.region_name, alarm_names)

    def put_metric_data(self: Any, namespace: str, metric_data: list[Fields]) -> None:
        for number, datum in enumerate(metric_data, 1):
            _check_numbers(datum, number)
            self._validate_parameters_put_metric_data(datum, number)
        metrics.of(self).put(namespace, metric_data, clock.now())

    for method in (put_metric_alarm, delete_alarms, put_metric_data):
        setattr(CloudWatchBackend, method.__name__, method)


def _check_numbers(datum: Fields, position: int) -> None:
    """Raise InvalidParameterValue for a number that PutMetricData does not support."""
    statistics = datum.get("StatisticValues", {})
    numbers = [("Value", datum.get("Value", 0.0)), *(("Values", value) for value in datum.get("Values") or ())]
    for name, number in [*numbers, *((f"StatisticValues.{name}", value) for name, value in statistics.items())]:
        if not abs(number) <= _LARGEST:  # nor is NaN
            member = f"MetricData.member.{position}.{name}"
            raise InvalidParameterValue(f"The value {_spell(number)} for parameter {member} is invalid.")


def _spell(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    return str(number) if math.isfinite(number) else "Infinity" if number > 0 else "-Infinity"


def _of_response(answer: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    return lambda response: answer(response)


def _spelled(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
