"""Alarms on endpoints: errors, latency, low utilization and missing requests."""

import math
from collections.abc import Callable, Sequence

from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown, list_instance_choices
from sustainable_mlops.plan.metrics import list_alarm_metrics
from sustainable_mlops.plan.values import combine_all
from sustainable_mlops.rules import alarms
from sustainable_mlops.rules.attributes import read_tags
from sustainable_mlops.rules.rule import Outcome, RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    ENDPOINT,
    REAL_TIME,
    SERVERLESS,
    find_kinds,
    list_variants,
)

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
#: Metrics that count each processor as 100 % (developer guide, "Amazon SageMaker AI endpoint metrics").
_PER_PROCESSOR = frozenset({"CPUUtilization", "GPUUtilization"})
#: Highest threshold of an alarm on low utilization, in percent of a processor (assumed).
LOW_UTILIZATION = 50
#: Highest threshold of an alarm on missing requests, in requests in the alarm's period (assumed).
FEW_REQUESTS = 10

_AlarmTest = Callable[[Resource], bool | Unknown]


@rule(
    id="SUS_ENDPOINT_ERROR_ALARM",
    severity=Severity.WARN,
    title="An endpoint should have an alarm on errors",
    problem="An endpoint has no alarm on errors",
    practices=("70",),
    fix="Add an alarm with actions on Invocation5XXErrors (asynchronous: InvocationFailures).",
    types=(ENDPOINT,),
)
def error_alarm(plan: Plan, endpoint: Resource) -> RuleResults:
    endpoint_kinds = find_kinds(plan, endpoint)
    names = _ERRORS if endpoint_kinds is not UNKNOWN and ASYNCHRONOUS not in endpoint_kinds else _ERRORS_ASYNC
    yield from _check_alarm(plan, endpoint, names, "no alarm with an action uses its error metrics")


@rule(
    id="SUS_ENDPOINT_LATENCY_ALARM",
    severity=Severity.WARN,
    title="An endpoint should have an alarm on latency",
    problem="An endpoint has no alarm on latency",
    practices=("70",),
    fix="Add an alarm with actions on ModelLatency (asynchronous: ApproximateAgeOfOldestRequest).",
    types=(ENDPOINT,),
)
def latency_alarm(plan: Plan, endpoint: Resource) -> RuleResults:
    """Check all endpoints except serverless ones whose tag `latency_slo` is `cold_start`.

    Their callers have no shorter limit. SageMaker's own limit of a minute is an error, which another alarm reports.
    """
    endpoint_kinds, tags = find_kinds(plan, endpoint), read_tags(plan, endpoint)
    slo = tags if tags is UNKNOWN else tags.get("latency_slo")
    may_wait = slo in (UNKNOWN, "cold_start") and (endpoint_kinds is UNKNOWN or endpoint_kinds == {SERVERLESS})
    if may_wait and UNKNOWN not in (slo, endpoint_kinds):
        return
    names = _LATENCY if endpoint_kinds is not UNKNOWN and ASYNCHRONOUS not in endpoint_kinds else _LATENCY_ASYNC
    for result in _check_alarm(plan, endpoint, names, "no alarm with an action uses its latency metrics"):
        is_open = may_wait and result.outcome is Outcome.FAIL
        yield unknown_result("whether callers wait for a cold start is not known until apply") if is_open else result


@rule(
    id="SUS_ENDPOINT_LOW_UTILIZATION_ALARM",
    severity=Severity.WARN,
    title="An endpoint should have an alarm on low utilization",
    problem="An endpoint has no alarm on low utilization",
    practices=("71",),
    fix=(
        "Add an alarm on CPUUtilization (or GPUUtilization) of /aws/sagemaker/Endpoints below 20 for 24 "
        "hours. Each vCPU (or GPU) counts as 100."
    ),
    types=(ENDPOINT,),
)
def low_utilization_alarm(plan: Plan, endpoint: Resource) -> RuleResults:
    """Check all endpoints with instances, except those on AWS's own chips, whose utilization has no metric."""
    known_instances = _list_instances(plan, endpoint)
    if known_instances is not UNKNOWN and not any(one.publishes_load for one in known_instances):
        return

    def is_low(alarm: Resource) -> bool | Unknown:
        return _is_low_utilization(plan, endpoint, alarm)

    message = "no alarm reports low utilization of its instances"
    for result in _check_instance_alarm(plan, endpoint, _UTILIZATION, message, is_low):
        is_open = known_instances is UNKNOWN and result.outcome is Outcome.FAIL
        yield unknown_result("it is not known whether its instances have a utilization metric") if is_open else result


@rule(
    id="SUS_ENDPOINT_IDLE_ALARM",
    severity=Severity.WARN,
    title="A real-time endpoint should have an alarm on missing requests",
    problem="A real-time endpoint has no alarm on missing requests",
    practices=("72",),
    fix=(
        'Add an alarm on Invocations, Sum < 1 over hours, treat_missing_data = "breaching", that deletes the '
        "endpoint or notifies."
    ),
    types=(ENDPOINT,),
)
def idle_alarm(plan: Plan, endpoint: Resource) -> RuleResults:
    yield from _check_instance_alarm(plan, endpoint, _REQUESTS, "no alarm reports missing requests", _is_idle)


