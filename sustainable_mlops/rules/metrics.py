"""What a CloudWatch alarm or a scaling policy looks at."""

from sustainable_mlops.plan import UNKNOWN, Block, Resource, Unknown

#: Metrics of `AWS/SageMaker` that asynchronous endpoints never publish (developer guide, "Alarms and logs for tracking
#: metrics from asynchronous endpoints").
NEVER_OF_ASYNCHRONOUS = frozenset({"Invocations", "InvocationsPerInstance", "OverheadLatency"})
#: What waking needs: at the first request, not at the second.
_AT_LEAST_ONE = {("GreaterThanOrEqualToThreshold", 1), ("GreaterThanThreshold", 0)}


def of_alarm(alarm: Resource) -> set[str] | Unknown:
    """The names of the metrics that an alarm looks at, those of metric math included."""
    queries = alarm.new.blocks("metric_query")
    if queries is UNKNOWN:
        return UNKNOWN
    return _known([alarm.new.text("metric_name"), *(query.text("metric.0.metric_name") for query in queries)])


def of_policy(policy: Resource) -> set[str] | Unknown:
    """The names of the metrics that a target tracking policy follows, predefined ones by their own names."""
    tracking = policy.new.block("target_tracking_scaling_policy_configuration")
    if not isinstance(tracking, Block):
        return set() if tracking is None else UNKNOWN
    parts = tracking.blocks("customized_metric_specification.0.metrics")
    if parts is UNKNOWN:
        return UNKNOWN
    names = [
        tracking.text("predefined_metric_specification.0.predefined_metric_type"),
        tracking.text("customized_metric_specification.0.metric_name"),
        *(part.text("metric_stat.0.metric.0.metric_name") for part in parts),
    ]
    return _known(names)


def wakes_at_one(alarm: Resource) -> bool | Unknown:
    """Whether an alarm on a count goes off at the first."""
    comparison, threshold = alarm.new.text("comparison_operator"), alarm.new.number("threshold")
    if comparison is UNKNOWN or threshold is UNKNOWN:
        return UNKNOWN
    return (comparison, threshold) in _AT_LEAST_ONE


def acts(alarm: Resource) -> bool | Unknown:
    """Whether an alarm tells anybody or anything."""
    actions, enabled = alarm.new.texts("alarm_actions"), alarm.new.flag("actions_enabled")
    if enabled is False or actions == []:
        return False
    return UNKNOWN if enabled is UNKNOWN or actions is UNKNOWN else True


def _known(names: list[str | Unknown | None]) -> set[str] | Unknown:
    return UNKNOWN if UNKNOWN in names else {name for name in names if isinstance(name, str)}
