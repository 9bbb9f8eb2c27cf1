"""Asynchronous endpoints: scaling to zero, the start at the first request, and failures.

Metrics and values come from the SageMaker developer guide, "Autoscale an asynchronous endpoint".
"""

from collections.abc import Iterable
from functools import lru_cache

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Unknown, Variant
from sustainable_mlops.plan.metrics import (
    UNPUBLISHED,
    list_alarm_metrics,
    list_policy_metrics,
    publishes_policy_metrics,
)
from sustainable_mlops.plan.scaling import find_instance_scaling, find_policies, find_policy_effect
from sustainable_mlops.plan.values import combine_all
from sustainable_mlops.rules import alarms
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    CONFIGURATION,
    ENDPOINT,
    check_each_target,
    check_each_variant,
    describe_variant,
    explain_unknown_scaling,
    find_kinds,
    format_instances,
)

_OUTPUT = "async_inference_config.0.output_config.0"
_BACKLOG = frozenset({"ApproximateBacklogSizePerInstance", "ApproximateBacklogSize"})
_START_METRIC = "HasBacklogWithoutCapacity"
_METRIC = "metric_name"
_UNPUBLISHED = UNPUBLISHED[ASYNCHRONOUS]


@rule(
    id="SUS_ASYNC_SCALES_TO_ZERO",
    severity=Severity.WARN,
    title="An asynchronous endpoint should scale to zero",
    problem="An asynchronous endpoint does not scale to zero",
    practices=("55",),
    fix=(
        "Add an aws_appautoscaling_target for the variant with min_capacity = 0, and a policy that tracks "
        "ApproximateBacklogSizePerInstance."
    ),
    types=(ENDPOINT,),
)
def scales_to_zero(plan: Plan, endpoint: Resource) -> RuleResults:
    def check(variant: Variant) -> RuleResults:
        scaling = find_instance_scaling(endpoint, variant, plan.joins)
        if scaling.scales_to_zero is True:
            yield success()
        elif scaling.scales_to_zero is UNKNOWN:
            yield unknown_result(explain_unknown_scaling(scaling, variant), variant.block.path)
        elif scaling.target is None:
            yield failure(
                f"nothing scales {describe_variant(variant)}, so it runs while its queue is empty", variant.block.path
            )
        elif scaling.can_remove is False:
            reason = "; ".join(scaling.no_effect_reasons) or "no policy removes instances"
            message = f"{describe_variant(variant)} does not scale in while its queue is empty: {reason}"
            yield failure(message, variant.block.path)
        else:
            message = f"{describe_variant(variant)} keeps {format_instances(scaling.minimum)} while its queue is empty"
            yield failure(message, variant.block.path)

    yield from check_each_variant(plan, endpoint, check, ASYNCHRONOUS)


@rule(
    id="SUS_ASYNC_BACKLOG_POLICY",
    severity=Severity.WARN,
    title="An asynchronous endpoint should scale with its backlog",
    problem="An asynchronous endpoint does not scale with its backlog",
    practices=("55",),
    fix=(
        "Track ApproximateBacklogSizePerInstance (AWS/SageMaker, Average, dimension EndpointName) with a target of 5."
    ),
    types=(ENDPOINT,),
)
def backlog_policy(plan: Plan, endpoint: Resource) -> RuleResults:
    def check(target: Resource, variant: Variant) -> RuleResults:
        policies = find_policies(target, plan.joins)
        matches = [_tracks_backlog(policy) for policy in policies.certain]
        if True in matches:
            yield success()
        elif policies.possible or UNKNOWN in matches:
            yield unknown_result(
                f"the scaling metric of {describe_variant(variant)} is not known until apply", variant.block.path
            )
        else:
            yield failure(f"no policy of {target.address} tracks the backlog", variant.block.path)

    yield from check_each_target(plan, endpoint, check, ASYNCHRONOUS)


def _tracks_backlog(policy: Resource) -> bool | Unknown:
    names = list_policy_metrics(policy)
    if names is UNKNOWN or not names & _BACKLOG:
        return UNKNOWN if names is UNKNOWN else False
    return publishes_policy_metrics(policy, ASYNCHRONOUS)


