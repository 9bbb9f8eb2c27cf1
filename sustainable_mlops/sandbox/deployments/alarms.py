"""The alarms that roll a deployment back: moto's, looked at in the process, as they are looked at often."""

from collections.abc import Iterable, Iterator

from moto.cloudwatch.models import cloudwatch_backends

from sustainable_mlops.sandbox.errors import ValidationError


def check(account: str, region: str, names: Iterable[str]) -> None:
    """Raise ValidationError for alarms that do not exist (assumed: one that is not there would never roll back)."""
    alarms = cloudwatch_backends[account][region].alarms
    missing = [name for name in names if name not in alarms]
    if missing:
        raise ValidationError(f"Could not find CloudWatch alarms: {', '.join(missing)}.")


def ringing(account: str, region: str, names: Iterable[str]) -> Iterator[str]:
    """Those of the alarms that are in ALARM, since whenever."""
    alarms = cloudwatch_backends[account][region].alarms
    for name in names:
        alarm = alarms.get(name)
        if alarm is not None and alarm.state_value == "ALARM":
            yield name
