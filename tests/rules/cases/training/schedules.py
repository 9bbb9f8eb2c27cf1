"""Cases of rules/training/schedules.py."""

import json
from typing import Any

from tests.rules.jobs import UNKNOWN, Resources, build_pipeline, build_step, build_training_pipeline

_TRAINS = build_training_pipeline()
_SCORES = build_pipeline(build_step("Transform"))
_ARN = "${aws_sagemaker_pipeline.p.arn}"


def _rule(pipeline_resources: Resources, arn: str = _ARN, **settings: Any) -> Resources:
    return {
        **pipeline_resources,
        "aws_cloudwatch_event_rule.r": {"name": "r", **settings},
        "aws_cloudwatch_event_target.t": {"rule": "${aws_cloudwatch_event_rule.r.name}", "arn": arn},
    }


def _schedule(pipeline_resources: Resources, expression: str = "rate(1 day)", mode: str = "OFF") -> Resources:
    return {
        **pipeline_resources,
        "aws_scheduler_schedule.s": {
            "name": "s",
            "schedule_expression": expression,
            "flexible_time_window": {"mode": mode},
            "target": {"arn": _ARN, "role_arn": "r", "sagemaker_pipeline_parameters": {}},
        },
    }


def _build_call_schedule(pipeline_resources: Resources, name: Any) -> Resources:
    """Return a schedule that starts a version by its alias, which a pipeline target cannot do."""
    scheduled = _schedule(pipeline_resources, mode="FLEXIBLE")
    body = name if name is UNKNOWN else json.dumps({"PipelineName": name, "PipelineVersionAlias": "live"})
    arn = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    schedule = {**scheduled["aws_scheduler_schedule.s"], "target": {"arn": arn, "role_arn": "r", "input": body}}
    return {**scheduled, "aws_scheduler_schedule.s": schedule}


def _call(mode: str) -> Resources:
    arn = "arn:aws:scheduler:::aws-sdk:sagemaker:createTransformJob"
    window = {"mode": mode}
    return {"aws_scheduler_schedule.s": {"flexible_time_window": window, "target": {"arn": arn, "role_arn": "r"}}}


_DRIFT = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
_LAMBDA = "arn:aws:lambda:eu-north-1:123456789012:function:tidy"
_ELSEWHERE = "arn:aws:sagemaker:eu-north-1:123456789012:pipeline/elsewhere"
_HIDDEN: Resources = {"aws_sagemaker_pipeline.p": {"pipeline_name": "p", "pipeline_definition": UNKNOWN}}

CASES = {
    "SUS_RETRAINING_BY_CLOCK": {
        "pass": {
            "on drift": _rule(_TRAINS, event_pattern=_DRIFT),
            "on drift, a pipeline outside the plan": _rule({}, _ELSEWHERE, event_pattern=_DRIFT),
            "on drift, after an apply": _rule(_TRAINS, event_pattern=_DRIFT, schedule_expression=""),
            "once": _schedule(_TRAINS, "at(2026-12-01T00:00:00)"),
        },
        "fail": {
            "rule": _rule(_TRAINS, schedule_expression="rate(1 day)"),
            "schedule": _schedule(_TRAINS, "cron(0 3 * * ? *)"),
            "an API call": _build_call_schedule(_TRAINS, "${aws_sagemaker_pipeline.p.pipeline_name}"),
        },
        "unknown": {
            "unknown definition": _rule(_HIDDEN, schedule_expression="rate(1 day)"),
            "a pipeline outside the plan": _rule({}, _ELSEWHERE, schedule_expression="rate(1 day)"),
            "an API call for a pipeline outside the plan": _build_call_schedule(_TRAINS, "elsewhere"),
            "unknown API call": _build_call_schedule(_TRAINS, UNKNOWN),
            "unknown expression": _rule(_TRAINS, schedule_expression=UNKNOWN),
        },
        "not_applicable": {
            "a pipeline that scores": _rule(_SCORES, schedule_expression="rate(1 day)"),
            "no pipeline": _rule({}, _LAMBDA, schedule_expression="rate(1 day)"),
        },
    },
    "SUS_PIPELINE_BY_CLOCK": {
        "pass": {
            "on data": _rule(_SCORES, event_pattern={"source": ["aws.s3"]}),
            "on data, after an apply": _rule(_SCORES, event_pattern={"source": ["aws.s3"]}, schedule_expression=""),
        },
        "fail": {"rule": _rule(_SCORES, schedule_expression="rate(1 day)"), "schedule": _schedule(_SCORES)},
        "unknown": {"unknown expression": _rule(_SCORES, schedule_expression=UNKNOWN)},
        "not_applicable": {
            "a pipeline that trains": _rule(_TRAINS, schedule_expression="rate(1 day)"),
            "no pipeline": _rule({}, _LAMBDA, schedule_expression="rate(1 day)"),
        },
    },
    "SUS_SCHEDULE_FLEXIBLE": {
        "pass": {"flexible": _schedule(_SCORES, mode="FLEXIBLE"), "a flexible API call": _call("FLEXIBLE")},
        "fail": {"a fixed minute": _schedule(_TRAINS), "an API call at a fixed minute": _call("OFF")},
        "unknown": {"unknown": _schedule(_TRAINS, mode=UNKNOWN)},
        "not_applicable": {
            "another service": {
                "aws_scheduler_schedule.s": {
                    "flexible_time_window": {"mode": "OFF"},
                    "target": {"arn": _LAMBDA, "role_arn": "r"},
                }
            }
        },
    },
}
