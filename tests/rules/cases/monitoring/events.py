"""Cases of rules/monitoring/events.py."""

from typing import Any

from tests.rules.case_tables import CaseTable
from tests.rules.jobs import Resources

RULE = "aws_cloudwatch_event_rule.r"


def build_event_rule(*detail_types: Any, source: Any = "aws.sagemaker", **detail: Any) -> Resources:
    """Return a rule that matches such events."""
    pattern = {"source": [source], "detail-type": list(detail_types), "detail": detail}
    return {RULE: {"name": "delay", "event_pattern": pattern}}


def build_endpoint_rule(*states: str, kind: str = "Endpoint") -> Resources:
    """Return a rule that matches such endpoint statuses."""
    return build_event_rule(f"SageMaker {kind} State Change", EndpointStatus=list(states))


CASES: CaseTable = {
    "SUS_EVENT_NEVER_SENT": {
        "pass": {
            "a pipeline": build_event_rule("SageMaker Model Building Pipeline Execution Status Change"),
            "an API call": build_event_rule("AWS API Call via CloudTrail"),
            "statuses in capitals": build_endpoint_rule("IN_SERVICE", "FAILED"),
            "one status in capitals": build_endpoint_rule("InService", "IN_SERVICE"),
            "a prefix filter": build_event_rule({"prefix": "SageMaker Model"}),
            "any event": {RULE: {"name": "delay", "event_pattern": {"source": ["aws.sagemaker"]}}},
        },
        "fail": {
            "a common mistake for pipelines": build_event_rule("SageMaker Pipeline Execution Status Change"),
            "a common mistake for steps": build_event_rule("SageMaker Pipeline Step Status Change"),
            "status for state": build_event_rule("SageMaker Training Job Status Change"),
            "one of two": build_event_rule("SageMaker Training Job State Change", "SageMaker Endpoint Status Change"),
            "lowercase": build_event_rule("sagemaker training job state change"),
            "of a source that is left open": {
                RULE: {"event_pattern": {"detail-type": ["SageMaker Model Package Status Change"]}}
            },
            "states as the API has them": build_endpoint_rule("InService"),
            "states of a deployment": build_endpoint_rule("Updating", "RollingBack", kind="Endpoint Deployment"),
        },
        "unknown": {
            "an event newer than the list": build_event_rule("SageMaker Quantum Circuit State Change"),
            "known after apply": {RULE: {"name": "sagemaker-approved", "event_pattern": "(known after apply)"}},
        },
        "not_applicable": {
            "an S3 event": build_event_rule("Object Created", source="aws.s3"),
            "on a schedule": {RULE: {"name": "r", "schedule_expression": "rate(1 day)"}},
            "no pattern": {RULE: {"name": "r", "event_pattern": "no JSON"}},
        },
    }
}
