"""How a new model takes over: back by itself where it fails, and not twice the instances for long."""

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Unknown, Variant
from sustainable_mlops.rules.hosting import ENDPOINT, REAL_TIME, each_variant, variants
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

_BLUE_GREEN = "deployment_config.0.blue_green_update_policy.0"
#: The longest that the old fleet may run beside the new one after the traffic has moved, in seconds (assumed).
LONGEST_BAKE = 600
#: From this many instances on, a second fleet is worth avoiding (assumed).
LARGE_FLEET = 4


@rule(
    id="SUS_ROLLBACK_ALARMS",
    severity=Severity.WARN,
    title="A real-time endpoint goes back to the old model by itself",
    practices=("66",),
    fix="Name alarms on Invocation5XXErrors and ModelLatency in deployment_config.auto_rollback_configuration.",
    types=(ENDPOINT,),
)
def rollback_alarms(plan: Plan, endpoint: Resource) -> Verdicts:
    def judge(_: Variant) -> Verdicts:
        path = "deployment_config.0.auto_rollback_configuration.0.alarms"
        alarms = endpoint.new.blocks(path)
        if alarms is UNKNOWN:
            yield unknown("its rollback alarms are not known until apply", "deployment_config")
        elif alarms:
            yield passed()
        else:
            yield failed("a bad model stays until somebody notices: no alarm rolls it back", "deployment_config")

    yield from each_variant(plan, endpoint, judge, REAL_TIME)


@rule(
    id="SUS_BLUE_GREEN_BAKE",
    severity=Severity.WARN,
    title="The old instances go soon after a model's traffic has moved",
    practices=("66",),
    fix=f"Set termination_wait_in_seconds to {LONGEST_BAKE} or less, or use a rolling_update_policy.",
    types=(ENDPOINT,),
)
def blue_green_bake(_: Plan, endpoint: Resource) -> Verdicts:
    if endpoint.get(_BLUE_GREEN) is None:
        return
    path = f"{_BLUE_GREEN}.termination_wait_in_seconds"
    seconds = endpoint.new.number(path)
    if seconds is UNKNOWN:
        yield unknown("how long both fleets run is not known until apply", path)
    elif seconds is not None and seconds > LONGEST_BAKE:
        yield failed(f"after each update both fleets run for {seconds:g} s", path)
    else:
        yield passed()


@rule(
    id="SUS_ROLLING_UPDATE",
    severity=Severity.INFO,
    title="A large fleet is updated in parts",
    practices=("66",),
    fix="Use deployment_config.rolling_update_policy: it adds a part of the instances at a time, not all of them.",
    types=(ENDPOINT,),
)
def rolling_update(plan: Plan, endpoint: Resource) -> Verdicts:
    found = variants(plan, endpoint)
    if found is not UNKNOWN and len(found) > 1:
        return  # SageMaker rolls no endpoint of several variants

    def judge(variant: Variant) -> Verdicts:
        size = _size(plan, endpoint, variant)
        rolling = endpoint.new.block("deployment_config.0.rolling_update_policy")
        if isinstance(rolling, Block):
            yield passed()
        elif size is UNKNOWN or rolling is UNKNOWN:
            yield unknown("how many instances an update doubles is not known until apply", variant.block.path)
        elif size >= LARGE_FLEET:
            yield failed(
                f"each update starts {size:g} more instances before it stops the old ones", "deployment_config"
            )

    yield from each_variant(plan, endpoint, judge, REAL_TIME)


def _size(plan: Plan, endpoint: Resource, variant: Variant) -> float | Unknown:
    """The instances that a variant surely has: the least that autoscaling leaves, else those it starts with."""
    targets = plan.joins.scalable_targets(endpoint, variant.name)
    if targets.maybe:
        return UNKNOWN
    found = (
        targets.sure[0].new.number("min_capacity") if targets.sure else variant.block.number("initial_instance_count")
    )
    return 1 if found is None else found
