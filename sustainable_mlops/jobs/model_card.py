"""Model card of a run's model: training, metrics, and the footprint of the training.

The form is the model package model card schema
(https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema).
"""

import json
import math
from typing import Any

from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.record import RunRecord

#: Maximum numbers of entries in the schema.
_DATA_SETS, _METRICS, _HYPERPARAMETERS = 15, 50, 100
#: Maximum characters of a hyperparameter's value.
_VALUE_CHARACTERS = 255
#: Figures of a run's footprint in the order of the card, with their titles.
_FOOTPRINT = {
    "energy": "energy",
    "co2e": "carbon, operational and embodied",
    "co2e_operational": "operational carbon",
    "co2e_embodied": "embodied carbon",
    "water": "water",
    "cost": "cost",
}


def build_model_card(record: RunRecord) -> dict[str, str]:
    """Return the member `ModelCard` of CreateModelPackage."""
    content = {
        "training_details": {
            "training_observations": f"{record.workload} on {record.instance_count} {record.instance_type}",
            "training_job_details": _describe_training(record),
        },
        "additional_information": {"custom_details": _describe_environment(record)},
    }
    return {"ModelCardContent": json.dumps(content), "ModelCardStatus": "Draft"}


def _describe_training(record: RunRecord) -> dict[str, Any]:
    metrics = [{"name": name, "value": value} for name, value in sorted(record.metrics.items()) if math.isfinite(value)]
    hyperparameters = [
        {"name": name, "value": text}
        for name, value in sorted(record.hyperparameters.items())
        if 0 < len(text := str(value)) <= _VALUE_CHARACTERS
    ]
    details: dict[str, Any] = {
        "training_datasets": [data.address for data in record.data.values()][:_DATA_SETS],
        "training_environment": {"container_image": [record.image]},
        "user_provided_training_metrics": metrics[:_METRICS],
        "user_provided_hyper_parameters": hyperparameters[:_HYPERPARAMETERS],
    }
    # The record of a tuning job names the tuning job, not the training job of the best model.
    if record.job_arn and not record.best:
        details["training_arn"] = record.job_arn
    return details


def _describe_environment(record: RunRecord) -> dict[str, str]:
    """Return the environmental section. The schema allows only texts."""
    details = {
        f"Environment: {title}": _format_figure(figure)
        for name, title in _FOOTPRINT.items()
        if (figure := record.figures.get(name))
    }
    if record.seconds:
        hours = record.seconds.value * record.instance_count / 3600
        details["Environment: instance time"] = f"{hours:.3g} instance-hours of {record.instance_type}"
    return {**details, "Environment: Region": record.region, "Environment: spot": "yes" if record.spot else "no"}


def _format_figure(figure: RunFigure) -> str:
    text = f"{figure.value:.3g} {figure.unit}"
    if figure.low is not None and figure.high is not None:
        text += f" ({figure.low:.3g} to {figure.high:.3g})"
    return f"{text}, {figure.basis}"
