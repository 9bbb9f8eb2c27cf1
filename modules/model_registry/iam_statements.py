"""IAM statements that the registration of models needs in the role of pipelines."""

from collections.abc import Iterable
from typing import Any

from modules.iam_statements import ArnLocation, StatementsByPhase, build_statement
from modules.model_registry.inputs import Inputs
from sustainable_mlops.authoring.expressions import flatten, list_of, replace


def build_statements(var: Inputs) -> StatementsByPhase:
    """Return the statements by phase. Pipelines register candidates; only people approve them."""
    return {
        "pipeline": [register_models(list_of(var.model_package_groups, lambda key, _group: group_name(var, key)), var)]
    }


def group_name(var: Inputs, key: str) -> str:
    """Return the name of the model package group of a key."""
    return f"{var.name_prefix}-{replace(key, '_', '-')}"


def register_models(names: Iterable[str], at: ArnLocation) -> dict[str, Any]:
    """Return the statement to register models in these groups."""
    account = f"arn:{at.partition}:sagemaker:{at.region}:{at.account_id}"
    return build_statement(
        "Register",
        [
            "sagemaker:AddTags",
            "sagemaker:CreateModelPackage",
            "sagemaker:DescribeModelPackage",
            "sagemaker:DescribeModelPackageGroup",
            "sagemaker:ListModelPackages",
        ],
        flatten(
            list_of(names, lambda name: [f"{account}:model-package-group/{name}", f"{account}:model-package/{name}/*"])
        ),
    )
