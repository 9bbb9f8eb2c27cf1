"""Real-time endpoints: as many instances as the load needs, and none at night where nobody asks."""

from sustainable_mlops.plan import UNKNOWN, Matches, Plan, Resource, Unknown, Variant
from sustainable_mlops.rules import reading
from sustainable_mlops.rules.hosting import (
    ASYNCHRONOUS,
    ENDPOINT,
    REAL_TIME,
    each_target,
    each_variant,
    instances,
    named,
    scaling_policies,
)
from sustainable_mlops.rules.labels import Patience, is_production, patience
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

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
        managed = variant.block.text("managed_instance_scaling.0.status")
        targets = plan.joins.scalable_targets(endpoint, variant.name)
        ranges = [(target.new.number("min_capacity"), target.new.number("max_capacity")) for target in targets.sure]
        if managed == "ENABLED" or any(UNKNOWN not in pair and pair[0] != pair[1] for pair in ranges):
            yield passed()
        elif managed is UNKNOWN or targets.maybe or any(UNKNOWN in pair for pair in ranges):
            yield unknown(f"what scales {named(variant)} is not known until apply", variant.block.path)
        elif ranges:
            message = f"{named(variant)} scales from {ranges[0][0]} to {ranges[0][1]}: not at all"
            yield failed(message, variant.block.path)
        else:
            yield failed(f"nothing scales {named(variant)}: it is as large at night as at noon", variant.block.path)

    yield from each_variant(plan, endpoint, judge, REAL_TIME)


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
    policies, actions = scaling_policies(plan, target), plan.joins.scheduled_actions(target)
    if policies.sure or actions.sure:
        yield passed()
    elif policies.maybe or actions.maybe:
        yield unknown("what moves it is not known until apply")
    else:
        yield failed("no policy and no scheduled action moves it, so it never scales")


@rule(
    id="SUS_SCALES_IN",
    severity=Severity.WARN,
    title="A scaling policy takes instances away again",
    practices=("57",),
    fix="Remove disable_scale_in, or set it to false.",
    types=(POLICY,),
)
def scales_in(_: Plan, policy: Resource) -> Verdicts:
    path = "target_tracking_scaling_policy_configuration.0.disable_scale_in"
    if policy.new.text("service_namespace") != "sagemaker" or policy.new.text("policy_type") == "StepScaling":
        return
    disabled = policy.new.flag(path)
    if disabled is UNKNOWN:
        yield unknown("whether it scales in is not known until apply", path)
    elif disabled:
        yield failed("it only adds instances: one busy hour makes the endpoint large for ever", path)
    else:
        yield passed()


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
        targets = plan.joins.scalable_targets(endpoint, variant.name)
        least = _least(variant, targets)
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


def _least(variant: Variant, targets: Matches) -> float | Unknown | None:
    """The fewest instances that a variant has; None where inference components decide."""
    if targets.maybe:
        return UNKNOWN
    if targets.sure:
        return targets.sure[0].new.number("min_capacity")
    managed = variant.block.block("managed_instance_scaling")
    if managed is not None:
        return UNKNOWN if managed is UNKNOWN else None
    count = variant.block.number("initial_instance_count")
    return 1 if count is None else count


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
    production = is_production(plan, endpoint)
    if production is True:
        return

    def judge(variant: Variant) -> Verdicts:
        targets = plan.joins.scalable_targets(endpoint, variant.name)
        answers = [_rests(plan, target) for target in targets.sure] + [_is_deleted(plan, endpoint)]
        if True in answers:
            yield passed()
        elif production is None:
            yield unknown("no tag says which environment it belongs to", "tags")
        elif production is UNKNOWN or targets.maybe or UNKNOWN in answers:
            yield unknown("what stops it at night is not known until apply", variant.block.path)
        else:
            yield failed(f"nothing stops {named(variant)} at night", variant.block.path)

    yield from each_variant(plan, endpoint, judge, REAL_TIME)


def _rests(plan: Plan, target: Resource) -> bool | Unknown:
    """Whether scheduled actions lower a scalable target: below its own bounds, or below those of another action."""
    actions = plan.joins.scheduled_actions(target)
    answer: bool | Unknown = UNKNOWN if actions.maybe else False
    for bound in ("min_capacity", "max_capacity"):
        by_action = [action.new.number(f"scalable_target_action.0.{bound}") for action in actions.sure]
        bounds = [target.new.number(bound), *by_action]
        known = [number for number in bounds if isinstance(number, int | float)]
        if any(isinstance(number, int | float) and number < max(known) for number in by_action):
            return True
        if by_action and UNKNOWN in bounds:
            answer = UNKNOWN
    return answer


def _is_deleted(plan: Plan, endpoint: Resource) -> bool | Unknown:
    """Whether a schedule calls DeleteEndpoint with the endpoint's name."""
    answers = [_deletes(plan, schedule, endpoint) for schedule in plan.joins.all("aws_scheduler_schedule")]
    return True if True in answers else UNKNOWN if UNKNOWN in answers else False


def _deletes(plan: Plan, schedule: Resource, endpoint: Resource) -> bool | Unknown:
    """An ARN that is not known yet is that of another resource, where the configuration says so."""
    arn, body, name = schedule.text("target.0.arn"), schedule.text("target.0.input"), endpoint.text("name")
    if arn is UNKNOWN:
        return False if plan.references(schedule, "target.0.arn").resources else UNKNOWN
    if "sagemaker:deleteEndpoint" not in (arn or ""):
        return False
    if isinstance(body, str) and isinstance(name, str):
        return name in body
    endpoints = plan.references(schedule, "target").of(ENDPOINT)
    return endpoint in endpoints if endpoints else UNKNOWN


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
