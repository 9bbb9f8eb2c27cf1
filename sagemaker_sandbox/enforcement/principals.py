"""Principals of requests with their policies and tags."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.iam.evaluation import Policy, Principal, PrincipalPolicies
from sagemaker_sandbox.iam.partial_requests import ALL_ACTIONS
from sagemaker_sandbox.resources.session_networks import SessionNetwork


class Caller(NamedTuple):
    """The principal of a request, its policies and its tags, and the network of its session."""

    principal: Principal
    policies: PrincipalPolicies
    tags: Mapping[str, str]
    network: SessionNetwork | None = None


def find_caller(access_key: str) -> Caller | None:
    """Return the user or the session of an access key, or None if IAM and STS have not issued the key."""
    principal = roles.find_principal(access_key)
    if principal is None:
        return None
    if principal.is_role:
        return _build_session_caller(principal, roles.find_session(principal.account, access_key))
    return _build_caller(principal, roles.find_user(principal.account, principal.arn))


def build_service_session(arn: str) -> Caller:
    """Return the session in which SageMaker acts as a role."""
    return _build_session_caller(roles.build_session(arn))


def build_root(account: str) -> Caller:
    """Return the root of an account, which may do everything."""
    return Caller(Principal.build_root(account), PrincipalPolicies([ALL_ACTIONS]), {})


def _build_session_caller(principal: Principal, session: Any = None) -> Caller:
    """Return a session of a role. `session` is moto's record with policies and tags, if any."""
    role = roles.find_role(principal.account, principal.arn)
    caller = _build_caller(principal, role, _find_session_policies(session))
    if role is None:
        return caller
    tags = {**caller.tags, **getattr(session, "session_tags", {})}
    return caller._replace(tags=tags, network=getattr(session, "network", None))


def _build_caller(principal: Principal, owner: Any, session: list[Policy] | None = None) -> Caller:
    """Return a caller. `owner` is moto's role or user, or None if it was deleted."""
    if owner is None:
        return Caller(principal, PrincipalPolicies(), {})
    return Caller(principal, roles.read_policies(principal.account, owner, session), roles.read_tags(owner))


def _find_session_policies(session: Any) -> list[Policy] | None:
    inline = getattr(session, "policy", None)
    managed = getattr(session, "session_policies", ())
    documents = [*([inline] if inline else []), *managed]
    return [Policy.parse(document) for document in documents] if documents else None
