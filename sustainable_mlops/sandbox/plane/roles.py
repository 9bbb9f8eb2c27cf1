"""The roles that requests name: SageMaker refuses one that it cannot assume. moto's IAM of the same account decides."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops.sandbox.errors import ValidationError

_MEMBERS = ("RoleArn", "ExecutionRoleArn")
_ASSUMING = {"sts:AssumeRole", "sts:*", "*"}
_SERVICE = "sagemaker.amazonaws.com"


def must_be_assumable(account: str, request: Mapping[str, Any]) -> None:
    """Raise ValidationError where the request names a role that SageMaker cannot assume in that account."""
    for arn in _named(request):
        if not _assumable(account, arn):
            raise ValidationError(
                f"Could not assume role {arn}. Please ensure that the role exists and allows principal '{_SERVICE}' to "
                "assume the role."
            )


def _named(request: Mapping[str, Any]) -> Iterator[str]:
    """A tuning job names them in the definitions of its training jobs."""
    one, several = request.get("TrainingJobDefinition"), request.get("TrainingJobDefinitions")
    for structure in (request, one or {}, *(several or ())):
        yield from (structure[member] for member in _MEMBERS if structure.get(member))


def _assumable(account: str, arn: str) -> bool:
    from moto.iam.models import iam_backends

    roles = list(iam_backends[account]["aws"].roles.values())
    return any(role.arn == arn and _trusts(role.assume_role_policy_document) for role in roles)


def _trusts(document: str | None) -> bool:
    try:
        statements = json.loads(document or "{}").get("Statement", [])
    except ValueError:
        return False
    return any(_grants(statement) for statement in (statements if isinstance(statements, list) else [statements]))


def _grants(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    services = _listed(principal.get("Service", [])) if isinstance(principal, Mapping) else []
    actions = _listed(statement.get("Action", []))
    return statement.get("Effect") == "Allow" and _SERVICE in services and not _ASSUMING.isdisjoint(actions)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
