"""What Application Auto Scaling does at its times, in all accounts and Regions."""

from collections.abc import Callable, Iterable
from datetime import datetime

from sagemaker_sandbox.autoscaling.decision import AlarmTrigger
from sagemaker_sandbox.autoscaling.scaling import RegionScaling
from sagemaker_sandbox.clock import Clock
from sagemaker_sandbox.cloudwatch.actions import AlarmChange
from sagemaker_sandbox.cloudwatch.alarms import Alarms

#: How the ARNs of scaling policies begin, among the actions of an alarm.
_POLICIES = "arn:aws:autoscaling:"


class Scaler:
    """On the agenda of the clock, after the alarms.

    `everywhere` are the Regions in use, `at(account, region)` is one of them.
    """

    def __init__(
        self,
        clock: Clock,
        alarms: Alarms,
        everywhere: Callable[[], Iterable[RegionScaling]],
        at: Callable[[str, str], RegionScaling],
    ) -> None:
        self._everywhere = everywhere
        self._at = at
        alarms.act(_POLICIES, self._trigger)
        clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        """When something is due that no alarm says."""
        moments = (scaling.next(after) for scaling in self._everywhere())
        return min((moment for moment in moments if moment is not None), default=None)

    def do(self, moment: datetime) -> None:
        """What alarms have triggered by then, and what is scheduled."""
        for scaling in self._everywhere():
            scaling.do(moment)

    def _trigger(self, action: str, change: AlarmChange) -> None:
        """An alarm's action is that policy. It is followed once all alarms of the moment have been evaluated."""
        trigger = AlarmTrigger(change.name, change.new, change.values, change.threshold)
        self._at(change.account, change.region).trigger(action, trigger)
