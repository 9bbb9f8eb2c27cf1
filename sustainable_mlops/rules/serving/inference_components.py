"""Inference components: models that share the instances of an endpoint, and can all be at zero.

The AWS provider has no resource for a component itself, so what can be told is the endpoint's side and autoscaling.
"""

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Variant
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.asynchronous import woken
from sustainable_mlops.rules.serving.realtime import TARGET
from sustainable_mlops.rules.serving.variants import CONFIGURATION, REAL_TIME, each_variant, hosts_components

_MANAGED = "managed_instance_scaling"
_COPIES = "sagemaker:inference-component:DesiredCopyCount"


@rule(
    id="SUS_MANAGED_SCALING_WITH_MODEL",
    severity=Severity.FAIL,
    title="Managed instance scaling is only of variants without a model",
    practices=("58",),
    fix="Remove managed_instance_scaling and scale by aws_appautoscaling_target, or move the model to a component.",
    types=(CONFIGURATION,),
)
def managed_scaling_with_model(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        status = variant.block.text(f"{_MANAGED}.0.status")
        path = f"{variant.block.path}.{_MANAGED}"
        if status is UNKNOWN:
            yield unknown("whether it has managed instance scaling is not known until apply", path)
        elif status != "ENABLED":
            return
        elif hosts_components(variant):
            yield passed()
        elif variant.model is UNKNOWN and variant.block.text("model_name") is UNKNOWN:
            yield unknown("its model_name is not known until apply", f"{variant.block.path}.model_name")
        else:
            yield failed("SageMaker manages instances only for inference components, not beside a model_name", path)

    yield from each_variant(plan, configuration, judge, REAL_TIME)


@rule(
    id="SUS_COMPONENT_ROLE",
    severity=Severity.FAIL,
    title="An endpoint for inference components has an execution role",
    practices=("58",),
    fix="Set execution_role_arn on the endpoint configuration.",
    types=(CONFIGURATION,),
)
def component_role(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        if not hosts_components(variant):
            return
        role = configuration.new.text("execution_role_arn")
        if role is UNKNOWN and not plan.references(configuration, "execution_role_arn").resources:
            yield unknown("its execution_role_arn is not known until apply", "execution_role_arn")
        elif role is UNKNOWN or role:
            yield passed()
        else:
            yield failed("SageMaker needs a role to start inference components", "execution_role_arn")

    yield from each_variant(plan, configuration, judge, REAL_TIME)


@rule(
    id="SUS_COMPONENTS_TO_ZERO",
    severity=Severity.WARN,
    title="An endpoint for inference components may have no instance",
    practices=("58",),
    fix="Set managed_instance_scaling with status ENABLED and min_instance_count = 0.",
    types=(CONFIGURATION,),
)
def components_to_zero(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        if not hosts_components(variant):
            return
        path = f"{variant.block.path}.{_MANAGED}"
        managed = variant.block.block(_MANAGED)
        status = managed.text("status") if isinstance(managed, Block) else managed
        least = managed.number("min_instance_count") if isinstance(managed, Block) else managed
        if status == "ENABLED" and least == 0:
            yield passed()
        elif status is UNKNOWN or least is UNKNOWN:
            yield unknown("how few instances it may have is not known until apply", path)
        else:
            yield failed("its instances stay when all components are at zero", path)

    yield from each_variant(plan, configuration, judge, REAL_TIME)


@rule(
    id="SUS_COMPONENT_WAKES",
    severity=Severity.WARN,
    title="An inference component at zero wakes at the first request that it loses",
    practices=("58",),
    fix=(
        "Add a StepScaling policy and an alarm on NoCapacityInvocationFailures >= 1 (GreaterThanThreshold 1 would "
        "lose the first request and not wake) whose alarm_actions name that policy."
    ),
    types=(TARGET,),
)
def component_wakes(plan: Plan, target: Resource) -> Verdicts:
    if target.new.text("scalable_dimension") != _COPIES:
        return
    yield from woken(plan, target, "NoCapacityInvocationFailures", "min_capacity")
