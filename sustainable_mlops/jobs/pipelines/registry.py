"""What the model registry says of a workload's models."""

from decimal import Decimal, InvalidOperation

from sustainable_mlops.aws import Client
from sustainable_mlops.jobs.pipelines.parameters import APPROVED_AUC, GROUP, Definition
from sustainable_mlops.jobs.register import APPROVED

#: Under which a package keeps its AUC on held-out data.
AUC = "test:auc"


def approved(definition: Definition, sagemaker: Client) -> dict[str, str]:
    """The parameter that tells the AUC of the newest approved model whose AUC is known; none where there is no such.

    It is the least that the AUC may have been: a package tells it rounded, and the same model is not worse than itself.
    """
    group = next((one.get("DefaultValue") for one in definition["Parameters"] if one["Name"] == GROUP), None)
    if not group:
        return {}
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, ModelApprovalStatus=APPROVED, SortBy="CreationTime", SortOrder="Descending"
    )
    for summary in (one for page in pages for one in page["ModelPackageSummaryList"]):
        package = sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
        least = _least(package.get("CustomerMetadataProperties", {}).get(AUC))
        if least is not None:
            return {APPROVED_AUC: least}
    return {}


def _least(rounded: str | None) -> str | None:
    """The least number that is rounded to this; None for what is no number."""
    try:
        value = Decimal(rounded or "")
    except InvalidOperation:
        return None
    if not value.is_finite():
        return None
    return f"{value - Decimal((0, (5,), int(value.as_tuple().exponent) - 1)):f}"
