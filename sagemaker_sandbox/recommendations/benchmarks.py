"""Which benchmarks a job makes: one for each configuration and each combination of environment variables."""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.recommendations.subject import Subject

#: The most that DescribeInferenceRecommendationsJob tells of, and of instance types in a job that names neither them
#: nor whether it wants serverless ones, too; the second is assumed.
_MOST, _FEW = 10, 3


@dataclass(frozen=True)
class Benchmark:
    """An endpoint to be made, or for `existing` one that is there; `name` and `variant` are its."""

    name: str
    variant: str
    instance_type: str | None = None
    serverless: Fields | None = None
    specification: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    existing: bool = False

    @property
    def config(self) -> Fields:
        """The endpoint configuration."""
        made: Fields = {"VariantName": self.variant, "ModelName": self.variant, "InitialVariantWeight": 1.0}
        if self.serverless is not None:
            made["ServerlessConfig"] = self.serverless
        else:
            made |= {"InstanceType": self.instance_type, "InitialInstanceCount": 1}
        return {"EndpointConfigName": self.name, "ProductionVariants": [made]}

    def endpoint(self, count: int = 1) -> Fields:
        """As EndpointOutputConfiguration."""
        said: Fields = {"EndpointName": self.name, "VariantName": self.variant}
        if self.serverless is not None:
            return said | {"ServerlessConfig": self.serverless}
        if self.instance_type is not None:
            return said | {"InstanceType": self.instance_type, "InitialInstanceCount": count}
        return said

    @property
    def model(self) -> Fields:
        """As ModelConfiguration."""
        parameters = [
            {"Key": key, "ValueType": "String", "Value": value} for key, value in sorted(self.environment.items())
        ]
        return {
            "InferenceSpecificationName": self.specification,
            "EnvironmentParameters": parameters or None,
        }

    def containers(self, served: list[Fields]) -> list[Fields]:
        """A model's containers with its environment."""
        return [one | {"Environment": one.get("Environment", {}) | self.environment} for one in served]


def benchmarks(config: Fields, subject: Subject) -> list[Benchmark]:
    """Those of a job's InputConfig, in order, no more than its ResourceLimit allows."""
    asked = config.get("EndpointConfigurations") or list(_unsaid(config, subject))
    found = [one for configuration in asked for one in _combinations(configuration)]
    return found[: min(config.get("ResourceLimit", {}).get("MaxNumberOfTests", _MOST), _MOST)]


def _unsaid(config: Fields, subject: Subject) -> Iterator[Fields]:
    if "Endpoints" in config:
        return
    if subject.endpoint_type != "Serverless":
        most = _FEW if subject.endpoint_type is None else _MOST
        yield from ({"InstanceType": kind} for kind in subject.instance_types[:most])
    if subject.endpoint_type != "RealTime":
        yield from ({"ServerlessConfig": settings} for settings in subject.serverless())


def _combinations(configuration: Fields) -> Iterator[Benchmark]:
    ranges = configuration.get("EnvironmentParameterRanges", {}).get("CategoricalParameterRanges", [])
    for values in itertools.product(*(one["Value"] for one in ranges)):
        name = f"sm-epc-{uuid.uuid4()}"
        more: dict[str, Any] = {"environment": {one["Name"]: v for one, v in zip(ranges, values, strict=True)}}
        yield Benchmark(
            name=name,
            variant=name,
            instance_type=configuration.get("InstanceType"),
            serverless=configuration.get("ServerlessConfig"),
            specification=configuration.get("InferenceSpecificationName"),
            **more,
        )
