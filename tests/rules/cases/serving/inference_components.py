"""Cases of rules/serving/inference_components.py."""

from typing import Any

from tests.rules.case_tables import CaseTable, RuleCase
from tests.rules.endpoints import (
    ADD_ONE,
    ALARM,
    CONFIGURATION,
    STEP,
    TARGET,
    UNKNOWN,
    Resources,
    Values,
    add_target,
    build_asynchronous,
    build_real_time,
)

MANAGED = {"status": "ENABLED", "min_instance_count": 0, "max_instance_count": 2}
NO_MODEL: Values = {"model_name": None}
DYNAMIC = {CONFIGURATION: "production_variants"}
ROLE = "arn:aws:iam::123456789012:role/inference"


def build_components(*, managed: Any = MANAGED, **configuration: Any) -> Resources:
    """Return an endpoint for inference components."""
    return build_real_time(variant={**NO_MODEL, "managed_instance_scaling": managed}, configuration=configuration)


def build_copies(minimum: Any, *, alarm: Values | None = None) -> Resources:
    """Return a component that scales, with a step policy and an alarm that starts it."""
    same = {
        "service_namespace": "sagemaker",
        "scalable_dimension": "sagemaker:inference-component:DesiredCopyCount",
        "resource_id": "inference-component/delay",
    }
    woken: Resources = {
        STEP: {"policy_type": "StepScaling", "step_scaling_policy_configuration": ADD_ONE, **same},
        ALARM: {
            "namespace": "AWS/SageMaker",
            "metric_name": "NoCapacityInvocationFailures",
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "threshold": 1,
            "alarm_actions": [f"${{{STEP}.arn}}"],
            **(alarm or {}),
        },
    }
    return {TARGET: {**same, "min_capacity": minimum, "max_capacity": 2}, **({} if alarm is None else woken)}


CASES: CaseTable = {
    "SUS_MANAGED_SCALING_WITH_MODEL": {
        "pass": {"no model": build_components()},
        "fail": {"a model": build_real_time(variant={"model_name": "delay", "managed_instance_scaling": MANAGED})},
        "unknown": {
            "known after apply": build_real_time(variant={"managed_instance_scaling": UNKNOWN}),
            "a model in a dynamic block": RuleCase(
                build_real_time(variant={"managed_instance_scaling": MANAGED}), dynamic=DYNAMIC
            ),
        },
        "not_applicable": {
            "a model without it": build_real_time(),
            "turned off": build_real_time(variant={"managed_instance_scaling": {**MANAGED, "status": "DISABLED"}}),
        },
    },
    "SUS_COMPONENT_ROLE": {
        "pass": {
            "a role": build_components(execution_role_arn=ROLE),
            "a role of the same plan": {
                **build_components(execution_role_arn="${aws_iam_role.r.arn}"),
                "aws_iam_role.r": {"name": "inference"},
            },
        },
        "fail": {"none": build_components()},
        "unknown": {"known after apply": build_components(execution_role_arn=UNKNOWN)},
        "not_applicable": {
            "a model": build_real_time(),
            "a model in a dynamic block": RuleCase(build_real_time(), dynamic=DYNAMIC),
            "an asynchronous endpoint": build_asynchronous(),
        },
    },
    "SUS_COMPONENTS_TO_ZERO": {
        "pass": {"a minimum of zero instances": build_components()},
        "fail": {
            "a minimum of one instance": build_components(managed={**MANAGED, "min_instance_count": 1}),
            "not managed": build_components(managed=[]),
        },
        "unknown": {"known after apply": build_components(managed={**MANAGED, "min_instance_count": UNKNOWN})},
        "not_applicable": {
            "a model": build_real_time(),
            "a model in a dynamic block": RuleCase(build_real_time(), dynamic=DYNAMIC),
        },
    },
    "SUS_COMPONENT_WAKES": {
        "pass": {"at the first request": build_copies(0, alarm={})},
        "fail": {
            "no step policy": build_copies(0),
            "at the second request": build_copies(0, alarm={"comparison_operator": "GreaterThanThreshold"}),
        },
        "unknown": {
            "a minimum known after apply": build_copies(UNKNOWN),
            "a metric known after apply": build_copies(0, alarm={"metric_name": UNKNOWN}),
            "a component known after apply": {
                **(woken := build_copies(0, alarm={})),
                TARGET: {**woken[TARGET], "resource_id": UNKNOWN},
            },
        },
        "not_applicable": {
            "a minimum above zero": build_copies(1),
            "a variant": add_target(build_real_time(), minimum=1),
        },
    },
}
