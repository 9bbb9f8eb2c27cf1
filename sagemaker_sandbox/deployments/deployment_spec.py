"""What an endpoint is to serve."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sagemaker_sandbox.deployments.endpoint_description import build_summaries
from sagemaker_sandbox.deployments.policy import InstanceCounts
from sagemaker_sandbox.parts.resources import Fields

#: What DescribeEndpoint answers as the configuration has it.
_AS_CONFIGURED = ("AsyncInferenceConfig", "ExplainerConfig", "MetricsConfig", "CrossRegionTrafficConfig")


@dataclass(frozen=True)
class DeploymentSpec:
    """A configuration with the counts and weights to begin with, the containers of each variant as they run, and the
    role of each: plain data, which is kept with the endpoint once it serves."""

    config: Fields
    models: Mapping[str, list[Fields]]
    roles: Mapping[str, str]

    @classmethod
    def from_private(cls, private: Fields) -> "DeploymentSpec":
        """What an endpoint has kept."""
        return cls(private["config"], private["models"], private["roles"])

    @property
    def instance_counts(self) -> InstanceCounts:
        """Instances of each production variant."""
        return {one["VariantName"]: one.get("InitialInstanceCount", 1) for one in self.config["ProductionVariants"]}

    def describe(self, moment: datetime) -> Fields:
        """What DescribeEndpoint answers once it serves."""
        return {
            "ShadowProductionVariants": None,
            **build_summaries(self.config, self.models, moment),
            "EndpointConfigName": self.config["EndpointConfigName"],
            "DataCaptureConfig": _capture(self.config.get("DataCaptureConfig")),
            **{name: self.config.get(name) for name in _AS_CONFIGURED},
        }

    def to_private(self) -> Fields:
        """What the endpoint keeps of it."""
        return {"config": self.config, "models": dict(self.models), "roles": dict(self.roles)}


def _capture(config: Fields | None) -> Fields | None:
    if config is None:
        return None
    enabled = config.get("EnableCapture", False)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
