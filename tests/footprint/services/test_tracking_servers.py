"""MLflow tracking servers cost the hours in which their schedules let them run."""

from typing import Any

import pytest

from tests.cases import check_cases
from tests.footprint.support import REGION, find_part, get_cost, make_footprint
from tests.plan.plan_builder import build_change

SERVER = "aws_sagemaker_mlflow_tracking_server.t"
MONTH = 730 * 0.642
#: From 8 to 19 on working days.
WORKING_HOURS = 55 / 168


def schedule(action: str, hour: int, name: str = "shop", **more: Any) -> dict[str, Any]:
    """Return a schedule on working days that calls an action for the server of this name."""
    target = {
        "arn": f"arn:aws:scheduler:::aws-sdk:sagemaker:{action}MlflowTrackingServer",
        "input": f'{{"TrackingServerName": "{name}"}}',
    }
    return build_change(
        f"aws_scheduler_schedule.{action}",
        {"schedule_expression": f"cron(0 {hour} ? * MON-FRI *)", "region": REGION, "target": [target], **more},
    )


def estimate(*schedules: dict[str, Any], size: str | None = "Small") -> Any:
    values = {"tracking_server_name": "shop", "tracking_server_size": size, "region": REGION}
    return make_footprint(build_change(SERVER, values), *schedules)


@check_cases(
    ("schedules", "share"),
    [
        ([], 1),
        ([schedule("stop", 19), schedule("start", 8)], WORKING_HOURS),
        ([schedule("stop", 19, name="other"), schedule("start", 8, name="other")], 1),
        ([schedule("stop", 19, state="DISABLED"), schedule("start", 8)], 1),
        ([schedule("stop", 19, schedule_expression="at(2030-01-01T00:00:00)"), schedule("start", 8)], 1),
    ],
)
def test_a_server_costs_the_hours_between_its_start_and_its_stop(schedules: list[dict[str, Any]], share: float) -> None:
    assert get_cost(estimate(*schedules)) == pytest.approx(MONTH * share)
    assert get_cost(estimate(*schedules, size=None)) == pytest.approx(MONTH * share), "Small is the default"


def test_a_server_that_users_start_costs_between_nothing_and_the_whole_month() -> None:
    cost = estimate(schedule("stop", 19)).after.get("cost")
    assert (cost.low, cost.high) == (0, pytest.approx(MONTH))
    assert 0 < cost.central < MONTH


def test_other_sizes_have_no_known_price() -> None:
    part = find_part(estimate(size="Large"), SERVER.rpartition(".")[0])
    assert part.unknown is not None
    assert part.unknown.reason == "no price known for tracking_server_size Large"
