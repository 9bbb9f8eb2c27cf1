"""What is tried: instance types that the images run on, least carbon first, and serverless memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from sustainable_mlops.catalogue import instances, regions
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.catalogue.limits import get_limit, list_serverless_memory_mb
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint import FleetActivity, estimate
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.recommendation.served_model import ServedModel, ServingSpecification

#: Endpoint configurations that a job takes (API model of SageMaker).
MAX_CANDIDATES = 10
#: Families that are tried of each inference specification, unless types are named, and serverless sizes.
MAX_FAMILIES, MAX_SIZES = 3, 2
#: Larger instances have more of the same CPUs: they are not tried unless named.
_LARGEST_VCPU = 8
#: Requests at once that serverless workers are tried with.
_CONCURRENCY = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """An endpoint to be tried."""

    #: None where it is serverless.
    instance_type: str | None
    memory_mb: int | None
    specification: str | None

    @property
    def title(self) -> str:
        """`ml.c7g.large`, `serverless 2048 MB`."""
        return self.instance_type or f"serverless {self.memory_mb} MB"

    @property
    def configuration(self) -> dict[str, Any]:
        """It as the API takes it."""
        named = {} if self.specification is None else {"InferenceSpecificationName": self.specification}
        if self.instance_type is None:
            return {"ServerlessConfig": {"MemorySizeInMB": self.memory_mb, "MaxConcurrency": _CONCURRENCY}} | named
        return {"InstanceType": self.instance_type} | named


def choose_candidates(
    subject: ServedModel, region: str, provider: int, kinds: Sequence[str] = (), *, serverless: bool = True
) -> list[Candidate]:
    """What is tried of a subject in a Region: the instance types `kinds`, or the best that hold the model.

    `provider` is the major version of the AWS provider that will make the endpoint. Raises UserError where a named type
    cannot run it, or nothing is left.
    """
    on_instances = [_make_named_candidate(kind, subject, region, provider) for kind in dict.fromkeys(kinds)] or [
        candidate for one in subject.specifications for candidate in _choose_best(one, subject, region, provider)
    ]
    found = on_instances + (list(_choose_serverless(subject, region)) if serverless else [])
    if not found:
        silicon = ", ".join(dict.fromkeys(one.silicon for one in subject.specifications))
        raise UserError(f"{subject.name}: the catalogue has no type of {silicon} in {region} that holds it")
    if len(on_instances) > MAX_CANDIDATES:
        raise UserError(f"--instance-type: a job tries {MAX_CANDIDATES} at most, not {len(on_instances)}")
    return found


def _make_named_candidate(kind: str, subject: ServedModel, region: str, provider: int) -> Candidate:
    instance = instances.find(kind) if kind.startswith("ml.") else None
    if instance is None:
        raise UserError(f"--instance-type: {instances.explain_unknown(kind)}")
    for one in subject.specifications:
        if one.silicon == instance.silicon:
            if why := _find_obstacle(instance, subject, region, provider):
                raise UserError(f"--instance-type: {why}")
            return Candidate(kind, None, one.name)
    images = " and ".join(dict.fromkeys(one.silicon for one in subject.specifications))
    raise UserError(
        f"--instance-type: {kind} is {instance.silicon or 'nothing that endpoints should be made on'}, and the images "
        f"are for {images}; register one for it as an additional inference specification, or leave the type out"
    )


def _find_obstacle(instance: InstanceType, subject: ServedModel, region: str, provider: int) -> str:
    """Why an endpoint on it cannot be; empty where it can."""
    if "hosting" not in instance.uses or instance.family[0] == "t":
        return f"no load test runs on {instance.name}, which is for {', '.join(sorted(instance.uses))}"
    if instances.is_offered(instance.name, region) is False:
        return f"{region} has no {instance.name}"
    if instances.is_refused_by_provider(instance.name, "hosting", provider):
        return f"version {provider} of the AWS provider refuses {instance.name}; with 6 give --provider 6"
    if (needed := _estimate_memory_mb(subject)) > instance.memory_gib * 1024:
        return f"the model takes about {needed:,.0f} MB of memory, and {instance.name} has {instance.memory_gib:g} GiB"
    return ""


def _choose_best(one: ServingSpecification, subject: ServedModel, region: str, provider: int) -> Iterator[Candidate]:
    """The smallest types of some families: of those that the package names, if it names any."""
    known = [found for kind in one.instance_types if (found := instances.find(kind)) is not None]
    able = [
        instance
        for instance in known or instances.load_all().values()
        if instance.silicon == one.silicon
        and (known or instance.vcpu <= _LARGEST_VCPU)
        and not _find_obstacle(instance, subject, region, provider)
    ]
    ranked = sorted(able, key=lambda instance: (_estimate_kg_per_vcpu(instance, region), instance.vcpu, instance.name))
    smallest: dict[str, InstanceType] = {}
    for instance in ranked:
        held = smallest.setdefault(instance.family, instance)
        if instance.vcpu < held.vcpu:
            smallest[instance.family] = instance
    for instance in list(smallest.values())[:MAX_FAMILIES]:
        yield Candidate(instance.name, None, one.name)


def _estimate_kg_per_vcpu(instance: InstanceType, region: str) -> float:
    """kgCO2e of a month for each vCPU, or for each accelerator, in use a tenth of the time."""
    total = estimate(FleetActivity(instance.name, region)).get("total")
    return total.central / (instance.accelerators or instance.vcpu) if total else inf


def _choose_serverless(subject: ServedModel, region: str) -> Iterator[Candidate]:
    """The least memory that holds the model, and twice as much, with its CPUs; none for images of other silicon."""
    place = regions.find(region)
    own = next((one for one in subject.specifications if one.silicon == "x86"), None)
    if own is None or place is None or not place.has_serverless or subject.model_mb > get_limit("serverless_disk_mb"):
        return
    sizes = [size for size in list_serverless_memory_mb() if size >= _estimate_memory_mb(subject)]
    wanted = [size for size in sizes if size in (sizes[0], 2 * sizes[0])][:MAX_SIZES] if sizes else []
    yield from (Candidate(None, size, own.name) for size in wanted)


def _estimate_memory_mb(subject: ServedModel) -> float:
    known = load_assumptions()
    return known["serving_memory_x_model"].central * subject.model_mb + known["serving_memory_mb"].central
