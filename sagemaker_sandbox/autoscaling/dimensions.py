"""What Application Auto Scaling scales of a variant, as DescribeEndpoint tells it and as SageMaker is asked for it."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from sagemaker_sandbox.parts.resources import Fields

NAMESPACE = "sagemaker"
_RESOURCE = re.compile(r"endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)")


class EndpointVariant(NamedTuple):
    """A variant of an endpoint."""

    endpoint: str
    variant: str


def parse_resource_id(resource_id: str) -> EndpointVariant | None:
    """The variant that a resource id names; None where it names none."""
    found = _RESOURCE.fullmatch(resource_id)
    return None if found is None else EndpointVariant(found["endpoint"], found["variant"])


@dataclass(frozen=True)
class Dimension:
    """`noun` is what activities call it."""

    name: str
    noun: str
    is_serverless: bool
    #: Cooldowns in seconds where a policy says nothing.
    cooldown: int

    def read_current(self, variant: Fields) -> int | None:
        """How much there is of a variant, as DescribeEndpoint tells it."""
        return self._of(variant, "Current")

    def read_desired(self, variant: Fields) -> int | None:
        """How much there is to be."""
        return self._of(variant, "Desired")

    def _of(self, variant: Fields, which: str) -> int | None:
        if not self.is_serverless:
            count: int | None = variant.get(f"{which}InstanceCount")
            return count
        settings = variant.get(f"{which}ServerlessConfig")
        return None if settings is None else int(settings.get("ProvisionedConcurrency") or 0)

    def build_update(self, count: int) -> Fields:
        """The members of a DesiredWeightAndCapacity that ask for so much."""
        if self.is_serverless:
            return {"ServerlessUpdateConfig": {"ProvisionedConcurrency": count}}
        return {"DesiredInstanceCount": count}


INSTANCES = Dimension("sagemaker:variant:DesiredInstanceCount", "desired instance count", False, 300)
#: AWS names no default for it; assumed as for Lambda's provisioned concurrency.
CONCURRENCY = Dimension("sagemaker:variant:DesiredProvisionedConcurrency", "desired provisioned concurrency", True, 0)

DIMENSIONS = {one.name: one for one in (INSTANCES, CONCURRENCY)}
