"""Decision on a request by all policies that apply to it. The sandbox has no other evaluator of policies.

Source: IAM user guide, "Policy evaluation logic" with its pages on requests in a single account and across accounts,
and "Troubleshoot access denied error messages"; KMS developer guide, "Key policies in AWS KMS".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.iam import conditions
from sagemaker_sandbox.iam.conditions import ConditionKeys
from sagemaker_sandbox.iam.elements import covers_action, covers_resource, fill_variables, make_list
from sagemaker_sandbox.iam.grants import GrantRecorder, NamedStatement
from sagemaker_sandbox.iam.three_valued import combine_all
from sagemaker_sandbox.iam.wildcards import Variables

Statement = Mapping[str, Any]

#: Version of the policy language from which policies have variables.
_WITH_VARIABLES = "2012-10-17"


class PolicyKind(StrEnum):
    """A kind of policy, in the words of AWS's error messages."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"
    VPC_ENDPOINT = "VPC endpoint policy"


class Delegation(StrEnum):
    """The effect of a resource policy on principals of the resource's own account."""

    #: The policy or the principal's own policies suffice.
    OPTIONAL = "optional"
    #: Only the policy allows; it may delegate to the account. These are key policies and trust policies.
    REQUIRED = "required"


class OtherKeys(StrEnum):
    """The condition keys that a request does not list."""

    #: The request does not have them.
    ABSENT = "absent"
    #: They are unknown, and assumed to allow the request. An Allow whose conditions may be met applies. A Deny whose
    #: conditions may not be met does not.
    UNKNOWN = "unknown"


class _PrincipalMatch(IntEnum):
    """Precision of a match between a Principal element and the principal of a request."""

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    #: A user, a session, a service or anyone: boundaries and session policies do not limit the statement.
    DIRECT = 3


@dataclass(frozen=True)
class Policy:
    """A parsed policy document."""

    statements: tuple[Statement, ...]
    has_variables: bool = True
    name: str = ""

    @classmethod
    def parse(cls, document: str | Mapping[str, Any], name: str = "") -> "Policy":
        """Return the policy of a document. A document that is not a JSON object has no statements."""
        try:
            return cls.parse_valid(document, name)
        except ValidationError:
            return cls((), name=name)

    @classmethod
    def parse_valid(cls, document: str | Mapping[str, Any], name: str = "") -> "Policy":
        """Return the policy of a document. Raises ValidationError if the document is not a JSON object."""
        try:
            policy = json.loads(document) if isinstance(document, str) else document
        except (ValueError, RecursionError):
            policy = None
        if not isinstance(policy, Mapping):
            raise ValidationError("Invalid policy: it is not a JSON object.")
        statements = tuple(item for item in make_list(policy.get("Statement")) if isinstance(item, Mapping))
        return cls(statements, policy.get("Version") == _WITH_VARIABLES, name)


@dataclass(frozen=True)
class ResourcePolicy:
    """The policy of a resource, and its effect within the account of the resource."""

    policy: Policy
    delegation: Delegation = Delegation.OPTIONAL
    #: False for a trust policy, whose statements name no resource.
    names_resources: bool = True


