"""Edits that look harmless and delete what holds data, as the provider can only make them by a replacement."""

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule

#: What goes with it, and the attributes whose edit replaces it (planned with AWS provider 5.100).
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
    title="A change of a description, a role or a version deletes nothing",
    practices=("12", "40", "48"),
    fix="Leave it as it is, or name it in lifecycle.ignore_changes; what has to change is made anew beside the old.",
    types=tuple(_EDITS),
    of_change=True,
)
def edit_deletes_data(_: Plan, resource: Resource) -> Verdicts:
    """Where nothing but such an attribute forces the replacement: who renames it means to have another."""
    lost, harmless = _EDITS[resource.type]
    reasons = {path.split(".")[0] for path in resource.replaced_because}
    if resource.action == "replace" and reasons and reasons <= harmless:
        what = " and ".join(sorted(reasons))
        yield failed(f"a change of {what} deletes it, with {lost}, and makes it anew", sorted(reasons)[0])
    elif resource.action == "update":
        yield passed()
