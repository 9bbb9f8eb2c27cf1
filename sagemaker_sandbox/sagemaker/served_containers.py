"""What a model serves: its containers, with what the model packages that they name hold."""

from collections.abc import Iterator

from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.sagemaker.models import containers, specification


def served_containers(region: AccountRegion, model: Fields) -> list[Fields]:
    """A model's containers as they are to run, each with what the model says for all of them.

    These are InferenceExecutionConfig and, unless it is isolated, ExecutionRoleArn. Raises ApiError for a package that
    is not there, or not shared.
    """
    shared = ["InferenceExecutionConfig"] if model.get("EnableNetworkIsolation") else _OF_ALL
    common = {member: model[member] for member in shared if member in model}
    return [one | common for container in containers(model) for one in _unpackaged(region, container)]


_OF_ALL = ["InferenceExecutionConfig", "ExecutionRoleArn"]


def _unpackaged(region: AccountRegion, container: Fields) -> Iterator[Fields]:
    if "ModelPackageName" not in container:
        yield container
        return
    package = region.call("DescribeModelPackage", {"ModelPackageName": container["ModelPackageName"]})
    for packaged in specification(package, container)["Containers"]:
        environment = packaged.get("Environment", {}) | container.get("Environment", {})
        yield packaged | container | {"Environment": environment}
