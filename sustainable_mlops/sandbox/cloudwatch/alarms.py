"""Alarms of all accounts and Regions: evaluated at each full minute, they act on what they find."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sustainable_mlops.sandbox.clock import Clock


@dataclass(frozen=True)
class AlarmChange:
    """What an action hears of an alarm: its change from one state to another or, `repeated`, that it still stands."""

    account: str
    region: str
    name: str
    old: str
    new: str
    moment: datetime
    value: float | None  #: The last datapoint's.
    reason: str
    repeated: bool = False


#: Carries out an action: its ARN, and why.
Act = Callable[[str, AlarmChange], None]


class Alarms:
    """On the agenda of the clock."""

    def __init__(self, clock: Clock) -> None:
        self._acts: dict[str, Act] = {}
        clock.keep(self)

    def act(self, prefix: str, do: Act) -> None:
        """Who carries out the actions whose ARN begins so; those of scaling policies are repeated while in ALARM."""
        self._acts[prefix] = do

    def next(self, after: datetime) -> datetime | None:
        """The next full minute, once there are alarms."""
        del after

    def do(self, moment: datetime) -> None:
        """Evaluate those that are due."""
