"""Alarms on endpoints: they fail, they are slow, they are too large, nobody asks them."""

import math
from collections.abc import Callable

from sustainable_mlops.catalogue import instances
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.metrics import of_alarm
from sustainable_mlops.plan.values import all_of
from sustainable_mlops.rules import alarms
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import ASYNCHRONOUS, ENDPOINT, REAL_TIME, instance_type, kinds, variants

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
#: Those that count each processor as 100 (developer guide, "Amazon SageMaker AI endpoint metrics").
_OF_EACH = frozenset({"CPUUtilization", "GPUUtilization"})
#: Up to how much use of a processor, in percent, is worth hearing of as little (assumed).
LITTLE = 50
#: Up to how many requests in an alarm's period are as good as none (assumed).
FEW = 10

_Test = Callable[[Resource], bool | Unknown]


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
    fix=(
        "Add an alarm on CPUUtilization (or GPUUtilization) of /aws/sagemaker/Endpoints below 20 for 24 hours; each "
        "vCPU (or GPU) counts as 100."
    ),
    types=(ENDPOINT,),
)
def low_utilization_alarm(plan: Plan, endpoint: Resource) -> Verdicts:
    def little(alarm: Resource) -> bool | Unknown:
        return _is_little(plan, endpoint, alarm)

    yield from _of_instances(plan, endpoint, _UTILIZATION, "no alarm says that its instances have little to do", little)


@rule(
    id="SUS_ENDPOINT_IDLE_ALARM",
    severity=Severity.WARN,
    title="Somebody hears of a real-time endpoint that nobody asks",
    practices=("72",),
    fix='Add an alarm on Invocations, Sum < 1 over hours, treat_missing_data = "breaching", that deletes it or tells.',
    types=(ENDPOINT,),
)
def idle_alarm(plan: Plan, endpoint: Resource) -> Verdicts:
    yield from _of_instances(plan, endpoint, _REQUESTS, "no alarm says that nobody asks it", _is_idle)


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
        yield unknown("what watches it cannot be told until apply")
    else:
        yield failed("no alarm relates its instances to its requests")


def _is_ratio(alarm: Resource) -> bool | Unknown:
    watched, queries = of_alarm(alarm), alarm.new.blocks("metric_query")
    if watched is UNKNOWN or queries is UNKNOWN:
        return UNKNOWN
    texts = [query.text("expression") for query in queries]
    return bool(watched & _REQUESTS) and any(isinstance(text, str) and "/" in text for text in texts)


def _is_idle(alarm: Resource) -> bool | Unknown:
    """Whether an alarm on requests goes off where there are none: then there is no metric either."""
    missing = alarm.new.text("treat_missing_data")
    return all_of([missing if missing is UNKNOWN else missing == "breaching", alarms.falls_below(alarm, FEW)])


def _is_little(plan: Plan, endpoint: Resource, alarm: Resource) -> bool | Unknown:
    """Whether an alarm on utilization goes off where there is little of it.

    `CPUUtilization` and `GPUUtilization` go up to 100 % for each vCPU and GPU of an instance.
    """
    found, watched = alarms.falls_below(alarm, LITTLE), of_alarm(alarm)
    if found is not False or alarms.falls_below(alarm, math.inf) is False:
        return found
    if watched is UNKNOWN:
        return UNKNOWN
    processors = [_processors(plan, endpoint, of_gpu=name.startswith("G")) for name in watched & _OF_EACH]
    known = [number for number in processors if number is not UNKNOWN]
    return UNKNOWN if UNKNOWN in processors else alarms.falls_below(alarm, LITTLE * max([1, *known]))


def _processors(plan: Plan, endpoint: Resource, *, of_gpu: bool) -> int | Unknown:
    """The most vCPUs, or GPUs, of an instance behind an endpoint."""
    of_endpoint = variants(plan, endpoint)
    types = [UNKNOWN] if of_endpoint is UNKNOWN else [instance_type(variant.block) for variant in of_endpoint]
    found = [instances.find(kind) if isinstance(kind, str) else None for kind in types]
    if None in found:
        return UNKNOWN
    return max(one.accelerators if of_gpu else one.vcpu for one in found if one is not None)


def _of_instances(plan: Plan, endpoint: Resource, names: frozenset[str], message: str, *tests: _Test) -> Verdicts:
    """Of real-time endpoints only: an asynchronous one at zero is idle by design and publishes no requests."""
    found = kinds(plan, endpoint)
    if found is UNKNOWN:
        yield unknown("whether it has instances cannot be told from this plan", "endpoint_config_name")
    elif REAL_TIME in found:
        yield from _watched(plan, endpoint, names, message, *tests)


def _watched(plan: Plan, endpoint: Resource, names: frozenset[str], message: str, *tests: _Test) -> Verdicts:
    """Whether an alarm watches one of these metrics, keeps the tests, and acts."""

    def watches(alarm: Resource) -> bool | Unknown:
        watched = of_alarm(alarm)
        known = watched if watched is UNKNOWN else bool(watched & names)
        return all_of([known, alarms.acts(plan, alarm), *(test(alarm) for test in tests)])

    on = plan.joins.alarms_on(endpoint)
    answers = [watches(alarm) for alarm in on.sure]
    if True in answers:
        yield passed()
    elif on.maybe or UNKNOWN in answers:
        yield unknown("what watches it cannot be told until apply")
    else:
        yield failed(message)
