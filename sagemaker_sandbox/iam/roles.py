"""Principals in moto's IAM and STS, the services that may assume a role, and the decision of a role's policies."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagemaker_sandbox.iam.conditions import ConditionKeys
from sagemaker_sandbox.iam.evaluation import (
    AccessDecision,
    Policy,
    PolicyKind,
    Principal,
    PrincipalPolicies,
    ResourcePolicy,
    Statement,
    evaluate,
    record_grants,
)
from sagemaker_sandbox.iam.grants import GrantRecorder
from sagemaker_sandbox.iam.partial_requests import NO_KEYS, build_request, decide_service_access
from sustainable_mlops.aws.arn import Arn

#: Statements that allowed requests of users, roles and services.
GRANTS = GrantRecorder()
#: Name of the session in which a service acts as a role.
_SESSION_NAME = "SageMaker"


def can_assume(account: str, arn: str, service: str, keys: ConditionKeys = NO_KEYS) -> bool:
    """Return whether the account has the role, and the role trusts the service, such as `sagemaker.amazonaws.com`.

    `keys` has the known condition keys of the service's request.
    """
    role = find_role(account, arn)
    if role is None:
        return False
    trust = role.assume_role_policy_document or "{}"
    return decide_service_access(trust, service, "sts:AssumeRole", arn, keys, names_resources=False).allowed


def decide_action(
    account: str,
    arn: str,
    action: str,
    resource: str | None,
    keys: ConditionKeys = NO_KEYS,
    resource_policy: ResourcePolicy | None = None,
) -> AccessDecision:
    """Return the decision of the role's policies, its permissions boundary and the resource's policy, if that matters.

    None as the resource is an unknown resource. `keys` has the known condition keys.
    """
    role = find_role(account, arn)
    if role is None:
        return AccessDecision(False, PolicyKind.IDENTITY)
    owner = Arn.parse(resource).account if resource is not None and resource_policy is not None else ""
    request = build_request(build_session(arn), action, resource, keys, owner=owner, tags=read_tags(role))
    policies = read_policies(account, role)
    decision = evaluate(request, policies, resource_policy)
    if decision.allowed:
        record_grants(GRANTS, request, policies)
    return decision


def find_principal(access_key: str) -> Principal | None:
    """Return the user or the session of an access key, or None if IAM and STS have not issued the key."""
    from moto.iam.models import iam_backends

    for account, partitions in list(iam_backends.items()):
        backend = partitions["aws"]
        key = backend.access_keys.get(access_key)
        if key is None:
            continue
        if not key.role_arn:
            user = backend.users.get(key.user_name)
            return Principal(account, f"arn:aws:iam::{account}:user/{key.user_name}" if user is None else user.arn)
        session = find_session(account, access_key)
        return Principal(account, key.role_arn, key.role_arn if session is None else session.arn)
    return None


def find_session(account: str, access_key: str) -> Any:
    """Return moto's record of the session of an assumed role, or None."""
    from moto.sts.models import sts_backends

    return sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key)


def build_session(arn: str) -> Principal:
    """Return the session in which a service acts as a role."""
    return Principal.build_session(arn, _SESSION_NAME)


def read_policies(account: str, owner: Any, session: list[Policy] | None = None) -> PrincipalPolicies:
    """Return the policies of moto's role or user, with those of the user's groups. `session` has session policies."""
    backend = _get_backend(account)
    boundary = _find_boundary_document(backend, owner)
    return PrincipalPolicies(
        [Policy.parse(document, name) for name, document in _list_documents(backend, owner)],
        None if boundary is None else Policy.parse(boundary),
        session,
    )


def list_identity_statements(account: str, owner: Any) -> Iterator[tuple[str, Statement]]:
    """Yield the policy name and each statement of all identity-based policies of moto's role or user."""
    for policy in read_policies(account, owner).identity:
        yield from ((policy.name, statement) for statement in policy.statements)


def read_tags(owner: Any) -> dict[str, str]:
    """Return the tags of moto's role or user, which moto keeps as a list or by key."""
    tags = getattr(owner, "tags", None) or {}
    values = tags.values() if isinstance(tags, Mapping) else tags
    return {tag["Key"]: tag["Value"] for tag in values}


def find_role(account: str, arn: str) -> Any:
    """Return moto's role with this ARN, in any partition; None without one."""
    from moto.iam.models import iam_backends

    backends = list(iam_backends[account].values())
    return next((role for one in backends for role in list(one.roles.values()) if role.arn == arn), None)


def find_user(account: str, arn: str) -> Any:
    """Return moto's user with this ARN, or None."""
    return next((user for user in list(_get_backend(account).users.values()) if user.arn == arn), None)


def _list_documents(backend: Any, owner: Any) -> Iterator[tuple[str, str]]:
    """Yield the name and the document of each policy of moto's role or user, and of the user's groups."""
    groups = backend.get_groups_for_user(owner.name) if backend.users.get(owner.name) is owner else ()
    for part in (owner, *groups):
        yield from part.policies.items()
        for policy in part.managed_policies.values():
            yield policy.name, _get_default_document(policy)


def _find_boundary_document(backend: Any, owner: Any) -> str | None:
    """Return the document of the permissions boundary, or None if the principal has none.

    A boundary whose policy was deleted allows nothing.
    """
    arn = getattr(owner, "permissions_boundary_arn", None)
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


def _get_default_document(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))
