"""Facts about the model of a job: from its package, or from the job's ContainerConfig, which has precedence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.resources import Fields

#: Instance types for a model that names none: those of the results in AWS's developer guide. Assumed.
INSTANCE_TYPES = ("ml.c5.xlarge", "ml.c5d.large", "ml.m5.large")
#: Serverless memory for a job that names no configuration. AWS publishes none; assumed.
_SERVERLESS_MB = (2048, 4096, 6144)


@dataclass(frozen=True)
class ModelFacts:
    """The model of a job. `package` is the response of DescribeModelPackage; empty for a job that names a model."""

    config: Fields
    package: Fields

    @property
    def payload_url(self) -> str:
        """S3 URL of the sample payload."""
        payload = self.config.get("PayloadConfig", {})
        return str(payload.get("SamplePayloadUrl") or self.package.get("SamplePayloadUrl") or "")

    def check(self) -> None:
        """Raise ValidationError if a mandatory fact is missing."""
        container = (self._get_specification("Containers") or [{}])[0]
        payload = self.config.get("PayloadConfig", {})
        content_types = payload.get("SupportedContentTypes") or self._get_specification("SupportedContentTypes")
        for member, value in (
            ("Domain", self.config.get("Domain") or self.package.get("Domain")),
            ("Framework", self.config.get("Framework") or container.get("Framework")),
            ("SamplePayloadUrl", self.payload_url),
            ("SupportedContentTypes", content_types),
        ):
            if not value:
                owner = "ContainerConfig"
                if self.package:
                    owner = f"the Model Package version {self.package['ModelPackageVersion']}"
                raise ValidationError(f"Specify {member} in {owner}. {member} is a mandatory parameter for the job.")
        if not self.payload_url.endswith(".tar.gz"):
            raise ValidationError(
                "SamplePayloadUrl must point to a single gzip compressed tar archive (.tar.gz suffix)."
            )

    def list_configurations(self) -> Iterator[Fields]:
        """Yield the EndpointConfigurations of a job that names none."""
        endpoint_type = self.config.get("SupportedEndpointType")
        if endpoint_type != "Serverless":
            types = self.config.get("SupportedInstanceTypes") or self._get_specification(
                "SupportedRealtimeInferenceInstanceTypes"
            )
            yield from ({"InstanceType": name} for name in types or INSTANCE_TYPES)
        if endpoint_type != "RealTime":
            sizes = _SERVERLESS_MB if endpoint_type == "Serverless" else _SERVERLESS_MB[:1]
            yield from ({"ServerlessConfig": {"MemorySizeInMB": size, "MaxConcurrency": 10}} for size in sizes)

    def _get_specification(self, member: str) -> Any:
        return self.package.get("InferenceSpecification", {}).get(member)
