"""Application Auto Scaling on the clock of the sandbox, for all accounts and Regions."""

from collections.abc import Callable, Iterable
from datetime import datetime

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.endpoints.autoscaling.decision import AlarmTrigger
from sagemaker_sandbox.endpoints.autoscaling.scaling import RegionScaling
from sagemaker_sandbox.services.cloudwatch.actions import AlarmChange
from sagemaker_sandbox.services.cloudwatch.alarms import Alarms

#: ARN prefix of scaling policies among the actions of an alarm.
_POLICY_ARN_PREFIX = "arn:aws:autoscaling:"


class Scaler:
    """Scheduled task that scales, registered after the alarms.

    `list_regions` returns the Regions in use, and `get_region` returns one by account and name.
    """

    def __init__(
        self,
        clock: Clock,
        alarms: Alarms,
        list_regions: Callable[[], Iterable[RegionScaling]],
        get_region: Callable[[str, str], RegionScaling],
    ) -> None:
        self._list_regions = list_regions
        self._get_region = get_region
        alarms.register_action(_POLICY_ARN_PREFIX, self._trigger)
        clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        """Return the time of the next scaling work that no alarm starts."""
        moments = (scaling.next(after) for scaling in self._list_regions())
        return min((moment for moment in moments if moment is not None), default=None)

    def run_due(self, moment: datetime) -> None:
        """Process the triggered policies and the scheduled actions."""
        for scaling in self._list_regions():
            scaling.run_due(moment)

    def _trigger(self, action: str, change: AlarmChange) -> None:
        """Queue the policy of an alarm action. It runs after the evaluation of all alarms that are due at this time."""
        trigger = AlarmTrigger(change.name, change.new, change.values, change.threshold)
        self._get_region(change.account, change.region).trigger(action, trigger)
