"""What Application Auto Scaling does at its times: it carries out the policies that alarms trigger."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

#: How the ARNs of scaling policies begin, among the actions of an alarm.
POLICIES = "arn:aws:autoscaling:"


class Alarms(Protocol):
    """Who evaluates the alarms of CloudWatch."""

    def act(self, prefix: str, do: Callable[[str, Any], None]) -> None:
        """Have actions whose ARN begins so carried out by `do`: it takes the ARN, and how the alarm has changed."""


class Scaler:
    """All accounts and Regions, on the agenda of the clock. It comes after the alarms."""

    def __init__(self, alarms: Alarms) -> None:
        alarms.act(POLICIES, self._triggered)

    def next(self, after: datetime) -> datetime | None:
        """When something is due that no alarm says."""
        del after
        return None

    def do(self, moment: datetime) -> None:
        """Scale what alarms have asked for."""

    def _triggered(self, action: str, change: Any) -> None:
        """An alarm asks for the policy of that ARN."""
