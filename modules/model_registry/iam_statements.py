"""IAM statements that the registration of models needs in the role of pipelines."""

from collections.abc import Iterable
from typing import Any

from modules.iam_statements import ArnLocation, StatementsByPhase, build_statement
from modules.model_registry.inputs import Inputs
from sustainable_mlops.authoring.expressions import flatten, list_of, replace

#: The condition on the approval status of a request. CreateModelPackage has this key (Service Authorization Reference).
_NOT_APPROVED = {
    "test": "StringEqualsIfExists",
    "variable": "sagemaker:ModelApprovalStatus",
    "values": ["PendingManualApproval", "Rejected"],
}


def build_statements(var: Inputs) -> StatementsByPhase:
    """Return the statements by phase. Pipelines register candidates; only people approve them."""
    names = list_of(var.model_package_groups, lambda key, _group: group_name(var, key))
    return {"pipeline": register_models(names, var)}


def group_name(var: Inputs, key: str) -> str:
    """Return the name of the model package group of a key."""
    return f"{var.name_prefix}-{replace(key, '_', '-')}"


def register_models(names: Iterable[str], at: ArnLocation) -> list[dict[str, Any]]:
    """Return the statements to register models in these groups, but not as approved.

    A request without an approval status is allowed, because its package is then pending.
    """
    account = f"arn:{at.partition}:sagemaker:{at.region}:{at.account_id}"
    resources = flatten(
        list_of(names, lambda name: [f"{account}:model-package-group/{name}", f"{account}:model-package/{name}/*"])
    )
    reads = ("DescribeModelPackage", "DescribeModelPackageGroup", "ListModelPackages")
    return [
        build_statement("Register", ["sagemaker:CreateModelPackage"], resources, _NOT_APPROVED),
        build_statement("TagAndReadPackages", [f"sagemaker:{name}" for name in ("AddTags", *reads)], resources),
    ]
