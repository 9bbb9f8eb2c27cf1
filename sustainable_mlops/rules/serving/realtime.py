"""Real-time endpoints: scaling with the load, and shutdown outside working hours."""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown, Variant
from sustainable_mlops.plan.scaling import (
    Scaling,
    find_actions,
    find_instance_scaling,
    find_policies,
    find_policy_effect,
    find_variant_kind,
)
from sustainable_mlops.plan.schedules import has_deletion_schedule
from sustainable_mlops.plan.values import combine_any
from sustainable_mlops.rules import attributes
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    ENDPOINT,
    REAL_TIME,
    check_each_target,
    check_each_variant,
    describe_variant,
    explain_unknown_scaling,
    format_instances,
)
from sustainable_mlops.rules.workload_tags import LatencySlo, find_latency_slo, is_production

TARGET = "aws_appautoscaling_target"
POLICY = "aws_appautoscaling_policy"

_RETAIN_PATH = "retain_all_variant_properties"


@rule(
    id="SUS_REALTIME_SCALES",
    severity=Severity.WARN,
    title="Each variant of a real-time endpoint should scale with its load",
    problem="A variant of a real-time endpoint does not scale with its load",
    practices=("57",),
    fix="Add an aws_appautoscaling_target and a policy on SageMakerVariantInvocationsPerInstance for the variant.",
    types=(ENDPOINT,),
)
def realtime_scaling(plan: Plan, endpoint: Resource) -> RuleResults:
    def check(variant: Variant) -> RuleResults:
        scaling = find_instance_scaling(endpoint, variant, plan.joins)
        if scaling.is_variable is True:
            yield success()
        elif scaling.is_variable is UNKNOWN:
            yield unknown_result(explain_unknown_scaling(scaling, variant), variant.block.path)
        elif scaling.target is None:
            yield failure(
                f"nothing scales {describe_variant(variant)}: it has the same size at night as during the day",
                variant.block.path,
            )
        else:
            size = format_instances(scaling.minimum)
            message = f"{describe_variant(variant)} stays at {size}: {_explain_fixed_size(scaling)}"
            yield failure(message, variant.block.path)

    yield from check_each_variant(plan, endpoint, check, REAL_TIME)


def _explain_fixed_size(scaling: Scaling) -> str:
    if not scaling.has_range:
        return f"{scaling.target.address if scaling.target else 'its target'} has equal minimum and maximum capacity"
    return "; ".join(scaling.no_effect_reasons) or "no policy scales it"


@rule(
    id="SUS_SCALABLE_TARGET_HAS_POLICY",
    severity=Severity.WARN,
    title="A scalable target should have a policy or a scheduled action",
    problem="A scalable target has neither a policy nor a scheduled action",
    practices=("57",),
    fix="Add an aws_appautoscaling_policy with the target's resource_id and scalable_dimension.",
    types=(TARGET,),
)
def target_has_policy(plan: Plan, target: Resource) -> RuleResults:
    if target.new.text("service_namespace") != "sagemaker":
        return
    policies, actions = find_policies(target, plan.joins), find_actions(target, plan.joins)
    kind = find_variant_kind(target, plan.joins)
    moves = [find_policy_effect(policy, kind, plan.joins) for policy in policies.certain]
    has_effect = combine_any([bool(actions.certain), *(effect.has_effect for effect in moves)])
    if has_effect is True:
        yield success()
    elif policies.possible or actions.possible:
        yield unknown_result("its policies and scheduled actions are not known until apply")
    elif has_effect is UNKNOWN:
        reason = ", because its endpoint is not in this plan" if kind is UNKNOWN else ""
        yield unknown_result(f"it is not known whether its policies have an effect{reason}")
    elif moves:
        yield failure(
            "; ".join(effect.no_effect_reason for effect in moves if effect.no_effect_reason)
            or "none of its policies has an effect"
        )
    else:
        yield failure("it has no policy and no scheduled action, so it never scales")


@rule(
    id="SUS_SCALES_IN",
    severity=Severity.WARN,
    title="A scaling policy should also remove instances",
    problem="A scaling policy never removes instances",
    practices=("57",),
    fix="Remove disable_scale_in, or add a step policy with an alarm that removes instances.",
    types=(POLICY,),
)
def scales_in(plan: Plan, policy: Resource) -> RuleResults:
    path = "target_tracking_scaling_policy_configuration.0.disable_scale_in"
    if policy.new.text("service_namespace") != "sagemaker" or policy.new.text("policy_type") == "StepScaling":
        return
    disabled = policy.new.flag(path)
    if disabled is UNKNOWN:
        yield unknown_result("it is not known until apply whether it scales in", path)
    elif not disabled or (has_other := _has_other_scale_in(plan, policy)) is True:
        yield success()
    elif has_other is UNKNOWN:
        yield unknown_result("it only adds instances, and it is not known whether another policy removes them", path)
    else:
        yield failure("it only adds instances, so the endpoint stays large after one busy hour", path)


def _has_other_scale_in(plan: Plan, policy: Resource) -> bool | Unknown:
    """Return whether another policy of the same scalable target takes instances away."""
    for target in plan.joins.list_existing(TARGET):
        policies, kind = find_policies(target, plan.joins), find_variant_kind(target, plan.joins)
        if policy in policies.certain:
            moves = [
                find_policy_effect(other_policy, kind, plan.joins).can_remove
                for other_policy in policies.certain
                if other_policy is not policy
            ]
            return combine_any([*moves, *([UNKNOWN] if policies.possible else [])])
    return False


