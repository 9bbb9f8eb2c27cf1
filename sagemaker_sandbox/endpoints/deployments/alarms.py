"""Alarms that roll back a deployment. They are read inside the process because they are read often."""

from collections.abc import Iterable, Iterator, Mapping

from moto.cloudwatch.models import cloudwatch_backends

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.services.cloudwatch.alarm import Alarm
from sagemaker_sandbox.services.cloudwatch.evaluation import ALARM


def check_alarms_exist(account: str, region: str, names: Iterable[str]) -> None:
    """Raise ValidationError for alarms that do not exist.

    Assumed: an alarm that does not exist could never roll back a deployment.
    """
    missing = [name for name in names if name not in _get_alarms(account, region)]
    if missing:
        raise ValidationError(f"Could not find CloudWatch alarms: {', '.join(missing)}.")


def list_active_alarms(account: str, region: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the named alarms that are in state ALARM. Deleted alarms are skipped."""
    alarms = _get_alarms(account, region)
    return (name for name in names if name in alarms and alarms[name].state.value == ALARM)


def _get_alarms(account: str, region: str) -> Mapping[str, Alarm]:
    alarms: Mapping[str, Alarm] = cloudwatch_backends[account][region].alarms
    return alarms