@rule(
    id="SUS_ENDPOINT_EFFICIENCY_ALARM",
    severity=Severity.INFO,
    title="An endpoint should have an alarm on the instances it uses for each request",
    problem="An endpoint has no alarm on the instances it uses for each request",
    practices=("69",),
    fix="Add an alarm with metric math: instances (or their utilization) divided by Invocations of the endpoint.",
    types=(ENDPOINT,),
)
def efficiency_alarm(plan: Plan, endpoint: Resource) -> RuleResults:
    endpoint_kinds = find_kinds(plan, endpoint)
    if endpoint_kinds is not UNKNOWN and REAL_TIME not in endpoint_kinds:
        return
    alarm_matches = plan.joins.find_endpoint_alarms(endpoint)
    ratios = [_is_ratio(alarm) for alarm in alarm_matches.certain]
    if endpoint_kinds is not UNKNOWN and any(ratio is True for ratio in ratios):
        yield success()
    elif endpoint_kinds is UNKNOWN or alarm_matches.possible or UNKNOWN in ratios:
        yield unknown_result("the alarms on the endpoint are not known until apply")
    else:
        yield failure("no alarm compares its instances with its requests")


def _is_ratio(alarm: Resource) -> bool | Unknown:
    metrics, queries = list_alarm_metrics(alarm), alarm.new.blocks("metric_query")
    if metrics is UNKNOWN or queries is UNKNOWN:
        return UNKNOWN
    texts = [query.text("expression") for query in queries]
    return bool(metrics & _REQUESTS) and any(isinstance(text, str) and "/" in text for text in texts)


def _is_idle(alarm: Resource) -> bool | Unknown:
    """Return whether an alarm on requests is in ALARM without requests. Then the metric is missing, too."""
    return alarms.is_raised_at_or_below(alarm, _REQUESTS, FEW_REQUESTS)


def _is_low_utilization(plan: Plan, endpoint: Resource, alarm: Resource) -> bool | Unknown:
    """Return whether an alarm on utilization is in ALARM when utilization is low.

    `CPUUtilization` and `GPUUtilization` go up to 100 % for each vCPU or GPU of an instance.
    """
    is_below, metrics = alarms.is_raised_below(alarm, LOW_UTILIZATION), list_alarm_metrics(alarm)
    if is_below is not False or alarms.is_raised_below(alarm, math.inf) is False:
        return is_below
    if metrics is UNKNOWN:
        return UNKNOWN
    processors = [_count_processors(plan, endpoint, is_gpu=name.startswith("G")) for name in metrics & _PER_PROCESSOR]
    known = [number for number in processors if number is not UNKNOWN]
    return UNKNOWN if UNKNOWN in processors else alarms.is_raised_below(alarm, LOW_UTILIZATION * max([1, *known]))


def _count_processors(plan: Plan, endpoint: Resource, *, is_gpu: bool) -> int | Unknown:
    """Return the largest number of vCPUs, or GPUs, of an instance behind an endpoint."""
    known_instances = _list_instances(plan, endpoint)
    if known_instances is UNKNOWN:
        return UNKNOWN
    return max(instance.accelerators if is_gpu else instance.vcpu for instance in known_instances)


def _list_instances(plan: Plan, endpoint: Resource) -> Sequence[InstanceType] | Unknown:
    """Return the instance types behind an endpoint, or UNKNOWN if one is not known."""
    endpoint_variants = list_variants(plan, endpoint)
    if endpoint_variants is UNKNOWN:
        return UNKNOWN
    types = [choice.instance_type for variant in endpoint_variants for choice in list_instance_choices(variant.block)]
    known = [instances.find(kind) if isinstance(kind, str) else None for kind in types]
    known_types = [instance for instance in known if instance is not None]
    return known_types if known_types and len(known_types) == len(types) else UNKNOWN


def _check_instance_alarm(
    plan: Plan, endpoint: Resource, names: frozenset[str], message: str, *tests: _AlarmTest
) -> RuleResults:
    """Check the alarms of a real-time endpoint.

    An asynchronous endpoint at zero is idle by design and publishes no requests.
    """
    endpoint_kinds = find_kinds(plan, endpoint)
    if endpoint_kinds is UNKNOWN:
        yield unknown_result("this plan does not show whether the endpoint has instances", "endpoint_config_name")
    elif REAL_TIME in endpoint_kinds:
        yield from _check_alarm(plan, endpoint, names, message, *tests)


def _check_alarm(
    plan: Plan, endpoint: Resource, names: frozenset[str], message: str, *tests: _AlarmTest
) -> RuleResults:
    """Check that an alarm uses one of these metrics, fulfils the tests and has an action."""

    def reports_metric(alarm: Resource) -> bool | Unknown:
        metrics = list_alarm_metrics(alarm)
        known = metrics if metrics is UNKNOWN else bool(metrics & names)
        return combine_all([known, alarms.has_action(plan, alarm), *(test(alarm) for test in tests)])

    alarm_matches = plan.joins.find_endpoint_alarms(endpoint)
    matches = [reports_metric(alarm) for alarm in alarm_matches.certain]
    if True in matches:
        yield success()
    elif alarm_matches.possible or UNKNOWN in matches:
        yield unknown_result("the alarms on the endpoint are not known until apply")
    else:
        yield failure(message)
