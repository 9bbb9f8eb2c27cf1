"""The model card of a flight delay model: what it is for, how good it is, and what making it took.

Its form is that of a model package's card: "Model package model card schema" in the SageMaker AI developer guide, which
takes custom details as pairs of texts alone.
"""

from collections.abc import Mapping
from typing import Any

INTENDED = (
    "Tells, one hour before the scheduled departure from New York, how likely a flight is to arrive 15 minutes late."
)
CAVEATS = (
    "Trained on 2013 alone, of three airports, and on flights that arrived; cancelled and diverted ones have no label. "
    "Not for decisions about people."
)
ESTIMATED = (
    "estimated from measured seconds with the footprint model's factors of the Region; machines' start not counted"
)


def content(evaluation: Mapping[str, Any], details: Mapping[str, str]) -> dict[str, Any]:
    """The card's content, as CreateModelPackage takes it; `details` are told beside the environmental section."""
    return {
        "intended_uses": {"intended_uses": INTENDED, "risk_rating": "Low"},
        "evaluation_details": [
            {
                "name": "flights of the last months, never seen in training",
                "evaluation_observation": f"{evaluation['test_flights']} flights",
                "metric_groups": [{"name": "binary classification", "metric_data": _metrics(evaluation)}],
            }
        ],
        "additional_information": {
            "caveats_and_recommendations": CAVEATS,
            "custom_details": {**details, **_environment(evaluation["footprint"])},
        },
    }


def _metrics(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = evaluation["binary_classification_metrics"]
    return [
        {"name": name, "type": "number", "value": metric["value"]}
        for name, metric in found.items()
        if "value" in metric
    ]


def _environment(taken: Mapping[str, Any]) -> dict[str, str]:
    """The environmental section."""
    seconds = ", ".join(f"{step} {value:g} s" for step, value in taken["instance_seconds"].items())
    return {
        "Environment: carbon of making this model": _range(taken["co2e_kg"], "kgCO2e, operational and embodied"),
        "Environment: cost of making this model": _range(taken["cost_usd"], "USD"),
        "Environment: machines' time": seconds or "not known",
        "Environment: Region": taken["region"] or "not known",
        "Environment: basis": ESTIMATED,
    }


def _range(figure: Mapping[str, float], unit: str) -> str:
    return f"{figure['value']:g} {unit} ({figure['low']:g} to {figure['high']:g})"
