"""The ways to serve a need: each kind on each silicon, in its smallest size, with its footprint."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

from sustainable_mlops.advice.limits import BATCH_INSTANCES, KINDS, SERVERLESS_MEMORY_MB, against
from sustainable_mlops.advice.need import Need
from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.instances import Instance
from sustainable_mlops.footprint import Estimate, Fleet, Job, Quantity, Serverless, between, estimate, exactly

DAYS = 730 / 24
#: Load that autoscaling aims at, so that a queue stays short (assumed).
TARGET_LOAD = 0.6
#: Seconds an asynchronous endpoint stays on after its backlog is gone: metrics, evaluation, cooldown (assumed).
SCALE_IN_S = 900.0
#: Hours that a transform job is up before it works (assumed).
START_H = between(2 / 60, 4 / 60, 8 / 60, "time a job takes to start")
#: GB of memory of one accelerator, from the makers' published figures, from memory: assumed; others are not advised.
ACCELERATOR_GB = {"T4": 16, "A10G": 24, "L4": 24, "L40S": 48, "A100": 40, "H100": 80, "Inferentia2": 32}
SILICON = ("Graviton", "x86", "Inferentia2", "GPU")
_USE = {"real-time": "hosting", "asynchronous": "hosting", "batch transform": "transform"}
_WHY = {
    "serverless": "nothing runs or is billed between requests; the first after a pause waits for a start",
    "real-time": "at least one instance is on all the time, and answers at once",
    "asynchronous": "it scales to zero, and wakes within minutes",
    "batch transform": "nothing is on between the jobs, one in each hour with traffic",
}
_SILICON_WHY = {
    "Graviton": "needs an arm64 image",
    "x86": "takes any image",
    "Inferentia2": "the model must compile with Neuron",
    "GPU": "takes any CUDA image",
}


@dataclass(frozen=True, slots=True)
class Option:
    """A way to serve the need, with its footprint of a month."""

    kind: str
    silicon: str
    #: An instance type, or MB of serverless memory.
    size: str
    min_instances: int
    #: Of a serverless endpoint: its concurrency.
    max_instances: int
    estimate: Estimate
    reasons: tuple[str, ...]

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
            "month": self.estimate.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """A way that cannot serve the need, and why; `silicon` is empty where the kind itself cannot."""

    kind: str
    silicon: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """The options, least carbon first, and what was refused."""

    options: tuple[Option, ...]
    refused: tuple[Refusal, ...]

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        refused = [{"kind": one.kind, "silicon": one.silicon, "reasons": list(one.reasons)} for one in self.refused]
        return {"options": [option.to_dict() for option in self.options], "refused": refused}


def advise(need: Need) -> Advice:
    """Every way to serve `need`, ranked by kgCO2e (operational + embodied) a month, then by USD."""
    options: list[Option] = []
    refused: list[Refusal] = []
    for kind in KINDS:
        reasons = against(kind, need)
        if reasons:
            refused.append(Refusal(kind, "", reasons))
            continue
        for found in [_serverless(need)] if kind == "serverless" else _on_instances(kind, need):
            if isinstance(found, Option):
                options.append(found)
            else:
                refused.append(found)
    return Advice(tuple(sorted(options, key=_rank)), tuple(refused))


def _rank(option: Option) -> tuple[float, float]:
    kg, usd = option.estimate.get("total"), option.estimate.get("cost")
    return (kg.central if kg else float("inf"), usd.central if usd else float("inf"))


def _serverless(need: Need) -> Option:
    memory = next(size for size in SERVERLESS_MEMORY_MB if size >= need.memory_mb)
    requests = exactly(need.requests_per_day * DAYS)
    found = estimate(Serverless(memory, need.region, requests, exactly(need.duration_s)))
    reasons = (_WHY["serverless"], f"{memory} MB is the least that holds the model")
    return Option("serverless", "x86", f"{memory} MB", 0, max(1, ceil(need.peak_at_once)), found, reasons)


def _on_instances(kind: str, need: Need) -> Iterator[Option | Refusal]:
    for silicon in SILICON:
        reason = _silicon_against(silicon, kind, need)
        if reason:
            yield Refusal(kind, silicon, (reason,))
            continue
        found = [
            option
            for instance in instances.everything().values()
            if _is(silicon, instance) and _USE[kind] in instance.uses and _holds(instance, need)
            for option in _sized(kind, silicon, instance, need)
        ]
        yield min(found, key=_rank) if found else Refusal(kind, silicon, ("no instance type holds the model and load",))


def _silicon_against(silicon: str, kind: str, need: Need) -> str:
    accelerated = silicon in ("Inferentia2", "GPU")
    if accelerated and need.accelerator == "none":
        return "the model needs no accelerator, which would idle"
    if not accelerated and need.accelerator != "none":
        return "the model needs an accelerator"
    if silicon == "Inferentia2" and need.accelerator == "gpu":
        return "the model needs a GPU"
    if silicon == "Graviton" and kind == "batch transform":
        return "SageMaker has Graviton for endpoints only"
    return ""


def _is(silicon: str, instance: Instance) -> bool:
    if instance.accelerator is None:
        return instance.family[0] in "cmr" and silicon == ("Graviton" if instance.graviton else "x86")
    if instance.accelerator.name not in ACCELERATOR_GB:
        return False
    return ("Inferentia2" if instance.accelerator.name == "Inferentia2" else "GPU") == silicon


def _holds(instance: Instance, need: Need) -> bool:
    if instance.memory_gib * 1024 < need.memory_mb:
        return False
    if instance.accelerator is None:
        return True
    # A fifth more than the weights, for what a request needs (assumed).
    return instance.accelerators * ACCELERATOR_GB[instance.accelerator.name] * 1024 >= need.model_mb * 1.2


def _sized(kind: str, silicon: str, instance: Instance, need: Need) -> Iterator[Option]:
    at_once = instance.accelerators or instance.vcpu
    batch = kind == "batch transform"
    found = _batch(instance, at_once, need) if batch else _fleet(kind, instance, at_once, need)
    if found is not None:
        thing, least, most = found
        reasons = (_WHY[kind], _SILICON_WHY[silicon], f"check that {need.region} has {instance.name}")
        yield Option(kind, silicon, instance.name, least, most, estimate(thing), reasons)


def _fleet(kind: str, instance: Instance, at_once: int, need: Need) -> tuple[Fleet, int, int]:
    least = 1 if kind == "real-time" else 0
    most = max(1, ceil(need.peak_at_once / at_once / TARGET_LOAD))
    on = _hours_on(need) if kind == "asynchronous" else exactly(730.0)
    busy = need.requests_per_day * DAYS * need.duration_s / 3600 / at_once  # instance-hours of work in a month
    usual = min(float(most), max(1.0, need.average_at_once / at_once / TARGET_LOAD))
    # While traffic lasts the fleet has its usual size, else its least.
    traffic = min(1.0, need.hours_per_day / 24) if kind == "real-time" else 1.0
    mean = usual * traffic + 1.0 * (1 - traffic)
    count = between(1.0, mean, float(most), "instances, between the limits of autoscaling")
    share = min(1.0, busy / (mean * on.central))
    duty = between(share / 2, share, min(1.0, share * 2), "share of the time busy, from the requests")
    return Fleet(instance.name, need.region, count=count, hours=on, duty=duty), least, most


def _hours_on(need: Need) -> Quantity:
    """Hours a month that an asynchronous endpoint has instances: each request keeps them until it scales in."""
    active = need.hours_per_day * DAYS
    apart = need.requests_per_day * DAYS * (need.duration_s + SCALE_IN_S) / 3600
    hours = min(active, apart)
    return between(hours / 3, hours, min(730.0, hours * 1.5), "hours with a backlog, from the requests")


def _batch(instance: Instance, at_once: int, need: Need) -> tuple[Job, int, int] | None:
    runs_a_day = ceil(need.hours_per_day)
    work_h = need.requests_per_day * need.duration_s / 3600 / at_once / runs_a_day * need.peak
    number = max(1, ceil(work_h / (1 - START_H.high)))
    if number > BATCH_INSTANCES:
        return None
    mean_h = work_h / need.peak / number
    hours = Quantity(mean_h + START_H.low, mean_h + START_H.central, mean_h + START_H.high, "C", START_H.text)
    return Job(instance.name, need.region, hours, exactly(float(number)), exactly(runs_a_day * DAYS)), 0, number