@dataclass(frozen=True)
class Principal:
    """The sender of a request. `arn` is the ARN of the user, the role or the root, or the name of a service.

    Services and `ANONYMOUS` have no account.
    """

    account: str
    arn: str
    #: ARN of the session of an assumed role.
    session: str = ""

    @classmethod
    def build_root(cls, account: str) -> "Principal":
        """Return the root of an account."""
        return cls(account, f"arn:aws:iam::{account}:root")

    @classmethod
    def build_session(cls, role: str, name: str) -> "Principal":
        """Return the session of a role, by the ARN of the role and the name of the session."""
        _, partition, _, _, account, path = role.split(":", 5)
        return cls(account, role, f"arn:{partition}:sts::{account}:assumed-role/{path.rpartition('/')[2]}/{name}")

    @property
    def label(self) -> str:
        """ARN in error messages."""
        return self.session or self.arn

    @property
    def is_service(self) -> bool:
        """True for a service such as `sagemaker.amazonaws.com`."""
        return not self.arn.startswith("arn:") and self != ANONYMOUS

    @property
    def is_role(self) -> bool:
        """True for a session of a role."""
        return bool(self.session)

    @property
    def root(self) -> str:
        """ARN that stands for the account."""
        partition = self.arn.split(":")[1] if self.arn.startswith("arn:") else "aws"
        return f"arn:{partition}:iam::{self.account}:root"

    def build_keys(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Return the condition keys of the principal, which has these tags."""
        keys = {"aws:PrincipalIsAWSService": str(self.is_service).lower()}
        if self.is_service:
            return keys | {"aws:PrincipalServiceName": self.arn}
        if self == ANONYMOUS:
            return keys | {"aws:PrincipalAccount": self.arn, "aws:PrincipalType": "Anonymous"}
        kind = "AssumedRole" if self.is_role else "Account" if self.arn == self.root else "User"
        keys |= {"aws:PrincipalAccount": self.account, "aws:PrincipalArn": self.arn, "aws:PrincipalType": kind}
        keys |= {"aws:username": self.arn.rpartition("/")[2]} if kind == "User" else {}
        return keys | {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}


#: The sender of a request without a signature.
ANONYMOUS = Principal("", "anonymous")


@dataclass(frozen=True)
class PrincipalPolicies:
    """The policies of a principal. None stands for a limit that the principal does not have."""

    identity: Sequence[Policy] = ()
    boundary: Policy | None = None
    session: Sequence[Policy] | None = None
    #: One sequence for the root, and one for each organizational unit down to the account.
    service_control: Sequence[Sequence[Policy]] | None = None


@dataclass(frozen=True)
class AccessRequest:
    """An action on a resource, which is None if its ARN is unknown. `keys` are the known condition keys."""

    principal: Principal
    action: str
    resource: str | None
    #: Account of the resource; the principal's own if empty.
    resource_account: str = ""
    keys: ConditionKeys = field(default_factory=dict)
    other_keys: OtherKeys = OtherKeys.ABSENT

    @property
    def has_all_keys(self) -> bool:
        """True if no condition key is unknown."""
        return self.other_keys is OtherKeys.ABSENT

    @property
    def is_cross_account(self) -> bool:
        """True if the resource belongs to another account than the principal, which has an account."""
        return bool(self.principal.account) and self.resource_account not in ("", self.principal.account)


@dataclass(frozen=True)
class AccessDecision:
    """The decision, and the kind of policy that explains a refusal."""

    allowed: bool
    kind: PolicyKind | None = None
    explicit: bool = False

    def explain(self, request: AccessRequest) -> str:
        """Return AWS's message for a refused request."""
        reason = (
            f"with an explicit deny in {'an' if self.kind is PolicyKind.IDENTITY else 'a'} {self.kind}"
            if self.explicit
            else f"because no {self.kind} allows the {request.action} action"
        )
        resource = f'"{request.resource}"' if request.action.startswith("s3:") else request.resource
        return (
            f"User: {request.principal.label} is not authorized to perform: {request.action} on resource: {resource} "
            f"{reason}"
        )


def evaluate(
    request: AccessRequest,
    policies: PrincipalPolicies,
    resource_policy: ResourcePolicy | None = None,
    endpoint_policy: Policy | None = None,
) -> AccessDecision:
    """Return the decision on a request. `endpoint_policy` is that of the VPC endpoint that the request passes."""
    levels = policies.service_control or ()
    own_policies = {
        PolicyKind.SERVICE_CONTROL: [policy for level in levels for policy in level],
        PolicyKind.IDENTITY: policies.identity,
        PolicyKind.BOUNDARY: [policies.boundary] if policies.boundary is not None else [],
        PolicyKind.SESSION: policies.session or (),
    }
    if resource_policy is not None and _has_resource_statement(request, resource_policy, "Deny"):
        return AccessDecision(False, PolicyKind.RESOURCE, explicit=True)
    endpoint = None if endpoint_policy is None else ResourcePolicy(endpoint_policy)
    if endpoint is not None and _has_resource_statement(request, endpoint, "Deny"):
        return AccessDecision(False, PolicyKind.VPC_ENDPOINT, explicit=True)
    for kind, kind_policies in own_policies.items():
        if _has_statement(request, kind_policies, "Deny"):
            return AccessDecision(False, kind, explicit=True)
    if endpoint is not None and not _has_resource_statement(request, endpoint, "Allow"):
        return AccessDecision(False, PolicyKind.VPC_ENDPOINT)
    if not all(_has_statement(request, level, "Allow") for level in levels):
        return AccessDecision(False, PolicyKind.SERVICE_CONTROL)
    match = _match_resource_policy(request, resource_policy)
    if request.principal.is_service:
        return AccessDecision(True) if match else AccessDecision(False, PolicyKind.RESOURCE)
    if match is _PrincipalMatch.NONE and (
        request.is_cross_account or (resource_policy is not None and resource_policy.delegation is Delegation.REQUIRED)
    ):
        return AccessDecision(False, PolicyKind.RESOURCE)
    return _check_own_policies(
        request, policies, own_policies, _PrincipalMatch.NONE if request.is_cross_account else match
    )


def record_grants(recorder: GrantRecorder, request: AccessRequest, policies: PrincipalPolicies) -> None:
    """Record each statement of the principal's identity-based policies that allows the request."""
    recorder.add_principal(request.principal.arn)
    for policy in policies.identity:
        variables = _build_variables(request, policy)
        for statement, _ in _list_matching(request, policy, "Allow"):
            named_statement = NamedStatement(policy.name, statement)
            recorder.add(request.principal.arn, named_statement, request.action, request.resource, variables)


def list_covering_statements(request: AccessRequest, policies: Sequence[Policy]) -> Iterator[NamedStatement]:
    """Yield the statements that may cover the action and the resource of a request, without regard to conditions."""
    for policy in policies:
        for statement in policy.statements:
            if _covers(statement, request, policy) is not False:
                yield NamedStatement(policy.name, statement)


def _check_own_policies(
    request: AccessRequest,
    policies: PrincipalPolicies,
    own_policies: Mapping[PolicyKind, Sequence[Policy]],
    match: _PrincipalMatch,
) -> AccessDecision:
    """Return the decision of the principal's own policies.

    `match` is how closely the policy of a resource in the same account names the principal.
    """
    required_kinds = []
    if match < _PrincipalMatch.ROLE:
        required_kinds.append(PolicyKind.IDENTITY)
    if match < _PrincipalMatch.DIRECT:
        required_kinds += [PolicyKind.BOUNDARY] if policies.boundary is not None else []
        required_kinds += [PolicyKind.SESSION] if policies.session is not None else []
    for kind in required_kinds:
        if not _has_statement(request, own_policies[kind], "Allow"):
            return AccessDecision(False, kind)
    return AccessDecision(True)


def _match_resource_policy(request: AccessRequest, resource_policy: ResourcePolicy | None) -> _PrincipalMatch:
    if resource_policy is None:
        return _PrincipalMatch.NONE
    return max(
        (
            _match_principal(statement, request.principal)
            for statement, is_certain in _list_matching(
                request, resource_policy.policy, "Allow", resource_policy.names_resources
            )
            # Usually, the conditions of a statement for every principal require a principal of the owner's account.
            if is_certain or request.principal.account or not _is_for_everyone(statement)
        ),
        default=_PrincipalMatch.NONE,
    )


def _has_resource_statement(request: AccessRequest, resource_policy: ResourcePolicy, effect: str) -> bool:
    statements = _list_matching(request, resource_policy.policy, effect, resource_policy.names_resources)
    return any(_match_principal(statement, request.principal) for statement, _ in statements)


def _has_statement(request: AccessRequest, policies: Sequence[Policy], effect: str) -> bool:
    return any(True for policy in policies for _ in _list_matching(request, policy, effect))


def _list_matching(
    request: AccessRequest, policy: Policy, effect: str, names_resources: bool = True
) -> Iterator[tuple[Statement, bool]]:
    """Yield the statements with an effect that apply to the request, and whether that is certain.

    Such a statement covers the action and the resource, and its conditions are met. An Allow suffices if it may apply.
    """
    for statement in policy.statements:
        if statement.get("Effect") != effect:
            continue
        is_covered = _covers(statement, request, policy, names_resources)
        if is_covered is False:
            continue
        filled = {"Condition": _fill_condition(statement.get("Condition"), _build_variables(request, policy))}
        is_met = conditions.are_met(filled, request.keys, is_complete=request.has_all_keys)
        applies = combine_all([is_covered, is_met])
        if applies or (applies is None and effect == "Allow"):
            yield statement, applies is True


def _covers(statement: Statement, request: AccessRequest, policy: Policy, names_resources: bool = True) -> bool | None:
    if not covers_action(statement, request.action):
        return False
    return not names_resources or covers_resource(statement, request.resource, _build_variables(request, policy))


def _build_variables(request: AccessRequest, policy: Policy) -> Variables | None:
    """Return the values of policy variables, or None if the policy has no variables.

    A condition key with several values is not a variable.
    """
    if not policy.has_variables:
        return None
    values = {key.lower(): value if isinstance(value, str) else None for key, value in request.keys.items()}
    return Variables(values, request.has_all_keys)


def _fill_condition(condition: Any, variables: Variables | None) -> dict[str, dict[str, list[str]]]:
    return {
        operator: {key: fill_variables(make_list(expected), variables) for key, expected in tests.items()}
        for operator, tests in (condition or {}).items()
    }


def _match_principal(statement: Statement, principal: Principal) -> _PrincipalMatch:
    if "NotPrincipal" in statement:
        # A role is excepted only if its account, the role and the session are listed. A service has no account.
        names = {name for name in (principal.root, principal.arn, principal.session) if name}
        names = {principal.arn} if principal.is_service else names
        principal_names = _expand_principals(statement["NotPrincipal"])
        return _PrincipalMatch.NONE if "*" in principal_names or names <= principal_names else _PrincipalMatch.DIRECT
    principal_names = _expand_principals(statement.get("Principal"))
    if "*" in principal_names or principal.label in principal_names:
        return _PrincipalMatch.DIRECT
    if principal.arn in principal_names and principal.arn != principal.root:
        return _PrincipalMatch.ROLE
    return (
        _PrincipalMatch.ACCOUNT
        if principal.root in principal_names and not principal.is_service
        else _PrincipalMatch.NONE
    )


def _is_for_everyone(statement: Statement) -> bool:
    return "*" in _expand_principals(statement.get("Principal"))


def _expand_principals(element: Any) -> set[str]:
    """Return the ARNs and service names of an element Principal. An account ID becomes the ARN of its root."""
    if not isinstance(element, Mapping):
        return {str(item) for item in make_list(element)}
    names = {str(item) for kind in ("Service", "Federated") for item in make_list(element.get(kind))}
    for item in map(str, make_list(element.get("AWS"))):
        names.add(f"arn:aws:iam::{item}:root" if item.isdigit() else item)
    return names
