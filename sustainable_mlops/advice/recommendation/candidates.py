"""Candidates of a load test: instance types that the images run on, least carbon first, and serverless memory sizes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from sustainable_mlops.advice.recommendation.model_under_test import ModelUnderTest, ServingSpecification
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import instances, regions
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.catalogue.limits import get_limit, list_serverless_memory_mb
from sustainable_mlops.footprint import FleetActivity, estimate
from sustainable_mlops.footprint.coefficients import load_assumptions

#: Maximum number of endpoint configurations in a job (API model of SageMaker).
MAX_CANDIDATES = 10
#: Number of families per inference specification, unless types are given, and number of serverless sizes.
MAX_FAMILIES, MAX_SIZES = 3, 2
#: Maximum vCPUs of a candidate unless types are given. Larger instances have more of the same CPUs.
_LARGEST_VCPU = 8
#: Concurrency of serverless workers in a load test.
_CONCURRENCY = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """An endpoint for a load test."""

    #: None if it is serverless.
    instance_type: str | None
    memory_mb: int | None
    specification: str | None

    @property
    def title(self) -> str:
        """The title, such as `ml.c7g.large` or `serverless 2048 MB`."""
        return self.instance_type or f"serverless {self.memory_mb} MB"

    @property
    def configuration(self) -> dict[str, Any]:
        """The candidate in the form of the API."""
        specification = {} if self.specification is None else {"InferenceSpecificationName": self.specification}
        if self.instance_type is None:
            return {
                "ServerlessConfig": {"MemorySizeInMB": self.memory_mb, "MaxConcurrency": _CONCURRENCY}
            } | specification
        return {"InstanceType": self.instance_type} | specification


def choose_candidates(
    subject: ModelUnderTest, region: str, provider: int, kinds: Sequence[str] = (), *, serverless: bool = True
) -> list[Candidate]:
    """Return the candidates for a model in a Region: the instance types `kinds`, or the best that hold the model.

    `provider` is the major version of the AWS provider for the endpoint. Raises UserError if a given type cannot run
    the model, or if there is no candidate.
    """
    on_instances = [_make_named_candidate(kind, subject, region, provider) for kind in dict.fromkeys(kinds)] or [
        candidate for one in subject.specifications for candidate in _choose_best(one, subject, region, provider)
    ]
    candidates = on_instances + (list(_choose_serverless(subject, region)) if serverless else [])
    if not candidates:
        silicon = ", ".join(dict.fromkeys(one.silicon for one in subject.specifications))
        raise UserError(
            f"{subject.name}: the catalogue has no {silicon} type in {region} with enough memory; register the model "
            "in another Region, or with an image for other silicon"
        )
    if len(on_instances) > MAX_CANDIDATES:
        raise UserError(
            f"--instance-type: a job tests at most {MAX_CANDIDATES} types, not {len(on_instances)}; pass fewer"
        )
    return candidates


def _make_named_candidate(kind: str, subject: ModelUnderTest, region: str, provider: int) -> Candidate:
    instance = instances.find(kind) if kind.startswith("ml.") else None
    if instance is None:
        raise UserError(f"--instance-type: {instances.explain_unknown(kind)}")
    for one in subject.specifications:
        if one.silicon == instance.silicon:
            if obstacle := _find_obstacle(instance, subject, region, provider):
                raise UserError(f"--instance-type: {obstacle}")
            return Candidate(kind, None, one.name)
    images = " and ".join(dict.fromkeys(one.silicon for one in subject.specifications))
    raise UserError(
        f"--instance-type: {kind} is {instance.silicon or 'not suitable for new endpoints'}, and the images are for "
        f"{images}; register an image for it as an additional inference specification, or omit the type"
    )


def _find_obstacle(instance: InstanceType, subject: ModelUnderTest, region: str, provider: int) -> str:
    """Return the reason why an endpoint on this instance type is impossible; empty if it is possible."""
    if "hosting" not in instance.uses or instance.family[0] == "t":
        return f"no load test can use {instance.name}, which is for {', '.join(sorted(instance.uses))}"
    if instances.is_offered(instance.name, region) is False:
        return f"{region} does not offer {instance.name}"
    if instances.is_refused_by_provider(instance.name, "hosting", provider):
        return (
            f"version {provider} of the AWS provider refuses {instance.name}; if you use version 6, pass --provider 6"
        )
    if (needed_mb := _estimate_memory_mb(subject)) > instance.memory_gib * 1024:
        return (
            f"the model needs about {needed_mb:,.0f} MB of memory, and {instance.name} has {instance.memory_gib:g} GiB"
        )
    return ""


def _choose_best(one: ServingSpecification, subject: ModelUnderTest, region: str, provider: int) -> Iterator[Candidate]:
    """Yield the smallest types of the best families, only of the types in the package if it names any."""
    named_types = [instance_type for kind in one.instance_types if (instance_type := instances.find(kind)) is not None]
    suitable = [
        instance
        for instance in named_types or instances.load_all().values()
        if instance.silicon == one.silicon
        and (named_types or instance.vcpu <= _LARGEST_VCPU)
        and not _find_obstacle(instance, subject, region, provider)
    ]
    ranked = sorted(
        suitable, key=lambda instance: (_estimate_kg_per_vcpu(instance, region), instance.vcpu, instance.name)
    )
    smallest: dict[str, InstanceType] = {}
    for instance in ranked:
        current = smallest.setdefault(instance.family, instance)
        if instance.vcpu < current.vcpu:
            smallest[instance.family] = instance
    for instance in list(smallest.values())[:MAX_FAMILIES]:
        yield Candidate(instance.name, None, one.name)


def _estimate_kg_per_vcpu(instance: InstanceType, region: str) -> float:
    """Return the monthly kgCO2e per vCPU or accelerator at a load of a tenth."""
    total = estimate(FleetActivity(instance.name, region)).get("total")
    return total.central / (instance.accelerators or instance.vcpu) if total else inf


def _choose_serverless(subject: ModelUnderTest, region: str) -> Iterator[Candidate]:
    """Yield the smallest memory that holds the model, and twice as much; none for images of other hardware."""
    region_data = regions.find(region)
    specification = next((one for one in subject.specifications if one.silicon == "x86"), None)
    if (
        specification is None
        or region_data is None
        or not region_data.has_serverless
        or subject.model_mb > get_limit("serverless_disk_mb")
    ):
        return
    sizes = [size for size in list_serverless_memory_mb() if size >= _estimate_memory_mb(subject)]
    chosen_sizes = [size for size in sizes if size in (sizes[0], 2 * sizes[0])][:MAX_SIZES] if sizes else []
    yield from (Candidate(None, size, specification.name) for size in chosen_sizes)


def _estimate_memory_mb(subject: ModelUnderTest) -> float:
    assumptions = load_assumptions()
    return assumptions["serving_memory_x_model"].central * subject.model_mb + assumptions["serving_memory_mb"].central
