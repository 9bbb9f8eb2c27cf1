"""The metric of the model that was approved last, from the model registry."""

from decimal import Decimal, InvalidOperation

from sustainable_mlops.aws import Client
from sustainable_mlops.jobs.pipelines.parameters import GROUP, Definition
from sustainable_mlops.jobs.register import APPROVED
from sustainable_mlops.jobs.specs.pipeline import MetricGate


def find_approved_metric(gate: MetricGate, definition: Definition, sagemaker: Client) -> dict[str, str]:
    """Return the gate's parameter with the metric of the newest approved model that has it; empty if none has.

    A package holds a rounded metric. The value here is the worst one that rounds to it, so that a model is never worse
    than itself.
    """
    group = next(
        (parameter.get("DefaultValue") for parameter in definition["Parameters"] if parameter["Name"] == GROUP), None
    )
    if not group:
        return {}
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, ModelApprovalStatus=APPROVED, SortBy="CreationTime", SortOrder="Descending"
    )
    for summary in (summary for page in pages for summary in page["ModelPackageSummaryList"]):
        package = sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
        bound = _compute_worst_value(package.get("CustomerMetadataProperties", {}).get(gate.metric), gate)
        if bound is not None:
            return {gate.parameter: bound}
    return {}


def _compute_worst_value(rounded: str | None, gate: MetricGate) -> str | None:
    """Return the worst number that rounds to this text; None if the text is not a finite number."""
    try:
        value = Decimal(rounded or "")
    except InvalidOperation:
        return None
    if not value.is_finite():
        return None
    half_unit = Decimal((0, (5,), int(value.as_tuple().exponent) - 1))
    return f"{value - half_unit if gate.goal == 'maximize' else value + half_unit:f}"
