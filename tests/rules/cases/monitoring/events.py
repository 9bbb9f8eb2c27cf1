"""Cases of rules/monitoring/events.py."""

from typing import Any

from tests.rules.case_tables import CaseTable
from tests.rules.jobs import Resources

RULE = "aws_cloudwatch_event_rule.r"


def waits(*detail_types: Any, source: Any = "aws.sagemaker", **detail: Any) -> Resources:
    """Return a rule that matches such events."""
    pattern = {"source": [source], "detail-type": list(detail_types), "detail": detail}
    return {RULE: {"name": "delay", "event_pattern": pattern}}


def endpoints(*states: str, kind: str = "Endpoint") -> Resources:
    """Return a rule that matches such endpoint statuses."""
    return waits(f"SageMaker {kind} State Change", EndpointStatus=list(states))


CASES: CaseTable = {
    "SUS_EVENT_NEVER_SENT": {
        "pass": {
            "a pipeline": waits("SageMaker Model Building Pipeline Execution Status Change"),
            "a call of the API": waits("AWS API Call via CloudTrail"),
            "states in capitals": endpoints("IN_SERVICE", "FAILED"),
            "one state in capitals": endpoints("InService", "IN_SERVICE"),
            "whatever begins so": waits({"prefix": "SageMaker Model"}),
            "any event": {RULE: {"name": "delay", "event_pattern": {"source": ["aws.sagemaker"]}}},
        },
        "fail": {
            "a pipeline, as many write it": waits("SageMaker Pipeline Execution Status Change"),
            "a step, as many write it": waits("SageMaker Pipeline Step Status Change"),
            "status for state": waits("SageMaker Training Job Status Change"),
            "one of two": waits("SageMaker Training Job State Change", "SageMaker Endpoint Status Change"),
            "in small letters": waits("sagemaker training job state change"),
            "of a source that is left open": {
                RULE: {"event_pattern": {"detail-type": ["SageMaker Model Package Status Change"]}}
            },
            "states as the API has them": endpoints("InService"),
            "states of a deployment": endpoints("Updating", "RollingBack", kind="Endpoint Deployment"),
        },
        "unknown": {
            "an event newer than the list": waits("SageMaker Quantum Circuit State Change"),
            "known after apply": {
                RULE: {"name": "sagemaker-approved", "event_pattern": "(known after apply)"},
            },
        },
        "not_applicable": {
            "of S3": waits("Object Created", source="aws.s3"),
            "on a schedule": {RULE: {"name": "r", "schedule_expression": "rate(1 day)"}},
            "no pattern": {RULE: {"name": "r", "event_pattern": "no JSON"}},
        },
    },
}
