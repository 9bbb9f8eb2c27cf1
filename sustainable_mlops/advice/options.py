"""Options to meet the requirements: each kind of endpoint on each hardware, in its smallest size."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, exp, floor, inf
from typing import Any, cast

from sustainable_mlops.advice.limits import BATCH_INTERVAL_H, ENDPOINT_KINDS, count_jobs_per_day, list_obstacles
from sustainable_mlops.advice.requirements import ACCEPTED_WAITS, ServingRequirements
from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.catalogue.limits import get_limit, list_serverless_memory_mb
from sustainable_mlops.catalogue.month import DAYS_PER_MONTH, HOURS_PER_MONTH
from sustainable_mlops.footprint import (
    FleetActivity,
    FootprintEstimate,
    JobActivity,
    Quantity,
    ServerlessActivity,
    estimate,
    make_bounded,
    make_exact,
)
from sustainable_mlops.footprint.coefficients import Coefficients, load_assumptions

SILICON = ("Graviton", "x86", "Inferentia2", "Trainium", "Trainium2", "GPU")
_ACCELERATED = SILICON[2:]
_REASONS = {
    "serverless": "nothing runs or is billed between requests; the first request after a pause waits for a start",
    "real-time": "at least one instance is always on and responds immediately",
    "scheduled real-time": "like real-time in the hours with traffic; no instance is on outside them",
    "asynchronous": "it scales to zero and starts within minutes",
    "batch transform": "nothing is on between jobs",
}
_JOB_FREQUENCIES = {"minutes": "a job every half hour with traffic", "batch": "one job a day"}
_NEURON = "the model must compile with Neuron"
#: Release notes of Neuron: since SDK 2.29 its library for language models supports only Trainium2 and newer.
_OLD_NEURON = f"{_NEURON}; language models up to SDK 2.28 only"
#: Checks of instance types, for a known and an unknown version of the AWS provider.
_PROVIDER_CHECKS = (
    "newer types are left out, because AWS provider 5 refuses them",
    "newer types are left out, because AWS provider 5 refuses them: pass the version of the provider in use",
)
_CHECKS = {
    "Graviton": "the image must be arm64",
    "Inferentia2": _OLD_NEURON,
    "Trainium": _OLD_NEURON,
    "Trainium2": _NEURON,
    "serverless": "more memory includes more vCPUs: benchmark the sizes",
    "scheduled real-time": "calls fail outside its hours, when a schedule sets its inference component to 0 copies",
    "real-time": "one instance is in one zone: use 2 if the endpoint must survive its loss",
}


@dataclass(frozen=True, slots=True)
class ServingOption:
    """An option to meet the requirements, with its monthly footprint."""

    kind: str
    silicon: str
    #: Instance type, or MB of serverless memory.
    size: str
    min_instances: int
    #: Maximum number of instances, or concurrency of a serverless endpoint.
    max_instances: int
    activity: FleetActivity | JobActivity | ServerlessActivity
    estimate: FootprintEstimate
    #: Reasons for the option, and checks to do first.
    reasons: tuple[str, ...]
    checks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The title, such as `serverless, 2048 MB, 0 to 3`."""
        return f"{self.kind}, {self.size}, {self.min_instances} to {self.max_instances}"

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        return {
            "kind": self.kind,
            "silicon": self.silicon,
            "size": self.size,
            "min_instances": self.min_instances,
            "max_instances": self.max_instances,
            "reasons": list(self.reasons),
            "checks": list(self.checks),
            "month": self.estimate.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class RefusedOption:
    """An option that cannot meet the requirements; `silicon` is empty if the kind of endpoint itself cannot."""

    kind: str
    silicon: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServingAdvice:
    """The options, least carbon first, and the refused ones."""

    requirements: ServingRequirements
    options: tuple[ServingOption, ...]
    refusals: tuple[RefusedOption, ...]

    @property
    def advice_for_longer_wait(self) -> "ServingAdvice | None":
        """The advice for the shortest wait with an option; None if there are options already."""
        if self.options:
            return None
        waits = (
            ACCEPTED_WAITS[ACCEPTED_WAITS.index(self.requirements.latency) + 1 :]
            if isinstance(self.requirements.latency, str)
            else ACCEPTED_WAITS
        )
        advices = (make_advice(replace(self.requirements, latency=cast("Any", wait))) for wait in waits)
        return next((advice for advice in advices if advice.options), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        refusals = [{"kind": one.kind, "silicon": one.silicon, "reasons": list(one.reasons)} for one in self.refusals]
        other_advice = self.advice_for_longer_wait
        return {
            "need": self.requirements.to_dict(),
            "options": [option.to_dict() for option in self.options],
            "refused": refusals,
            "if_callers_wait": other_advice.to_dict() if other_advice else None,
        }


def make_advice(requirements: ServingRequirements) -> ServingAdvice:
    """Return every option for the requirements, ranked by kgCO2e (operational + embodied) a month, then by USD."""
    options: list[ServingOption] = []
    refusals: list[RefusedOption] = []
    for kind in ENDPOINT_KINDS:
        reasons = list_obstacles(kind, requirements)
        if reasons:
            refusals.append(RefusedOption(kind, "", reasons))
            continue
        for option in (
            [_make_serverless(requirements)] if kind == "serverless" else _list_instance_options(kind, requirements)
        ):
            if isinstance(option, ServingOption):
                options.append(option)
            else:
                refusals.append(option)
    return ServingAdvice(requirements, tuple(sorted(options, key=_make_rank_key)), tuple(refusals))


def _make_rank_key(option: ServingOption) -> tuple[float, float]:
    kg, usd = option.estimate.get("total"), option.estimate.get("cost")
    return (kg.central if kg else float("inf"), usd.central if usd else float("inf"))


def make_sized_option(
    kind: str, size: str | int, requirements: ServingRequirements, max_instances: int | None = None
) -> ServingOption | None:
    """Return the option of this kind and size: MB of serverless memory, or an instance type; None if it is unknown.

    `max_instances` bounds a fleet; by default the requirements do.
    """
    if kind == "serverless":
        return _make_serverless(requirements, int(size))
    instance = instances.find(str(size))
    if instance is None:
        return None
    return next(_make_options(kind, _detect_silicon(instance), instance, requirements, max_instances), None)


def _make_serverless(requirements: ServingRequirements, memory_mb: int | None = None) -> ServingOption:
    memory, reason = _select_memory(requirements) if memory_mb is None else (memory_mb, "is the given size")
    requests, duration = (
        make_exact(requirements.requests_per_day * DAYS_PER_MONTH),
        _estimate_duration(memory, requirements),
    )
    activity = ServerlessActivity(memory, requirements.region, requests, duration)
    reasons = (_REASONS["serverless"], f"{memory} MB {reason}")
    max_workers = _count_workers(duration, requirements)
    size, checks = f"{memory} MB", (_CHECKS["serverless"],)
    return ServingOption("serverless", "x86", size, 0, max_workers, activity, estimate(activity), reasons, checks)


def _select_memory(requirements: ServingRequirements) -> tuple[int, str]:
    """Return the smallest size in MB that holds the model and is fast enough, and the reason."""
    sizes = [size for size in list_serverless_memory_mb() if size >= requirements.memory_mb]
    memory = next((size for size in sizes if _is_fast_enough(size, requirements)), sizes[-1])
    return memory, f"is the smallest size that {'holds the model' if memory == sizes[0] else 'has enough CPU'}"


def _is_fast_enough(memory_mb: int, requirements: ServingRequirements) -> bool:
    """Return whether workers of this size answer in time and their number is below the limit."""
    duration = _estimate_duration(memory_mb, requirements)
    in_time = duration.central <= get_limit("serverless_answer_s")
    return in_time and _count_workers(duration, requirements) <= get_limit("serverless_concurrency")


def _count_workers(duration: Quantity, requirements: ServingRequirements) -> int:
    return max(1, ceil(requirements.peak_concurrency * duration.central / requirements.duration_s))


def _estimate_duration(memory_mb: float, requirements: ServingRequirements) -> Quantity:
    """Return the seconds of a request on a worker; with little memory it has less than one vCPU."""
    slowdown = (Coefficients.get_current().serverless_mb_per_vcpu * (1 / memory_mb)).clamp(1.0, inf)
    duration = slowdown.replace_text("duration of a request on a part of a vCPU", "s") * requirements.duration_s
    return make_exact(requirements.duration_s) if duration.is_exact else duration


def _list_instance_options(kind: str, requirements: ServingRequirements) -> Iterator[ServingOption | RefusedOption]:
    for silicon in SILICON:
        reason = _find_silicon_obstacle(silicon, kind, requirements)
        if reason:
            yield RefusedOption(kind, silicon, (reason,))
            continue
        use = "transform" if kind == "batch transform" else "hosting"
        fitting = [
            instance
            for instance in instances.load_all().values()
            if _detect_silicon(instance) == silicon
            and use in instance.uses
            and count_concurrent_requests(instance, requirements)
        ]
        offered = [
            instance for instance in fitting if instances.is_offered(instance.name, requirements.region) is not False
        ]
        accepted = [
            instance
            for instance in offered
            if not instances.is_refused_by_provider(instance.name, use, requirements.provider)
        ]
        options = [option for instance in accepted for option in _make_options(kind, silicon, instance, requirements)]
        if options:
            best = min(options, key=_make_rank_key)
            yield (
                best
                if accepted == offered
                else replace(best, checks=(*best.checks, _PROVIDER_CHECKS[requirements.provider is None]))
            )
        elif offered and not accepted:
            yield RefusedOption(kind, silicon, ("AWS provider 5 refuses the types that hold the model",))
        elif fitting and not offered:
            yield RefusedOption(
                kind, silicon, (f"EC2 does not offer the types that hold the model in {requirements.region}",)
            )
        else:
            yield RefusedOption(kind, silicon, ("no instance type holds the model and the load",))


def _find_silicon_obstacle(silicon: str, kind: str, requirements: ServingRequirements) -> str:
    if silicon in _ACCELERATED and requirements.accelerator == "none":
        return "the model needs no accelerator, so one would idle"
    if silicon not in _ACCELERATED and requirements.accelerator != "none":
        return "the model needs an accelerator"
    if silicon in _ACCELERATED and silicon != "GPU" and requirements.accelerator == "gpu":
        return "the model needs a GPU"
    if silicon == "Graviton" and kind == "batch transform":
        return "SageMaker offers Graviton only for endpoints"
    return ""


def _detect_silicon(instance: InstanceType) -> str:
    """Return the hardware that an instance is advised for.

    It is empty for burstable CPUs and for the obsolete Inferentia1.
    """
    if instance.accelerator is None:
        return "" if instance.family[0] not in "cmr" else "Graviton" if instance.is_graviton else "x86"
    name = instance.accelerator.name
    return name if name in SILICON else "" if name == "Inferentia" else "GPU"


def count_concurrent_requests(instance: InstanceType, requirements: ServingRequirements) -> int:
    """Return the requests that an instance processes at the same time; 0 if the model does not fit.

    Each needs one vCPU, or the accelerators that hold one model.
    """
    if instance.memory_gib * 1024 < requirements.memory_mb:
        return 0
    if instance.accelerator is None:
        return instance.vcpu
    return instance.accelerators // ceil(requirements.accelerator_gib / instance.accelerator_gib)


def _make_options(
    kind: str,
    silicon: str,
    instance: InstanceType,
    requirements: ServingRequirements,
    max_instances: int | None = None,
) -> Iterator[ServingOption]:
    batch = kind == "batch transform"
    sizing = _make_batch(instance, requirements) if batch else _make_fleet(kind, instance, requirements, max_instances)
    if sizing is not None:
        activity, minimum, maximum = sizing
        reasons = (f"{_REASONS[kind]}: {_JOB_FREQUENCIES[str(requirements.latency)]}" if batch else _REASONS[kind],)
        checks = tuple(_list_checks(kind, silicon, instance, requirements))
        footprint = estimate(activity)
        yield ServingOption(kind, silicon, instance.name, minimum, maximum, activity, footprint, reasons, checks)


def _list_checks(kind: str, silicon: str, instance: InstanceType, requirements: ServingRequirements) -> Iterator[str]:
    if silicon in _CHECKS:
        yield _CHECKS[silicon]
    if silicon in _ACCELERATED:
        yield "the advice assumes the same busy time on every accelerator: measure it on each"
    if kind in _CHECKS and not (kind == "real-time" and requirements.zones > 1):
        yield _CHECKS[kind]
    if kind.endswith("real-time"):
        if not isinstance(requirements.latency, str) and requirements.duration_s * 2000 > requirements.latency:
            duration, latency = f"{requirements.duration_s * 1000:g}", f"{requirements.latency:g} ms"
            yield f"a single request takes {duration} of {latency}: load-test the p99"
        if requirements.payload_kb > get_limit("real_time_payload_sure_kb"):
            yield "the payload: the hosting FAQs of AWS say 25 MB, the API model says 6 MB"
    if instances.is_offered(instance.name, requirements.region):
        yield f"EC2 offers the type in {requirements.region}: check SageMaker and the quota"
    else:
        yield f"check that {requirements.region} offers the type, and the quota"


def _make_fleet(
    kind: str, instance: InstanceType, requirements: ServingRequirements, max_instances: int | None = None
) -> tuple[FleetActivity, int, int]:
    concurrency, target = max(1, count_concurrent_requests(instance, requirements)), load_assumptions()["target_load"]
    hours = estimate_hours_on(kind, requirements, concurrency)
    minimum = 1 if kind == "asynchronous" else requirements.zones
    maximum = max(minimum, max_instances or ceil(requirements.peak_concurrency / concurrency / target.central))
    # The fleet has its usual size in hours with traffic, else its minimum.
    traffic = requirements.hours_per_day / 24 if kind == "real-time" else 1.0

    def average_instances(load: float, more: float = 0.0) -> float:
        usual = min(float(maximum), max(float(minimum), requirements.average_concurrency / concurrency / load + more))
        return usual * traffic + minimum * (1.0 - traffic)

    # There is no part of an instance: at most one more than the load needs.
    count = make_bounded(
        average_instances(target.high),
        average_instances(target.central),
        average_instances(target.low, 1.0),
        target.text,
        target.grade,
        "instances",
    )
    busy = (
        requirements.requests_per_day * DAYS_PER_MONTH * requirements.duration_s / 3600 / concurrency
    )  # instance-hours of work a month
    share = min(1.0, busy / (count.central * hours.central))
    duty = make_bounded(
        share / 2, share, min(1.0, share * 2), "busy share of the time, from the requests", unit="of the time"
    )
    return (
        FleetActivity(instance.name, requirements.region, count=count, hours=hours, duty=duty),
        minimum if kind == "real-time" else 0,
        maximum,
    )


def estimate_hours_on(kind: str, requirements: ServingRequirements, concurrency: int) -> Quantity:
    """Return the hours a month in which an endpoint has instances."""
    if kind == "real-time":
        return make_exact(HOURS_PER_MONTH)
    active, wake, stay_seconds = (
        requirements.hours_per_day * DAYS_PER_MONTH,
        load_assumptions()["wake_hours"],
        load_assumptions()["scale_in_seconds"],
    )
    if kind == "scheduled real-time":
        low, hours, high = (
            min(HOURS_PER_MONTH, active + start * DAYS_PER_MONTH) for start in (wake.low, wake.central, wake.high)
        )
        return make_bounded(low, hours, high, "hours on a schedule, with its start", wake.grade, "h")

    def estimate_active_hours(stay_s: float) -> float:
        """Return the hours if each request keeps the instances until they scale in.

        Requests come at random, so the stays overlap.
        """
        return active * (
            1
            - exp(
                -requirements.requests_per_day / requirements.hours_per_day * (requirements.duration_s + stay_s) / 3600
            )
        )

    # The minimum applies if all requests of a day come together.
    minimum = (
        (requirements.requests_per_day * requirements.duration_s / concurrency + stay_seconds.low)
        / 3600
        * DAYS_PER_MONTH
    )
    return make_bounded(
        min(minimum, estimate_active_hours(stay_seconds.low)),
        estimate_active_hours(stay_seconds.central),
        estimate_active_hours(stay_seconds.high),
        "hours with a backlog",
        unit="h",
    )


def _make_batch(instance: InstanceType, requirements: ServingRequirements) -> tuple[JobActivity, int, int] | None:
    interval_h, start, jobs = (
        BATCH_INTERVAL_H[str(requirements.latency)],
        load_assumptions()["job_start_hours"],
        count_jobs_per_day(requirements),
    )
    # A worker processes its requests one after the other, as many as fit into the interval.
    requests_per_instance = count_concurrent_requests(instance, requirements) * max(
        1, floor((interval_h - start.high) * 3600 / requirements.duration_s)
    )
    requests = requirements.requests_per_day / jobs
    maximum = ceil(requests * (requirements.peak if jobs > 1 else 1.0) / requests_per_instance)
    if maximum > get_limit("batch_instances"):
        return None
    usual = max(1.0, requests / requests_per_instance)
    work_h = (
        max(1.0, requests / usual / count_concurrent_requests(instance, requirements)) * requirements.duration_s / 3600
    )
    hours = make_bounded(work_h + start.low, work_h + start.central, work_h + start.high, start.text, start.grade, "h")
    count = make_bounded(usual, usual, float(ceil(usual)), "instances of a job, by its requests", unit="instances")
    low, central, high = (work_h / hour for hour in (hours.high, hours.central, hours.low))
    duty = make_bounded(low, central, high, "busy share of the hours of a batch, from the requests", unit="of the time")
    return (
        JobActivity(
            instance.name,
            requirements.region,
            hours,
            count,
            make_exact(jobs * DAYS_PER_MONTH),
            duty=duty,
            work="inference",
        ),
        0,
        maximum,
    )
