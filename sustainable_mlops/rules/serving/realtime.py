"""Real-time endpoints: as many instances as the load needs, and none at night where nobody asks."""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown, Variant
from sustainable_mlops.plan.scaling import Scaling, actions_of, kind_of, moves_of, of_instances, policies_of
from sustainable_mlops.plan.schedules import deletes
from sustainable_mlops.plan.values import any_of
from sustainable_mlops.rules import reading
from sustainable_mlops.rules.labels import Patience, is_production, patience
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    ENDPOINT,
    REAL_TIME,
    each_target,
    each_variant,
    instances,
    named,
    untold,
)

TARGET = "aws_appautoscaling_target"
POLICY = "aws_appautoscaling_policy"

_KEPT = "retain_all_variant_properties"


@rule(
    id="SUS_REALTIME_SCALES",
    severity=Severity.WARN,
    title="Each variant of a real-time endpoint scales with its load",
    practices=("57",),
    fix="Add an aws_appautoscaling_target and a policy on SageMakerVariantInvocationsPerInstance for the variant.",
    types=(ENDPOINT,),
)
def scales(plan: Plan, endpoint: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        scaled = of_instances(endpoint, variant, plan.joins)
        if scaled.moves is True:
            yield passed()
        elif scaled.moves is UNKNOWN:
            yield unknown(untold(scaled, variant), variant.block.path)
        elif scaled.target is None:
            yield failed(f"nothing scales {named(variant)}: it is as large at night as at noon", variant.block.path)
        else:
            yield failed(
                f"{named(variant)} stays at {instances(scaled.least)}: {_why_still(scaled)}", variant.block.path
            )

    yield from each_variant(plan, endpoint, judge, REAL_TIME)


def _why_still(scaled: Scaling) -> str:
    if not scaled.ranges:
        return f"{scaled.target.address if scaled.target else 'its target'} leaves no room"
    return "; ".join(scaled.never) or "no policy moves it"


@rule(
    id="SUS_SCALABLE_TARGET_HAS_POLICY",
    severity=Severity.WARN,
    title="Something moves a scalable target",
    practices=("57",),
    fix="Add an aws_appautoscaling_policy with the target's resource_id and scalable_dimension.",
    types=(TARGET,),
)
def target_has_policy(plan: Plan, target: Resource) -> Verdicts:
    if target.new.text("service_namespace") != "sagemaker":
        return
    policies, actions = policies_of(target, plan.joins), actions_of(target, plan.joins)
    kind = kind_of(target, plan.joins)
    moves = [moves_of(policy, kind, plan.joins) for policy in policies.sure]
    found = any_of([bool(actions.sure), *(one.acts for one in moves)])
    if found is True:
        yield passed()
    elif policies.maybe or actions.maybe:
        yield unknown("what moves it is not known until apply")
    elif found is UNKNOWN:
        where = ", as its endpoint is not in this plan" if kind is UNKNOWN else ""
        yield unknown(f"whether its policies ever act cannot be told{where}")
    elif moves:
        yield failed("; ".join(one.never for one in moves if one.never) or "none of its policies does anything")
    else:
        yield failed("no policy and no scheduled action moves it, so it never scales")


@rule(
    id="SUS_SCALES_IN",
    severity=Severity.WARN,
    title="A scaling policy takes instances away again",
    practices=("57",),
    fix="Remove disable_scale_in, or add a step policy with an alarm that takes instances away.",
    types=(POLICY,),
)
def scales_in(plan: Plan, policy: Resource) -> Verdicts:
    path = "target_tracking_scaling_policy_configuration.0.disable_scale_in"
    if policy.new.text("service_namespace") != "sagemaker" or policy.new.text("policy_type") == "StepScaling":
        return
    disabled = policy.new.flag(path)
    if disabled is UNKNOWN:
        yield unknown("whether it scales in is not known until apply", path)
    elif not disabled or (others := _has_other_scale_in(plan, policy)) is True:
        yield passed()
    elif others is UNKNOWN:
        yield unknown("it only adds instances, and whether another policy takes them away is not known", path)
    else:
        yield failed("it only adds instances: one busy hour makes the endpoint large for ever", path)


def _has_other_scale_in(plan: Plan, policy: Resource) -> bool | Unknown:
    """Return whether another policy of the same scalable target takes instances away."""
    for target in plan.joins.all(TARGET):
        policies, kind = policies_of(target, plan.joins), kind_of(target, plan.joins)
        if policy in policies.sure:
            moves = [moves_of(other, kind, plan.joins).takes for other in policies.sure if other is not policy]
            return any_of([*moves, *([UNKNOWN] if policies.maybe else [])])
    return False


@rule(
    id="SUS_PRODUCTION_TWO_INSTANCES",
    severity=Severity.INFO,
    title="A real-time endpoint in production has two instances where its latency needs them",
    practices=("57", "51"),
    fix="Start from two instances, or tag latency_slo with what callers tolerate if they can wait for a new one.",
    types=(ENDPOINT,),
)
def production_two_instances(plan: Plan, endpoint: Resource) -> Verdicts:
    production, wanted = is_production(plan, endpoint), patience(plan, endpoint)
    if production in (None, False) or (isinstance(wanted, Patience) and wanted > Patience.MILLISECONDS):
        return

    def judge(variant: Variant) -> Verdicts:
        scaled = of_instances(endpoint, variant, plan.joins)
        least = None if scaled.managed else scaled.least  # of those, inference components decide
        if least is UNKNOWN:
            yield unknown(f"how many instances {named(variant)} has is not known until apply", variant.block.path)
        elif least is not None and least < 2 and UNKNOWN in (production, wanted):
            yield unknown("what its tags say is not known until apply", "tags")
        elif least is not None and least < 2:
            message = f"{named(variant)} may be down to {instances(least)}, in one availability zone"
            yield failed(message, variant.block.path)
        elif least is not None:
            yield passed()

    yield from each_variant(plan, endpoint, judge, REAL_TIME)


@rule(
    id="SUS_AUTOSCALING_RESET",
    severity=Severity.WARN,
    title="An update of the endpoint starts from as many instances as autoscaling does",
    practices=("57", "55"),
    fix="Set initial_instance_count to the scalable target's min_capacity (1 where that is 0).",
    types=(ENDPOINT,),
)
def autoscaling_reset(plan: Plan, endpoint: Resource) -> Verdicts:
    kept = endpoint.new.flag(_KEPT)
    if kept is True:
        return

    def judge(target: Resource, variant: Variant) -> Verdicts:
        path = f"{variant.block.path}.initial_instance_count"
        count, least = variant.block.number("initial_instance_count"), target.new.number("min_capacity")
        if least is UNKNOWN or count is UNKNOWN:
            yield unknown("its instance counts are not known until apply", path)
        elif least is None or count is None or count == max(least, 1):
            yield passed()
        elif kept is UNKNOWN:
            yield unknown("whether updates keep its instance counts is not known until apply", _KEPT)
        else:
            message = f"each update sets {named(variant)} to {instances(count)}, and autoscaling to {least} or more"
            yield failed(message, path)

    yield from each_target(plan, endpoint, judge, REAL_TIME, ASYNCHRONOUS)


@rule(
    id="SUS_OFF_HOURS",
    severity=Severity.WARN,
    title="A real-time endpoint outside production rests when nobody works",
    practices=("67",),
    fix="Add aws_appautoscaling_scheduled_action for evenings and mornings, or a schedule that deletes the endpoint.",
    types=(ENDPOINT,),
)
def off_hours(plan: Plan, endpoint: Resource) -> Verdicts:
    """Of an endpoint that no tag gives an environment nothing is said: it may be production."""
    production = is_production(plan, endpoint)
    if production is True or production is None:
        return

    def judge(variant: Variant) -> Verdicts:
        scaled = of_instances(endpoint, variant, plan.joins)
        answers = [scaled.rests, deletes(endpoint, plan.joins)]
        if True in answers:
            yield passed()
        elif production is UNKNOWN or UNKNOWN in answers:
            why = scaled.untold[0] if scaled.untold else "what stops it at night is not known until apply"
            yield unknown(why, variant.block.path)
        else:
            yield failed(f"nothing stops {named(variant)} at night", variant.block.path)

    yield from each_variant(plan, endpoint, judge, REAL_TIME)


@rule(
    id="SUS_ENDPOINT_RIGHT_SIZED",
    severity=Severity.INFO,
    title="The instances of a real-time endpoint were chosen by a load test",
    practices=("63",),
    fix="Run an Inference Recommender job and tag the endpoint recommendation_job with its ARN.",
    types=(ENDPOINT,),
)
def right_sized(plan: Plan, endpoint: Resource) -> Verdicts:
    def judge(_: Variant) -> Verdicts:
        tags = reading.tags(plan, endpoint)
        if tags is UNKNOWN:
            yield unknown("its tags are not known until apply", "tags")
        elif "recommendation_job" in tags:
            yield passed()
        else:
            yield failed("no tag says which load test chose its instances", "tags")

    yield from each_variant(plan, endpoint, judge, REAL_TIME)
