"""Metrics of CloudWatch alarms and scaling policies, and whether an endpoint publishes them."""

from collections.abc import Iterable

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan.joins import ASYNCHRONOUS, REAL_TIME, SERVERLESS
from sustainable_mlops.plan.values import UNKNOWN, AttributeReader, Block, Unknown

#: SageMaker's namespaces. A custom metric in another namespace may have the same name, such as `Invocations`.
_NAMESPACES = frozenset({"AWS/SageMaker", "/aws/sagemaker/Endpoints", "/aws/sagemaker/InferenceComponents"})
_INSTANCE_METRICS = frozenset(
    {
        "ConcurrentRequestsPerModel",
        "InvocationsPerInstance",
        "SageMakerVariantConcurrentRequestsPerModelHighResolution",
        "SageMakerVariantInvocationsPerInstance",
    }
)
_QUEUE_METRICS = frozenset(
    {
        "ApproximateAgeOfOldestRequest",
        "ApproximateBacklogSize",
        "ApproximateBacklogSizePerInstance",
        "ExpiredRequests",
        "HasBacklogWithoutCapacity",
        "InvocationFailures",
        "TimeInBacklog",
        "TotalProcessingTime",
    }
)
_WORKER_METRICS = frozenset(
    {
        "SageMakerVariantProvisionedConcurrencyUtilization",
        "ServerlessConcurrentExecutionsUtilization",
        "ServerlessProvisionedConcurrencyUtilization",
    }
)
#: Metrics that an endpoint of each kind never publishes (developer guide, "Alarms and logs for tracking metrics from
#: asynchronous endpoints", "… from serverless endpoints"). Predefined metrics have their own names.
UNPUBLISHED = {
    ASYNCHRONOUS: _INSTANCE_METRICS | _WORKER_METRICS | {"Invocations", "OverheadLatency"},
    REAL_TIME: _QUEUE_METRICS | _WORKER_METRICS,
    SERVERLESS: _QUEUE_METRICS | _INSTANCE_METRICS,
}
#: Metrics that are published only while there is no instance or no copy to respond.
ZERO_CAPACITY_METRICS = frozenset({"HasBacklogWithoutCapacity", "NoCapacityInvocationFailures"})
#: A function of metric math may return a number for a metric without data.
_FUNCTION = LazyPattern(r"[A-Z]\(")


def list_alarm_metrics(alarm: AttributeReader) -> set[str] | Unknown:
    """Return the SageMaker metrics of an alarm, including those in metric math."""
    queries = alarm.blocks("metric_query")
    if queries is UNKNOWN:
        return UNKNOWN
    locations = [(alarm, ""), *((query, "metric.0.") for query in queries)]
    return _filter_names(
        (block.text(f"{start}namespace"), block.text(f"{start}metric_name")) for block, start in locations
    )


def list_query_ids(alarm: AttributeReader, names: frozenset[str]) -> set[str] | Unknown:
    """Return the IDs of an alarm's metric queries that read one of these SageMaker metrics."""
    queries = alarm.blocks("metric_query")
    if queries is UNKNOWN:
        return UNKNOWN
    query_names = [
        (query.text("id"), _filter_names([(query.text("metric.0.namespace"), query.text("metric.0.metric_name"))]))
        for query in queries
    ]
    matching_ids = [name for name, metrics in query_names if metrics is UNKNOWN or metrics & names]
    if UNKNOWN in matching_ids or any(metrics is UNKNOWN for _, metrics in query_names):
        return UNKNOWN
    return {str(name) for name in matching_ids}


def list_policy_metrics(policy: AttributeReader) -> set[str] | Unknown:
    """Return the SageMaker metrics of a target tracking policy; predefined ones have their own names."""
    tracking = policy.block("target_tracking_scaling_policy_configuration")
    if not isinstance(tracking, Block):
        return set() if tracking is None else UNKNOWN
    parts = tracking.blocks("customized_metric_specification.0.metrics")
    if parts is UNKNOWN:
        return UNKNOWN
    predefined = tracking.text("predefined_metric_specification.0.predefined_metric_type")
    locations = [
        (tracking, "customized_metric_specification.0."),
        *((part, "metric_stat.0.metric.0.") for part in parts),
    ]
    customized = [(block.text(f"{start}namespace"), block.text(f"{start}metric_name")) for block, start in locations]
    return _filter_names([("AWS/SageMaker", predefined), *customized])


def _filter_names(metrics: Iterable[tuple[str | Unknown | None, str | Unknown | None]]) -> set[str] | Unknown:
    """Return the names with a SageMaker namespace from pairs of namespace and name."""
    named_metrics = [(space, name) for space, name in metrics if name not in (None, "")]
    sagemaker_metrics = [pair for pair in named_metrics if pair[0] is UNKNOWN or pair[0] in _NAMESPACES]
    return (
        UNKNOWN if any(UNKNOWN in pair for pair in sagemaker_metrics) else {str(name) for _, name in sagemaker_metrics}
    )


def publishes_policy_metrics(policy: AttributeReader, kind: str | Unknown) -> bool | Unknown:
    """Return whether an endpoint of this kind ever publishes the metrics of a target tracking policy."""
    parts = policy.blocks("target_tracking_scaling_policy_configuration.0.customized_metric_specification.0.metrics")
    return _is_published(list_policy_metrics(policy), kind, parts)


def publishes_alarm_metrics(alarm: AttributeReader, kind: str | Unknown) -> bool | Unknown:
    """Return whether an endpoint of this kind ever publishes the metrics of an alarm."""
    return _is_published(list_alarm_metrics(alarm), kind, alarm.blocks("metric_query"))


def list_unpublished(names: set[str] | Unknown, kind: str | Unknown) -> set[str] | Unknown:
    """Return the metrics among `names` that an endpoint of this kind never publishes."""
    if names is UNKNOWN:
        return UNKNOWN
    if isinstance(kind, str):
        return names & UNPUBLISHED.get(kind, frozenset())
    return UNKNOWN if any(names & kind_metrics for kind_metrics in UNPUBLISHED.values()) else set()


def _is_published(names: set[str] | Unknown, kind: str | Unknown, math: list[Block] | Unknown) -> bool | Unknown:
    missing = list_unpublished(names, kind)
    if missing is UNKNOWN or math is UNKNOWN:
        return UNKNOWN
    texts = [part.text("expression") for part in math]
    if missing and any(text is UNKNOWN or (text is not None and _FUNCTION.search(text)) for text in texts):
        return UNKNOWN
    return not missing
