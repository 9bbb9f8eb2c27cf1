"""Harmless edits that delete data, because the provider replaces the resource."""

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success

#: The data that is lost, and the attributes whose edit replaces the resource (planned with AWS provider 5.100).
_EDITS = {
    "aws_sagemaker_domain": ("the home directories of its users", {"retention_policy"}),
    "aws_sagemaker_feature_group": ("its online records", {"description", "role_arn"}),
    "aws_sagemaker_mlflow_tracking_server": ("its experiments and runs", {"mlflow_version", "role_arn"}),
    "aws_sagemaker_model_package_group": (
        "its registered models and their approvals",
        {"model_package_group_description"},
    ),
}


@rule(
    id="SUS_EDIT_DELETES_DATA",
    severity=Severity.WARN,
    title="A change of a description, a role or a version should not delete data",
    problem="A change of a description, a role or a version deletes data",
    practices=("12", "40", "48"),
    fix=(
        "Undo the change, or add the attribute to lifecycle.ignore_changes. If it must change, create a "
        "second resource."
    ),
    types=tuple(_EDITS),
    is_about_change=True,
)
def edit_deletes_data(_: Plan, resource: Resource) -> RuleResults:
    """Check replacements that only such an attribute forces. A new name is an intended replacement."""
    lost, harmless = _EDITS[resource.type]
    reasons = {path.split(".")[0] for path in resource.replacement_paths}
    if resource.action == "replace" and reasons and reasons <= harmless:
        names = " and ".join(sorted(reasons))
        yield failure(f"the change of {names} replaces the resource and deletes {lost}", sorted(reasons)[0])
    elif resource.action == "update":
        yield success()
