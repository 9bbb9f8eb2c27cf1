"""The ways to serve a need: each kind on each silicon, in its smallest size, with its footprint."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, exp, floor, inf
from typing import Any, cast

from sustainable_mlops.advice.limits import BATCH_INTERVAL_H, ENDPOINT_KINDS, count_jobs_per_day, list_obstacles
from sustainable_mlops.advice.requirements import ACCEPTED_WAITS, ServingRequirements
from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.catalogue.limits import get_limit, list_serverless_memory_mb
from sustainable_mlops.footprint import (
    FleetActivity,
    FootprintEstimate,
    JobActivity,
    Quantity,
    ServerlessActivity,
    bounded_quantity,
    estimate,
    exact_quantity,
)
from sustainable_mlops.footprint.coefficients import Coefficients, load_assumptions

DAYS_PER_MONTH = 730 / 24
SILICON = ("Graviton", "x86", "Inferentia2", "Trainium", "Trainium2", "GPU")
_ACCELERATED = SILICON[2:]
_REASONS = {
    "serverless": "nothing runs or is billed between requests; the first after a pause waits for a start",
    "real-time": "at least one instance is on all the time, and answers at once",
    "scheduled real-time": "as real-time in the hours with traffic, and no instance is on outside them",
    "asynchronous": "it scales to zero, and wakes within minutes",
    "batch transform": "nothing is on between the jobs",
}
_JOB_FREQUENCIES = {"minutes": "a job each half hour with traffic", "day": "one job a day"}
_NEURON = "the model must compile with Neuron"
#: Neuron's release notes: from SDK 2.29 on, its library for language models has Trainium2 and newer alone.
_OLD_NEURON = f"{_NEURON}; language models up to SDK 2.28 only"
#: Of instance types, by whether the version of the AWS provider is not known.
_PROVIDER_CHECKS = (
    "newer types, which AWS provider 5 refuses, are left out",
    "newer types, which AWS provider 5 refuses, are left out: say which provider makes the endpoint",
)
_CHECKS = {
    "Graviton": "the image must be arm64",
    "Inferentia2": _OLD_NEURON,
    "Trainium": _OLD_NEURON,
    "Trainium2": _NEURON,
    "serverless": "more memory brings more vCPUs: benchmark the sizes",
    "scheduled real-time": "calls fail outside its hours, when a schedule takes its inference component to 0 copies",
    "real-time": "one instance is in one zone: take 2 where answers must survive its loss",
}


@dataclass(frozen=True, slots=True)
class ServingOption:
    """A way to serve the need, with its footprint of a month."""

    kind: str
    silicon: str
    #: An instance type, or MB of serverless memory.
    size: str
    min_instances: int
    #: Of a serverless endpoint: its concurrency.
    max_instances: int
    estimate: FootprintEstimate
    #: Why it serves, and what must be checked first.
    reasons: tuple[str, ...]
    checks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """`serverless, 2048 MB, 0 to 3`."""
        return f"{self.kind}, {self.size}, {self.min_instances} to {self.max_instances}"

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
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
    """A way that cannot serve the need, and why; `silicon` is empty where the kind itself cannot."""

    kind: str
    silicon: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServingAdvice:
    """The options, least carbon first, and what was refused."""

    need: ServingRequirements
    options: tuple[ServingOption, ...]
    refusals: tuple[RefusedOption, ...]

    @property
    def advice_for_longer_wait(self) -> "ServingAdvice | None":
        """Where nothing serves: the advice for callers who wait the least time that makes something serve."""
        if self.options:
            return None
        waits = (
            ACCEPTED_WAITS[ACCEPTED_WAITS.index(self.need.latency) + 1 :]
            if isinstance(self.need.latency, str)
            else ACCEPTED_WAITS
        )
        found = (make_advice(replace(self.need, latency=cast("Any", wait))) for wait in waits)
        return next((advice for advice in found if advice.options), None)

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        refused = [{"kind": one.kind, "silicon": one.silicon, "reasons": list(one.reasons)} for one in self.refusals]
        wait = self.advice_for_longer_wait
        return {
            "need": self.need.to_dict(),
            "options": [option.to_dict() for option in self.options],
            "refused": refused,
            "if_callers_wait": wait.to_dict() if wait else None,
        }


def make_advice(need: ServingRequirements) -> ServingAdvice:
    """Every way to serve `need`, ranked by kgCO2e (operational + embodied) a month, then by USD."""
    options: list[ServingOption] = []
    refused: list[RefusedOption] = []
    for kind in ENDPOINT_KINDS:
        reasons = list_obstacles(kind, need)
        if reasons:
            refused.append(RefusedOption(kind, "", reasons))
            continue
        for found in [_make_serverless(need)] if kind == "serverless" else _list_instance_options(kind, need):
            if isinstance(found, ServingOption):
                options.append(found)
            else:
                refused.append(found)
    return ServingAdvice(need, tuple(sorted(options, key=_make_rank_key)), tuple(refused))


def _make_rank_key(option: ServingOption) -> tuple[float, float]:
    kg, usd = option.estimate.get("total"), option.estimate.get("cost")
    return (kg.central if kg else float("inf"), usd.central if usd else float("inf"))


def _make_serverless(need: ServingRequirements) -> ServingOption:
    holding = [size for size in list_serverless_memory_mb() if size >= need.memory_mb]
    able = (size for size in holding if _is_fast_enough(size, need))
    memory = next(able, holding[-1])
    requests, duration = exact_quantity(need.requests_per_day * DAYS_PER_MONTH), _estimate_duration(memory, need)
    found = estimate(ServerlessActivity(memory, need.region, requests, duration))
    why = "holds the model" if memory == holding[0] else "has CPU enough"
    reasons = (_REASONS["serverless"], f"{memory} MB is the least that {why}")
    most = _count_workers(duration, need)
    return ServingOption("serverless", "x86", f"{memory} MB", 0, most, found, reasons, (_CHECKS["serverless"],))


def _is_fast_enough(memory_mb: int, need: ServingRequirements) -> bool:
    """Whether workers of this size answer in time, and are not too many."""
    duration = _estimate_duration(memory_mb, need)
    in_time = duration.central <= get_limit("serverless_answer_s")
    return in_time and _count_workers(duration, need) <= get_limit("serverless_concurrency")


def _count_workers(duration: Quantity, need: ServingRequirements) -> int:
    return max(1, ceil(need.peak_concurrency * duration.central / need.duration_s))


def _estimate_duration(memory_mb: float, need: ServingRequirements) -> Quantity:
    """Seconds of a request on a worker, which has less than one vCPU where it has little memory."""
    slower = (Coefficients.default().serverless_mb_per_vcpu * (1 / memory_mb)).clamp(1.0, inf)
    duration = slower.with_text("time of a request on a part of a vCPU") * need.duration_s
    return exact_quantity(need.duration_s) if duration.is_exact else duration


def _list_instance_options(kind: str, need: ServingRequirements) -> Iterator[ServingOption | RefusedOption]:
    for silicon in SILICON:
        reason = _find_silicon_obstacle(silicon, kind, need)
        if reason:
            yield RefusedOption(kind, silicon, (reason,))
            continue
        use = "transform" if kind == "batch transform" else "hosting"
        fitting = [
            instance
            for instance in instances.load_all().values()
            if _detect_silicon(instance) == silicon
            and use in instance.uses
            and count_concurrent_requests(instance, need)
        ]
        there = [instance for instance in fitting if instances.is_offered(instance.name, need.region) is not False]
        taken = [
            instance for instance in there if not instances.is_refused_by_provider(instance.name, use, need.provider)
        ]
        found = [option for instance in taken for option in _make_options(kind, silicon, instance, need)]
        if found:
            best = min(found, key=_make_rank_key)
            yield (
                best
                if taken == there
                else replace(best, checks=(*best.checks, _PROVIDER_CHECKS[need.provider is None]))
            )
        elif there and not taken:
            yield RefusedOption(kind, silicon, ("AWS provider 5 refuses the types that hold the model",))
        elif fitting and not there:
            yield RefusedOption(kind, silicon, (f"EC2 does not have the types that hold the model in {need.region}",))
        else:
            yield RefusedOption(kind, silicon, ("no instance type holds the model and load",))


def _find_silicon_obstacle(silicon: str, kind: str, need: ServingRequirements) -> str:
    if silicon in _ACCELERATED and need.accelerator == "none":
        return "the model needs no accelerator, which would idle"
    if silicon not in _ACCELERATED and need.accelerator != "none":
        return "the model needs an accelerator"
    if silicon in _ACCELERATED and silicon != "GPU" and need.accelerator == "gpu":
        return "the model needs a GPU"
    if silicon == "Graviton" and kind == "batch transform":
        return "SageMaker has Graviton for endpoints only"
    return ""


def _detect_silicon(instance: InstanceType) -> str:
    """The silicon an instance is advised for; empty for burstable CPUs and for Inferentia1, which is dead."""
    if instance.accelerator is None:
        return "" if instance.family[0] not in "cmr" else "Graviton" if instance.is_graviton else "x86"
    name = instance.accelerator.name
    return name if name in SILICON else "" if name == "Inferentia" else "GPU"


def count_concurrent_requests(instance: InstanceType, need: ServingRequirements) -> int:
    """Requests that an instance works on at the same time: a vCPU each, or the accelerators that hold one model.

    0 where the model does not fit.
    """
    if instance.memory_gib * 1024 < need.memory_mb:
        return 0
    if instance.accelerator is None:
        return instance.vcpu
    return instance.accelerators // ceil(need.accelerator_gib / instance.accelerator_gib)


def _make_options(
    kind: str, silicon: str, instance: InstanceType, need: ServingRequirements
) -> Iterator[ServingOption]:
    batch = kind == "batch transform"
    found = _make_batch(instance, need) if batch else _make_fleet(kind, instance, need)
    if found is not None:
        thing, least, most = found
        reasons = (f"{_REASONS[kind]}: {_JOB_FREQUENCIES[str(need.latency)]}" if batch else _REASONS[kind],)
        checks = tuple(_list_checks(kind, silicon, instance, need))
        yield ServingOption(kind, silicon, instance.name, least, most, estimate(thing), reasons, checks)


def _list_checks(kind: str, silicon: str, instance: InstanceType, need: ServingRequirements) -> Iterator[str]:
    if silicon in _CHECKS:
        yield _CHECKS[silicon]
    if silicon in _ACCELERATED:
        yield "a request is taken to keep every accelerator busy for the same time: measure it on each"
    if kind in _CHECKS and not (kind == "real-time" and need.zones > 1):
        yield _CHECKS[kind]
    if kind.endswith("real-time"):
        if not isinstance(need.latency, str) and need.duration_s * 2000 > need.latency:
            yield f"a request alone takes {need.duration_s * 1000:g} of {need.latency:g} ms: load-test the p99"
        if need.payload_kb > get_limit("real_time_payload_sure_kb"):
            yield "the payload: AWS's hosting FAQs have 25 MB, the API's model 6 MB"
    if instances.is_offered(instance.name, need.region):
        yield f"EC2 has the type in {need.region}: that SageMaker has it too, and the quota"
    else:
        yield f"whether {need.region} has the type, and the quota"


def _make_fleet(kind: str, instance: InstanceType, need: ServingRequirements) -> tuple[FleetActivity, int, int]:
    at_once, target = count_concurrent_requests(instance, need), load_assumptions()["target_load"]
    on = estimate_hours_on(kind, need, at_once)
    least = 1 if kind == "asynchronous" else need.zones
    most = max(least, ceil(need.peak_concurrency / at_once / target.central))
    # While traffic lasts the fleet has its usual size, else its least.
    traffic = need.hours_per_day / 24 if kind == "real-time" else 1.0

    def mean(load: float, more: float = 0.0) -> float:
        usual = min(float(most), max(float(least), need.average_concurrency / at_once / load + more))
        return usual * traffic + least * (1.0 - traffic)

    # Never a part of an instance: at most one more than the load asks for.
    count = bounded_quantity(mean(target.high), mean(target.central), mean(target.low, 1.0), target.text, target.grade)
    busy = (
        need.requests_per_day * DAYS_PER_MONTH * need.duration_s / 3600 / at_once
    )  # instance-hours of work in a month
    share = min(1.0, busy / (count.central * on.central))
    duty = bounded_quantity(share / 2, share, min(1.0, share * 2), "share of the time busy, from the requests")
    return (
        FleetActivity(instance.name, need.region, count=count, hours=on, duty=duty),
        least if kind == "real-time" else 0,
        most,
    )


def estimate_hours_on(kind: str, need: ServingRequirements, at_once: int) -> Quantity:
    """Hours a month that an endpoint has instances."""
    if kind == "real-time":
        return exact_quantity(730.0)
    active, wake, stays = (
        need.hours_per_day * DAYS_PER_MONTH,
        load_assumptions()["wake_hours"],
        load_assumptions()["scale_in_seconds"],
    )
    if kind == "scheduled real-time":
        low, hours, high = (
            min(730.0, active + start * DAYS_PER_MONTH) for start in (wake.low, wake.central, wake.high)
        )
        return bounded_quantity(low, hours, high, "hours on a schedule, with its start", wake.grade)

    def on(stay_s: float) -> float:
        """Each request keeps the instances until they scale in; requests come at random, so that stays overlap."""
        return active * (1 - exp(-need.requests_per_day / need.hours_per_day * (need.duration_s + stay_s) / 3600))

    # Least where all requests of a day come together.
    together = (need.requests_per_day * need.duration_s / at_once + stays.low) / 3600 * DAYS_PER_MONTH
    return bounded_quantity(min(together, on(stays.low)), on(stays.central), on(stays.high), "hours with a backlog")


def _make_batch(instance: InstanceType, need: ServingRequirements) -> tuple[JobActivity, int, int] | None:
    every, start, jobs = (
        BATCH_INTERVAL_H[str(need.latency)],
        load_assumptions()["job_start_hours"],
        count_jobs_per_day(need),
    )
    # A worker does its requests one after the other, as many as there is time for.
    of_one = count_concurrent_requests(instance, need) * max(1, floor((every - start.high) * 3600 / need.duration_s))
    requests = need.requests_per_day / jobs
    most = ceil(requests * (need.peak if jobs > 1 else 1.0) / of_one)
    if most > get_limit("batch_instances"):
        return None
    usual = max(1.0, requests / of_one)
    work_h = max(1.0, requests / usual / count_concurrent_requests(instance, need)) * need.duration_s / 3600
    hours = bounded_quantity(work_h + start.low, work_h + start.central, work_h + start.high, start.text, start.grade)
    count = bounded_quantity(usual, usual, float(ceil(usual)), "instances of a job, by its requests")
    low, central, high = (work_h / hour for hour in (hours.high, hours.central, hours.low))
    duty = bounded_quantity(low, central, high, "share of a batch's hours in which it works, from the requests")
    return (
        JobActivity(
            instance.name, need.region, hours, count, exact_quantity(jobs * DAYS_PER_MONTH), duty=duty, work="inference"
        ),
        0,
        most,
    )
