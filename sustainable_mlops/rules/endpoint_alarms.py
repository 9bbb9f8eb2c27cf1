"""Alarms on endpoints: they fail, they are slow, they are too large, nobody asks them."""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.rules import metrics
from sustainable_mlops.rules.hosting import ASYNCHRONOUS, ENDPOINT, REAL_TIME, kinds
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

_ERRORS = frozenset({"Invocation5XXErrors", "InvocationModelErrors"})
_ERRORS_ASYNC = _ERRORS | {"InvocationFailures", "InvocationsFailed", "ExpiredRequests"}
_LATENCY = frozenset({"ModelLatency", "OverheadLatency"})
_LATENCY_ASYNC = frozenset({"ModelLatency", "ApproximateAgeOfOldestRequest", "TimeInBacklog"})
_UTILIZATION = frozenset(
    {
        "CPUUtilization", "CPUUtilizationNormalized", "GPUUtilization", "GPUUtilizationNormalized",
        "MemoryUtilization", "MemoryUtilizationNormalized",
    }
)  # fmt: skip
_REQUESTS = frozenset({"Invocations", "InvocationsPerInstance"})
_BELOW = frozenset({"LessThanThreshold", "LessThanOrEqualToThreshold"})


@rule(
    id="SUS_ENDPOINT_ERROR_ALARM",
    severity=Severity.WARN,
    title="Somebody hears of an endpoint's errors",
    practices=("70",),
    fix="Add an alarm with actions on Invocation5XXErrors (asynchronous: InvocationFailures).",
    types=(ENDPOINT,),
)
def error_alarm(plan: Plan, endpoint: Resource) -> Verdicts:
    found = kinds(plan, endpoint)
    names = _ERRORS if found is not UNKNOWN and ASYNCHRONOUS not in found else _ERRORS_ASYNC
    yield from _watched(plan, endpoint, names, "no alarm with an action is on its errors")


@rule(
    id="SUS_ENDPOINT_LATENCY_ALARM",
    severity=Severity.WARN,
    title="Somebody hears of an endpoint that is slow",
    practices=("70",),
    fix="Add an alarm with actions on ModelLatency (asynchronous: ApproximateAgeOfOldestRequest).",
    types=(ENDPOINT,),
)
def latency_alarm(plan: Plan, endpoint: Resource) -> Verdicts:
    found = kinds(plan, endpoint)
    names = _LATENCY if found is not UNKNOWN and ASYNCHRONOUS not in found else _LATENCY_ASYNC
    yield from _watched(plan, endpoint, names, "no alarm with an action is on its latency")


@rule(
    id="SUS_ENDPOINT_LOW_UTILIZATION_ALARM",
    severity=Severity.WARN,
    title="Somebody hears of instances that are too large for their load",
    practices=("71",),
    fix="Add an alarm on CPUUtilization (or GPUUtilization) of /aws/sagemaker/Endpoints below 20 for 24 hours.",
    types=(ENDPOINT,),
)
def low_utilization_alarm(plan: Plan, endpoint: Resource) -> Verdicts:
    yield from _of_instances(plan, endpoint, _UTILIZATION, "no alarm says that its instances have little to do")


@rule(
    id="SUS_ENDPOINT_IDLE_ALARM",
    severity=Severity.WARN,
    title="Somebody hears of a real-time endpoint that nobody asks",
    practices=("72",),
    fix='Add an alarm on Invocations, Sum < 1 over hours, treat_missing_data = "breaching", that deletes it or tells.',
    types=(ENDPOINT,),
)
def idle_alarm(plan: Plan, endpoint: Resource) -> Verdicts:
    yield from _of_instances(plan, endpoint, _REQUESTS, "no alarm says that nobody asks it", missing="breaching")


@rule(
    id="SUS_ENDPOINT_EFFICIENCY_ALARM",
    severity=Severity.INFO,
    title="The instances that an endpoint needs for a request are watched",
    practices=("69",),
    fix="Add an alarm with metric math of instances (or their utilisation) by Invocations of the endpoint.",
    types=(ENDPOINT,),
)
def efficiency_alarm(plan: Plan, endpoint: Resource) -> Verdicts:
    found = kinds(plan, endpoint)
    if found is not UNKNOWN and REAL_TIME not in found:
        return
    on = plan.joins.alarms_on(endpoint)
    ratios = [_is_ratio(alarm) for alarm in on.sure]
    if found is not UNKNOWN and any(ratio is True for ratio in ratios):
        yield passed()
    elif found is UNKNOWN or on.maybe or UNKNOWN in ratios:
        yield unknown("what watches it cannot be told before apply")
    else:
        yield failed("no alarm relates its instances to its requests")


def _is_ratio(alarm: Resource) -> bool | Unknown:
    watched, queries = metrics.of_alarm(alarm), alarm.new.blocks("metric_query")
    if watched is UNKNOWN or queries is UNKNOWN:
        return UNKNOWN
    texts = [query.text("expression") for query in queries]
    return bool(watched & _REQUESTS) and any(isinstance(text, str) and "/" in text for text in texts)


def _of_instances(
    plan: Plan, endpoint: Resource, names: frozenset[str], message: str, missing: str | None = None
) -> Verdicts:
    """Of real-time endpoints only: an asynchronous one at zero is idle by design and publishes no requests."""
    found = kinds(plan, endpoint)
    if found is UNKNOWN:
        yield unknown("whether it has instances cannot be told from this plan", "endpoint_config_name")
    elif REAL_TIME in found:
        yield from _watched(plan, endpoint, names, message, below=True, missing=missing)


def _watched(
    plan: Plan,
    endpoint: Resource,
    names: frozenset[str],
    message: str,
    *,
    below: bool = False,
    missing: str | None = None,
) -> Verdicts:
    on = plan.joins.alarms_on(endpoint)
    answers = [_answers(alarm, names, below, missing) for alarm in on.sure]
    if True in answers:
        yield passed()
    elif on.maybe or UNKNOWN in answers:
        yield unknown("what watches it cannot be told before apply")
    else:
        yield failed(message)


def _answers(alarm: Resource, names: frozenset[str], below: bool, missing: str | None) -> bool | Unknown:
    """Whether an alarm watches one of these metrics, from the right side, and acts."""
    watched = metrics.of_alarm(alarm)
    answers = [UNKNOWN if watched is UNKNOWN else bool(watched & names), metrics.acts(alarm)]
    answers += _one_of(alarm, "comparison_operator", _BELOW) if below else []
    answers += _one_of(alarm, "treat_missing_data", frozenset({missing})) if missing else []
    if any(answer is False for answer in answers):
        return False
    return UNKNOWN if UNKNOWN in answers else True


def _one_of(alarm: Resource, path: str, values: frozenset[str]) -> Iterator[bool | Unknown]:
    value = alarm.new.text(path)
    yield value if value is UNKNOWN else value in values
