"""What scheduled actions add up to; the arithmetic is in each test."""

from datetime import date

import pytest

from sustainable_mlops.aws.cron import YEAR, parsed
from sustainable_mlops.plan.timetable import Action, Span, spans

DAILY = Action("cron(0 8 * * ? *)", 20, 20)
BACK = Action("cron(0 18 * * ? *)", 1, 1)
MORNING, EVENING = "cron(0 8 ? * MON-FRI *)", "cron(0 18 ? * MON-FRI *)"


def still(*actions: Action, start: float = 1, least: float = 1, most: float = 4) -> float:
    """How many there are on average, where no policy moves them."""
    return sum(span.share * span.still for span in spans(start, least, most, actions))


def test_without_actions_a_number_stays_where_it_starts_inside_the_limits() -> None:
    assert spans(1, 1, 4, ()) == (Span(1, 1, 4, 1),)
    assert spans(9, 1, 4, ()) == (Span(1, 1, 4, 4),)
    assert spans(0, 1, 4, ()) == (Span(1, 1, 4, 1),)


@pytest.mark.parametrize("schedule", [DAILY.schedule, "rate(1 day)", "cron(0 0 1 JAN ? *)"])
def test_what_nothing_takes_back_stays_however_rarely_it_runs(schedule: str) -> None:
    assert still(Action(schedule, 20, 20)) == 20


def test_daily_to_twenty_and_back() -> None:
    assert still(DAILY, BACK) == pytest.approx((10 * 20 + 14 * 1) / 24)


def test_on_working_days_in_whatever_zone() -> None:
    expected = (5 * 10 * 20 + (168 - 50) * 1) / 168
    for zone in ("UTC", "Europe/Helsinki"):
        assert still(Action(MORNING, 20, 20, zone), Action(EVENING, 1, 1, zone)) == pytest.approx(expected)


def test_between_zones_the_hours_of_summer_count() -> None:
    # 8:00 in Helsinki is 6:00 UTC, from the last Sunday of March to that of October 5:00: 12 or 13 h a day until 18:00
    summer = (date(YEAR, 10, 31) - date(YEAR, 3, 28)).days
    hours = 12 * 365 + summer
    found = still(Action("cron(0 8 * * ? *)", 20, 20, "Europe/Helsinki"), BACK)
    assert found == pytest.approx(1 + 19 * hours / 8760)


def test_weekly_and_by_the_month() -> None:
    monday, tuesday = Action("cron(30 6 ? * MON *)", 5, 5), Action("cron(30 18 ? * TUE *)", 1, 1)
    assert still(monday, tuesday) == pytest.approx(1 + 4 * 36 / 168)
    first, second = Action("cron(0 0 1 * ? *)", 3, 3), Action("cron(0 0 2 * ? *)", 1, 1)
    assert still(first, second) == pytest.approx(1 + 2 * 12 / 365)


def test_several_steps_a_day_and_several_times_of_one_action() -> None:
    steps = [Action(f"cron(0 {hour} * * ? *)", number, number) for hour, number in ((6, 2), (9, 8), (22, 1))]
    assert still(*steps) == pytest.approx((3 * 2 + 13 * 8 + 8 * 1) / 24)
    twice = Action("cron(0 8,14 * * ? *)", 6, 6), Action("cron(0 10,16 * * ? *)", 1, 1)
    assert still(*twice) == pytest.approx((4 * 6 + 20 * 1) / 24)


def test_a_least_that_is_raised_and_lowered_moves_only_what_is_below_it() -> None:
    # Nothing takes the three away in the evening, as four are allowed; a policy could.
    found = spans(1, 1, 4, (Action("cron(0 8 * * ? *)", 3, None), Action("cron(0 18 * * ? *)", 1, None)))
    assert {(span.least, span.most, span.still) for span in found} == {(3, 4, 3), (1, 4, 3)}
    lowered = spans(4, 1, 4, (Action("cron(0 18 * * ? *)", None, 2), Action("cron(0 8 * * ? *)", None, 4)))
    assert {(span.least, span.most, span.still) for span in lowered} == {(1, 2, 2), (1, 4, 2)}
    assert sum(span.share for span in lowered) == pytest.approx(1)


def test_two_actions_of_one_minute_may_set_a_limit_each() -> None:
    both = Action("cron(0 8 * * ? *)", 3, None), Action("cron(0 8 * * ? *)", None, 9), BACK
    assert still(*both) == pytest.approx((10 * 3 + 14) / 24)


@pytest.mark.parametrize(
    ("actions", "why"),
    [
        ([Action("at(2027-01-01T00:00:00)", 20, 20)], "runs but once"),
        ([DAILY, Action("at(2027-01-01T00:00:00)", 1, 1)], "runs but once"),
        ([Action("cron(0 8 * * ? 2027)", 20, 20)], "in some years only"),
        ([DAILY, Action("rate(1 day)", 1, 1)], "starts nobody knows when"),
        ([DAILY, Action("cron(0 8 * * ? *)", 1, 1)], "two of the same minute"),
        ([Action(DAILY.schedule, 20, None)], "a minimum of 20 is above a maximum of 4"),
        ([DAILY, Action("cron(0 18 * * ? *)", 1, 1, "Europe/Nowhere")], "the time zone Europe/Nowhere is not known"),
        ([DAILY, Action("cron(0 18 * * ? *)", 1, 1, "../../etc/passwd")], "is not known here"),
        ([Action("cron(0/1 * * * ? *)", 2, 2), DAILY], "too often"),
        ([Action("every day", 20, 20)], "every day is no schedule"),
        ([Action("cron(0 25 * * ? *)", 20, 20)], "is no schedule"),
        ([Action("", 20, 20)], "is no schedule"),
    ],
)
def test_what_cannot_be_told_says_why(actions: list[Action], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        spans(1, 1, 4, tuple(actions))


@pytest.mark.parametrize(
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
def test_the_days_of_a_month(fields: str, days: list[int]) -> None:
    assert [day.day for day in parsed(fields).dates()] == days
