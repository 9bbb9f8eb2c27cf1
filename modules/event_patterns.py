"""Patterns of events that several modules use.

Source: SageMaker developer guide, "Events that SageMaker AI sends to Amazon EventBridge"; CloudWatch user guide,
"Alarm events and EventBridge".
"""

from collections.abc import Iterable, Mapping
from typing import Any

SOURCE = "aws.sagemaker"
_CHANGED = "UpdatedModelPackageFields"
_APPROVAL = "ModelApprovalStatus"


def build_pattern(detail_type: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pattern of SageMaker's events of one type."""
    return {"source": [SOURCE], "detail-type": [detail_type], "detail": dict(detail)}


def build_pipeline_pattern(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pattern of status changes of pipeline executions."""
    return build_pattern("SageMaker Model Building Pipeline Execution Status Change", detail)


def build_alarm_pattern(alarm_arn: str) -> dict[str, Any]:
    """Return the pattern of changes of an alarm to ALARM."""
    return {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "resources": [alarm_arn],
        "detail": {"state": {"value": ["ALARM"]}},
    }


def build_approval_pattern(
    detail: Mapping[str, Any], statuses: Iterable[str] = ("Approved", "Rejected")
) -> dict[str, Any]:
    """Return the pattern of changes to these approval statuses, narrowed by more fields of the detail.

    An event of an update lists the updated fields, and an edit of metadata does not list the approval. The guide does
    not say that the event of a creation has the list, so an event without it matches once the package is complete: a
    package that is created as approved is reported too.
    """
    by_update = {_CHANGED: [_APPROVAL]}
    by_creation = {_CHANGED: [{"exists": False}], "ModelPackageStatus": ["Completed"]}
    return build_pattern(
        "SageMaker Model Package State Change",
        {**detail, _APPROVAL: list(statuses), "$or": [by_update, by_creation]},
    )
