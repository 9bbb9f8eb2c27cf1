"""Usage of the endpoints of staging: requests, instance time, and the estimate of both."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from sustainable_mlops.footprint import FleetActivity, FootprintFigure, ServerlessActivity, estimate, make_exact
from tools.demo.demo_run import DemoRun
from tools.demo.environments import ACCOUNTS, REGION

#: Period that the metrics cover; longer than any demo.
_LONGEST_DEMO = timedelta(days=2)


class EndpointUsage(NamedTuple):
    """Number of requests by kind of endpoint, instance hours by instance type, and the estimates by metric."""

    requests: Mapping[str, int]
    instance_hours: Mapping[str, float]
    estimates: tuple[Mapping[str, FootprintFigure], ...]


def read_endpoint_usage(demo_run: DemoRun, serverless: str, asynchronous: str) -> EndpointUsage:
    """Return the usage of the two endpoints until now, from their metrics and from the sandbox's usage log."""
    sagemaker = demo_run.client("sagemaker", "staging")
    requests, seconds = _read_requests(demo_run, serverless)
    configuration = sagemaker.describe_endpoint(EndpointName=serverless)["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"]
    memory = variant["ServerlessConfig"]["MemorySizeInMB"]
    hours: dict[str, float] = {}
    for period in demo_run.sandbox.list_instance_periods(ACCOUNTS["staging"]):
        hours[period.instance_type] = hours.get(period.instance_type, 0.0) + period.count * period.hours
    fleets = [FleetActivity(name, REGION, hours=make_exact(one)) for name, one in hours.items()]
    served = ServerlessActivity(memory, REGION, make_exact(float(requests)), make_exact(seconds))
    counts = {"serverless": requests, "asynchronous": _read_requests(demo_run, asynchronous)[0]}
    return EndpointUsage(counts, hours, (estimate(served).figures, *(estimate(one).figures for one in fleets)))


def _read_requests(demo_run: DemoRun, endpoint: str) -> tuple[int, float]:
    """Return the number of requests to an endpoint, and the mean time of its model in seconds."""
    (variant,) = demo_run.client("sagemaker", "staging").describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    now = demo_run.sandbox.advance(0)
    statistics: Any = demo_run.client("cloudwatch", "staging").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": variant["VariantName"]},
        ],
        StartTime=now - _LONGEST_DEMO,
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["SampleCount", "Sum"],
    )
    points = statistics["Datapoints"]
    count = round(sum(one["SampleCount"] for one in points))
    return count, sum(one["Sum"] for one in points) / 1e6 / max(count, 1)
