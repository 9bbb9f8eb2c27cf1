"""What keeps composite alarms from acting. Source: CloudWatch user guide, "Suppressing composite alarm actions".

Assumed, where the guide shows pictures: each change of state begins the wait period anew; and once nothing suppresses
any more, the alarm acts unless it is in the state for which it has acted last.
"""

from datetime import datetime, timedelta

from sustainable_mlops.sandbox.cloudwatch.alarm import Alarm, Suppression
from sustainable_mlops.sandbox.cloudwatch.evaluation import ALARM

WAIT, EXTENSION, BY_ALARM = "WaitPeriod", "ExtensionPeriod", "Alarm"


def after_change(suppressor: str, wait: float, present: Suppression | None, moment: datetime) -> Suppression:
    """Once the composite alarm's state has changed; `suppressor` is the state of the alarm that may suppress it."""
    if suppressor == ALARM:
        return by_alarm()
    if present is not None and present.by == EXTENSION:
        return present
    return Suppression(WAIT, moment + timedelta(seconds=wait), "Actions suppressed by WaitPeriod")


def after_suppressor(state: str, extension: float, present: Suppression | None, moment: datetime) -> Suppression | None:
    """Once the state of the alarm that may suppress has changed."""
    if state == ALARM:
        return by_alarm()
    if present is not None and present.by == BY_ALARM:
        return Suppression(EXTENSION, moment + timedelta(seconds=extension), "Actions suppressed by ExtensionPeriod")
    return present


def by_alarm() -> Suppression:
    """While the suppressor is in ALARM."""
    return Suppression(BY_ALARM, None, "Actions suppressed by the suppressor alarm, which is in ALARM")


def over(alarm: Alarm, moment: datetime) -> bool:
    """Whether a period that suppressed has ended."""
    until = alarm.suppression.until if alarm.suppression is not None else None
    return until is not None and until <= moment
