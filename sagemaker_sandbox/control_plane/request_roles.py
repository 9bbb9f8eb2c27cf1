"""Checks of the roles in requests.

SageMaker refuses a role that it cannot assume. moto's IAM of the same account decides.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.iam import roles

_SERVICE = "sagemaker.amazonaws.com"
#: Operations that assume their role without a documented source resource. Source: developer guide, "Cross-service
#: confused deputy prevention", which lists the parts of SageMaker that send a source ARN.
_WITHOUT_SOURCE_ARN = ("CreateFeatureGroup",)
#: Members of requests that name a role, and SageMaker's message for each.
_MESSAGES = {
    "RoleArn": (
        "Could not assume role {}. Please ensure that the role exists and allows principal "
        f"'{_SERVICE}' to assume the role."
    ),
    "ExecutionRoleArn": (
        'The execution role ARN "{}" is invalid. Please ensure that the role exists and that its trust relationship '
        f'policy allows the action "sts:AssumeRole" for the service principal "{_SERVICE}".'
    ),
}


def check_roles(account: str, operation: str, request: Mapping[str, Any]) -> None:
    """Raise ValidationError if the request names a role that SageMaker cannot assume in that account."""
    keys = {"aws:SourceAccount": account} | ({"aws:SourceArn": None} if operation in _WITHOUT_SOURCE_ARN else {})
    for member, arn in _list_roles(request):
        if not roles.can_assume(account, arn, _SERVICE, keys):
            raise ValidationError(_MESSAGES[member].format(arn))


def _list_roles(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each member with its role. A tuning job has roles in the definitions of its training jobs."""
    definition, definitions = request.get("TrainingJobDefinition"), request.get("TrainingJobDefinitions")
    for structure in (request, definition or {}, *(definitions or ())):
        yield from ((member, structure[member]) for member in _MESSAGES if structure.get(member))
