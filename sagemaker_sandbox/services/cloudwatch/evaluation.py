"""Evaluation of datapoints to the state of an alarm.

Source: CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data".
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
#: Number of periods in the evaluation range beyond EvaluationPeriods, as in AWS's examples.
_EXTRA_PERIODS = 2
OPERATORS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


class Datapoint(NamedTuple):
    """The value of a period that begins at `time`; None if it is missing."""

    time: int
    value: float | None
    number: float | None = None


@dataclass(frozen=True)
class AlarmSettings:
    """The condition of a metric alarm."""

    periods: int  #: EvaluationPeriods, the N of M out of N.
    datapoints_to_alarm: int  #: DatapointsToAlarm, the M.
    comparison: str
    threshold: float
    missing: str = "missing"
    has_datapoints: bool = False  #: True if the request named DatapointsToAlarm.

    @property
    def range(self) -> int:
        """Number of periods in the evaluation range."""
        return self.periods + _EXTRA_PERIODS

    def breaches(self, value: float) -> bool:
        """Return whether a value breaches the threshold."""
        return OPERATORS[self.comparison][0](value, self.threshold)


class EvaluationResult(NamedTuple):
    """The state of an evaluation; None if the present one stays. `evaluated`: the datapoints, the last one first."""

    state: str | None
    evaluated: Sequence[Datapoint]
    filled: int = 0  #: Number of missing datapoints.


def evaluate(points: Sequence[Datapoint], settings: AlarmSettings) -> EvaluationResult:
    """Evaluate the datapoints of the evaluation range, in order of time."""
    present = [point for point in reversed(points) if point.value is not None][: settings.periods]
    breaching = sum(settings.breaches(point.value) for point in present if point.value is not None)
    missing_count = settings.periods - len(present)
    if missing_count and settings.missing == "breaching":
        breaching += missing_count
    is_breached = breaching >= settings.datapoints_to_alarm
    if (
        not missing_count
        or settings.missing in ("breaching", "notBreaching")
        or is_breached
        or breaching < len(present)
    ):
        return EvaluationResult(ALARM if is_breached else OK, present, missing_count)
    if settings.missing == "ignore":
        return EvaluationResult(None, present, missing_count)
    oldest = next((len(points) - index for index, point in enumerate(points) if point.value is not None), 0)
    # One breaching datapoint among missing ones must not trigger the alarm before the next one could arrive.
    return EvaluationResult(
        ALARM if present and oldest >= settings.datapoints_to_alarm else INSUFFICIENT_DATA, present, missing_count
    )


def describe_reason(result: EvaluationResult, settings: AlarmSettings, before: str) -> str:
    """Return the reason of a state in CloudWatch's words."""
    if result.state == INSUFFICIENT_DATA:
        count = result.filled
        return f"Insufficient Data: {count} datapoint{_get_plural_ending(count)} {_conjugate(count)} unknown."
    relevant = [point for point in result.evaluated if point.value is not None]
    relevant = [point for point in relevant if settings.breaches(point.value or 0.0) is (result.state == ALARM)]
    filled = result.filled if settings.missing in ("breaching", "notBreaching") else 0
    treatment = f"{filled} missing datapoint{_get_plural_ending(filled)} {_conjugate(filled)} treated as "
    treatment += f"[{_TREATMENTS.get(settings.missing, '')}]"
    if not relevant:
        periods = f"{settings.periods} period{_get_plural_ending(settings.periods)}"
        return f"Threshold Crossed: no datapoints were received for {periods} and {treatment}."
    number = len(relevant)
    points = ", ".join(f"{point.value} ({_format_time(point.time)})" for point in relevant)
    datapoints = (
        f"{number} out of the last {settings.periods} datapoints"
        if settings.has_datapoints
        else f"{number} datapoint{_get_plural_ending(number)}"
    )
    word = OPERATORS[settings.comparison][1]
    relation = word if result.state == ALARM else f"not {word}"
    text = f"Threshold Crossed: {datapoints} [{points}] {_conjugate(number)} {relation} the threshold "
    text += f"({settings.threshold})"
    if filled:
        text += f" and {treatment}"
    if settings.has_datapoints:
        least = (
            settings.datapoints_to_alarm
            if result.state == ALARM
            else settings.periods - settings.datapoints_to_alarm + 1
        )
        others = "ALARM" if result.state == OK else "OK"
        old_state = others if before == INSUFFICIENT_DATA else before
        text += f" (minimum {least} datapoint{_get_plural_ending(least)} for {old_state} -> "
        text += f"{result.state} transition)"
    return f"{text}."


_TREATMENTS = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


def _format_time(time: int) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%d/%m/%y %H:%M:%S}"


def _get_plural_ending(number: int) -> str:
    return "" if number == 1 else "s"


def _conjugate(number: int) -> str:
    return "was" if number == 1 else "were"