@rule(
    id="SUS_ASYNC_WAKES",
    severity=Severity.WARN,
    title="An asynchronous endpoint at zero should start at the first request",
    problem="An asynchronous endpoint at zero does not start at the first request",
    practices=("55",),
    fix=(
        "Add a StepScaling policy (ChangeInCapacity, +1) and an alarm on HasBacklogWithoutCapacity >= 1 "
        "whose alarm_actions contain that policy."
    ),
    types=(ENDPOINT,),
)
def start_from_zero(plan: Plan, endpoint: Resource) -> RuleResults:
    def check(target: Resource, variant: Variant) -> RuleResults:
        yield from check_start_alarm(plan, target, _START_METRIC, variant.block.path, ASYNCHRONOUS)

    yield from check_each_target(plan, endpoint, check, ASYNCHRONOUS)


def check_start_alarm(
    plan: Plan, target: Resource, metric: str, path: str, kind: str | Unknown = UNKNOWN
) -> RuleResults:
    """Check that an alarm on `metric` starts a step policy of a scalable target that scales to zero."""
    minimum = target.new.number("min_capacity")
    if minimum != 0:
        if minimum is UNKNOWN:
            yield unknown_result(f"it is not known until apply whether {target.address} scales to zero", path)
        return
    policies = find_policies(target, plan.joins)
    types = [policy.new.text("policy_type") for policy in policies.certain]
    steps = [policy for policy, type_ in zip(policies.certain, types, strict=True) if type_ == "StepScaling"]
    alarms = [(policy, plan.joins.find_alarms_with_action(policy)) for policy in steps]
    certain = [
        (find_policy_effect(policy, kind, plan.joins).can_start, alarm)
        for policy, policy_alarms in alarms
        for alarm in policy_alarms.certain
    ]
    matches = [combine_all([can_add, _starts_at_first(alarm, metric)]) for can_add, alarm in certain]
    if True in matches:
        yield success()
    elif (
        policies.possible
        or UNKNOWN in types
        or UNKNOWN in matches
        or any(policy_alarms.possible for _, policy_alarms in alarms)
    ):
        yield unknown_result(f"it is not known until apply what starts {target.address} from zero", path)
    elif any(can_add is True and list_alarm_metrics(alarm) == {metric} for can_add, alarm in certain):
        message = f"the alarm on {metric} of {target.address} ignores the first request: use a threshold of >= 1"
        yield failure(message, path)
    elif steps:
        message = f"no enabled alarm on {metric} starts a step policy of {target.address} that adds capacity"
        yield failure(message, path)
    else:
        yield failure(f"{target.address} has no step policy, so it starts from zero only after a long queue", path)


def _starts_at_first(alarm: Resource, metric: str) -> bool | Unknown:
    metrics = list_alarm_metrics(alarm)
    if metrics is UNKNOWN:
        return UNKNOWN
    return alarms.is_raised_at_one(alarm) if metric in metrics else False


@rule(
    id="SUS_ASYNC_SCALES_ON_INVOCATIONS",
    severity=Severity.FAIL,
    title="An asynchronous endpoint must not scale on a request metric, which it does not publish",
    problem="An asynchronous endpoint scales on a request metric, which it does not publish",
    practices=("55",),
    fix="Track ApproximateBacklogSizePerInstance with a customized_metric_specification.",
    types=("aws_appautoscaling_policy",),
)
def scales_on_invocations(plan: Plan, policy: Resource) -> RuleResults:
    if policy.new.text("service_namespace") != "sagemaker":
        return
    published, path = publishes_policy_metrics(policy, ASYNCHRONOUS), "target_tracking_scaling_policy_configuration"
    names, endpoint_kinds = (
        list_policy_metrics(policy),
        find_kinds(plan, plan.joins.find_scaled_variant(policy).endpoint),
    )
    if published is True:
        if endpoint_kinds is UNKNOWN or ASYNCHRONOUS in endpoint_kinds:
            yield success()
    elif endpoint_kinds is UNKNOWN:
        yield unknown_result("this plan does not show whether its endpoint is asynchronous", "resource_id")
    elif ASYNCHRONOUS not in endpoint_kinds:
        return
    elif names is UNKNOWN:
        yield unknown_result("its metric is not known until apply", path)
    elif published is UNKNOWN:
        yield unknown_result(
            f"the result of its metric math without {_join_names(names & _UNPUBLISHED)} is not known", path
        )
    else:
        yield failure(
            f"an asynchronous endpoint never publishes {_join_names(names & _UNPUBLISHED)}, so it never scales", path
        )