@rule(
    id="SUS_PRODUCTION_TWO_INSTANCES",
    severity=Severity.INFO,
    title="A production real-time endpoint with a short latency SLO should have two instances",
    problem="A production real-time endpoint with a short latency SLO has one instance",
    practices=("57", "51"),
    fix="Start with two instances, or set the endpoint's tag latency_slo if callers can wait for a new instance.",
    types=(ENDPOINT,),
)
def production_two_instances(plan: Plan, endpoint: Resource) -> RuleResults:
    production, slo = is_production(plan, endpoint), find_latency_slo(plan, endpoint)
    if production in (None, False) or (isinstance(slo, LatencySlo) and slo > LatencySlo.MILLISECONDS):
        return

    def check(variant: Variant) -> RuleResults:
        scaling = find_instance_scaling(endpoint, variant, plan.joins)
        minimum = (
            None if scaling.is_managed else scaling.minimum
        )  # inference components decide the number of managed instances
        if minimum is UNKNOWN:
            yield unknown_result(
                f"the number of instances of {describe_variant(variant)} is not known until apply", variant.block.path
            )
        elif minimum is not None and minimum < 2 and UNKNOWN in (production, slo):
            yield unknown_result("its tags are not known until apply", "tags")
        elif minimum is not None and minimum < 2:
            message = f"{describe_variant(variant)} may have only {format_instances(minimum)}, in one Availability Zone"
            yield failure(message, variant.block.path)
        elif minimum is not None:
            yield success()

    yield from check_each_variant(plan, endpoint, check, REAL_TIME)


@rule(
    id="SUS_AUTOSCALING_RESET",
    severity=Severity.WARN,
    title="An endpoint update should start with the same number of instances as autoscaling",
    problem="An endpoint update starts with another number of instances than autoscaling",
    practices=("57", "55"),
    fix="Set initial_instance_count to the scalable target's min_capacity (1 if that is 0).",
    types=(ENDPOINT,),
)
def autoscaling_reset(plan: Plan, endpoint: Resource) -> RuleResults:
    is_retained = endpoint.new.flag(_RETAIN_PATH)
    if is_retained is True:
        return

    def check(target: Resource, variant: Variant) -> RuleResults:
        path = f"{variant.block.path}.initial_instance_count"
        count, minimum = variant.block.number("initial_instance_count"), target.new.number("min_capacity")
        if minimum is UNKNOWN or count is UNKNOWN:
            yield unknown_result("its instance counts are not known until apply", path)
        elif minimum is None or count is None or count == max(minimum, 1):
            yield success()
        elif is_retained is UNKNOWN:
            yield unknown_result("it is not known until apply whether updates keep its instance counts", _RETAIN_PATH)
        else:
            size = format_instances(count)
            message = f"each update sets {describe_variant(variant)} to {size}, but autoscaling starts at {minimum}"
            yield failure(message, path)

    yield from check_each_target(plan, endpoint, check, REAL_TIME, ASYNCHRONOUS)


@rule(
    id="SUS_OFF_HOURS",
    severity=Severity.WARN,
    title="A real-time endpoint outside production should stop outside working hours",
    problem="A real-time endpoint outside production runs outside working hours",
    practices=("67",),
    fix=("Add aws_appautoscaling_scheduled_action for evenings and mornings, or a schedule that deletes the endpoint."),
    types=(ENDPOINT,),
)
def off_hours(plan: Plan, endpoint: Resource) -> RuleResults:
    """Check endpoints whose tag names another environment than production.

    Without the tag an endpoint may be production.
    """
    production = is_production(plan, endpoint)
    if production is True or production is None:
        return

    def check(variant: Variant) -> RuleResults:
        scaling = find_instance_scaling(endpoint, variant, plan.joins)
        reductions = [scaling.has_scheduled_reduction, has_deletion_schedule(endpoint, plan.joins)]
        if True in reductions:
            yield success()
        elif production is UNKNOWN or UNKNOWN in reductions:
            reason = (
                scaling.unknown_reasons[0]
                if scaling.unknown_reasons
                else "it is not known until apply what stops it at night"
            )
            yield unknown_result(reason, variant.block.path)
        else:
            yield failure(f"nothing stops {describe_variant(variant)} at night", variant.block.path)

    yield from check_each_variant(plan, endpoint, check, REAL_TIME)


@rule(
    id="SUS_ENDPOINT_RIGHT_SIZED",
    severity=Severity.INFO,
    title="A load test should select the instances of a real-time endpoint",
    problem="No load test selected the instances of a real-time endpoint",
    practices=("63",),
    fix="Run an Inference Recommender job and tag the endpoint recommendation_job with its ARN.",
    types=(ENDPOINT,),
)
def right_sized(plan: Plan, endpoint: Resource) -> RuleResults:
    def check(_: Variant) -> RuleResults:
        tags = attributes.read_tags(plan, endpoint)
        if tags is UNKNOWN:
            yield unknown_result("its tags are not known until apply", "tags")
        elif "recommendation_job" in tags:
            yield success()
        else:
            yield failure("no tag names the load test that selected its instances", "tags")

    yield from check_each_variant(plan, endpoint, check, REAL_TIME)
