"""States of alarms from points, and points from values: AWS's own examples."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_sandbox.services.cloudwatch import evaluation, expressions, rules, statistics
from sagemaker_sandbox.services.cloudwatch.evaluation import AlarmSettings, Datapoint
from sagemaker_sandbox.services.cloudwatch.expressions import ExpressionError, ExpressionNames, Line
from sagemaker_sandbox.services.cloudwatch.statistics import Sample
from tests.cases import check_cases

OK, ALARM, UNKNOWN, SAME = "OK", "ALARM", "INSUFFICIENT_DATA", None
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def points(drawn: str) -> list[Datapoint]:
    """Return datapoints as the user guide draws them: `0` does not breach, `X` breaches, `-` is missing."""
    return [Datapoint(60 * at, {"0": 0.0, "X": 9.0, "-": None}[one]) for at, one in enumerate(drawn.split())]


@check_cases(
    ("to_alarm", "drawn", "states"),
    [
        # "How alarm state is evaluated when data is missing": 3 out of 3
        (3, "0 - X - X", (OK, OK, OK, OK)),
        (3, "0 - - - -", (OK, OK, OK, OK)),
        (3, "- - - - -", (UNKNOWN, SAME, ALARM, OK)),
        (3, "0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
        (3, "- - X - -", (ALARM, SAME, ALARM, OK)),
        # 2 out of 3
        (2, "0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
        (2, "0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
        (2, "0 - X - -", (OK, OK, ALARM, OK)),
        (2, "- - - - 0", (OK, OK, ALARM, OK)),
        (2, "- - - X -", (ALARM, SAME, ALARM, OK)),
        # "Avoiding premature transitions to alarm state": not before the oldest is as old as there are to be
        (3, "- - - - X", (UNKNOWN, SAME, ALARM, OK)),
        (3, "- - - X -", (UNKNOWN, SAME, ALARM, OK)),
        (3, "- - - X 0", (OK, OK, OK, OK)),
        (3, "- - X - 0", (OK, OK, OK, OK)),
        # only the latest count where enough are there
        (3, "X X 0 0 0", (OK, OK, OK, OK)),
        (3, "0 0 X X X", (ALARM, ALARM, ALARM, ALARM)),
    ],
)
def test_missing_data_as_in_the_user_guide(to_alarm: int, drawn: str, states: Sequence[str | None]) -> None:
    settings = [AlarmSettings(3, to_alarm, "GreaterThanThreshold", 5.0, treatment) for treatment in TREATMENTS]
    assert settings[0].range == 5
    assert tuple(evaluation.evaluate(points(drawn), one).state for one in settings) == states


@check_cases(
    ("comparison", "beyond"),
    [
        ("GreaterThanThreshold", (False, False, True)),
        ("GreaterThanOrEqualToThreshold", (False, True, True)),
        ("LessThanThreshold", (True, False, False)),
        ("LessThanOrEqualToThreshold", (True, True, False)),
    ],
)
def test_comparisons(comparison: str, beyond: tuple[bool, ...]) -> None:
    settings = AlarmSettings(1, 1, comparison, 5.0)
    assert tuple(settings.breaches(value) for value in (4.0, 5.0, 6.0)) == beyond


@given(
    drawn=st.lists(st.sampled_from("0X-"), min_size=5, max_size=5).map(" ".join),
    to_alarm=st.integers(1, 3),
    treatment=st.sampled_from(TREATMENTS),
)
def test_more_points_beyond_never_end_an_alarm(drawn: str, to_alarm: int, treatment: str) -> None:
    settings = AlarmSettings(3, to_alarm, "GreaterThanThreshold", 5.0, treatment)
    worse = evaluation.evaluate(points(drawn.replace("0", "X")), settings)
    if evaluation.evaluate(points(drawn), settings).state == ALARM:
        assert worse.state == ALARM
    assert (worse.state is SAME) <= (treatment == "ignore")


@check_cases(
    ("statistic", "value"),
    [
        ("SampleCount", 10),
        ("Sum", 145),
        ("Average", 14.5),
        ("Minimum", 1),
        ("Maximum", 100),
        ("p50", 5),
        ("p90", 9),
        ("p99", 100),
        ("p100", 100),
        ("tm90", 5.0),
        ("TM(:90%)", 5.0),
        ("TM(10%:90%)", 5.5),
        ("TM(2:5)", 4.0),  # above 2, up to 5
        ("wm90", (45 + 9) / 10),
        ("tc90", 9),
        ("ts90", 45),
        ("TC(1:3)", 2),
        ("PR(:5)", 50),
        ("PR(5:100)", 50),
        ("IQM", (0.5 * 3 + 4 + 5 + 6 + 7 + 0.5 * 8) / 5),
    ],
)
def test_statistics_of_known_values(statistic: str, value: float) -> None:
    whole = statistics.create_sample([1, 2, 3, 4, 5, 6, 7, 8, 9, 100], [1] * 10)
    parts = statistics.merge(statistics.create_sample([one], [1]) for one in (100, 1, 2, 3, 4, 5, 6, 7, 8, 9))
    assert parts is not None
    assert statistics.is_statistic(statistic)
    for sample in (whole, parts):
        assert statistics.compute(sample, statistic) == pytest.approx(value)


def test_a_statistic_set_has_no_percentiles_unless_its_values_are_equal() -> None:
    summary, equal = Sample(10, 145, 1, 100), Sample(4, 20, 5, 5)
    assert statistics.compute(summary, "Average") == 14.5
    assert statistics.compute(summary, "p90") is None
    assert statistics.compute(equal, "p90") == 5
    both = statistics.merge([summary, equal])
    assert both is not None
    assert [statistics.compute(both, one) for one in ("SampleCount", "Sum", "p50")] == [14, 165, None]
    assert not any(map(statistics.is_statistic, ("p101", "median", "TM(:)", "PR(5%:9%)", "")))


def line(*values: float | None) -> Line:
    return {60 * at: float(value) for at, value in enumerate(values) if value is not None}


METRICS = {
    "m1": line(30, 20, 0, 0),
    "m2": line(20, None, 20, None),
    "flags": line(1, 1, 0, 0, None),
    "errors": line(1, None, 3, None),
    "requests": line(10, 20, 30, 0),
}


@check_cases(
    ("expression", "expected"),
    [
        # the examples of "Comparison and logical operators"
        ("(m1 < m2)", (0, 0, 1, 0)),
        ("(m1 >= 30)", (1, 0, 0, 0)),
        ("(m1 > 15 AND m2 > 15)", (1, 0, 0, 0)),
        ("m1 > 15 || m2 > 15", (1, 1, 1, 0)),
        # those of "Using IF expressions"
        ("IF(flags, m2, 5)", (20, 0, 5, 5)),
        ("IF(flags, 5, m2)", (5, 5, 20, None)),
        ("IF(m1 < 25, m1)", (None, 20, 0, 0)),
        ("IF(1 > 2, m1, m2)", (20, None, 20, None)),
        # a missing value counts as 0 beside one that is there; what is divided by 0 is dropped
        ("m1 + m2", (50, 20, 20, 0)),
        ("errors / requests", (0.1, 0, 0.1, None)),
        ("100 * errors / m2", (5, None, 15, None)),
        ("2 ^ 3 * m1 - -m1", (270, 180, 0, 0)),
        ("100/SUM(m2)*m2", (50, None, 50, None)),
        ("m1 / (AVG(m1) - AVG(m1))", ()),
        # functions
        ("FILL(errors, 0)", (1, 0, 3, 0)),
        ("FILL(errors, REPEAT)", (1, 1, 3, 3)),
        ("FILL(errors, LINEAR)", (1, 2, 3, None)),
        ("FILL(errors, requests)", (1, 20, 3, 0)),
        ("SUM([m1, m2])", (50, 20, 20, 0)),
        ("AVG([m1, m2])", (25, 10, 10, 0)),
        ("MAX([m1, m2])", (30, 20, 20, 0)),
        ("SUM(METRICS('m'))", (50, 20, 20, 0)),
        ("METRIC_COUNT(METRICS()) * m2", (100, None, 100, None)),
        ("RATE(requests)", (None, 1 / 6, 1 / 6, -0.5)),
        ("DIFF(m2)", (None, None, 0, None)),
        ("RUNNING_SUM(requests)", (10, 30, 60, 60)),
        ("TIME_SERIES(MAX(m1))", (30, 30, 30, 30)),
        ("m2 / PERIOD(m2)", (1 / 3, None, 1 / 3, None)),
        ("CEIL(m2 / 3)", (7, None, 7, None)),
        ("LAST(SORT([m1, requests], SUM, DESC))", (30, 20, 0, 0)),
        ("FIRST(SLICE(SORT([m1, requests], MAX, ASC), 0, 1))", (30, 20, 0, 0)),
        ("MINUTE(m1)", (0, 1, 2, 3)),
        ("share * 2", (0.2, 0, 0.2, None)),
    ],
)
def test_metric_math(expression: str, expected: Sequence[float | None]) -> None:
    scope = ExpressionNames([0, 60, 120, 180], 60, METRICS, {"share": "errors / requests"})
    value = expressions.evaluate(expression, scope)
    assert value == pytest.approx(line(*expected))


@check_cases(
    ("expression", "why"),
    [
        ("SEARCH('{AWS/SageMaker}', 'Sum')", "SEARCH is not evaluated by the sandbox"),
        ("ANOMALY_DETECTION_BAND(m1, 2)", "ANOMALY_DETECTION_BAND is not evaluated by the sandbox"),
        ("SELECT AVG(m) FROM x", "the sandbox does not evaluate queries of Metrics Insights"),
        ("MEDIAN(m1)", "unknown function MEDIAN"),
        ("m1 + m9", "unknown id m9"),
        ("m1 +", "'m1 +' cannot be parsed"),
        ("m1 % 2", "cannot be parsed at ' % 2'"),
        ("m1.__class__", "cannot be parsed at '.__class__'"),
        ("__import__('os')", "cannot be parsed at '__import__('os')'"),
        ("m1 < m2 < 3", "comparisons cannot be chained"),
        ("[m1, 3]", "an array holds metrics, not numbers"),
        ("[m1] + [m2]", "an operator stands between two arrays"),
        ("loop", "loop depends on itself"),
        ("FILL(m1)", "FILL takes two arguments"),
        ("NOT(m1)", "unknown function NOT"),
    ],
)
def test_unsupported_metric_math_is_refused(expression: str, why: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        expressions.evaluate(expression, ExpressionNames([0, 60], 60, METRICS, {"loop": "loop + 1"}))
    assert str(refused.value) == why


STATES = {"on": ALARM, "off": OK, "new": UNKNOWN, "arn:aws:cloudwatch:r:1:alarm:on": ALARM, "with space": ALARM}


@check_cases(
    ("rule", "holds"),
    [
        ('ALARM("on") AND NOT OK(on) OR INSUFFICIENT_DATA(off)', True),
        ("ALARM(off) OR ALARM(on) AND ALARM(off)", False),
        ("(ALARM(off) OR ALARM(on)) AND OK(off)", True),
        ("NOT (ALARM(on) AND OK('off'))", False),
        ("ALARM(arn:aws:cloudwatch:r:1:alarm:on)", True),
        ('ALARM("with space")\n  and not INSUFFICIENT_DATA(new)', False),
        ("TRUE", True),
        ("NOT NOT FALSE OR (TRUE AND TRUE)", True),
    ],
)
def test_rules_of_composite_alarms(rule: str, holds: bool) -> None:
    assert rules.parse_rule(rule).holds(STATES.get) is holds


@check_cases("rule", ["", "ALARM()", "ALARM(a) ALARM(b)", "ALARM(a) AND", "(ALARM(a)", "a OR b", "ON(a)"])
def test_rules_that_are_none(rule: str) -> None:
    with pytest.raises(rules.RuleError):
        rules.parse_rule(rule)


def test_a_rule_names_its_children_once_and_not_too_many() -> None:
    assert rules.parse_rule("ALARM(a) OR OK(b) OR OK(a)").children == ("a", "b")
    with pytest.raises(rules.RuleError, match="more than 100 alarms"):
        rules.parse_rule(" OR ".join(f"ALARM(a{number})" for number in range(101)))


def test_impossible_results_are_dropped() -> None:
    scope = ExpressionNames([0], 60, {"m1": {0: -4.0}})
    for expression in ("LOG(m1)", "m1 ^ 0.5", "10 ^ (m1 * -1000)", "TIME_SERIES(1 / 0)"):
        assert expressions.evaluate(expression, scope) == {}
    number = expressions.evaluate("1 / 0", scope)
    assert isinstance(number, float)
    assert math.isnan(number)
