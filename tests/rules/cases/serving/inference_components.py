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


def components(*, managed: Any = MANAGED, **configuration: Any) -> Resources:
    """Return an endpoint for inference components."""
    return build_real_time(variant={**NO_MODEL, "managed_instance_scaling": managed}, configuration=configuration)


def copies(least: Any, *, alarm: Values | None = None) -> Resources:
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
    return {TARGET: {**same, "min_capacity": least, "max_capacity": 2}, **({} if alarm is None else woken)}


CASES: CaseTable = {
    "SUS_MANAGED_SCALING_WITH_MODEL": {
        "pass": {"no model": components()},
        "fail": {"a model": build_real_time(variant={"model_name": "delay", "managed_instance_scaling": MANAGED})},
        "unknown": {
            "known after apply": build_real_time(variant={"managed_instance_scaling": UNKNOWN}),
            "a model named in a dynamic block": RuleCase(
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
            "a role": components(execution_role_arn=ROLE),
            "a role of the same plan": {
                **components(execution_role_arn="${aws_iam_role.r.arn}"),
                "aws_iam_role.r": {"name": "inference"},
            },
        },
        "fail": {"none": components()},
        "unknown": {"known after apply": components(execution_role_arn=UNKNOWN)},
        "not_applicable": {
            "a model": build_real_time(),
            "a model named in a dynamic block": RuleCase(build_real_time(), dynamic=DYNAMIC),
            "an asynchronous endpoint": build_asynchronous(),
        },
    },
    "SUS_COMPONENTS_TO_ZERO": {
        "pass": {"down to none": components()},
        "fail": {
            "down to one": components(managed={**MANAGED, "min_instance_count": 1}),
            "not managed": components(managed=[]),
        },
        "unknown": {"known after apply": components(managed={**MANAGED, "min_instance_count": UNKNOWN})},
        "not_applicable": {
            "a model": build_real_time(),
            "a model named in a dynamic block": RuleCase(build_real_time(), dynamic=DYNAMIC),
        },
    },
    "SUS_COMPONENT_WAKES": {
        "pass": {"at the first": copies(0, alarm={})},
        "fail": {
            "no step policy": copies(0),
            "after the second": copies(0, alarm={"comparison_operator": "GreaterThanThreshold"}),
        },
        "unknown": {
            "a least known after apply": copies(UNKNOWN),
            "a metric known after apply": copies(0, alarm={"metric_name": UNKNOWN}),
            "a component known after apply": {
                **(woken := copies(0, alarm={})),
                TARGET: {**woken[TARGET], "resource_id": UNKNOWN},
            },
        },
        "not_applicable": {"never at zero": copies(1), "a variant": add_target(build_real_time(), least=1)},
    },
}
