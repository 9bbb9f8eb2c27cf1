"""CloudWatch metrics of asynchronous endpoints, in addition to those of every endpoint.

Source: "Alarms and logs for tracking metrics from asynchronous endpoints" in the developer guide. The metric with the
number of processed requests has the name observed in accounts; the guide has one letter more.
"""

from datetime import datetime

from sagemaker_sandbox.endpoints.asynchronous.queue import Queue
from sagemaker_sandbox.endpoints.hosting.metrics import MINUTE
from sagemaker_sandbox.endpoints.hosting.metrics import REQUEST_NAMESPACE as NAMESPACE
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import metrics

_UNITS = {
    "RequestDownloadLatency": "Microseconds",
    "ResponseUploadLatency": "Microseconds",
    "TimeInBacklog": "Microseconds",
    "TotalProcessingTime": "Milliseconds",
}


def put_request_metrics(region: AccountRegion, endpoint: str, variant: str, **values: float) -> None:
    """Publish metrics of a request to a variant. Latencies are in seconds."""
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    data = [_build_datum(name, value, dimensions) for name, value in values.items()]
    metrics.put(region.account_id, region.name, NAMESPACE, data, region.clock.now())


def _build_datum(name: str, value: float, dimensions: list[Fields]) -> Fields:
    unit = _UNITS.get(name, "Count")
    scale = {"Microseconds": 1e6, "Milliseconds": 1e3}.get(unit, 1)
    return {"MetricName": name, "Value": value * scale, "Unit": unit, "Dimensions": dimensions}


def put_queue_metrics(region: AccountRegion, endpoint: str, queue: Queue, instances: int, moment: datetime) -> None:
    """Publish the size and age of a queue at the end of a minute.

    Without instances the whole backlog counts as that of one instance. It is documented that a policy on this metric
    starts instances once the requests exceed its target.
    """
    oldest = queue.oldest
    age = (moment - oldest).total_seconds() if oldest is not None else 0.0
    values = {
        "ApproximateBacklogSize": (len(queue), "Count"),
        "ApproximateBacklogSizePerInstance": (len(queue) / max(instances, 1), "Count"),
        "ApproximateAgeOfOldestRequest": (max(age, 0.0), "Seconds"),
        "HasBacklogWithoutCapacity": (int(len(queue) > 0 and instances == 0), "Count"),
    }
    dimensions = [{"Name": "EndpointName", "Value": endpoint}]
    data = [
        {"MetricName": name, "Value": float(value), "Unit": unit, "Dimensions": dimensions}
        for name, (value, unit) in values.items()
    ]
    metrics.put(region.account_id, region.name, NAMESPACE, data, moment - MINUTE)  # the minute that has ended
