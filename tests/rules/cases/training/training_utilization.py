"""Cases of rules/training/training_utilization.py."""

from typing import Any

from tests.rules.jobs import HIDDEN, IDLE, UNKNOWN, Resources, build_job, build_training_pipeline

_STARTS = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Training Job State Change"]}
_ENDS = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint State Change"]}
_FUNCTION = "arn:aws:lambda:eu-north-1:123456789012:function:stop-idle"
_QUERY = 'SELECT AVG(GPUUtilization) FROM SCHEMA("/aws/sagemaker/TrainingJobs", Host)'


def _build_call(arn: str = _FUNCTION, pattern: Any = _STARTS) -> Resources:
    return {
        **build_job(),
        "aws_cloudwatch_event_rule.r": {"name": "starts", "event_pattern": pattern},
        "aws_cloudwatch_event_target.t": {"rule": "${aws_cloudwatch_event_rule.r.name}", "arn": arn},
    }


def _alarm(**settings: Any) -> Resources:
    return {**build_training_pipeline(), "aws_cloudwatch_metric_alarm.a": {"alarm_name": "idle", **settings}}


CASES = {
    "SUS_TRAINING_UTILIZATION": {
        "pass": {
            "a function, by its ARN": _build_call(),
            "a function of the plan": {
                **_build_call("${aws_lambda_function.f.arn}"),
                "aws_lambda_function.f": {"function_name": "stop-idle"},
            },
            "a query over all jobs": _alarm(metric_query={"id": "q", "expression": _QUERY}),
            "a custom metric": _alarm(namespace="Training", metric_name="GPUUtilization"),
        },
        "fail": {
            "nothing": build_job(),
            "nothing in a pipeline": build_training_pipeline(),
            "another event": _build_call(pattern=_ENDS),
            "a queue": _build_call("arn:aws:sqs:eu-north-1:123456789012:jobs"),
            "an alarm on one job": _alarm(
                namespace="/aws/sagemaker/TrainingJobs",
                metric_name="GPUUtilization",
                dimensions={"Host": "delay-1/algo-1"},
            ),
        },
        "unknown": {
            "unknown event": _build_call(pattern=UNKNOWN),
            "unknown target": _build_call(UNKNOWN),
            "unknown namespace": _alarm(namespace=UNKNOWN, metric_name="GPUUtilization"),
            **HIDDEN,
        },
        "not_applicable": IDLE,
    }
}
