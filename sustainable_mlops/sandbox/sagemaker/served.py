"""What a model serves: its containers, with what the model packages that they name hold."""

from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Fields
from sustainable_mlops.sandbox.sagemaker.models import containers, specification


def served_containers(region: Region, model: Fields) -> list[Fields]:
    """A model's containers as they are to run; raises ApiError for a package that is not there, or not shared."""
    return [_with_package(region, container) for container in containers(model)]


def _with_package(region: Region, container: Fields) -> Fields:
    if "ModelPackageName" not in container:
        return container
    package = region.call("DescribeModelPackage", {"ModelPackageName": container["ModelPackageName"]})
    packaged = specification(package, container)["Containers"][0]
    environment = packaged.get("Environment", {}) | container.get("Environment", {})
    resolved: Fields = packaged | container | {"Environment": environment}
    return resolved
