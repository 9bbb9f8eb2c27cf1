"""Principals of requests and their policies, in moto's IAM and STS."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sagemaker_sandbox import roles
from sagemaker_sandbox.base.session_networks import SessionNetwork
from sagemaker_sandbox.enforcement.resource_policies import read_tags
from sagemaker_sandbox.iam.evaluation import Policy, Principal, PrincipalPolicies
from sustainable_mlops.aws.arn import Arn

_ALL_ACTIONS = Policy.parse({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


class Caller(NamedTuple):
    """The principal of a request, its policies and its tags, and the network of its session."""

    principal: Principal
    policies: PrincipalPolicies
    tags: Mapping[str, str]
    network: SessionNetwork | None = None


def find_caller(access_key: str) -> Caller | None:
    """Return the user or the session of an access key, or None if IAM and STS have not issued the key."""
    from moto.iam.models import iam_backends

    for account, partitions in list(iam_backends.items()):
        key = partitions["aws"].access_keys.get(access_key)
        if key is not None:
            backend = partitions["aws"]
            return (
                _find_session(account, backend, access_key, key.role_arn)
                if key.role_arn
                else _find_user(account, backend, key.user_name)
            )
    return None


def build_service_session(arn: str) -> Caller:
    """Return the session in which SageMaker acts as a role."""
    from moto.iam.models import iam_backends

    role = Arn.parse(arn)
    account, name = role.account, role.name
    label = f"arn:aws:sts::{account}:assumed-role/{name}/SageMaker"
    return build_session(account, iam_backends[account]["aws"], arn, label)


def build_root(account: str) -> Caller:
    """Return the root of an account, which may do everything."""
    principal = Principal(account, f"arn:aws:iam::{account}:root")
    return Caller(principal, PrincipalPolicies([_ALL_ACTIONS]), {})


def _find_user(account: str, backend: Any, name: str) -> Caller:
    user = backend.users.get(name)
    if user is None:
        return Caller(Principal(account, f"arn:aws:iam::{account}:user/{name}"), PrincipalPolicies(), {})
    groups = backend.get_groups_for_user(name)
    documents = [document for owner in (user, *groups) for document in roles.list_documents(owner)]
    policies = PrincipalPolicies(_parse(documents), _find_boundary(backend, user))
    return Caller(Principal(account, user.arn), policies, read_tags(user))


def _find_session(account: str, backend: Any, access_key: str, arn: str) -> Caller:
    from moto.sts.models import sts_backends

    session = sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key)
    return build_session(account, backend, arn, session.arn if session is not None else arn, session)


def build_session(account: str, backend: Any, arn: str, label: str, session: Any = None) -> Caller:
    """Return a session of a role. `label` is its ARN, and `session` moto's record with policies and tags, if any."""
    role = roles.find_role(account, arn)
    principal = Principal(account, arn, label)
    if role is None:
        return Caller(principal, PrincipalPolicies(), {})
    documents = list(roles.list_documents(role))
    policies = PrincipalPolicies(_parse(documents), _find_boundary(backend, role), _find_session_policies(session))
    tags = {**read_tags(role), **getattr(session, "session_tags", {})}
    return Caller(principal, policies, tags, getattr(session, "network", None))


def _find_session_policies(session: Any) -> list[Policy] | None:
    inline = getattr(session, "policy", None)
    managed = getattr(session, "session_policies", ())
    documents = [*([inline] if inline else []), *managed]
    return [Policy.parse(document) for document in documents] if documents else None


def _find_boundary(backend: Any, owner: Any) -> Policy | None:
    document = roles.find_boundary_document(backend, owner)
    return None if document is None else Policy.parse(document)


def _parse(documents: list[tuple[str, str]]) -> list[Policy]:
    return [Policy.parse(document, name) for name, document in documents]
