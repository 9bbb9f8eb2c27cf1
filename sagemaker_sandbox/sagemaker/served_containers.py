"""Containers that a model serves, with the content of their model packages."""

from collections.abc import Iterator

from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.sagemaker.models import find_specification, list_containers


def resolve_containers(region: AccountRegion, model: Fields) -> list[Fields]:
    """Return a model's containers as they will run.

    Each contains the members of the model that concern its instances. Raises ApiError for a package that does not exist
    or is not shared.
    """
    common = {member: model[member] for member in _COMMON_MEMBERS if member in model}
    return [
        definition | common
        for container in list_containers(model)
        for definition in _resolve_package(region, container)
    ]


_COMMON_MEMBERS = ("EnableNetworkIsolation", "ExecutionRoleArn", "InferenceExecutionConfig", "VpcConfig")


def _resolve_package(region: AccountRegion, container: Fields) -> Iterator[Fields]:
    if "ModelPackageName" not in container:
        yield container
        return
    package = region.call("DescribeModelPackage", {"ModelPackageName": container["ModelPackageName"]})
    for package_container in find_specification(package, container)["Containers"]:
        environment = package_container.get("Environment", {}) | container.get("Environment", {})
        yield package_container | container | {"Environment": environment}
