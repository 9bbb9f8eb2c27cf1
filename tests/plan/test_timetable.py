"""Spans of scheduled actions; the arithmetic is in each test."""

from datetime import date

import pytest

from sustainable_mlops.aws.cron import SAMPLE_YEAR, parse_cron
from sustainable_mlops.plan.timetable import CapacityAction, Span, compute_spans
from tests.cases import check_cases

DAILY = CapacityAction("cron(0 8 * * ? *)", 20, 20)
BACK = CapacityAction("cron(0 18 * * ? *)", 1, 1)
MORNING, EVENING = "cron(0 8 ? * MON-FRI *)", "cron(0 18 ? * MON-FRI *)"


def compute_mean(*actions: CapacityAction, start: float = 1, minimum: float = 1, maximum: float = 4) -> float:
    """Return the mean capacity without policies."""
    return sum(span.share * span.fixed for span in compute_spans(start, minimum, maximum, actions))


def test_the_capacity_stays_at_its_start_without_actions() -> None:
    assert compute_spans(1, 1, 4, ()) == (Span(1, 1, 4, 1),)
    assert compute_spans(9, 1, 4, ()) == (Span(1, 1, 4, 4),)
    assert compute_spans(0, 1, 4, ()) == (Span(1, 1, 4, 1),)


@check_cases("schedule", [DAILY.schedule, "rate(1 day)", "cron(0 0 1 JAN ? *)"])
def test_an_action_without_a_counterpart_has_a_permanent_effect(schedule: str) -> None:
    assert compute_mean(CapacityAction(schedule, 20, 20)) == 20


def test_daily_actions_give_daily_shares() -> None:
    assert compute_mean(DAILY, BACK) == pytest.approx((10 * 20 + 14 * 1) / 24)


def test_working_days_give_the_same_shares_in_every_zone() -> None:
    expected = (5 * 10 * 20 + (168 - 50) * 1) / 168
    for zone in ("UTC", "Europe/Helsinki"):
        assert compute_mean(
            CapacityAction(MORNING, 20, 20, zone), CapacityAction(EVENING, 1, 1, zone)
        ) == pytest.approx(expected)


def test_daylight_saving_time_counts_between_zones() -> None:
    # 8:00 in Helsinki is 6:00 UTC, from the last Sunday of March to that of October 5:00: 12 or 13 h a day until 18:00
    summer = (date(SAMPLE_YEAR, 10, 31) - date(SAMPLE_YEAR, 3, 28)).days
    hours = 12 * 365 + summer
    mean = compute_mean(CapacityAction("cron(0 8 * * ? *)", 20, 20, "Europe/Helsinki"), BACK)
    assert mean == pytest.approx(1 + 19 * hours / 8760)


def test_weekly_and_monthly_actions_give_shares() -> None:
    monday, tuesday = CapacityAction("cron(30 6 ? * MON *)", 5, 5), CapacityAction("cron(30 18 ? * TUE *)", 1, 1)
    assert compute_mean(monday, tuesday) == pytest.approx(1 + 4 * 36 / 168)
    first, second = CapacityAction("cron(0 0 1 * ? *)", 3, 3), CapacityAction("cron(0 0 2 * ? *)", 1, 1)
    assert compute_mean(first, second) == pytest.approx(1 + 2 * 12 / 365)


def test_several_actions_a_day_give_shares() -> None:
    steps = [CapacityAction(f"cron(0 {hour} * * ? *)", number, number) for hour, number in ((6, 2), (9, 8), (22, 1))]
    assert compute_mean(*steps) == pytest.approx((3 * 2 + 13 * 8 + 8 * 1) / 24)
    twice = CapacityAction("cron(0 8,14 * * ? *)", 6, 6), CapacityAction("cron(0 10,16 * * ? *)", 1, 1)
    assert compute_mean(*twice) == pytest.approx((4 * 6 + 20 * 1) / 24)


