"""Choice of the endpoint for a package: the best advice on silicon that the package has images for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from sustainable_mlops.advice import ServingOption, ServingRequirements, make_advice, make_sized_option
from sustainable_mlops.advice.defaults import PROVIDER, WORKERS, ZONES
from sustainable_mlops.advice.options import count_concurrent_requests
from sustainable_mlops.advice.recommendation.model_under_test import ModelUnderTest, ServingSpecification
from sustainable_mlops.base.documents import read_mapping
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.images import list_unfit_images
from sustainable_mlops.catalogue.instances import Silicon
from sustainable_mlops.footprint import format_number
from sustainable_mlops.footprint.coefficients import load_assumptions

#: The module of each kind of endpoint; a model's entry in the catalogue has a field of that name.
MODULES = {"serverless": "serverless_endpoint", "real-time": "realtime_endpoint", "asynchronous": "async_endpoint"}
#: Label of the main inference specification, which has no name.
_MAIN = "main specification"
_SILICON: dict[str, Silicon] = {"Graviton": "graviton", "x86": "x86", "Inferentia2": "inferentia2", "GPU": "gpu"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Endpoint of a model, as its entry in the catalogue declares it."""

    module: str
    inputs: Mapping[str, Any]
    #: Source of the choice, and options with less carbon, for people.
    reason: str


def choose_endpoint(
    subject: ModelUnderTest,
    requirements: ServingRequirements,
    latency_ms: int | None,
    module: str | None = None,
    own_values: Mapping[str, Any] = MappingProxyType({}),
) -> Choice:
    """Return the option with the least carbon for the requirements, over two zones.

    If a person declares an endpoint, `module` and `own_values` are its kind and values; the option keeps its size.
    Raises UserError if no option fits.
    """
    advice = make_advice(replace(requirements, zones=ZONES))
    better = ""
    for option in advice.options:
        if option.kind not in MODULES or _find_specification(subject, option) is None:
            continue
        if module not in (None, MODULES[option.kind]):
            better = better or f"you wrote this endpoint, although {describe_option(option)} is possible"
            continue
        size = own_values.get("memory_mb" if option.kind == "serverless" else "instance_type")
        own_option = (
            make_sized_option(option.kind, size, replace(requirements, zones=ZONES)) if size is not None else None
        )
        option = own_option or option
        one = _find_specification(subject, option)
        if one is None:
            raise UserError(f"{module}: instance_type: {subject.name} has no image for {size}; use another type")
        return Choice(
            MODULES[option.kind], _make_inputs(option, one, requirements, latency_ms), better or "the least carbon"
        )
    possible_options = ", ".join(sorted({f"{one.kind} on {one.silicon}" for one in advice.options}))
    if module is not None and better:
        reasons = "; ".join(f"{one.reasons[0]}" for one in advice.refusals if MODULES.get(one.kind) == module)
        raise UserError(
            f"{module}: you wrote this endpoint in the file, and it does not meet these requirements "
            f"({reasons or 'the package has no image for this kind'}); delete its lines to let the command choose "
            "another kind"
        )
    if not possible_options:
        why = "; ".join(f"{one.kind}: {one.reasons[0]}" for one in advice.refusals if one.kind in MODULES)
        raise UserError(
            f"no endpoint meets these requirements: {why}; change --latency, --requests-per-day or --duration"
        )
    images = " and ".join(dict.fromkeys(one.silicon for one in subject.specifications))
    raise UserError(
        f"the package has images for {images}, but these requirements allow only {possible_options}; register an image "
        "for one of them, or change the requirements"
    )


def describe_option(option: ServingOption) -> str:
    """Return the title of an option with its carbon and its cost."""
    figures = (option.estimate.get("total"), option.estimate.get("cost"))
    texts = [f"{format_number(figure.central)} {figure.unit}" for figure in figures if figure]
    return f"{option.title}, with {' and '.join(texts) or 'unknown figures'} a month"


def read_choice(path: Path) -> Choice:
    """Read the file of `smlops recommend --write`. Raises UserError."""
    entry = read_mapping(path)
    modules = [name for name in entry if name in MODULES.values()]
    if len(modules) != 1 or len(entry) != 1 or not isinstance(entry[modules[0]], dict):
        raise UserError(f"{path}: must name one of {', '.join(MODULES.values())}, as smlops recommend --write does")
    from envs.settings import EnvironmentSettings

    model_settings = get_args(EnvironmentSettings.model_fields["models"].annotation)[1]
    validate(entry, model_settings, str(path))
    return Choice(modules[0], entry[modules[0]], f"from {path}")


def check_images(subject: ModelUnderTest, choice: Choice) -> None:
    """Raise UserError if the package has no specification of the choice whose images run on its silicon."""
    silicon: Silicon = "x86" if choice.module == MODULES["serverless"] else choice.inputs.get("silicon", "graviton")
    name = choice.inputs.get("inference_specification_name")
    if not any(one.name == name and _may_run_on(one, silicon) for one in subject.specifications):
        available = " and ".join(f"{one.silicon} ({one.name or _MAIN})" for one in subject.specifications)
        raise UserError(
            f"{subject.name}: the package has images for {available}, but none for {silicon} ({name or _MAIN}); set "
            "silicon or inference_specification_name to one of them, or register such an image"
        )


def _may_run_on(one: ServingSpecification, silicon: Silicon) -> bool:
    """Return whether the images run on the silicon by their names, and by the instance types if there are some."""
    return not list_unfit_images(one.images, silicon) and (one.silicon == silicon or not one.instance_types)


def _find_specification(subject: ModelUnderTest, option: ServingOption) -> ServingSpecification | None:
    """Return the specification for the option's silicon; None if the package has no image for it."""
    silicon = "x86" if option.kind == "serverless" else _SILICON.get(option.silicon)
    return next((one for one in subject.specifications if one.silicon == silicon), None)


def _make_inputs(
    option: ServingOption, one: ServingSpecification, requirements: ServingRequirements, latency_ms: int | None
) -> dict[str, Any]:
    name_input = {} if one.name is None else {"inference_specification_name": one.name}
    if option.kind == "serverless":
        # Requests arrive at random. If one worker is enough on average, simultaneous requests would be refused.
        concurrency = max(option.max_instances, WORKERS)
        return {"memory_mb": int(option.size.split()[0]), "max_concurrency": concurrency, **name_input}
    inputs = {
        "instance_type": option.size,
        "silicon": one.silicon,
        **({} if requirements.provider in (None, PROVIDER) else {"aws_provider": requirements.provider}),
        **name_input,
    }
    if option.kind == "asynchronous":
        return inputs | {"max_instances": option.max_instances}
    instance = instances.find(option.size)
    concurrency = count_concurrent_requests(instance, requirements) if instance else 1
    load = load_assumptions()["target_load"].central
    return inputs | {
        "latency_slo_ms": latency_ms or max(1000, ceil(requirements.duration_s * 5000)),
        "min_instances": option.min_instances,
        "max_instances": option.max_instances,
        "requests_per_instance": max(1, int(concurrency * load * 60 / requirements.duration_s)),
    }
