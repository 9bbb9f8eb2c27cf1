"""Load of an endpoint: its estimate, and the usage file that gives the review the same load as the advice."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clone.deploy.choice import MODULES
from sustainable_mlops.advice import ServingOption, ServingRequirements, make_sized_option
from sustainable_mlops.advice.defaults import ZONES
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue.month import DAYS_PER_MONTH
from sustainable_mlops.footprint import FleetActivity, Quantity, ServerlessActivity
from sustainable_mlops.footprint.usage import KEYS


def make_address(module: str, model: str) -> str:
    """Return the address of a model's endpoint in its environment."""
    return f'module.{module}["{model}"].aws_sagemaker_endpoint.this'


def check_load(requests_per_day: float) -> None:
    """Raise UserError if no usage file can have this load."""
    maximum = KEYS["requests_per_month"][0] / DAYS_PER_MONTH
    if requests_per_day > maximum:
        raise UserError(f"--requests-per-day: {requests_per_day:g} is more than {maximum:.0e}; check the number")


def estimate_endpoint(
    module: str, inputs: Mapping[str, Any], requirements: ServingRequirements
) -> ServingOption | None:
    """Return the option with these inputs of the module, and the estimate of its load; None for an unknown type."""
    kind = next(kind for kind, name in MODULES.items() if name == module)
    if kind == "serverless":
        return make_sized_option(kind, _read_memory_mb(inputs), requirements)
    zones = int(inputs.get("min_instances", ZONES)) or 1
    size, maximum = str(inputs.get("instance_type")), inputs.get("max_instances")
    return make_sized_option(kind, size, replace(requirements, zones=zones), maximum)


def check_memory(module: str, inputs: Mapping[str, Any], requirements: ServingRequirements) -> None:
    """Raise UserError if the memory of a serverless endpoint with these inputs is smaller than the model."""
    if module == MODULES["serverless"] and (memory_mb := _read_memory_mb(inputs)) < requirements.model_mb:
        raise UserError(
            f"{module}: memory_mb: the model does not fit in {memory_mb} MB, because it has "
            f"{requirements.model_mb:,.0f} MB; raise memory_mb"
        )


def _read_memory_mb(inputs: Mapping[str, Any]) -> int:
    return int(inputs.get("memory_mb", 2048))


def build_usage(address: str, option: ServingOption, requirements: ServingRequirements) -> dict[str, Any]:
    """Return the content of the usage file for one endpoint."""
    activity = option.activity
    keys: dict[str, Any] = {"requests_per_month": requirements.requests_per_day * DAYS_PER_MONTH}
    if isinstance(activity, ServerlessActivity):
        keys["duration_seconds"] = _format_quantity(activity.duration_s)
    elif isinstance(activity, FleetActivity):
        keys["duration_seconds"] = requirements.duration_s
        quantities = {"instances": activity.count, "hours_per_month": activity.hours, "duty": activity.duty}
        keys |= {name: _format_quantity(one) for name, one in quantities.items() if one is not None}
    return {"resources": {address: keys}}


def _format_quantity(quantity: Quantity) -> Any:
    if quantity.is_exact:
        return quantity.central
    return {"low": quantity.low, "expected": quantity.central, "high": quantity.high}
