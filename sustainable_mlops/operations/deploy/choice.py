"""Which endpoint serves a package: the adviser's, on silicon that the package has images for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

from sustainable_mlops.advice import Need, Option, advise
from sustainable_mlops.advice.defaults import PROVIDER, WORKERS, ZONES
from sustainable_mlops.advice.options import requests_at_once
from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.instances import Silicon
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint import format_number
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.mapping_file import read_mapping
from sustainable_mlops.recommendation.served_model import Specification, Subject

#: The module of each kind that an environment makes, and so the field of a model's entry.
MODULES = {"serverless": "serverless_endpoint", "real-time": "realtime_endpoint", "asynchronous": "async_endpoint"}
_SILICON: dict[str, Silicon] = {"Graviton": "graviton", "x86": "x86", "Inferentia2": "inferentia2", "GPU": "gpu"}


@dataclass(frozen=True, slots=True)
class Choice:
    """The endpoint of a model, as its entry in the catalogue says it."""

    module: str
    inputs: Mapping[str, Any]
    #: Why, for a person.
    because: str


def by_need(subject: Subject, need: Need, latency_ms: int | None) -> Choice:
    """The least carbon that serves `need`, over two zones. Raises UserError where no module and image do."""
    advice = advise(replace(need, zones=ZONES))
    for option in advice.options:
        if option.kind in MODULES and (one := _specification(subject, option)) is not None:
            kg, usd = option.estimate.get("total"), option.estimate.get("cost")
            taken = ", ".join(f"{format_number(figure.central)} {figure.unit}" for figure in (kg, usd) if figure)
            because = f"{option.title}: {taken} a month by the advice"
            return Choice(MODULES[option.kind], _inputs(option, one, need, latency_ms), because)
    able = ", ".join(sorted({f"{one.kind} on {one.silicon}" for one in advice.options}))
    if not able:
        why = "; ".join(f"{one.kind}: {one.reasons[0]}" for one in advice.refused if one.kind in MODULES)
        raise UserError(f"nothing serves this need: {why}")
    images = " and ".join(dict.fromkeys(one.silicon for one in subject.specifications))
    raise UserError(f"the package has images for {images}, and what serves this need is {able}")


def by_file(path: Path) -> Choice:
    """What `smlops recommend --write` wrote. Raises UserError."""
    entry = read_mapping(path)
    modules = [name for name in entry if name in MODULES.values()]
    if len(modules) != 1 or len(entry) != 1 or not isinstance(entry[modules[0]], dict):
        raise UserError(f"{path}: must say one of {', '.join(MODULES.values())}, as smlops recommend --write does")
    return Choice(modules[0], entry[modules[0]], f"as {path} says")


def check_images(subject: Subject, choice: Choice) -> None:
    """Raise UserError where the package has no image for what the choice runs on."""
    silicon = "x86" if choice.module == MODULES["serverless"] else choice.inputs.get("silicon", "graviton")
    name = choice.inputs.get("inference_specification_name")
    if not any((one.silicon, one.name) == (silicon, name) for one in subject.specifications):
        has = " and ".join(f"{one.silicon} ({one.name or 'its own'})" for one in subject.specifications)
        raise UserError(f"{subject.name}: has images for {has}, and none for {silicon} ({name or 'its own'})")


def _specification(subject: Subject, option: Option) -> Specification | None:
    """How the package is served on the option's silicon; None where it has no image for it."""
    wanted = "x86" if option.kind == "serverless" else _SILICON.get(option.silicon)
    return next((one for one in subject.specifications if one.silicon == wanted), None)


def _inputs(option: Option, one: Specification, need: Need, latency_ms: int | None) -> dict[str, Any]:
    named = {} if one.name is None else {"inference_specification_name": one.name}
    if option.kind == "serverless":
        # Requests come at random: where one worker is enough on average, those of the same moment would be refused.
        at_once = max(option.max_instances, WORKERS)
        return {"memory_mb": int(option.size.split()[0]), "max_concurrency": at_once, **named}
    found = {
        "instance_type": option.size,
        "silicon": one.silicon,
        **({} if need.provider in (None, PROVIDER) else {"aws_provider": need.provider}),
        **named,
    }
    if option.kind == "asynchronous":
        return found | {"max_instances": option.max_instances}
    instance = instances.find(option.size)
    at_once = requests_at_once(instance, need) if instance else 1
    load = load_assumptions()["target_load"].central
    return found | {
        "latency_slo_ms": latency_ms or max(1000, ceil(need.duration_s * 5000)),
        "min_instances": option.min_instances,
        "max_instances": option.max_instances,
        "requests_per_instance": max(1, int(at_once * load * 60 / need.duration_s)),
    }
