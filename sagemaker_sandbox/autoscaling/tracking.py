"""Target tracking: the alarms that it makes, and the capacity that a metric asks for.

Source: the user guide, "Target tracking scaling policies", and the thresholds that DescribeAlarms shows of AWS's own:
3 of 3 minutes above the target, 15 of 15 below 90 % of it.
"""

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from sagemaker_sandbox.autoscaling.dimensions import CONCURRENCY, INSTANCES, EndpointVariant
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.resources import Fields

#: How far below its target a metric has to be for fewer to do.
_LOW = 0.9
#: Where a computed capacity is a whole number but for the error of its arithmetic.
_CLOSE = 1e-9
_HIGH_NAME = "-AlarmHigh-"
_PERIODS = {"AlarmHigh": 3, "AlarmLow": 15}
_OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "Dimensions", "Unit")


@dataclass(frozen=True)
class _Predefined:
    dimension: str
    metric: str
    statistic: str
    period: int = 60


#: AWS shows the statistics of the first; those of the others are assumed. What is published more often is looked at
#: more often: an assumption, too.
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
    """The capacity at which the metric would be at its target. None is counted as one: a metric of none says it all."""
    return max(capacity, math.ceil(max(capacity, 1) * value / target - _CLOSE))


def compute_scale_in(capacity: int, value: float, target: float) -> int:
    """A lower capacity at which the metric would still not pass its target; the same where there is none.

    AWS says "gradually" and no more. Assumed: half of what is too many goes at once, and at least one.
    """
    enough = max(math.ceil(capacity * value / target - _CLOSE), 0)
    return capacity if enough >= capacity else capacity - max((capacity - enough) // 2, 1)


def build_alarms(place: EndpointVariant, resource_id: str, policy: Fields, policy_arn: str) -> Iterator[Fields]:
    """The requests that make the alarms of a policy. One that does not scale in has no low one (assumed)."""
    action = f"{policy_arn}:createdBy/{uuid.uuid4()}"
    for kind, comparison, threshold in (
        ("AlarmHigh", "GreaterThanThreshold", policy["TargetValue"]),
        ("AlarmLow", "LessThanThreshold", policy["TargetValue"] * _LOW),
    ):
        if kind == "AlarmHigh" or not policy.get("DisableScaleIn"):
            yield {
                "AlarmName": f"TargetTracking-{resource_id}-{kind}-{uuid.uuid4()}",
                "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}.",
                "AlarmActions": [action],
                "ComparisonOperator": comparison,
                "Threshold": threshold,
                "EvaluationPeriods": _PERIODS[kind],
                **_metric(place, policy),
            }


def is_high_alarm(alarm_name: str) -> bool:
    """Whether an alarm of target tracking is the one that asks for more."""
    return _HIGH_NAME in alarm_name


def _metric(place: EndpointVariant, policy: Fields) -> Fields:
    """The members of PutMetricAlarm that say what is watched."""
    if "PredefinedMetricSpecification" in policy:
        known = _PREDEFINED[policy["PredefinedMetricSpecification"]["PredefinedMetricType"]]
        dimensions = {"EndpointName": place.endpoint, "VariantName": place.variant}
        return {
            "Namespace": "AWS/SageMaker",
            "MetricName": known.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Statistic": known.statistic,
            "Period": known.period,
        }
    given = policy["CustomizedMetricSpecification"]
    if "Metrics" in given:
        return {"Metrics": [_query(query) for query in given["Metrics"]]}
    return {member: given[member] for member in _OF_ONE_METRIC if member in given} | {"Period": 60}


def _query(query: Fields) -> Fields:
    if "MetricStat" not in query:
        return query
    return query | {"MetricStat": query["MetricStat"] | {"Period": 60}}


def check_tracking_policy(dimension: str, policy: Fields) -> None:
    """Raise ValidationError for a policy that names no metric, or one that its dimension has not."""
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
        allowed = sorted(name for name, known in _PREDEFINED.items() if known.dimension == dimension)
        if predefined["PredefinedMetricType"] not in allowed:
            raise ValidationError(
                f"Scalable dimension {dimension} only supports the following predefined metric types: "
                f"{', '.join(allowed)}"
            )
    if customized is not None and not _is_whole(customized):
        raise ValidationError("The customized metric specification is not valid.")
    if policy["TargetValue"] <= 0:
        raise ValidationError("Target value must be greater than 0")


def _is_whole(customized: Fields) -> bool:
    """Whether it is one metric or, by metric math, several of which one is returned."""
    if "Metrics" not in customized:
        return {"MetricName", "Namespace", "Statistic"} <= customized.keys()
    returned = [query for query in customized["Metrics"] if query.get("ReturnData", True)]
    return not set(_OF_ONE_METRIC) & customized.keys() and len(returned) == 1


def is_same_metric(one: Fields, other: Fields) -> bool:
    """Whether two policies track the same metric, which one target may do once only."""
    return all(
        one.get(kind) == other.get(kind) for kind in ("PredefinedMetricSpecification", "CustomizedMetricSpecification")
    )
