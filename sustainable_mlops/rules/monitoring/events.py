"""Rules of EventBridge that wait for events that SageMaker does not send."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules import relation
from sustainable_mlops.rules.reading import NOT_KNOWN
from sustainable_mlops.rules.rule import Severity, Verdict, Verdicts, failed, passed, rule, unknown

SOURCE = "aws.sagemaker"
#: What SageMaker sends, each after "SageMaker " (EventBridge reference, "Amazon SageMaker AI events", copy of 2026).
_SENT = (
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
_BY_CLOUDTRAIL = ("API Call", "Console Action", "Insight", "Service Event")
DETAIL_TYPES = frozenset(
    {*(f"SageMaker {sent}" for sent in _SENT), *(f"AWS {sent} via CloudTrail" for sent in _BY_CLOUDTRAIL)}
)
#: Whose states are in capitals, such as `IN_SERVICE`, though the API says `InService`.
_OF_ENDPOINTS = frozenset({"SageMaker Endpoint State Change", "SageMaker Endpoint Deployment State Change"})


@rule(
    id="SUS_EVENT_NEVER_SENT",
    severity=Severity.FAIL,
    title="A rule on SageMaker's events waits for some that it sends",
    practices=("8", "75"),
    fix='Write the detail-type as EventBridge lists it, and the states of endpoints in capitals ("IN_SERVICE").',
    types=("aws_cloudwatch_event_rule",),
)
def never_sent(plan: Plan, event_rule: Resource) -> Verdicts:
    """A detail-type is compared letter by letter: one that is a little wrong never matches, and nothing says so."""
    text, path = event_rule.text("event_pattern"), "event_pattern"
    if text is UNKNOWN:
        if relation.touches(plan, event_rule):
            yield unknown(f"{path} is {NOT_KNOWN}", path)
        return
    pattern = _read(text)
    sources = _texts(pattern.get("source"))
    wanted = [one for one in _texts(pattern.get("detail-type")) if sources == [SOURCE] or one.startswith("SageMaker ")]
    if SOURCE not in sources and not wanted:
        return
    verdicts = [*_unsent(wanted), *_states(wanted, pattern.get("detail"))]
    yield from verdicts or [passed()]


def _unsent(wanted: list[str]) -> Iterator[Verdict]:
    """A name that merely leaves words out or says state for status is wrong; another may be newer than the list."""
    for one in sorted(set(wanted) - DETAIL_TYPES):
        near = max(DETAIL_TYPES, key=lambda sent: (len(_subject(one) & _subject(sent)), _likeness(one, sent), sent))
        if _subject(one) <= _subject(near):
            yield failed(f"nothing sends {one!r}, so the rule never fires on it: write {near!r}", "event_pattern")
        else:
            yield unknown(f"{one!r} is not among the events that SageMaker is known to send", "event_pattern")


def _subject(detail_type: str) -> set[str]:
    return set(detail_type.lower().split()) - {"sagemaker", "state", "status", "change"}


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _states(wanted: list[str], detail: Any) -> Iterator[Verdict]:
    """Of a pattern on endpoints alone, of whose states none can match."""
    states = _texts(detail.get("EndpointStatus")) if isinstance(detail, dict) else []
    if wanted and set(wanted) <= _OF_ENDPOINTS and states and not any(state.isupper() for state in states):
        message = f"the states of endpoints are sent in capitals, so the rule never fires on {', '.join(states)}"
        yield failed(message, "event_pattern")


def _read(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _texts(listed: Any) -> list[str]:
    """The literal values of a pattern's field; empty where one is a filter, such as a prefix, which may match more."""
    found = listed if isinstance(listed, list) else []
    return found if all(isinstance(one, str) for one in found) else []
