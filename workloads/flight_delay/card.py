"""The model card of a flight delay model: purpose, quality, and the footprint of making it.

The form is the "Model package model card schema" of the SageMaker AI developer guide. It allows custom details only as
pairs of texts.
"""

from collections.abc import Mapping
from typing import Any

INTENDED = (
    "Predicts, one hour before the scheduled departure from New York, how likely a flight is to arrive 15 minutes late."
)
CAVEATS = (
    "Trained on flights of 2013 from three airports that arrived; canceled and diverted flights have no label. "
    "Not for decisions about people."
)
ESTIMATED = (
    "estimated from measured seconds with the footprint model's factors of the Region, without the start of instances"
)


def build_card(evaluation: Mapping[str, Any], details: Mapping[str, str]) -> dict[str, Any]:
    """Return the card's content, as CreateModelPackage takes it; `details` are added to the environmental section."""
    return {
        "intended_uses": {"intended_uses": INTENDED, "risk_rating": "Low"},
        "evaluation_details": [
            {
                "name": "flights of the last months, not used in training",
                "evaluation_observation": f"{evaluation['test_flights']} flights",
                "metric_groups": [{"name": "binary classification", "metric_data": _build_metrics(evaluation)}],
            }
        ],
        "additional_information": {
            "caveats_and_recommendations": CAVEATS,
            "custom_details": {**details, **_build_environment(evaluation["footprint"])},
        },
    }


def _build_metrics(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    metrics = evaluation["binary_classification_metrics"]
    return [
        {"name": name, "type": "number", "value": metric["value"]}
        for name, metric in metrics.items()
        if "value" in metric
    ]


def _build_environment(footprint: Mapping[str, Any]) -> dict[str, str]:
    """Return the environmental section."""
    instance_seconds = ", ".join(f"{step} {value:g} s" for step, value in footprint["instance_seconds"].items())
    return {
        "Environment: carbon of making this model": _format_range(
            footprint["co2e_kg"], "kgCO2e, operational and embodied"
        ),
        "Environment: energy of making this model": _format_range(footprint["energy_kwh"], "kWh"),
        "Environment: cost of making this model": _format_range(footprint["cost_usd"], "USD"),
        "Environment: instance time": instance_seconds or "unknown",
        "Environment: Region": footprint["region"] or "unknown",
        "Environment: basis": ESTIMATED,
    }


def _format_range(figure: Mapping[str, float], unit: str) -> str:
    return f"{figure['value']:g} {unit} ({figure['low']:g} to {figure['high']:g})"
