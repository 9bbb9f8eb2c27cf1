"""Scaling policies from recorded load tests. AWS does not publish its method; this one is assumed.

CPU use grows with the requests: at the target CPU, an instance answers that share of its maximum.
"""

import math

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.recommendations.recorded import LoadTest
from sagemaker_sandbox.resources.resources import Fields

#: Target CPU of a request that names none, in percent of each core. Documented.
DEFAULT_CPU = 50
#: Default cooldown of Application Auto Scaling for SageMaker, in seconds.
_COOLDOWN = 300


def recommend_scaling(test: LoadTest, target_cpu: int, objective: Fields, expected: int) -> Fields:
    """Return Metric and DynamicScalingConfiguration.

    `expected` is the maximum of requests a minute if the objective names none. Raises ValidationError for an objective
    that contradicts itself.
    """
    minimum = objective.get("MinInvocationsPerMinute", 0)
    maximum = objective.get("MaxInvocationsPerMinute", max(expected, minimum))
    if not 0 <= minimum <= maximum:
        raise ValidationError("MinInvocationsPerMinute must not be more than MaxInvocationsPerMinute, nor negative.")
    share = min(target_cpu / test.cpu_percent, 1.0) if test.cpu_percent else 1.0
    invocations = max(int(test.max_invocations * share), 1)
    metric = {"Predefined": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}
    return {
        "Metric": {"InvocationsPerInstance": invocations, "ModelLatency": test.model_latency_ms},
        "DynamicScalingConfiguration": {
            "MinCapacity": max(math.ceil(minimum / invocations), 1),
            "MaxCapacity": max(math.ceil(maximum / invocations), 1),
            "ScaleInCooldown": _COOLDOWN,
            "ScaleOutCooldown": _COOLDOWN,
            "ScalingPolicies": [{"TargetTracking": {"MetricSpecification": metric, "TargetValue": float(invocations)}}],
        },
    }
