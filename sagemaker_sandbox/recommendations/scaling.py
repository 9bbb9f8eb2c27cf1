"""From a benchmark to a scaling policy. How AWS comes to its figures is not published; what is here is assumed.

An instance is taken to use as much more CPU as it answers more requests: at the CPU that is wanted it answers that
share of what it answered at most.
"""

import math
from dataclasses import dataclass

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.resources import Fields

#: Documented: the target where none is said, in percent of each core.
CPU = 50
#: Application Auto Scaling's own for SageMaker, in seconds.
_COOLDOWN = 300


@dataclass(frozen=True)
class Measured:
    """Of one instance: requests a minute at most, and then latency in milliseconds and CPU in percent of each core."""

    invocations: int
    latency: int
    cpu_per_core: float

    def at(self, target: int) -> int:
        """Requests a minute at so much CPU: no more than it has answered, and one at least."""
        share = target / self.cpu_per_core if self.cpu_per_core > target else 1.0
        return max(int(self.invocations * share), 1)


def recommend(measured: Measured, target: int, objective: Fields, expected: int) -> Fields:
    """Metric and DynamicScalingConfiguration; `expected` are requests a minute where the objective says none."""
    least = objective.get("MinInvocationsPerMinute", 0)
    most = objective.get("MaxInvocationsPerMinute", max(expected, least))
    if not 0 <= least <= most:
        raise ValidationError("MinInvocationsPerMinute must not be more than MaxInvocationsPerMinute, nor negative.")
    invocations = measured.at(target)
    return {
        "Metric": {"InvocationsPerInstance": invocations, "ModelLatency": measured.latency},
        "DynamicScalingConfiguration": {
            "MinCapacity": max(math.ceil(least / invocations), 1),
            "MaxCapacity": max(math.ceil(most / invocations), 1),
            "ScaleInCooldown": _COOLDOWN,
            "ScaleOutCooldown": _COOLDOWN,
            "ScalingPolicies": [
                {
                    "TargetTracking": {
                        "MetricSpecification": {
                            "Predefined": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
                        },
                        "TargetValue": float(invocations),
                    }
                }
            ],
        },
    }
