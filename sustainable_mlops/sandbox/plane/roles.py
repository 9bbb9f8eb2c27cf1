"""The roles that requests name: SageMaker refuses one that it cannot assume. moto's IAM of the same account decides."""

from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops.sandbox import roles
from sustainable_mlops.sandbox.errors import ValidationError

_MEMBERS = ("RoleArn", "ExecutionRoleArn")
_SERVICE = "sagemaker.amazonaws.com"


def must_be_assumable(account: str, request: Mapping[str, Any]) -> None:
    """Raise ValidationError where the request names a role that SageMaker cannot assume in that account."""
    for arn in _named(request):
        if not roles.assumable(account, arn, _SERVICE):
            raise ValidationError(
                f"Could not assume role {arn}. Please ensure that the role exists and allows principal '{_SERVICE}' to "
                "assume the role."
            )


def _named(request: Mapping[str, Any]) -> Iterator[str]:
    """A tuning job names them in the definitions of its training jobs."""
    one, several = request.get("TrainingJobDefinition"), request.get("TrainingJobDefinitions")
    for structure in (request, one or {}, *(several or ())):
        yield from (structure[member] for member in _MEMBERS if structure.get(member))
