"""Deployments of new models: automatic rollback, and a short time with both fleets."""

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Variant
from sustainable_mlops.plan.scaling import find_instance_scaling
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import ENDPOINT, REAL_TIME, check_each_variant, list_variants

_BLUE_GREEN = "deployment_config.0.blue_green_update_policy.0"
_ROLLBACK = "deployment_config.0.auto_rollback_configuration"
#: Maximum time for which the old fleet runs after the traffic has moved, in seconds (assumed).
MAX_BAKE_SECONDS = 600
#: Number of instances from which a second fleet should be avoided (assumed).
LARGE_FLEET = 4


@rule(
    id="SUS_ROLLBACK_ALARMS",
    severity=Severity.WARN,
    title="A real-time endpoint should roll back a failed model automatically",
    problem="A real-time endpoint does not roll back a failed model automatically",
    practices=("66",),
    fix=(
        "Add alarms on Invocation5XXErrors and ModelLatency to "
        "deployment_config.auto_rollback_configuration. Do this in the first apply: adding the block later "
        "replaces the endpoint."
    ),
    types=(ENDPOINT,),
)
def rollback_alarms(plan: Plan, endpoint: Resource) -> RuleResults:
    def check(_: Variant) -> RuleResults:
        alarms = endpoint.new.blocks(f"{_ROLLBACK}.0.alarms")
        if alarms is UNKNOWN:
            yield unknown_result("its rollback alarms are not known until apply", "deployment_config")
        elif alarms:
            yield success()
        else:
            yield failure("no alarm rolls back a failed model", "deployment_config")

    yield from check_each_variant(plan, endpoint, check, REAL_TIME)


@rule(
    id="SUS_ROLLBACK_REPLACES_ENDPOINT",
    severity=Severity.WARN,
    title="An endpoint should not be replaced to add or remove its rollback alarms",
    problem="An endpoint is replaced to add or remove its rollback alarms",
    practices=("66",),
    fix=(
        "Set auto_rollback_configuration in the first apply and change the alarms inside it, which is an "
        "update. For a running endpoint, create a second endpoint with the block under another name and move "
        "the callers."
    ),
    types=(ENDPOINT,),
    is_about_change=True,
)
def rollback_replaces_endpoint(_: Plan, endpoint: Resource) -> RuleResults:
    """Check for a new or removed block. The provider then deletes the endpoint first (tried with 5.100)."""
    if endpoint.action not in ("update", "replace"):
        return
    if any("auto_rollback_configuration" in path for path in endpoint.replacement_paths):
        change = "removed" if endpoint.old.get(_ROLLBACK) else "added"
        yield failure(f"auto_rollback_configuration is {change}, so the provider replaces the endpoint", _ROLLBACK)
    else:
        yield success()


@rule(
    id="SUS_ROLLBACK_UNNOTICED",
    severity=Severity.WARN,
    title="An apply should fail if SageMaker rolls back the endpoint",
    problem="An apply succeeds although SageMaker rolls back the endpoint",
    practices=("66",),
    fix=(
        "Add lifecycle { postcondition { condition = self.endpoint_config_name == <configuration>.name … } } "
        "to the endpoint. A plan shows only that there is a condition, not its content."
    ),
    types=(ENDPOINT,),
)
def rollback_unnoticed(plan: Plan, endpoint: Resource) -> RuleResults:
    """Check endpoints with rollback alarms for a postcondition.

    After a rollback the endpoint is in service with its old configuration, and the provider reports success. It then
    destroys the configuration in use as the replaced one (tried with 5.100 against a mock; issue 46663 of the
    provider).
    """
    alarms = endpoint.new.blocks(f"{_ROLLBACK}.0.alarms")
    if alarms is UNKNOWN:
        yield unknown_result("its rollback alarms are not known until apply", "deployment_config")
    elif not alarms:
        return
    elif plan.has_condition(endpoint):
        yield success()
    else:
        yield failure(
            "after a rollback the apply succeeds and deletes the configuration that the endpoint uses",
            "endpoint_config_name",
        )


@rule(
    id="SUS_BLUE_GREEN_BAKE",
    severity=Severity.WARN,
    title="The old instances should stop soon after the traffic has moved to the new model",
    problem="The old instances keep running long after the traffic has moved to the new model",
    practices=("66",),
    fix=f"Set termination_wait_in_seconds to {MAX_BAKE_SECONDS} or less, or use a rolling_update_policy.",
    types=(ENDPOINT,),
)
def blue_green_bake(_: Plan, endpoint: Resource) -> RuleResults:
    if endpoint.get(_BLUE_GREEN) is None:
        return
    path = f"{_BLUE_GREEN}.termination_wait_in_seconds"
    seconds = endpoint.new.number(path)
    if seconds is UNKNOWN:
        yield unknown_result("the time with both fleets is not known until apply", path)
    elif seconds is not None and seconds > MAX_BAKE_SECONDS:
        yield failure(f"after each update both fleets run for {seconds:g} s", path)
    else:
        yield success()


@rule(
    id="SUS_ROLLING_UPDATE",
    severity=Severity.INFO,
    title="A large fleet should be updated in batches",
    problem="A large fleet is updated in one step",
    practices=("66",),
    fix="Use deployment_config.rolling_update_policy. It adds a part of the instances at a time, not all of them.",
    types=(ENDPOINT,),
)
def rolling_update(plan: Plan, endpoint: Resource) -> RuleResults:
    endpoint_variants = list_variants(plan, endpoint)
    if endpoint_variants is not UNKNOWN and len(endpoint_variants) > 1:
        return  # SageMaker has no rolling update for several variants

    def check(variant: Variant) -> RuleResults:
        size = find_instance_scaling(endpoint, variant, plan.joins).minimum  # the certain number
        rolling = endpoint.new.block("deployment_config.0.rolling_update_policy")
        if isinstance(rolling, Block):
            yield success()
        elif size is UNKNOWN or rolling is UNKNOWN:
            yield unknown_result(
                "the number of instances that an update adds is not known until apply", variant.block.path
            )
        elif size >= LARGE_FLEET:
            yield failure(
                f"each update starts {size:g} more instances before it stops the old ones", "deployment_config"
            )

    yield from check_each_variant(plan, endpoint, check, REAL_TIME)
