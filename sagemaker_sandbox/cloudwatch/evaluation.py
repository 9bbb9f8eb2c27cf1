"""From data points to the state of an alarm.

Source: CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data".
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
#: How many periods more than EvaluationPeriods are looked at. AWS's examples have two, and the guide says no more.
_MORE = 2
OPERATORS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


class Point(NamedTuple):
    """The value of a period that begins at `time`; None where there is none."""

    time: int
    value: float | None
    number: float | None = None


@dataclass(frozen=True)
class Settings:
    """When an alarm goes off."""

    periods: int  #: EvaluationPeriods, the N of M out of N.
    to_alarm: int  #: DatapointsToAlarm, the M.
    comparison: str
    threshold: float
    missing: str = "missing"
    out_of: bool = False  #: Whether M was given.

    @property
    def range(self) -> int:
        """How many periods are looked at."""
        return self.periods + _MORE

    def breaches(self, value: float) -> bool:
        """Whether a value is beyond the threshold."""
        return OPERATORS[self.comparison][0](value, self.threshold)


class Verdict(NamedTuple):
    """The state that points come to; None where the present one stays. `evaluated`: on which, the last first."""

    state: str | None
    evaluated: Sequence[Point]
    filled: int = 0  #: How many missing ones were counted as the alarm has it.


def evaluate(points: Sequence[Point], settings: Settings) -> Verdict:
    """The points of the evaluation range, the last one last."""
    found = [point for point in reversed(points) if point.value is not None][: settings.periods]
    breaching = sum(settings.breaches(point.value) for point in found if point.value is not None)
    lacking = settings.periods - len(found)
    if lacking and settings.missing == "breaching":
        breaching += lacking
    enough = breaching >= settings.to_alarm
    if not lacking or settings.missing in ("breaching", "notBreaching") or enough or breaching < len(found):
        return Verdict(ALARM if enough else OK, found, lacking)
    if settings.missing == "ignore":
        return Verdict(None, found, lacking)
    oldest = next((len(points) - place for place, point in enumerate(points) if point.value is not None), 0)
    # So that one breaching point amid missing ones does not set it off before the next has had time to come.
    return Verdict(ALARM if found and oldest >= settings.to_alarm else INSUFFICIENT_DATA, found, lacking)


def reason(verdict: Verdict, settings: Settings, before: str) -> str:
    """Why it is in that state, in CloudWatch's words."""
    if verdict.state == INSUFFICIENT_DATA:
        lacking = verdict.filled
        return f"Insufficient Data: {lacking} datapoint{_s(lacking)} {_were(lacking)} unknown."
    relevant = [point for point in verdict.evaluated if point.value is not None]
    relevant = [point for point in relevant if settings.breaches(point.value or 0.0) is (verdict.state == ALARM)]
    filled = verdict.filled if settings.missing in ("breaching", "notBreaching") else 0
    treated = (
        f"{filled} missing datapoint{_s(filled)} {_were(filled)} treated as [{_TREATED.get(settings.missing, '')}]"
    )
    if not relevant:
        periods = f"{settings.periods} period{_s(settings.periods)}"
        return f"Threshold Crossed: no datapoints were received for {periods} and {treated}."
    number = len(relevant)
    listed = ", ".join(f"{point.value} ({_told(point.time)})" for point in relevant)
    which = (
        f"{number} out of the last {settings.periods} datapoints"
        if settings.out_of
        else f"{number} datapoint{_s(number)}"
    )
    word = OPERATORS[settings.comparison][1]
    crossed = word if verdict.state == ALARM else f"not {word}"
    text = f"Threshold Crossed: {which} [{listed}] {_were(number)} {crossed} the threshold ({settings.threshold})"
    if filled:
        text += f" and {treated}"
    if settings.out_of:
        least = settings.to_alarm if verdict.state == ALARM else settings.periods - settings.to_alarm + 1
        others = "ALARM" if verdict.state == OK else "OK"
        text += f" (minimum {least} datapoint{_s(least)} for {others if before == INSUFFICIENT_DATA else before} -> "
        text += f"{verdict.state} transition)"
    return f"{text}."


_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


def _told(time: int) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%d/%m/%y %H:%M:%S}"


def _s(number: int) -> str:
    return "" if number == 1 else "s"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