def test_a_raised_minimum_changes_only_a_lower_capacity() -> None:
    # The three remain in the evening, because the maximum is four. Only a policy could remove them.
    spans = compute_spans(
        1, 1, 4, (CapacityAction("cron(0 8 * * ? *)", 3, None), CapacityAction("cron(0 18 * * ? *)", 1, None))
    )
    assert {(span.minimum, span.maximum, span.fixed) for span in spans} == {(3, 4, 3), (1, 4, 3)}
    lowered = compute_spans(
        4, 1, 4, (CapacityAction("cron(0 18 * * ? *)", None, 2), CapacityAction("cron(0 8 * * ? *)", None, 4))
    )
    assert {(span.minimum, span.maximum, span.fixed) for span in lowered} == {(1, 2, 2), (1, 4, 2)}
    assert sum(span.share for span in lowered) == pytest.approx(1)


def test_two_actions_in_one_minute_may_set_different_limits() -> None:
    both = CapacityAction("cron(0 8 * * ? *)", 3, None), CapacityAction("cron(0 8 * * ? *)", None, 9), BACK
    assert compute_mean(*both) == pytest.approx((10 * 3 + 14) / 24)


@check_cases(
    ("actions", "reason"),
    [
        ([CapacityAction("at(2027-01-01T00:00:00)", 20, 20)], "runs only once"),
        ([DAILY, CapacityAction("at(2027-01-01T00:00:00)", 1, 1)], "runs only once"),
        ([CapacityAction("cron(0 8 * * ? 2027)", 20, 20)], "only in some years"),
        ([DAILY, CapacityAction("rate(1 day)", 1, 1)], "its start time is not known"),
        ([DAILY, CapacityAction("cron(0 8 * * ? *)", 1, 1)], "two actions in the same minute"),
        ([CapacityAction(DAILY.schedule, 20, None)], "the minimum of 20 is above the maximum of 4"),
        (
            [DAILY, CapacityAction("cron(0 18 * * ? *)", 1, 1, "Europe/Nowhere")],
            "the time zone Europe/Nowhere is not known",
        ),
        ([DAILY, CapacityAction("cron(0 18 * * ? *)", 1, 1, "../../etc/passwd")], "is not known on this computer"),
        ([CapacityAction("cron(0/1 * * * ? *)", 2, 2), DAILY], "too often"),
        ([CapacityAction("every day", 20, 20)], "every day is not a schedule"),
        ([CapacityAction("cron(0 25 * * ? *)", 20, 20)], "is not a schedule"),
        ([CapacityAction("", 20, 20)], "is not a schedule"),
    ],
)
def test_schedules_without_spans_have_a_reason(actions: list[CapacityAction], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        compute_spans(1, 1, 4, tuple(actions))


@check_cases(
    ("fields", "days"),
    [
        ("0 0 L 2 ? *", [28]),
        ("0 0 L-3 2 ? *", [25]),
        ("0 0 LW 2 ? *", [26]),  # the 28th is a Sunday
        ("0 0 1W MAY ? *", [3]),  # the 1st is a Saturday, and April does not count
        ("0 0 15W MAY ? *", [14]),
        ("0 0 31 4 ? *", []),
        ("0 0 ? 1 6L *", [29]),
        ("0 0 ? 1 1L *", [31]),  # and not the 24th, seven days before
        ("0 0 ? 1 MONL *", [25]),
        ("0 0 ? 1 FRI#3 *", [15]),
        ("0 0 ? 1 FRI#5 *", [29]),
        ("0 0 ? 2 FRI#5 *", []),
        ("0 0 ? 2 L *", [6, 13, 20, 27]),
        ("0 0 ? 2 SUN,7 *", [6, 7, 13, 14, 20, 21, 27, 28]),
    ],
)
def test_days_of_a_month_are_selected(fields: str, days: list[int]) -> None:
    assert [day.day for day in parse_cron(fields).list_dates()] == days
