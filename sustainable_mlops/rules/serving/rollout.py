"""How a new model takes over: back by itself where it fails, and not twice the instances for long."""

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Variant
from sustainable_mlops.plan.scaling import of_instances
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import ENDPOINT, REAL_TIME, each_variant, variants

_BLUE_GREEN = "deployment_config.0.blue_green_update_policy.0"
_ROLLBACK = "deployment_config.0.auto_rollback_configuration"
#: The longest that the old fleet may run beside the new one after the traffic has moved, in seconds (assumed).
LONGEST_BAKE = 600
#: From this many instances on, a second fleet is worth avoiding (assumed).
LARGE_FLEET = 4


@rule(
    id="SUS_ROLLBACK_ALARMS",
    severity=Severity.WARN,
    title="A real-time endpoint goes back to the old model by itself",
    practices=("66",),
    fix=(
        "Name alarms on Invocation5XXErrors and ModelLatency in deployment_config.auto_rollback_configuration: from "
        "the first apply, as adding the block later replaces the endpoint."
    ),
    types=(ENDPOINT,),
)
def rollback_alarms(plan: Plan, endpoint: Resource) -> Verdicts:
    def judge(_: Variant) -> Verdicts:
        alarms = endpoint.new.blocks(f"{_ROLLBACK}.0.alarms")
        if alarms is UNKNOWN:
            yield unknown("its rollback alarms are not known until apply", "deployment_config")
        elif alarms:
            yield passed()
        else:
            yield failed("a bad model stays until somebody notices: no alarm rolls it back", "deployment_config")

    yield from each_variant(plan, endpoint, judge, REAL_TIME)


@rule(
    id="SUS_ROLLBACK_REPLACES_ENDPOINT",
    severity=Severity.WARN,
    title="An endpoint is not replaced to get its rollback alarms, or to lose them",
    practices=("66",),
    fix=(
        "Have auto_rollback_configuration from the first apply and change the alarms inside it, which is an update; "
        "an endpoint that runs gets it beside the old one, under another name, and callers move over."
    ),
    types=(ENDPOINT,),
    of_change=True,
)
def rollback_replaces_endpoint(_: Plan, endpoint: Resource) -> Verdicts:
    """Adding or removing the block makes the provider delete the endpoint first (tried with 5.100)."""
    if endpoint.action not in ("update", "replace"):
        return
    if any("auto_rollback_configuration" in path for path in endpoint.replaced_because):
        done = "removed" if endpoint.old.get(_ROLLBACK) else "added"
        yield failed(f"auto_rollback_configuration is {done}, which the provider does by an outage", _ROLLBACK)
    else:
        yield passed()


@rule(
    id="SUS_ROLLBACK_UNNOTICED",
    severity=Severity.WARN,
    title="An apply that SageMaker rolls back fails",
    practices=("66",),
    fix=(
        "Add lifecycle { postcondition { condition = self.endpoint_config_name == <configuration>.name … } } to the "
        "endpoint; a plan shows that there is a condition, not which."
    ),
    types=(ENDPOINT,),
)
def rollback_unnoticed(plan: Plan, endpoint: Resource) -> Verdicts:
    """Of endpoints with rollback alarms. After a rollback the endpoint is in service with its old configuration, which
    the provider takes for success; the configuration in use is then destroyed as the one that was replaced (tried with
    5.100 against a mock; issue 46663 of the provider).
    """
    alarms = endpoint.new.blocks(f"{_ROLLBACK}.0.alarms")
    if alarms is UNKNOWN:
        yield unknown("its rollback alarms are not known until apply", "deployment_config")
    elif not alarms:
        return
    elif plan.has_condition(endpoint):
        yield passed()
    else:
        yield failed(
            "after a rollback the apply succeeds, and the configuration that the endpoint went back to is deleted",
            "endpoint_config_name",
        )


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
        size = of_instances(endpoint, variant, plan.joins).least  # which there surely are
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
