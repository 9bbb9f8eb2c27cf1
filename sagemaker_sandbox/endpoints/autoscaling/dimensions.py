"""Scalable dimensions of a variant, in DescribeEndpoint and in requests to SageMaker."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from sagemaker_sandbox.resources.resources import Fields

NAMESPACE = "sagemaker"
_RESOURCE = re.compile(r"endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)")


class EndpointVariant(NamedTuple):
    """Endpoint name and variant name."""

    endpoint: str
    variant: str


def parse_resource_id(resource_id: str) -> EndpointVariant | None:
    """Return the variant of a resource ID; None if it has another form."""
    match = _RESOURCE.fullmatch(resource_id)
    return None if match is None else EndpointVariant(match["endpoint"], match["variant"])


@dataclass(frozen=True)
class ScalableDimension:
    """A scalable dimension. `noun` is its name in activities."""

    name: str
    noun: str
    is_serverless: bool
    #: Default cooldown in seconds.
    cooldown: int

    def read_current(self, variant: Fields) -> int | None:
        """Return the current capacity in a variant of DescribeEndpoint."""
        return self._read_capacity(variant, "Current")

    def read_desired(self, variant: Fields) -> int | None:
        """Return the desired capacity in a variant of DescribeEndpoint."""
        return self._read_capacity(variant, "Desired")

    def _read_capacity(self, variant: Fields, prefix: str) -> int | None:
        if not self.is_serverless:
            count: int | None = variant.get(f"{prefix}InstanceCount")
            return count
        settings = variant.get(f"{prefix}ServerlessConfig")
        return None if settings is None else int(settings.get("ProvisionedConcurrency") or 0)

    def build_update(self, count: int) -> Fields:
        """Return the members of a DesiredWeightAndCapacity that request this capacity."""
        if self.is_serverless:
            return {"ServerlessUpdateConfig": {"ProvisionedConcurrency": count}}
        return {"DesiredInstanceCount": count}


INSTANCES = ScalableDimension("sagemaker:variant:DesiredInstanceCount", "desired instance count", False, 300)
#: AWS documents no default cooldown; assumed to equal that of the provisioned concurrency of Lambda.
CONCURRENCY = ScalableDimension(
    "sagemaker:variant:DesiredProvisionedConcurrency", "desired provisioned concurrency", True, 0
)

DIMENSIONS = {dimension.name: dimension for dimension in (INSTANCES, CONCURRENCY)}
