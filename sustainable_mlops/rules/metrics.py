"""What a CloudWatch alarm or a scaling policy looks at."""

from collections.abc import Iterable

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Unknown

#: Where SageMaker publishes; anybody may call a metric of his own `Invocations`, in another namespace.
_NAMESPACES = frozenset({"AWS/SageMaker", "/aws/sagemaker/Endpoints", "/aws/sagemaker/InferenceComponents"})
#: Metrics of `AWS/SageMaker` that asynchronous endpoints never publish (developer guide, "Alarms and logs for tracking
#: metrics from asynchronous endpoints").
NEVER_OF_ASYNCHRONOUS = frozenset({"Invocations", "InvocationsPerInstance", "OverheadLatency"})
#: What waking needs: at the first request, not at the second.
_AT_LEAST_ONE = {("GreaterThanOrEqualToThreshold", 1), ("GreaterThanThreshold", 0)}


def of_alarm(alarm: Resource) -> set[str] | Unknown:
    """The names of SageMaker's metrics that an alarm looks at, those of metric math included."""
    queries = alarm.new.blocks("metric_query")
    if queries is UNKNOWN:
        return UNKNOWN
    places = [(alarm.new, ""), *((query, "metric.0.") for query in queries)]
    return _names((block.text(f"{start}namespace"), block.text(f"{start}metric_name")) for block, start in places)


def of_policy(policy: Resource) -> set[str] | Unknown:
    """The names of SageMaker's metrics that a target tracking policy follows, predefined ones by their own names."""
    tracking = policy.new.block("target_tracking_scaling_policy_configuration")
    if not isinstance(tracking, Block):
        return set() if tracking is None else UNKNOWN
    parts = tracking.blocks("customized_metric_specification.0.metrics")
    if parts is UNKNOWN:
        return UNKNOWN
    predefined = tracking.text("predefined_metric_specification.0.predefined_metric_type")
    places = [(tracking, "customized_metric_specification.0."), *((part, "metric_stat.0.metric.0.") for part in parts)]
    customized = [(block.text(f"{start}namespace"), block.text(f"{start}metric_name")) for block, start in places]
    return _names([("AWS/SageMaker", predefined), *customized])


def _names(metrics: Iterable[tuple[str | Unknown | None, str | Unknown | None]]) -> set[str] | Unknown:
    """The names among pairs of namespace and name whose namespace is SageMaker's."""
    named = [(space, name) for space, name in metrics if name not in (None, "")]
    found = [pair for pair in named if pair[0] is UNKNOWN or pair[0] in _NAMESPACES]
    return UNKNOWN if any(UNKNOWN in pair for pair in found) else {str(name) for _, name in found}


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
    """Whether an alarm tells anybody or anything; a topic that is made in the same apply is told."""
    actions, enabled = alarm.new.texts("alarm_actions"), alarm.new.flag("actions_enabled")
    if enabled is False or actions == []:
        return False
    if actions is UNKNOWN and not plan.references(alarm, "alarm_actions").resources:
        return UNKNOWN
    return UNKNOWN if enabled is UNKNOWN else True
