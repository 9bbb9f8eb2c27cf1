"""Metric data told to CloudWatch inside the process."""

from datetime import datetime

from moto.cloudwatch.models import cloudwatch_backends

from sustainable_mlops.sandbox.parts.resources import Fields


def put(account: str, region: str, namespace: str, data: list[Fields], moment: datetime) -> None:
    """As PutMetricData does; each a MetricDatum, of that moment unless it has its own."""
    told = [{"Timestamp": moment} | datum for datum in data]
    cloudwatch_backends[account][region].put_metric_data(namespace, told)
