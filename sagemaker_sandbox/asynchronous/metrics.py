"""What CloudWatch is told of asynchronous endpoints, beside what it is told of every endpoint.

Source: "Alarms and logs for tracking metrics from asynchronous endpoints" in the developer guide. The number of
requests processed is called as it is found in accounts; the guide has one letter more in it.
"""

from datetime import datetime

from sagemaker_sandbox.asynchronous.queue import Queue
from sagemaker_sandbox.cloudwatch import metrics
from sagemaker_sandbox.hosting.metrics import MINUTE
from sagemaker_sandbox.hosting.metrics import REQUEST_NAMESPACE as NAMESPACE
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields

_UNITS = {
    "RequestDownloadLatency": "Microseconds",
    "ResponseUploadLatency": "Microseconds",
    "TimeInBacklog": "Microseconds",
    "TotalProcessingTime": "Milliseconds",
}


def put_request_metrics(region: AccountRegion, endpoint: str, variant: str, **values: float) -> None:
    """Tell something of a request to a variant; latencies are given in seconds."""
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    data = [_datum(name, value, dimensions) for name, value in values.items()]
    metrics.put(region.account_id, region.name, NAMESPACE, data, region.clock.now())


def _datum(name: str, value: float, dimensions: list[Fields]) -> Fields:
    unit = _UNITS.get(name, "Count")
    scale = {"Microseconds": 1e6, "Milliseconds": 1e3}.get(unit, 1)
    return {"MetricName": name, "Value": value * scale, "Unit": unit, "Dimensions": dimensions}


def put_queue_metrics(region: AccountRegion, endpoint: str, queue: Queue, instances: int, moment: datetime) -> None:
    """Tell how much there was in a queue as that minute ended.

    Of no instance, all of it is counted as if for one: a policy that follows this is documented to start instances
    again once the requests exceed its target.
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
    metrics.put(region.account_id, region.name, NAMESPACE, data, moment - MINUTE)  # of the minute that is over
