"""Real-time endpoints: as many instances as the load needs, and none at night where nobody asks."""

from sustainable_mlops.plan import UNKNOWN, Matches, Plan, Resource, Unknown, Variant
from sustainable_mlops.rules.hosting import ASYNCHRONOUS, ENDPOINT, REAL_TIME, each_variant, named
from sustainable_mlops.rules.labels import Patience, is_production, patience
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

TARGET = "aws_appautoscaling_target"
POLICY = "aws_appautoscaling_policy"


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
            yield failed(f"{named(variant)} scales from {ranges[0][0]} to {ranges[0][1]}: not at all")
        else:
            yield failed(f"nothing scales {named(variant)}: it is as large at night as at noon")

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
    policies, actions = plan.joins.scaling_policies(target), plan.joins.scheduled_actions(target)
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
    if is_production(endpoint) is not True or patience(endpoint) not in (None, UNKNOWN, Patience.MILLISECONDS):
        return

    def judge(variant: Variant) -> Verdicts:
        targets = plan.joins.scalable_targets(endpoint, variant.name)
        least = _least(variant, targets)
        if least is UNKNOWN:
            yield unknown(f"how many instances {named(variant)} has is not known until apply", variant.block.path)
        elif least is not None and least < 2:
            yield failed(f"{named(variant)} may be down to {least:g} instance, in one availability zone")
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
    if endpoint.new.flag("retain_all_variant_properties") is True:
        return

    def judge(variant: Variant) -> Verdicts:
        count = variant.block.number("initial_instance_count")
        for target in plan.joins.scalable_targets(endpoint, variant.name).sure:
            least = target.new.number("min_capacity")
            if least is UNKNOWN or count is UNKNOWN:
                yield unknown("its instance counts are not known until apply", variant.block.path)
            elif least is not None and count is not None and count != max(least, 1):
                message = (
                    f"each update sets {named(variant)} to {count:g} instances, and autoscaling to {least:g} or more"
                )
                yield failed(message, f"{variant.block.path}.initial_instance_count")
            else:
                yield passed()

    yield from each_variant(plan, endpoint, judge, REAL_TIME, ASYNCHRONOUS)


@rule(
    id="SUS_OFF_HOURS",
    severity=Severity.WARN,
    title="A real-time endpoint outside production rests when nobody works",
    practices=("67",),
    fix="Add aws_appautoscaling_scheduled_action for evenings and mornings, or a schedule that deletes the endpoint.",
    types=(ENDPOINT,),
)
def off_hours(plan: Plan, endpoint: Resource) -> Verdicts:
    production = is_production(endpoint)
    if production is True:
        return

    def judge(variant: Variant) -> Verdicts:
        targets = plan.joins.scalable_targets(endpoint, variant.name)
        actions = [plan.joins.scheduled_actions(target) for target in targets.sure]
        if any(found.sure for found in actions) or _deleted_by_schedule(plan, endpoint):
            yield passed()
        elif production is UNKNOWN:
            yield unknown("no tag says which environment it belongs to", "tags")
        elif targets.maybe or any(found.maybe for found in actions):
            yield unknown("what stops it at night is not known until apply")
        else:
            yield failed(f"nothing stops {named(variant)} at night")

    yield from each_variant(plan, endpoint, judge, REAL_TIME)


def _deleted_by_schedule(plan: Plan, endpoint: Resource) -> bool:
    """Whether a schedule that acts on SageMaker names the endpoint."""
    name = endpoint.new.text("name")
    for schedule in plan.by_type("aws_scheduler_schedule"):
        arn, body = schedule.new.text("target.0.arn"), schedule.new.text("target.0.input")
        if not isinstance(arn, str) or "sagemaker:deleteEndpoint" not in arn:
            continue
        if isinstance(body, str) and isinstance(name, str) and name in body:
            return True
        if endpoint in plan.references(schedule, "target").resources:
            return True
    return False


@rule(
    id="SUS_ENDPOINT_RIGHT_SIZED",
    severity=Severity.INFO,
    title="The instances of a real-time endpoint were chosen by a load test",
    practices=("63",),
    fix="Run an Inference Recommender job and tag the endpoint recommendation_job with its ARN.",
    types=(ENDPOINT,),
)
def right_sized(plan: Plan, endpoint: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        tags = endpoint.tags()
        if tags is UNKNOWN:
            yield unknown("its tags are not known until apply", "tags")
        elif "recommendation_job" in tags:
            yield passed()
        else:
            yield failed(f"no tag says which load test chose the instances of {named(variant)}", "tags")

    yield from each_variant(plan, endpoint, judge, REAL_TIME)
