"""Roles as IAM holds them: whom they trust, and what their policies say."""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sagemaker_sandbox import conditions, policies
from sagemaker_sandbox.conditions import Context
from sagemaker_sandbox.policies import Decision, Statement

_ASSUMING = {"sts:AssumeRole", "sts:*", "*"}


def assumable(account: str, arn: str, service: str, context: Context = MappingProxyType({})) -> bool:
    """Return whether the account has the role and the role trusts the service, such as `sagemaker.amazonaws.com`.

    `context` has the known condition keys of the service's request.
    """
    role = _find(account, arn)
    return role is not None and _trusts(role.assume_role_policy_document, service, context)


def decision(
    account: str, arn: str, action: str, resource: str | None, context: Context = MappingProxyType({})
) -> Decision:
    """What the role's policies and its boundary say of an action on a resource; None stands for any one resource."""
    role = _find(account, arn)
    if role is None:
        return Decision.IMPLICIT_DENY
    backend = _backend(account)
    found = policies.decide(policies.concerning((one for _, one in identity(role)), action, resource), context)
    bounds = boundary(backend, role)
    if found is not Decision.ALLOWED or bounds is None:
        return found
    return policies.decide(policies.concerning(bounds, action, resource), context)


def identity(principal: Any) -> Iterator[tuple[str, Statement]]:
    """Name of the policy and statement, of all policies of a role or a user of moto's."""
    for name, document in principal.policies.items():
        yield from ((name, one) for one in policies.statements(document))
    for policy in principal.managed_policies.values():
        yield from ((policy.name, one) for one in policies.statements(_document(policy)))


def boundary(backend: Any, principal: Any) -> list[Statement] | None:
    """The statements of its permissions boundary; None where it has none."""
    arn = getattr(principal, "permissions_boundary_arn", None)
    if not arn:
        return None
    policy = backend.managed_policies.get(arn)
    return policies.statements(_document(policy)) if policy else []


def _backend(account: str) -> Any:
    from moto.iam.models import iam_backends

    return iam_backends[account]["aws"]


def _find(account: str, arn: str) -> Any:
    return next((role for role in list(_backend(account).roles.values()) if role.arn == arn), None)


def _document(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))


def _trusts(document: str | None, service: str, context: Context) -> bool:
    try:
        statements = json.loads(document or "{}").get("Statement", [])
    except ValueError:
        return False
    listed = statements if isinstance(statements, list) else [statements]
    return any(
        _grants(statement, service) and conditions.are_met(statement, context) is not False for statement in listed
    )


def _grants(statement: Mapping[str, Any], service: str) -> bool:
    principal = statement.get("Principal", {})
    services = _listed(principal.get("Service", [])) if isinstance(principal, Mapping) else []
    actions = _listed(statement.get("Action", []))
    return statement.get("Effect") == "Allow" and service in services and not _ASSUMING.isdisjoint(actions)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
