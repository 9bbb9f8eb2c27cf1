"""Specification of the content that an endpoint serves after a deployment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sagemaker_sandbox.endpoints.deployments.endpoint_description import build_summaries
from sagemaker_sandbox.endpoints.deployments.policy import InstanceCounts
from sagemaker_sandbox.resources.resources import Fields

#: Members that DescribeEndpoint copies from the configuration.
_COPIED_MEMBERS = ("AsyncInferenceConfig", "ExplainerConfig", "MetricsConfig", "CrossRegionTrafficConfig")


@dataclass(frozen=True)
class DeploymentSpec:
    """Content that an endpoint serves: plain data that is stored with the endpoint.

    `config` is the configuration with the initial counts and weights, `models` maps each variant to its containers, and
    `roles` maps each variant to its role.
    """

    config: Fields
    models: Mapping[str, list[Fields]]
    roles: Mapping[str, str]

    @classmethod
    def from_private(cls, private: Fields) -> "DeploymentSpec":
        """Build the specification from the private data of an endpoint."""
        return cls(private["config"], private["models"], private["roles"])

    @property
    def instance_counts(self) -> InstanceCounts:
        """Number of instances of each production variant."""
        return {
            variant["VariantName"]: variant.get("InitialInstanceCount", 1)
            for variant in self.config["ProductionVariants"]
        }

    def describe(self, moment: datetime) -> Fields:
        """Return the members that DescribeEndpoint reports once the endpoint serves."""
        return {
            "ShadowProductionVariants": None,
            **build_summaries(self.config, self.models, moment),
            "EndpointConfigName": self.config["EndpointConfigName"],
            "DataCaptureConfig": _describe_capture(self.config.get("DataCaptureConfig")),
            **{name: self.config.get(name) for name in _COPIED_MEMBERS},
        }

    def to_private(self) -> Fields:
        """Return the private data to store with the endpoint."""
        return {"config": self.config, "models": dict(self.models), "roles": dict(self.roles)}


def _describe_capture(config: Fields | None) -> Fields | None:
    if config is None:
        return None
    is_enabled = config.get("EnableCapture", False)
    return {
        "EnableCapture": is_enabled,
        "CaptureStatus": "Started" if is_enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
