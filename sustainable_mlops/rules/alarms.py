"""When a CloudWatch alarm goes off, and whom it tells."""

import re

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.values import all_of, any_of

_COMPOSITE = "aws_cloudwatch_composite_alarm"

#: What waking needs: at the first request, not at the second.
_AT_LEAST_ONE = {("GreaterThanOrEqualToThreshold", 1), ("GreaterThanThreshold", 0)}


def wakes_at_one(alarm: Resource) -> bool | Unknown:
    """Whether an alarm on a count goes off at the first."""
    comparison, threshold = alarm.new.text("comparison_operator"), alarm.new.number("threshold")
    if comparison is UNKNOWN or threshold is UNKNOWN:
        return UNKNOWN
    return (comparison, threshold) in _AT_LEAST_ONE


def falls_below(alarm: Resource, most: float) -> bool | Unknown:
    """Whether an alarm goes off below a threshold that a metric can fall below, and that is `most` or less."""
    comparison, threshold = alarm.new.text("comparison_operator"), alarm.new.number("threshold")
    if comparison is not UNKNOWN and comparison not in ("LessThanThreshold", "LessThanOrEqualToThreshold"):
        return False
    if comparison is UNKNOWN or threshold is UNKNOWN:
        return UNKNOWN
    least_is_enough = comparison == "LessThanOrEqualToThreshold"
    return threshold is not None and threshold <= most and (threshold > 0 or (threshold == 0 and least_is_enough))


def acts(plan: Plan, alarm: Resource) -> bool | Unknown:
    """Whether an alarm tells anybody or anything, or a composite alarm does on its behalf."""
    of_others = (all_of([_speaks_for(plan, other, alarm), _acts(plan, other)]) for other in plan.joins.all(_COMPOSITE))
    return any_of([_acts(plan, alarm), *of_others])


def _speaks_for(plan: Plan, composite: Resource, alarm: Resource) -> bool | Unknown:
    """Whether the rule of a composite alarm is true while an alarm is on, as it mostly is where it names it."""
    written, name = composite.new.text("alarm_rule"), alarm.new.text("alarm_name")
    if isinstance(written, str) and isinstance(name, str):
        return re.search(rf"""ALARM\(\s*["']?{re.escape(name)}["']?\s*\)""", written) is not None
    named = plan.references(composite, "alarm_rule").resources
    return False if named and alarm not in named else UNKNOWN


def _acts(plan: Plan, alarm: Resource) -> bool | Unknown:
    """Whether an alarm itself tells anybody; a topic that is made in the same apply is told."""
    actions, enabled = alarm.new.texts("alarm_actions"), alarm.new.flag("actions_enabled")
    if enabled is False or actions == []:
        return False
    if actions is UNKNOWN and not plan.references(alarm, "alarm_actions").resources:
        return UNKNOWN
    return UNKNOWN if enabled is UNKNOWN else True
