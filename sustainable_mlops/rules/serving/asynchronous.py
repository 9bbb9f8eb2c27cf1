"""Asynchronous endpoints: to zero when idle, awake at the first request, no failure lost.

Metrics and values: SageMaker developer guide, "Autoscale an asynchronous endpoint".
"""

from collections.abc import Iterable
from functools import lru_cache

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Unknown, Variant
from sustainable_mlops.plan.metrics import NEVER, followed, of_alarm, of_policy
from sustainable_mlops.plan.scaling import moves_of, of_instances, policies_of
from sustainable_mlops.plan.values import all_of
from sustainable_mlops.rules import alarms
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    CONFIGURATION,
    ENDPOINT,
    each_target,
    each_variant,
    instances,
    kinds,
    named,
    untold,
)

_OUTPUT = "async_inference_config.0.output_config.0"
_BACKLOG = frozenset({"ApproximateBacklogSizePerInstance", "ApproximateBacklogSize"})
_WAKE = "HasBacklogWithoutCapacity"
_METRIC = "metric_name"
_NEVER = NEVER[ASYNCHRONOUS]


@rule(
    id="SUS_ASYNC_SCALES_TO_ZERO",
    severity=Severity.WARN,
    title="An asynchronous endpoint scales to zero",
    practices=("55",),
    fix=(
        "Add an aws_appautoscaling_target for the variant with min_capacity = 0, and a policy that tracks "
        "ApproximateBacklogSizePerInstance."
    ),
    types=(ENDPOINT,),
)
def scales_to_zero(plan: Plan, endpoint: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        scaled = of_instances(endpoint, variant, plan.joins)
        if scaled.empties is True:
            yield passed()
        elif scaled.empties is UNKNOWN:
            yield unknown(untold(scaled, variant), variant.block.path)
        elif scaled.target is None:
            yield failed(f"nothing scales {named(variant)}, so it runs when its queue is empty", variant.block.path)
        elif scaled.takes is False:
            why = "; ".join(scaled.never) or "no policy takes any away"
            message = f"{named(variant)} stays as it is when its queue is empty: {why}"
            yield failed(message, variant.block.path)
        else:
            message = f"{named(variant)} keeps {instances(scaled.least)} when its queue is empty"
            yield failed(message, variant.block.path)

    yield from each_variant(plan, endpoint, judge, ASYNCHRONOUS)


@rule(
    id="SUS_ASYNC_BACKLOG_POLICY",
    severity=Severity.WARN,
    title="An asynchronous endpoint follows its backlog",
    practices=("55",),
    fix="Track ApproximateBacklogSizePerInstance (AWS/SageMaker, Average, dimension EndpointName) with a target of 5.",
    types=(ENDPOINT,),
)
def backlog_policy(plan: Plan, endpoint: Resource) -> Verdicts:
    def judge(target: Resource, variant: Variant) -> Verdicts:
        policies = policies_of(target, plan.joins)
        answers = [_follows_backlog(policy) for policy in policies.sure]
        if True in answers:
            yield passed()
        elif policies.maybe or UNKNOWN in answers:
            yield unknown(f"what {named(variant)} follows is not known until apply", variant.block.path)
        else:
            yield failed(f"no policy of {target.address} follows the backlog", variant.block.path)

    yield from each_target(plan, endpoint, judge, ASYNCHRONOUS)


def _follows_backlog(policy: Resource) -> bool | Unknown:
    names = of_policy(policy)
    if names is UNKNOWN or not names & _BACKLOG:
        return UNKNOWN if names is UNKNOWN else False
    return followed(policy, ASYNCHRONOUS)


@rule(
    id="SUS_ASYNC_WAKES",
    severity=Severity.WARN,
    title="An asynchronous endpoint at zero wakes at the first request",
    practices=("55",),
    fix=(
        "Add a StepScaling policy (ChangeInCapacity, +1) and an alarm on HasBacklogWithoutCapacity >= 1 whose "
        "alarm_actions name that policy."
    ),
    types=(ENDPOINT,),
)
def wakes(plan: Plan, endpoint: Resource) -> Verdicts:
    def judge(target: Resource, variant: Variant) -> Verdicts:
        yield from woken(plan, target, _WAKE, variant.block.path, ASYNCHRONOUS)

    yield from each_target(plan, endpoint, judge, ASYNCHRONOUS)


def woken(plan: Plan, target: Resource, metric: str, path: str, kind: str | Unknown = UNKNOWN) -> Verdicts:
    """Whether an alarm on `metric` starts a step policy of a scalable target, where that goes to zero."""
    least = target.new.number("min_capacity")
    if least != 0:
        if least is UNKNOWN:
            yield unknown(f"whether {target.address} goes to zero is not known until apply", path)
        return
    policies = policies_of(target, plan.joins)
    types = [policy.new.text("policy_type") for policy in policies.sure]
    steps = [policy for policy, type_ in zip(policies.sure, types, strict=True) if type_ == "StepScaling"]
    alarms = [(policy, plan.joins.alarms_of(policy)) for policy in steps]
    sure = [(moves_of(policy, kind, plan.joins).wakes, alarm) for policy, found in alarms for alarm in found.sure]
    answers = [all_of([adds, _wakes_at_first(alarm, metric)]) for adds, alarm in sure]
    if True in answers:
        yield passed()
    elif policies.maybe or UNKNOWN in types or UNKNOWN in answers or any(found.maybe for _, found in alarms):
        yield unknown(f"what wakes {target.address} is not known until apply", path)
    elif any(adds is True and of_alarm(alarm) == {metric} for adds, alarm in sure):
        message = f"the alarm on {metric} of {target.address} lets the first request wait: it must be at least 1"
        yield failed(message, path)
    elif steps:
        message = f"no alarm on {metric} that is on starts a step policy of {target.address} that adds any"
        yield failed(message, path)
    else:
        yield failed(f"{target.address} has no step policy, so at zero it waits for a long queue before it wakes", path)


def _wakes_at_first(alarm: Resource, metric: str) -> bool | Unknown:
    found = of_alarm(alarm)
    if found is UNKNOWN:
        return UNKNOWN
    return alarms.wakes_at_one(alarm) if metric in found else False


@rule(
    id="SUS_ASYNC_SCALES_ON_INVOCATIONS",
    severity=Severity.FAIL,
    title="No asynchronous endpoint scales on a metric of requests, which it does not publish",
    practices=("55",),
    fix="Follow ApproximateBacklogSizePerInstance by a customized_metric_specification.",
    types=("aws_appautoscaling_policy",),
)
def scales_on_invocations(plan: Plan, policy: Resource) -> Verdicts:
    if policy.new.text("service_namespace") != "sagemaker":
        return
    published, path = followed(policy, ASYNCHRONOUS), "target_tracking_scaling_policy_configuration"
    names, found = of_policy(policy), kinds(plan, plan.joins.scaled(policy).endpoint)
    if published is True:
        if found is UNKNOWN or ASYNCHRONOUS in found:
            yield passed()
    elif found is UNKNOWN:
        yield unknown("whether its endpoint is asynchronous cannot be told from this plan", "resource_id")
    elif ASYNCHRONOUS not in found:
        return
    elif names is UNKNOWN:
        yield unknown("the metric that it follows is not known until apply", path)
    elif published is UNKNOWN:
        yield unknown(f"what its metric math makes of no {_list(names & _NEVER)} cannot be told", path)
    else:
        yield failed(f"an asynchronous endpoint never publishes {_list(names & _NEVER)}, so it never scales", path)


@rule(
    id="SUS_ASYNC_SILENT_ALARM",
    severity=Severity.FAIL,
    title="No alarm on an asynchronous endpoint waits for a metric that it does not publish",
    practices=("72", "70"),
    fix="Watch ApproximateBacklogSize, ApproximateAgeOfOldestRequest or InvocationFailures instead.",
    types=("aws_cloudwatch_metric_alarm",),
)
def silent_alarm(plan: Plan, alarm: Resource) -> Verdicts:
    watched = of_alarm(alarm)
    if watched is not UNKNOWN and not watched & _NEVER:
        return
    for endpoint, sure in _watched_by(plan).get(alarm.address, ()):
        found = kinds(plan, endpoint)
        if found is not UNKNOWN and ASYNCHRONOUS not in found:
            continue
        if watched is UNKNOWN or found is UNKNOWN or not sure:
            yield unknown(f"whether it watches an asynchronous {endpoint.address} is not known until apply", _METRIC)
        else:
            yield failed(f"{endpoint.address} is asynchronous and never publishes {_list(watched & _NEVER)}", _METRIC)


@lru_cache(maxsize=2)
def _watched_by(plan: Plan) -> dict[str, list[tuple[Resource, bool]]]:
    """The endpoints that each alarm watches, by the alarm's address, and whether that is sure."""
    found: dict[str, list[tuple[Resource, bool]]] = {}
    for endpoint in plan.joins.all(ENDPOINT):
        on = plan.joins.alarms_on(endpoint)
        for sure, watching in ((True, on.sure), (False, on.maybe)):
            for alarm in watching:
                found.setdefault(alarm.address, []).append((endpoint, sure))
    return found


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


@rule(
    id="SUS_ASYNC_FAILURES_SEEN",
    severity=Severity.WARN,
    title="Failures of an asynchronous endpoint are kept and told",
    practices=("54",),
    fix="Set s3_failure_path, and notification_config.error_topic, in output_config.",
    types=(CONFIGURATION,),
)
def failures_seen(plan: Plan, configuration: Resource) -> Verdicts:
    output = configuration.new.block(_OUTPUT)
    if output is None:
        return
    if output is UNKNOWN:
        yield unknown("where failures go is not known until apply", _OUTPUT)
        return
    places = ("s3_failure_path", "notification_config.0.error_topic")
    missing = [path for path in places if output.text(path) in (None, "")]
    if missing:
        names = " and ".join(path.rpartition(".")[2] for path in missing)
        yield failed(f"{names} not set: whoever sent a request that fails never hears of it", _OUTPUT)
    elif all(_set(plan, configuration, output, path) for path in places):
        yield passed()
    else:
        yield unknown("where failures go is not known until apply", _OUTPUT)


def _set(plan: Plan, configuration: Resource, output: Block, path: str) -> bool:
    """An address that is made in the same apply is set, though it is not known yet."""
    known = output.text(path) is not UNKNOWN
    return known or bool(plan.references(configuration, f"{_OUTPUT}.{path}").resources)
