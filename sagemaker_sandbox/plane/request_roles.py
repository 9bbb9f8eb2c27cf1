"""The roles that requests name: SageMaker refuses one that it cannot assume. moto's IAM of the same account decides."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagemaker_sandbox import roles
from sagemaker_sandbox.errors import ValidationError

_SERVICE = "sagemaker.amazonaws.com"
#: Operations whose role is assumed for no resource that AWS documents. Source: developer guide, "Cross-service confused
#: deputy prevention", which lists the parts of SageMaker that say for which resource they act.
_WITHOUT_SOURCE_ARN = ("CreateFeatureGroup",)
#: The members that name one, those of jobs and that of models, and what SageMaker says of each.
_SAID = {
    "RoleArn": (
        "Could not assume role {}. Please ensure that the role exists and allows principal "
        f"'{_SERVICE}' to assume the role."
    ),
    "ExecutionRoleArn": (
        'The execution role ARN "{}" is invalid. Please ensure that the role exists and that its trust relationship '
        f'policy allows the action "sts:AssumeRole" for the service principal "{_SERVICE}".'
    ),
}


def must_be_assumable(account: str, operation: str, request: Mapping[str, Any]) -> None:
    """Raise ValidationError where the request names a role that SageMaker cannot assume in that account."""
    keys = {"aws:SourceAccount": account} | ({"aws:SourceArn": None} if operation in _WITHOUT_SOURCE_ARN else {})
    for member, arn in _named(request):
        if not roles.can_assume(account, arn, _SERVICE, keys):
            raise ValidationError(_SAID[member].format(arn))


def _named(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A tuning job names them in the definitions of its training jobs."""
    one, several = request.get("TrainingJobDefinition"), request.get("TrainingJobDefinitions")
    for structure in (request, one or {}, *(several or ())):
        yield from ((member, structure[member]) for member in _SAID if structure.get(member))
