"""What a job is about: the model as its package tells it, and over that what the job's ContainerConfig says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.resources import Fields

#: Instance types for a model that names none: those of the results in AWS's developer guide. Assumed.
_INSTANCE_TYPES = ("ml.c5.xlarge", "ml.c5d.large", "ml.m5.large")


@dataclass(frozen=True)
class Subject:
    """`package` is the answer of DescribeModelPackage; empty for a job that names a model."""

    config: Fields
    package: Fields

    @property
    def payload_url(self) -> str:
        """Where its sample payload is."""
        said = self.config.get("PayloadConfig", {}).get("SamplePayloadUrl") or self.package.get("SamplePayloadUrl")
        return self._mandatory("SamplePayloadUrl", said)

    @property
    def content_type(self) -> str:
        """That of its payloads: the first that it supports."""
        said = self.config.get("PayloadConfig", {}).get("SupportedContentTypes") or self._specification(
            "SupportedContentTypes"
        )
        return self._mandatory("SupportedContentTypes", (said or [None])[0])

    @property
    def instance_types(self) -> list[str]:
        """Those that it supports."""
        said = self.config.get("SupportedInstanceTypes") or self._specification(
            "SupportedRealtimeInferenceInstanceTypes"
        )
        return list(said or _INSTANCE_TYPES)

    @property
    def endpoint_type(self) -> str | None:
        """RealTime or Serverless; None where both are asked for."""
        said: str | None = self.config.get("SupportedEndpointType")
        return said

    def check(self) -> None:
        """Raise ValidationError where something mandatory is missing."""
        containers = self._specification("Containers") or [{}]
        self._mandatory("Domain", self.config.get("Domain") or self.package.get("Domain"))
        self._mandatory("Framework", self.config.get("Framework") or containers[0].get("Framework"))
        if not self.payload_url.endswith(".tar.gz"):
            raise ValidationError(
                "SamplePayloadUrl must point to a single gzip compressed tar archive (.tar.gz suffix)."
            )
        self._mandatory("SupportedContentTypes", self.content_type)

    def _specification(self, member: str) -> Any:
        return self.package.get("InferenceSpecification", {}).get(member)

    def _mandatory(self, member: str, value: str | None) -> str:
        """AWS's words for a package; those for a model are assumed."""
        if not value:
            where = (
                f"the Model Package version {self.package['ModelPackageVersion']}"
                if self.package
                else "ContainerConfig"
            )
            raise ValidationError(f"Specify {member} in {where}. {member} is a mandatory parameter for the job.")
        return value

    def serverless(self) -> Iterator[Fields]:
        """Serverless configurations to try where the job names none. AWS publishes none; assumed."""
        sizes = (2048, 4096, 6144) if self.endpoint_type == "Serverless" else (2048,)
        yield from ({"MemorySizeInMB": size, "MaxConcurrency": 10} for size in sizes)
