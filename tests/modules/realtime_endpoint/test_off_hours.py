"""The module accepts exactly the schedules that have times in AWS."""

from datetime import date

import pytest

from modules.realtime_endpoint.inputs import Inputs
from sustainable_mlops.aws import cron
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from tests.cases import check_cases
from tests.modules.realtime_endpoint.test_realtime_endpoint import GIVEN, HOURS


def is_accepted(fields: str) -> bool:
    try:
        validate({**GIVEN, "off_hours": {**HOURS, "begin": f"cron({fields})"}}, Inputs, "settings.yaml")
    except UserError:
        return False
    return True


def list_times(fields: str) -> tuple[list[int], list[date]]:
    read = cron.parse_cron(fields)
    return read.list_minutes(), list(read.list_dates())


@check_cases(
    "fields",
    [
        "0 20 ? * MON-FRI *",
        "0/15 8-18/2,20 ? * fri-mon *",
        "59 23 31 12 ? 2199",
        "00 09 1,15 JAN,7-9 ? 2026-2030",
        "0 0 L-3 2 ? *",
        "0 0 LW * ? *",
        "0 0 15W MAY ? *",
        "0 0 ? 1 6L *",
        "0 0 ? 1 L *",
        "0 0 ? * 6#3,MON#1 *",
    ],
)
def test_schedules_with_valid_times_are_accepted(fields: str) -> None:
    assert all(list_times(fields))
    assert is_accepted(fields)


@check_cases(
    "fields",
    [
        "60 20 ? * MON *",
        "5,60 20 ? * MON *",
        "0/0 20 ? * MON *",
        "0 24 ? * MON *",
        "0 8-24 ? * MON *",
        "0 1-2-3 ? * MON *",
        "0 0 32 * ? *",
        "0 0 1 13 ? *",
        "0 0 1 JANUARY ? *",
        "0 0 ? * 8 *",
        "0 0 ? * MON,FOO *",
    ],
)
def test_schedules_without_valid_times_are_rejected(fields: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list_times(fields)
    assert not is_accepted(fields)


@check_cases("fields", ["0 0 ? * MON#6 *", "0 , ? * MON *", "0 5, ? * MON *", "0 0 ? * MON 1969"])
def test_schedules_with_unsupported_syntax_are_rejected(fields: str) -> None:
    assert not is_accepted(fields)
