"""EventBridge rules that match events which SageMaker does not send."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules import ml_evidence
from sustainable_mlops.rules.attributes import NOT_KNOWN
from sustainable_mlops.rules.rule import RuleResult, RuleResults, Severity, failure, rule, success, unknown_result

SOURCE = "aws.sagemaker"
#: Names of SageMaker's events, without "SageMaker " (EventBridge reference, "Amazon SageMaker AI events", 2026).
_EVENT_NAMES = (
    "A2I HumanLoop Status Change", "Algorithm State Change", "Endpoint Config State Change",
    "Endpoint Deployment State Change", "Endpoint State Change", "Evaluation Job Status Change",
    "Feature Group State Change", "Ground Truth Labeling Job State Change",
    "Ground Truth Labeling Job Task Status Change", "Human Loop Finished", "Human Loop Step Execution Finished",
    "Human Task Accepted", "Human Task Created", "Human Task Declined", "Human Task Expired", "Human Task Returned",
    "Human Task Submitted", "HyperParameter Tuning Job State Change", "HyperPod Cluster Event",
    "HyperPod Cluster Node Health Event", "HyperPod Cluster State Change", "Image State Change",
    "Image Version State Change", "MLFlow Tracking Server Creating ModelVersion",
    "MLFlow Tracking Server Creating RegisteredModel", "MLFlow Tracking Server Creating Run",
    "MLFlow Tracking Server Setting Registered Model Alias", "MLFlow Tracking Server Transitioning ModelVersion Stage",
    "Model Building Pipeline Execution Status Change", "Model Building Pipeline Execution Step Status Change",
    "Model Card Export Job State Change", "Model Card State Change", "Model Package State Change",
    "Model State Change", "Monitoring Schedule State Change", "Notebook Instance State Change",
    "Notebook Lifecycle Config State Change", "Processing Job State Change", "Tracking Server Create Failed",
    "Tracking Server Created", "Tracking Server Creating", "Tracking Server Delete Failed", "Tracking Server Deleted",
    "Tracking Server Deleting", "Tracking Server Maintenance Complete", "Tracking Server Maintenance Failed",
    "Tracking Server Maintenance In Progress", "Tracking Server Start Failed", "Tracking Server Started",
    "Tracking Server Starting", "Tracking Server Stop Failed", "Tracking Server Stopped", "Tracking Server Stopping",
    "Tracking Server Update Failed", "Tracking Server Updated", "Tracking Server Updating",
    "Training Job State Change", "Transform Job State Change",
)  # fmt: skip
_CLOUDTRAIL_NAMES = ("API Call", "Console Action", "Insight", "Service Event")
DETAIL_TYPES = frozenset(
    {*(f"SageMaker {name}" for name in _EVENT_NAMES), *(f"AWS {name} via CloudTrail" for name in _CLOUDTRAIL_NAMES)}
)
#: Events with statuses in capitals, such as `IN_SERVICE`; the API has `InService`.
_ENDPOINT_EVENTS = frozenset({"SageMaker Endpoint State Change", "SageMaker Endpoint Deployment State Change"})


@rule(
    id="SUS_EVENT_NEVER_SENT",
    severity=Severity.FAIL,
    title="An event rule must match events that SageMaker sends",
    problem="An event rule matches events that SageMaker never sends",
    practices=("8", "75"),
    fix='Write the detail-type as EventBridge lists it, and the statuses of endpoints in capitals ("IN_SERVICE").',
    types=("aws_cloudwatch_event_rule",),
)
def unsent_events(plan: Plan, event_rule: Resource) -> RuleResults:
    """Check the detail-types and statuses of the pattern.

    EventBridge compares a detail-type literally. A small mistake never matches, and nothing reports it.
    """
    text, path = event_rule.text("event_pattern"), "event_pattern"
    if text is UNKNOWN:
        if ml_evidence.uses_ml(plan, event_rule):
            yield unknown_result(f"{path} is {NOT_KNOWN}", path)
        return
    pattern = _parse_pattern(text)
    sources = _list_literals(pattern.get("source"))
    detail_types = [
        detail_type
        for detail_type in _list_literals(pattern.get("detail-type"))
        if sources == [SOURCE] or detail_type.startswith("SageMaker ")
    ]
    if SOURCE not in sources and not detail_types:
        return
    results = [*_check_names(detail_types), *_check_states(detail_types, pattern.get("detail"))]
    yield from results or [success()]


def _check_names(detail_types: list[str]) -> Iterator[RuleResult]:
    """Report unknown detail-types.

    A name that only lacks words, or has "state" for "status", is wrong. Another name may be newer than the list.
    """
    for detail_type in sorted(set(detail_types) - DETAIL_TYPES):
        similar = max(
            DETAIL_TYPES,
            key=lambda known_type: (
                len(_split_subject(detail_type) & _split_subject(known_type)),
                _measure_similarity(detail_type, known_type),
                known_type,
            ),
        )
        if _split_subject(detail_type) <= _split_subject(similar):
            yield failure(
                f"SageMaker never sends {detail_type!r}, so the rule does not match it: write {similar!r}",
                "event_pattern",
            )
        else:
            yield unknown_result(f"{detail_type!r} is not in the list of known SageMaker events", "event_pattern")


def _split_subject(detail_type: str) -> set[str]:
    return set(detail_type.lower().split()) - {"sagemaker", "state", "status", "change"}


def _measure_similarity(first: str, second: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, first, second).ratio()


def _check_states(detail_types: list[str], detail: Any) -> Iterator[RuleResult]:
    """Report a pattern for endpoints only, if none of its statuses can match."""
    states = _list_literals(detail.get("EndpointStatus")) if isinstance(detail, dict) else []
    if (
        detail_types
        and set(detail_types) <= _ENDPOINT_EVENTS
        and states
        and not any(state.isupper() for state in states)
    ):
        message = f"statuses of endpoints are sent in capitals, so the rule never matches {', '.join(states)}"
        yield failure(message, "event_pattern")


def _parse_pattern(text: str | None) -> Mapping[str, Any]:
    try:
        pattern = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return pattern if isinstance(pattern, dict) else {}


def _list_literals(value: Any) -> list[str]:
    """Return the literal values of a pattern's field.

    The result is empty if a value is a filter, such as a prefix, which may match more.
    """
    values = value if isinstance(value, list) else []
    return values if all(isinstance(item, str) for item in values) else []
