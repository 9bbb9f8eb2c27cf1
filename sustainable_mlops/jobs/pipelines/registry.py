"""What the model registry says of a workload's models."""

from sustainable_mlops.aws import Client
from sustainable_mlops.jobs.pipelines.parameters import APPROVED_AUC, GROUP, Definition
from sustainable_mlops.jobs.register import APPROVED

#: Under which a package keeps its AUC on held-out data.
AUC = "test:auc"


def approved(definition: Definition, sagemaker: Client) -> dict[str, str]:
    """The parameter that tells the AUC of the model approved last; none where no model is, or its AUC is not known."""
    group = next((one.get("DefaultValue") for one in definition["Parameters"] if one["Name"] == GROUP), None)
    if not group:
        return {}
    listed = sagemaker.list_model_packages(
        ModelPackageGroupName=group,
        ModelApprovalStatus=APPROVED,
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )
    for summary in listed["ModelPackageSummaryList"]:
        package = sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
        auc: str | None = package.get("CustomerMetadataProperties", {}).get(AUC)
        if auc is not None:
            return {APPROVED_AUC: auc}
    return {}
