"""Suppression of composite alarms' actions. Source: CloudWatch user guide, "Suppressing composite alarm actions".

Assumed, because the guide shows pictures only: each change of state restarts the wait period. When a suppression ends,
the alarm acts unless it is in the state for which it acted last.
"""

from datetime import datetime, timedelta

from sagemaker_sandbox.services.cloudwatch.alarm import Alarm, Suppression
from sagemaker_sandbox.services.cloudwatch.evaluation import ALARM

WAIT, EXTENSION = "WaitPeriod", "ExtensionPeriod"


def suppress_after_change(
    suppressor: str, wait: float, present: Suppression | None, moment: datetime
) -> Suppression | None:
    """Return the suppression after a change of the composite alarm. `suppressor` is the suppressor alarm's state."""
    if suppressor == ALARM:
        return _BY_ALARM
    return present if present is not None and present.by == EXTENSION else _suppress_for(WAIT, wait, moment)


def suppress_after_suppressor(
    state: str, extension: float, present: Suppression | None, moment: datetime
) -> Suppression | None:
    """Return the suppression after a change of the suppressor alarm."""
    if state == ALARM:
        return _BY_ALARM
    return _suppress_for(EXTENSION, extension, moment) if present == _BY_ALARM else present


def has_expired(alarm: Alarm, moment: datetime) -> bool:
    """Return whether the period of a suppression has ended."""
    present = alarm.state.suppression
    return present is not None and present.until is not None and present.until <= moment


_BY_ALARM = Suppression("Alarm", "Actions suppressed by the suppressor alarm, which is in ALARM")


def _suppress_for(period: str, seconds: float, moment: datetime) -> Suppression | None:
    if not seconds:
        return None
    return Suppression(period, f"Actions suppressed by {period}", moment + timedelta(seconds=seconds))
