"""Inference components: models that share the instances of an endpoint and can scale to zero.

The AWS provider has no resource for a component. So the rules check the endpoint and its autoscaling.
"""

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Variant
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.asynchronous import check_start_alarm
from sustainable_mlops.rules.serving.realtime import TARGET
from sustainable_mlops.rules.serving.variants import CONFIGURATION, REAL_TIME, check_each_variant, hosts_components

_MANAGED = "managed_instance_scaling"
_COPIES = "sagemaker:inference-component:DesiredCopyCount"


@rule(
    id="SUS_MANAGED_SCALING_WITH_MODEL",
    severity=Severity.FAIL,
    title="Managed instance scaling must be used only for variants without a model",
    problem="A variant with a model uses managed instance scaling",
    practices=("58",),
    fix=("Remove managed_instance_scaling and scale with aws_appautoscaling_target, or move the model to a component."),
    types=(CONFIGURATION,),
)
def managed_scaling_with_model(plan: Plan, configuration: Resource) -> RuleResults:
    def check(variant: Variant) -> RuleResults:
        status = variant.block.text(f"{_MANAGED}.0.status")
        path = f"{variant.block.path}.{_MANAGED}"
        if status is UNKNOWN:
            yield unknown_result("it is not known until apply whether it has managed instance scaling", path)
        elif status != "ENABLED":
            return
        elif hosts_components(variant):
            yield success()
        elif variant.model is UNKNOWN and variant.block.text("model_name") is UNKNOWN:
            yield unknown_result("its model_name is not known until apply", f"{variant.block.path}.model_name")
        else:
            yield failure(
                "SageMaker manages instances only for inference components, not for a variant with a model_name", path
            )

    yield from check_each_variant(plan, configuration, check, REAL_TIME)


@rule(
    id="SUS_COMPONENT_ROLE",
    severity=Severity.FAIL,
    title="An endpoint for inference components must have an execution role",
    problem="An endpoint for inference components has no execution role",
    practices=("58",),
    fix="Set execution_role_arn on the endpoint configuration.",
    types=(CONFIGURATION,),
)
def component_role(plan: Plan, configuration: Resource) -> RuleResults:
    def check(variant: Variant) -> RuleResults:
        if not hosts_components(variant):
            return
        role = configuration.new.text("execution_role_arn")
        if role is UNKNOWN and not plan.find_references(configuration, "execution_role_arn").resources:
            yield unknown_result("its execution_role_arn is not known until apply", "execution_role_arn")
        elif role is UNKNOWN or role:
            yield success()
        else:
            yield failure("SageMaker needs a role to start inference components", "execution_role_arn")

    yield from check_each_variant(plan, configuration, check, REAL_TIME)


@rule(
    id="SUS_COMPONENTS_TO_ZERO",
    severity=Severity.WARN,
    title="An endpoint for inference components should scale to zero instances",
    problem="An endpoint for inference components does not scale to zero instances",
    practices=("58",),
    fix="Set managed_instance_scaling with status ENABLED and min_instance_count = 0.",
    types=(CONFIGURATION,),
)
def components_to_zero(plan: Plan, configuration: Resource) -> RuleResults:
    def check(variant: Variant) -> RuleResults:
        if not hosts_components(variant):
            return
        path = f"{variant.block.path}.{_MANAGED}"
        managed = variant.block.block(_MANAGED)
        status = managed.text("status") if isinstance(managed, Block) else managed
        minimum = managed.number("min_instance_count") if isinstance(managed, Block) else managed
        if status == "ENABLED" and minimum == 0:
            yield success()
        elif status is UNKNOWN or minimum is UNKNOWN:
            yield unknown_result("the minimum number of instances is not known until apply", path)
        else:
            yield failure("its instances keep running while all components are at zero", path)

    yield from check_each_variant(plan, configuration, check, REAL_TIME)


@rule(
    id="SUS_COMPONENT_WAKES",
    severity=Severity.WARN,
    title="An inference component at zero should start when the first request fails",
    problem="An inference component at zero does not start when the first request fails",
    practices=("58",),
    fix=(
        "Add a StepScaling policy and an alarm on NoCapacityInvocationFailures >= 1 whose alarm_actions "
        "contain that policy. GreaterThanThreshold 1 would ignore the first lost request."
    ),
    types=(TARGET,),
)
def component_wakes(plan: Plan, target: Resource) -> RuleResults:
    if target.new.text("scalable_dimension") != _COPIES:
        return
    yield from check_start_alarm(plan, target, "NoCapacityInvocationFailures", "min_capacity")
