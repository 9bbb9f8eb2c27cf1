"""Metrics of CloudWatch alarms and scaling policies, and whether an endpoint publishes them."""

import re
from collections.abc import Iterable

from sustainable_mlops.plan.joins import ASYNCHRONOUS, REAL_TIME, SERVERLESS
from sustainable_mlops.plan.values import UNKNOWN, Block, Readers, Unknown

#: SageMaker's namespaces. A custom metric in another namespace may have the same name, such as `Invocations`.
_NAMESPACES = frozenset({"AWS/SageMaker", "/aws/sagemaker/Endpoints", "/aws/sagemaker/InferenceComponents"})
_OF_INSTANCES = frozenset(
    {
        "ConcurrentRequestsPerModel",
        "InvocationsPerInstance",
        "SageMakerVariantConcurrentRequestsPerModelHighResolution",
        "SageMakerVariantInvocationsPerInstance",
    }
)
_OF_QUEUES = frozenset(
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
_OF_WORKERS = frozenset(
    {
        "SageMakerVariantProvisionedConcurrencyUtilization",
        "ServerlessConcurrentExecutionsUtilization",
        "ServerlessProvisionedConcurrencyUtilization",
    }
)
#: Metrics that an endpoint of each kind never publishes (developer guide, "Alarms and logs for tracking metrics from
#: asynchronous endpoints", "… from serverless endpoints"). Predefined metrics have their own names.
NEVER = {
    ASYNCHRONOUS: _OF_INSTANCES | _OF_WORKERS | {"Invocations", "OverheadLatency"},
    REAL_TIME: _OF_QUEUES | _OF_WORKERS,
    SERVERLESS: _OF_QUEUES | _OF_INSTANCES,
}
#: Metrics that are published only while there is no instance or no copy to respond.
AT_ZERO = frozenset({"HasBacklogWithoutCapacity", "NoCapacityInvocationFailures"})
#: A function of metric math may make a number where a metric has none.
_FUNCTION = re.compile(r"[A-Z]\(")


def of_alarm(alarm: Readers) -> set[str] | Unknown:
    """Return the SageMaker metrics of an alarm, including those in metric math."""
    queries = alarm.blocks("metric_query")
    if queries is UNKNOWN:
        return UNKNOWN
    places = [(alarm, ""), *((query, "metric.0.") for query in queries)]
    return _names((block.text(f"{start}namespace"), block.text(f"{start}metric_name")) for block, start in places)


def of_policy(policy: Readers) -> set[str] | Unknown:
    """Return the SageMaker metrics of a target tracking policy; predefined ones have their own names."""
    tracking = policy.block("target_tracking_scaling_policy_configuration")
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
    """Return the names with a SageMaker namespace from pairs of namespace and name."""
    named = [(space, name) for space, name in metrics if name not in (None, "")]
    found = [pair for pair in named if pair[0] is UNKNOWN or pair[0] in _NAMESPACES]
    return UNKNOWN if any(UNKNOWN in pair for pair in found) else {str(name) for _, name in found}


def followed(policy: Readers, kind: str | Unknown) -> bool | Unknown:
    """Return whether an endpoint of this kind ever publishes the metrics of a target tracking policy."""
    parts = policy.blocks("target_tracking_scaling_policy_configuration.0.customized_metric_specification.0.metrics")
    return _published(of_policy(policy), kind, parts)


def watched(alarm: Readers, kind: str | Unknown) -> bool | Unknown:
    """Return whether an endpoint of this kind ever publishes the metrics of an alarm."""
    return _published(of_alarm(alarm), kind, alarm.blocks("metric_query"))


def never(names: set[str] | Unknown, kind: str | Unknown) -> set[str] | Unknown:
    """Return the metrics among `names` that an endpoint of this kind never publishes."""
    if names is UNKNOWN:
        return UNKNOWN
    if isinstance(kind, str):
        return names & NEVER.get(kind, frozenset())
    return UNKNOWN if any(names & of_kind for of_kind in NEVER.values()) else set()


def _published(names: set[str] | Unknown, kind: str | Unknown, math: list[Block] | Unknown) -> bool | Unknown:
    found = never(names, kind)
    if found is UNKNOWN or math is UNKNOWN:
        return UNKNOWN
    texts = [part.text("expression") for part in math]
    if found and any(text is UNKNOWN or (text is not None and _FUNCTION.search(text)) for text in texts):
        return UNKNOWN
    return not found
