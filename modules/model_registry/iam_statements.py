"""What the registration of models needs of the role of pipelines."""

from collections.abc import Iterable
from typing import Any

from modules.model_registry.inputs import Inputs
from modules.needs import Needs, Place, statement
from sustainable_mlops.authoring.expressions import flatten, list_of, replace


def statements(var: Inputs) -> Needs:
    """The statements by phase: candidates are registered by pipelines; approval is left to people."""
    return {
        "pipeline": [registration(list_of(var.model_package_groups, lambda key, _group: group_name(var, key)), var)]
    }


def group_name(var: Inputs, key: str) -> str:
    """The name of the model package group of a key."""
    return f"{var.name_prefix}-{replace(key, '_', '-')}"


def registration(names: Iterable[str], at: Place) -> dict[str, Any]:
    """Registering models in the groups of these names."""
    account = f"arn:{at.partition}:sagemaker:{at.region}:{at.account_id}"
    return statement(
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
