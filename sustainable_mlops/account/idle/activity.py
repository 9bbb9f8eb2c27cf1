"""Use of resources, from CloudWatch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sustainable_mlops.account.idle.scope import IdleScanScope

#: Limits of one GetMetricData request. Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
_MAX_QUERIES, _MAX_DATAPOINTS = 500, 100_800
_HOUR, _DAY = 3600, 86_400
#: Longest period with one datapoint an hour, in days.
_HOURLY_DAYS = 15


@dataclass(frozen=True)
class ActivityMetric:
    """A metric that is more than 0 when its resource is in use."""

    resource: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


def find_resources_in_use(scope: IdleScanScope, metrics: Sequence[ActivityMetric]) -> set[str]:
    """Return the resources with a metric above 0 in the period. Raises DeniedError."""
    period = _HOUR if scope.days <= _HOURLY_DAYS else _DAY
    datapoints = int(scope.days * _DAY // period) + 2
    size = max(1, min(_MAX_QUERIES, _MAX_DATAPOINTS // datapoints))
    in_use: set[str] = set()
    for start in range(0, len(metrics), size):
        batch = metrics[start : start + size]
        results = scope.account.list_all(
            "cloudwatch",
            "get_metric_data",
            "MetricDataResults",
            MetricDataQueries=[_build_query(number, metric, period) for number, metric in enumerate(batch)],
            StartTime=scope.since,
            EndTime=scope.moment,
        )
        in_use |= {batch[int(one["Id"].removeprefix("m"))].resource for one in results if any(one["Values"])}
    return in_use


def _build_query(number: int, metric: ActivityMetric, period: int) -> Mapping[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    identity = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": f"m{number}", "MetricStat": {"Metric": identity, "Period": period, "Stat": "Sum"}}
