"""Take an environment down by one command, with what launchers left in it that would hold Terraform up."""

from collections.abc import Callable
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.terraform import Terraform


def destroy(terraform: Terraform, progress: Callable[[str], None] = lambda _: None, *, refresh: bool = True) -> int:
    """Destroy an environment; returns how many resources went. Without `refresh` the state is taken as it is.

    SageMaker deletes no model package group that holds packages, and packages come from launchers, not from Terraform:
    they go first, unless the environment is protected, which Terraform itself then says. Raises UserError.
    """
    platform: dict[str, Any] = terraform.outputs().get("platform", {})
    if platform and not _protected(terraform):
        progress("model packages")
        _delete_packages(platform)
    return terraform.apply("-destroy", f"-refresh={str(refresh).lower()}", progress=lambda at: progress(str(at))).done


def _protected(terraform: Terraform) -> bool:
    return ".terraform_data.deletion_protection[" in terraform.run("state", "list")


def _delete_packages(platform: dict[str, Any]) -> None:
    sagemaker = aws.client("sagemaker", platform["region"])
    for group in platform["model_package_groups"].values():
        pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        for package in [package for page in pages for package in page["ModelPackageSummaryList"]]:
            sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
