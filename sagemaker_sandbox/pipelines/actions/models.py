"""Steps that make a model or register one."""

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.pipelines.actions.action import AtOnce, Begun, Progress, call, plain
from sagemaker_sandbox.pipelines.outside import Outside
from sagemaker_sandbox.pipelines.steps import OPERATIONS


class Model(AtOnce):
    """CreateModel."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def begin(self, begun: Begun) -> Progress:
        """A model is there at once."""
        arn = call(self._outside, OPERATIONS["Model"], begun.arguments | {"ModelName": begun.job})["ModelArn"]
        properties = call(self._outside, "DescribeModel", {"ModelName": begun.job})
        return Progress("Succeeded", {"Model": {"Arn": arn}}, plain(properties))


class RegisterModel(AtOnce):
    """CreateModelPackage."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def begin(self, begun: Begun) -> Progress:
        """The next version of a group, which is made where it does not exist."""
        group = begun.arguments.get("ModelPackageGroupName")
        if group:
            self._ensure_group(group)
        arn = call(self._outside, OPERATIONS["RegisterModel"], begun.arguments)["ModelPackageArn"]
        properties = call(self._outside, "DescribeModelPackage", {"ModelPackageName": arn})
        return Progress("Succeeded", {"RegisterModel": {"Arn": arn}}, plain(properties))

    def _ensure_group(self, group: str) -> None:
        try:
            self._outside.call("DescribeModelPackageGroup", {"ModelPackageGroupName": group})
        except ApiError:
            if not group.startswith("arn:"):
                call(self._outside, "CreateModelPackageGroup", {"ModelPackageGroupName": group})
