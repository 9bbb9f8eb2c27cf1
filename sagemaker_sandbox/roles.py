"""IAM roles: the services that may assume them, and the decision of their policies."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.iam import policies
from sagemaker_sandbox.iam.conditions import ConditionKeys
from sagemaker_sandbox.iam.grants import GrantRecorder, NamedStatement
from sagemaker_sandbox.iam.policies import Decision, Statement

#: Statements that allowed requests of users, roles and services.
GRANTS = GrantRecorder()


def can_assume(account: str, arn: str, service: str, keys: ConditionKeys = MappingProxyType({})) -> bool:
    """Return whether the account has the role, and the role trusts the service, such as `sagemaker.amazonaws.com`.

    `keys` has the known condition keys of the service's request.
    """
    role = find_role(account, arn)
    return role is not None and _trusts(role.assume_role_policy_document, service, keys)


def decide_action(
    account: str, arn: str, action: str, resource: str | None, keys: ConditionKeys = MappingProxyType({})
) -> Decision:
    """Return the decision of the role's policies and permissions boundary for an action on a resource.

    None as the resource stands for any one resource.
    """
    role = find_role(account, arn)
    if role is None:
        return Decision.IMPLICIT_DENY
    backend = _get_backend(account)
    statements = [
        NamedStatement(name, statement)
        for name, statement in list_identity_statements(role)
        if policies.select_statements([statement], action, resource)
    ]
    decision = policies.decide((one.statement for one in statements), keys)
    bounds = find_boundary_statements(backend, role)
    if decision is Decision.ALLOWED and bounds is not None:
        decision = policies.decide(policies.select_statements(bounds, action, resource), keys)
    if decision is Decision.ALLOWED:
        GRANTS.add_principal(arn)
        for one in statements:
            if policies.decide([one.statement], keys) is Decision.ALLOWED:
                GRANTS.add(arn, one, action, resource)
    return decision


def list_identity_statements(principal: Any) -> Iterator[tuple[str, Statement]]:
    """Yield the policy name and each statement of all policies of moto's role or user."""
    for name, document in list_documents(principal):
        yield from ((name, statement) for statement in policies.parse_statements(document))


def list_documents(principal: Any) -> Iterator[tuple[str, str]]:
    """Yield the name and the document of each policy of moto's role, user or group."""
    yield from principal.policies.items()
    for policy in principal.managed_policies.values():
        yield policy.name, _get_default_document(policy)


def find_boundary_statements(backend: Any, principal: Any) -> list[Statement] | None:
    """Return the statements of the permissions boundary, or None if the principal has none."""
    document = find_boundary_document(backend, principal)
    return None if document is None else policies.parse_statements(document)


def find_boundary_document(backend: Any, principal: Any) -> str | None:
    """Return the document of the permissions boundary, or None if the principal has none.

    A boundary whose policy was deleted allows nothing.
    """
    arn = getattr(principal, "permissions_boundary_arn", None)
    if not arn:
        return None
    from moto.iam.exceptions import NotFoundException

    try:
        return _get_default_document(backend.get_policy(arn))
    except NotFoundException:
        return "{}"


def _get_backend(account: str) -> Any:
    from moto.iam.models import iam_backends

    return iam_backends[account]["aws"]


def find_role(account: str, arn: str) -> Any:
    """Return moto's role with this ARN, in any partition; None without one."""
    from moto.iam.models import iam_backends

    backends = list(iam_backends[account].values())
    return next((role for one in backends for role in list(one.roles.values()) if role.arn == arn), None)


def _get_default_document(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))


def _trusts(document: str | None, service: str, keys: ConditionKeys) -> bool:
    try:
        return policies.allows_service(document or "{}", service, "sts:AssumeRole", None, keys)
    except ValidationError:
        return False
