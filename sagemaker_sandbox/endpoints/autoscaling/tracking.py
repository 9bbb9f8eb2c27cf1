"""Target tracking: alarms of a policy, and the capacity for a metric value.

Source: the user guide, "Target tracking scaling policies", and the thresholds of AWS alarms in DescribeAlarms: 3 of 3
minutes above the target, 15 of 15 minutes below 90 % of it.
"""

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.endpoints.autoscaling.dimensions import CONCURRENCY, INSTANCES, EndpointVariant
from sagemaker_sandbox.resources.resources import Fields

#: Share of the target below which the low alarm breaches.
_LOW_FACTOR = 0.9
#: Tolerance for rounding errors in a computed capacity.
_TOLERANCE = 1e-9
_HIGH_NAME = "-AlarmHigh-"
_PERIODS = {"AlarmHigh": 3, "AlarmLow": 15}
_METRIC_MEMBERS = ("MetricName", "Namespace", "Statistic", "Dimensions", "Unit")


@dataclass(frozen=True)
class _Predefined:
    dimension: str
    metric: str
    statistic: str
    period: int = 60


#: The statistic of the first one is that of AWS alarms; the others are assumed. Also assumed: a metric with high
#: resolution has a shorter period.
_PREDEFINED = {
    "SageMakerVariantInvocationsPerInstance": _Predefined(INSTANCES.name, "InvocationsPerInstance", "Sum"),
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": _Predefined(
        INSTANCES.name, "ConcurrentRequestsPerModel", "Maximum", 10
    ),
    "SageMakerVariantProvisionedConcurrencyUtilization": _Predefined(
        CONCURRENCY.name, "ServerlessProvisionedConcurrencyUtilization", "Average"
    ),
}


def compute_scale_out(capacity: int, value: float, target: float) -> int:
    """Return the capacity at which the metric would meet its target. Capacity 0 counts as 1."""
    return max(capacity, math.ceil(max(capacity, 1) * value / target - _TOLERANCE))


def compute_scale_in(capacity: int, value: float, target: float) -> int:
    """Return a lower capacity at which the metric stays below its target, or the same capacity.

    AWS documents "gradually" and no more. Assumed: half of the excess is removed in the first step, at least one.
    """
    required = max(math.ceil(capacity * value / target - _TOLERANCE), 0)
    return capacity if required >= capacity else capacity - max((capacity - required) // 2, 1)


def build_alarms(variant: EndpointVariant, resource_id: str, policy: Fields, policy_arn: str) -> Iterator[Fields]:
    """Yield the PutMetricAlarm requests of a policy.

    A policy that does not scale in has no low alarm (assumed).
    """
    action = f"{policy_arn}:createdBy/{uuid.uuid4()}"
    for kind, comparison, threshold in (
        ("AlarmHigh", "GreaterThanThreshold", policy["TargetValue"]),
        ("AlarmLow", "LessThanThreshold", policy["TargetValue"] * _LOW_FACTOR),
    ):
        if kind == "AlarmHigh" or not policy.get("DisableScaleIn"):
            yield {
                "AlarmName": f"TargetTracking-{resource_id}-{kind}-{uuid.uuid4()}",
                "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}.",
                "AlarmActions": [action],
                "ComparisonOperator": comparison,
                "Threshold": threshold,
                "EvaluationPeriods": _PERIODS[kind],
                **_build_metric(variant, policy),
            }


def is_high_alarm(alarm_name: str) -> bool:
    """Return whether an alarm of target tracking requests more capacity."""
    return _HIGH_NAME in alarm_name


def _build_metric(variant: EndpointVariant, policy: Fields) -> Fields:
    """Return the members of PutMetricAlarm that describe the metric."""
    if "PredefinedMetricSpecification" in policy:
        predefined = _PREDEFINED[policy["PredefinedMetricSpecification"]["PredefinedMetricType"]]
        dimensions = {"EndpointName": variant.endpoint, "VariantName": variant.variant}
        return {
            "Namespace": "AWS/SageMaker",
            "MetricName": predefined.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Statistic": predefined.statistic,
            "Period": predefined.period,
        }
    customized = policy["CustomizedMetricSpecification"]
    if "Metrics" in customized:
        return {"Metrics": [_build_query(query) for query in customized["Metrics"]]}
    return {member: customized[member] for member in _METRIC_MEMBERS if member in customized} | {"Period": 60}


def _build_query(query: Fields) -> Fields:
    if "MetricStat" not in query:
        return query
    return query | {"MetricStat": query["MetricStat"] | {"Period": 60}}


def check_tracking_policy(dimension: str, policy: Fields) -> None:
    """Raise ValidationError for a policy without a metric, or with one of another dimension."""
    predefined, customized = (policy.get(f"{kind}MetricSpecification") for kind in ("Predefined", "Customized"))
    if predefined is None and customized is None:
        raise ValidationError(
            "PredefinedMetricSpecification or CustomizedMetricSpecification must be set for target tracking scaling."
        )
    if predefined is not None and customized is not None:
        raise ValidationError(
            "Only one of PredefinedMetricSpecification or CustomizedMetricSpecification can be set for target tracking "
            "scaling."
        )
    if predefined is not None:
        allowed = sorted(
            name for name, predefined_metric in _PREDEFINED.items() if predefined_metric.dimension == dimension
        )
        if predefined["PredefinedMetricType"] not in allowed:
            raise ValidationError(
                f"Scalable dimension {dimension} only supports the following predefined metric types: "
                f"{', '.join(allowed)}"
            )
    if customized is not None and not _is_complete(customized):
        raise ValidationError("The customized metric specification is not valid.")
    if policy["TargetValue"] <= 0:
        raise ValidationError("Target value must be greater than 0")


def _is_complete(customized: Fields) -> bool:
    """Return True for one metric, or for metric math that returns exactly one metric."""
    if "Metrics" not in customized:
        return {"MetricName", "Namespace", "Statistic"} <= customized.keys()
    returned_queries = [query for query in customized["Metrics"] if query.get("ReturnData", True)]
    return not set(_METRIC_MEMBERS) & customized.keys() and len(returned_queries) == 1


def is_same_metric(one: Fields, other: Fields) -> bool:
    """Return whether two policies track the same metric. AWS allows one policy for each metric."""
    return all(
        one.get(kind) == other.get(kind) for kind in ("PredefinedMetricSpecification", "CustomizedMetricSpecification")
    )
