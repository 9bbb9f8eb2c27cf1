"""Cases of rules/monitoring/monitors.py."""

import json
from typing import Any

from tests.rules.endpoints import build_real_time
from tests.rules.jobs import UNKNOWN, Resources

_SCHEDULE = "aws_sagemaker_monitoring_schedule.s"


def _schedule(expression: str = "cron(0 0 ? * * *)") -> Resources:
    config = {"monitoring_type": "DataQuality", "schedule_config": {"schedule_expression": expression}}
    return {_SCHEDULE: {"name": "s", "monitoring_schedule_config": config}}


def _capture(percent: Any, *, enabled: Any = True) -> Resources:
    capture = {"enable_capture": enabled, "initial_sampling_percentage": percent, "destination_s3_uri": "s3://b/c"}
    return {"aws_sagemaker_endpoint_configuration.c": {"name": "c", "data_capture_config": capture}}


def _alarm(namespace: str, metric: str = "feature_baseline_drift", **more: Any) -> Resources:
    values = {"alarm_actions": ["arn:aws:sns:eu-north-1:123456789012:on-call"], **more}
    return {"aws_cloudwatch_metric_alarm.a": {"namespace": namespace, "metric_name": metric, **values}}


def _event_rule(name: str, detail_type: str = "CloudWatch Alarm State Change") -> Resources:
    arn = f"arn:aws:cloudwatch:eu-north-1:123456789012:alarm:{name}"
    pattern = {"source": ["aws.cloudwatch"], "detail-type": [detail_type], "resources": [arn]}
    return {"aws_cloudwatch_event_rule.r": {"name": "r", "event_pattern": json.dumps(pattern)}}


_SILENT = _alarm("Acme", "DriftShare", alarm_actions=[], alarm_name="drift")

CASES = {
    "SUS_MONITORING_HOURLY": {
        "pass": {"daily": _schedule()},
        "fail": {
            "hourly": _schedule("cron(0 * ? * * *)"),
            "hourly from 0": _schedule("cron(0 0/1 ? * * *)"),
            "each hour of the day": _schedule("cron(0 0-23 ? * * *)"),
        },
        "unknown": {"unknown": _schedule(UNKNOWN), "an invalid schedule": _schedule("sometimes")},
        "not_applicable": {"no monitoring schedule": _capture(10), "started manually": {_SCHEDULE: {"name": "s"}}},
    },
    "SUS_CAPTURE_SAMPLING": {
        "pass": {"10 %": _capture(10)},
        "fail": {"all": _capture(100)},
        "unknown": {"unknown": _capture(UNKNOWN), "unknown switch": _capture(100, enabled=UNKNOWN)},
        "not_applicable": {"off": _capture(100, enabled=False)},
    },
    "SUS_DRIFT_ALARM": {
        "pass": {
            "a Model Monitor metric": {**_schedule(), **_alarm("aws/sagemaker/Endpoints/data-metrics")},
            "a custom metric": {**build_real_time(), **_alarm("Acme/Delay", "DriftShare")},
            "an alarm whose event starts a pipeline": {**build_real_time(), **_SILENT, **_event_rule("drift")},
            "in metric math": {
                **build_real_time(),
                **_alarm(
                    "", "", metric_query=[{"id": "d", "metric": {"namespace": "Evidently", "metric_name": "psi"}}]
                ),
            },
        },
        "fail": {
            "events of another alarm": {**build_real_time(), **_SILENT, **_event_rule("delay")},
            "other events": {**build_real_time(), **_SILENT, **_event_rule("drift", "Scheduled Event")},
            "none": _schedule(),
            "an endpoint metric": build_real_time(),
            "another alarm": {**_schedule(), **_alarm("AWS/SageMaker", "ModelLatency")},
            "an alarm without an action": {**build_real_time(), **_alarm("Acme", "DriftShare", alarm_actions=[])},
        },
        "unknown": {
            "unknown metric": {**_schedule(), **_alarm("Acme", UNKNOWN)},
            "unknown event pattern": {
                **build_real_time(),
                **_SILENT,
                "aws_cloudwatch_event_rule.r": {"name": "r", "event_pattern": UNKNOWN},
            },
            "unknown action": {**build_real_time(), **_alarm("Acme", "DriftShare", alarm_actions=UNKNOWN)},
        },
        "not_applicable": {"no model": _alarm("AWS/SageMaker")},
    },
}
