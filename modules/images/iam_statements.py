"""IAM statements that the pull of images needs in the roles of containers."""

from typing import Any

from modules.containers import log_in_to_registry, pull_images
from modules.iam_statements import StatementsByPhase
from modules.images.inputs import Inputs
from sustainable_mlops.authoring.expressions import list_of, replace


def build_statements(var: Inputs) -> StatementsByPhase:
    """Return the statements by phase."""
    arns = list_of(var.repositories, lambda key, _repository: build_repository_arn(var, key))
    statements: list[dict[str, Any]] = [log_in_to_registry(), pull_images(arns)]
    return {"data_preparation": statements, "training": statements, "inference": statements}


def format_repository_name(var: Inputs, key: str) -> str:
    """Return the name of the repository with this key."""
    return f"{var.name_prefix}/{replace(key, '_', '-')}"


def build_repository_arn(var: Inputs, key: str) -> str:
    """Return the ARN of the repository with this key."""
    return f"arn:{var.partition}:ecr:{var.region}:{var.account_id}:repository/{format_repository_name(var, key)}"
