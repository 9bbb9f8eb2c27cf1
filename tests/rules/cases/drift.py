"""Cases of rules/monitoring.py."""

from typing import Any

from tests.rules.jobs import UNKNOWN, Resources

_SCHEDULE = "aws_sagemaker_monitoring_schedule.s"


def _schedule(expression: str = "cron(0 0 ? * * *)") -> Resources:
    config = {"monitoring_type": "DataQuality", "schedule_config": {"schedule_expression": expression}}
    return {_SCHEDULE: {"name": "s", "monitoring_schedule_config": config}}


def _capture(percent: Any, *, on: bool = True) -> Resources:
    capture = {"enable_capture": on, "initial_sampling_percentage": percent, "destination_s3_uri": "s3://b/c"}
    return {"aws_sagemaker_endpoint_configuration.c": {"name": "c", "data_capture_config": capture}}


def _alarm(namespace: str) -> Resources:
    return {"aws_cloudwatch_metric_alarm.a": {"alarm_name": "a", "namespace": namespace}}


CASES = {
    "SUS_MONITORING_HOURLY": {
        "pass": {"daily": _schedule()},
        "fail": {"hourly": _schedule("cron(0 * ? * * *)"), "hourly from 0": _schedule("cron(0 0/1 ? * * *)")},
        "unknown": {"not known": _schedule(UNKNOWN)},
        "not_applicable": {"no schedule": _capture(10)},
    },
    "SUS_CAPTURE_SAMPLING": {
        "pass": {"a tenth": _capture(10)},
        "fail": {"all": _capture(100)},
        "unknown": {"not known": _capture(UNKNOWN)},
        "not_applicable": {"off": _capture(100, on=False)},
    },
    "SUS_DRIFT_ALARM": {
        "pass": {"alarm": {**_schedule(), **_alarm("aws/sagemaker/Endpoints/data-metrics")}},
        "fail": {"none": _schedule(), "another alarm": {**_schedule(), **_alarm("AWS/SageMaker")}},
        "unknown": {"namespace not known": {**_schedule(), **_alarm(UNKNOWN)}},
        "not_applicable": {"no schedule": _alarm("AWS/SageMaker")},
    },
}
