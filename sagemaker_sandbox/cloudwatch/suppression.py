"""What keeps composite alarms from acting. Source: CloudWatch user guide, "Suppressing composite alarm actions".

Assumed, where the guide shows pictures: each change of state begins the wait period anew; and once nothing suppresses
any more, the alarm acts unless it is in the state for which it has acted last.
"""

from datetime import datetime, timedelta

from sagemaker_sandbox.cloudwatch.alarm import Alarm, Suppression
from sagemaker_sandbox.cloudwatch.evaluation import ALARM

WAIT, EXTENSION = "WaitPeriod", "ExtensionPeriod"


def after_change(suppressor: str, wait: float, present: Suppression | None, moment: datetime) -> Suppression | None:
    """Once the composite alarm's state has changed; `suppressor` is the state of the alarm that may suppress it."""
    if suppressor == ALARM:
        return _BY_ALARM
    return present if present is not None and present.by == EXTENSION else _for(WAIT, wait, moment)


def after_suppressor(state: str, extension: float, present: Suppression | None, moment: datetime) -> Suppression | None:
    """Once the state of the alarm that may suppress has changed."""
    if state == ALARM:
        return _BY_ALARM
    return _for(EXTENSION, extension, moment) if present == _BY_ALARM else present


def over(alarm: Alarm, moment: datetime) -> bool:
    """Whether a period that suppressed has ended."""
    present = alarm.state.suppression
    return present is not None and present.until is not None and present.until <= moment


_BY_ALARM = Suppression("Alarm", "Actions suppressed by the suppressor alarm, which is in ALARM")


def _for(period: str, seconds: float, moment: datetime) -> Suppression | None:
    if not seconds:
        return None
    return Suppression(period, f"Actions suppressed by {period}", moment + timedelta(seconds=seconds))