@rule(
    id="SUS_ASYNC_SILENT_ALARM",
    severity=Severity.FAIL,
    title="An alarm on an asynchronous endpoint must not use a metric that the endpoint does not publish",
    problem="An alarm on an asynchronous endpoint uses a metric that the endpoint does not publish",
    practices=("72", "70"),
    fix="Use ApproximateBacklogSize, ApproximateAgeOfOldestRequest or InvocationFailures instead.",
    types=("aws_cloudwatch_metric_alarm",),
)
def silent_alarm(plan: Plan, alarm: Resource) -> RuleResults:
    metrics = list_alarm_metrics(alarm)
    if metrics is not UNKNOWN and not metrics & _UNPUBLISHED:
        return
    for endpoint, certain in _list_alarm_endpoints(plan).get(alarm.address, ()):
        endpoint_kinds = find_kinds(plan, endpoint)
        if endpoint_kinds is not UNKNOWN and ASYNCHRONOUS not in endpoint_kinds:
            continue
        if metrics is UNKNOWN or endpoint_kinds is UNKNOWN or not certain:
            yield unknown_result(
                f"it is not known until apply whether it monitors an asynchronous {endpoint.address}", _METRIC
            )
        else:
            yield failure(
                f"{endpoint.address} is asynchronous and never publishes {_join_names(metrics & _UNPUBLISHED)}", _METRIC
            )


@lru_cache(maxsize=2)
def _list_alarm_endpoints(plan: Plan) -> dict[str, list[tuple[Resource, bool]]]:
    """Return the endpoints of each alarm, by the alarm's address, and whether the relation is certain."""
    endpoints: dict[str, list[tuple[Resource, bool]]] = {}
    for endpoint in plan.joins.list_existing(ENDPOINT):
        alarm_matches = plan.joins.find_endpoint_alarms(endpoint)
        for certain, matches in ((True, alarm_matches.certain), (False, alarm_matches.possible)):
            for alarm in matches:
                endpoints.setdefault(alarm.address, []).append((endpoint, certain))
    return endpoints


def _join_names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


@rule(
    id="SUS_ASYNC_FAILURES_SEEN",
    severity=Severity.WARN,
    title="An asynchronous endpoint should store failures and notify about them",
    problem="Failures of an asynchronous endpoint are not stored, or nobody is notified",
    practices=("54",),
    fix="Set s3_failure_path, and notification_config.error_topic, in output_config.",
    types=(CONFIGURATION,),
)
def failure_destinations(plan: Plan, configuration: Resource) -> RuleResults:
    output = configuration.new.block(_OUTPUT)
    if output is None:
        return
    if output is UNKNOWN:
        yield unknown_result("the destination of failures is not known until apply", _OUTPUT)
        return
    locations = ("s3_failure_path", "notification_config.0.error_topic")
    missing = [path for path in locations if output.text(path) in (None, "")]
    if missing:
        names = " and ".join(path.rpartition(".")[2] for path in missing)
        yield failure(f"without {names}, callers get no notice of failed requests", _OUTPUT)
    elif all(_is_address_set(plan, configuration, output, path) for path in locations):
        yield success()
    else:
        yield unknown_result("the destination of failures is not known until apply", _OUTPUT)


def _is_address_set(plan: Plan, configuration: Resource, output: Block, path: str) -> bool:
    """Return whether an address is set. An address that the same apply creates counts, although it is unknown."""
    known = output.text(path) is not UNKNOWN
    return known or bool(plan.find_references(configuration, f"{_OUTPUT}.{path}").resources)
