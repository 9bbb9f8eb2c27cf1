"""Conditions and actions of CloudWatch alarms."""

import re

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.metrics import list_query_ids
from sustainable_mlops.plan.values import combine_all, combine_any

_COMPOSITE = "aws_cloudwatch_composite_alarm"

#: Comparison and threshold of an alarm that is in ALARM after one request, and not only after two.
_AT_LEAST_ONE = {("GreaterThanOrEqualToThreshold", 1), ("GreaterThanThreshold", 0)}

#: Metric math that is 1 if a condition is true, else 0.
_CONDITION = LazyPattern(r"\s*IF\((?P<condition>.*),\s*1\s*,\s*0\s*\)\s*", re.IGNORECASE | re.DOTALL)
#: A metric, or 0 where it has no data. Without FILL, metric math has no result for a metric without data.
_FILLED = r"FILL\(\s*{id}\s*,\s*0\s*\)"


def is_raised_at_one(alarm: Resource) -> bool | Unknown:
    """Return whether an alarm on a count is in ALARM when the count is 1."""
    comparison, threshold = alarm.new.text("comparison_operator"), alarm.new.number("threshold")
    if comparison is UNKNOWN or threshold is UNKNOWN:
        return UNKNOWN
    return (comparison, threshold) in _AT_LEAST_ONE


def is_raised_below(alarm: Resource, maximum: float) -> bool | Unknown:
    """Return whether an alarm is in ALARM below a threshold of `maximum` or less that the metric can fall below."""
    comparison, threshold = alarm.new.text("comparison_operator"), alarm.new.number("threshold")
    if comparison is not UNKNOWN and comparison not in ("LessThanThreshold", "LessThanOrEqualToThreshold"):
        return False
    if comparison is UNKNOWN or threshold is UNKNOWN:
        return UNKNOWN
    least_is_enough = comparison == "LessThanOrEqualToThreshold"
    return threshold is not None and threshold <= maximum and (threshold > 0 or (threshold == 0 and least_is_enough))


def is_raised_at_or_below(alarm: Resource, metrics: frozenset[str], maximum: float) -> bool | Unknown:
    """Return whether the alarm is in ALARM at a count of `maximum` or less, and without data.

    Metric math is read in two forms: `FILL(count, 0)`, and `IF(… FILL(count, 0) < number …, 1, 0)`.
    """
    missing = alarm.new.text("treat_missing_data")
    is_breaching = missing if missing is UNKNOWN else missing == "breaching"
    is_below = combine_all([is_breaching, is_raised_below(alarm, maximum)])
    query_ids, expression = list_query_ids(alarm, metrics), _read_expression(alarm)
    if query_ids is UNKNOWN or expression is UNKNOWN:
        return UNKNOWN
    if not expression:
        return is_below
    for query_id in query_ids:
        filled = _FILLED.format(id=re.escape(query_id))
        if re.fullmatch(rf"\s*{filled}\s*", expression, re.IGNORECASE):
            return is_raised_below(alarm, maximum)
        match = _CONDITION.fullmatch(expression)
        limits = re.findall(rf"{filled}\s*(<=?)\s*([\d.]+)", match["condition"], re.IGNORECASE) if match else []
        if any(sign + limit != "<0" and float(limit) <= maximum for sign, limit in limits):
            return is_raised_at_one(alarm)
    return is_below


def _read_expression(alarm: Resource) -> str | Unknown | None:
    """Return the metric math whose result an alarm compares; None for an alarm on a metric."""
    queries = alarm.new.blocks("metric_query")
    if queries is UNKNOWN:
        return UNKNOWN
    for query in queries:
        is_result = query.flag("return_data")
        if is_result is UNKNOWN:
            return UNKNOWN
        if is_result:
            return query.text("expression")
    return None


def has_action(plan: Plan, alarm: Resource) -> bool | Unknown:
    """Return whether an alarm has an action, or a composite alarm has one for it."""
    composite_actions = (
        combine_all([_includes_alarm(plan, composite, alarm), _has_own_action(plan, composite)])
        for composite in plan.joins.list_existing(_COMPOSITE)
    )
    return combine_any([_has_own_action(plan, alarm), *composite_actions])


def _includes_alarm(plan: Plan, composite: Resource, alarm: Resource) -> bool | Unknown:
    """Return whether the rule of a composite alarm is true while an alarm is in ALARM.

    This is assumed if the rule names the alarm.
    """
    expression, name = composite.new.text("alarm_rule"), alarm.new.text("alarm_name")
    if isinstance(expression, str) and isinstance(name, str):
        return re.search(rf"""ALARM\(\s*["']?{re.escape(name)}["']?\s*\)""", expression) is not None
    alarms = plan.find_references(composite, "alarm_rule").resources
    return False if alarms and alarm not in alarms else UNKNOWN


def _has_own_action(plan: Plan, alarm: Resource) -> bool | Unknown:
    """Return whether an alarm itself has an action. A topic that the same apply creates counts."""
    actions, enabled = alarm.new.texts("alarm_actions"), alarm.new.flag("actions_enabled")
    if enabled is False or actions == []:
        return False
    if actions is UNKNOWN and not plan.find_references(alarm, "alarm_actions").resources:
        return UNKNOWN
    return UNKNOWN if enabled is UNKNOWN else True
