"""The alarms that roll a deployment back, looked at in the process, as they are looked at often."""

from collections.abc import Iterable, Iterator, Mapping

from moto.cloudwatch.models import cloudwatch_backends

from sagemaker_sandbox.cloudwatch.alarm import Alarm
from sagemaker_sandbox.cloudwatch.evaluation import ALARM
from sagemaker_sandbox.errors import ValidationError


def check_alarms_exist(account: str, region: str, names: Iterable[str]) -> None:
    """Raise ValidationError for alarms that do not exist (assumed: one that is not there would never roll back)."""
    missing = [name for name in names if name not in _alarms(account, region)]
    if missing:
        raise ValidationError(f"Could not find CloudWatch alarms: {', '.join(missing)}.")


def list_active_alarms(account: str, region: str, names: Iterable[str]) -> Iterator[str]:
    """Those of the alarms that are in ALARM, since whenever; one that has been deleted is not."""
    alarms = _alarms(account, region)
    return (name for name in names if name in alarms and alarms[name].state.value == ALARM)


def _alarms(account: str, region: str) -> Mapping[str, Alarm]:
    alarms: Mapping[str, Alarm] = cloudwatch_backends[account][region].alarms
    return alarms
