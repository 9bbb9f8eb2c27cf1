"""Steps that create a model or register one."""

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.pipelines.actions.action import ImmediateAction, StepContext, StepProgress, call, to_json
from sagemaker_sandbox.pipelines.services import ExecutionServices
from sagemaker_sandbox.pipelines.steps import OPERATIONS


class ModelAction(ImmediateAction):
    """The creation of a model."""

    def __init__(self, services: ExecutionServices) -> None:
        self._services = services

    def start(self, context: StepContext) -> StepProgress:
        """Create the model."""
        arn = call(self._services, OPERATIONS["Model"], context.arguments | {"ModelName": context.job})["ModelArn"]
        properties = call(self._services, "DescribeModel", {"ModelName": context.job})
        return StepProgress("Succeeded", {"Model": {"Arn": arn}}, to_json(properties))


class RegisterModelAction(ImmediateAction):
    """The registration of a model."""

    def __init__(self, services: ExecutionServices) -> None:
        self._services = services

    def start(self, context: StepContext) -> StepProgress:
        """Register the next version in a group, and create the group if it does not exist."""
        group = context.arguments.get("ModelPackageGroupName")
        if group:
            self._ensure_group(group)
        arn = call(self._services, OPERATIONS["RegisterModel"], context.arguments)["ModelPackageArn"]
        properties = call(self._services, "DescribeModelPackage", {"ModelPackageName": arn})
        return StepProgress("Succeeded", {"RegisterModel": {"Arn": arn}}, to_json(properties))

    def _ensure_group(self, group: str) -> None:
        try:
            self._services.call("DescribeModelPackageGroup", {"ModelPackageGroupName": group})
        except ApiError:
            if not group.startswith("arn:"):
                call(self._services, "CreateModelPackageGroup", {"ModelPackageGroupName": group})
