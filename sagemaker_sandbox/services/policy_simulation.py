"""IAM's SimulatePrincipalPolicy, which the SageMaker SDK calls before it starts a job. moto has no such operation.

The response says what the principal's own policies and its permissions boundary decide for each action and resource.
Only the condition keys of the principal are known. Others are named as missing, as IAM does, and the decision is that
of a request that meets their conditions.
"""

from collections.abc import Iterator
from typing import Any

from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.iam.evaluation import (
    AccessDecision,
    AccessRequest,
    OtherKeys,
    Principal,
    PrincipalPolicies,
    Statement,
    evaluate,
    list_covering_statements,
)
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest


class PolicySimulationOperations(ServiceOperations):
    """Operations that simulate policies."""

    service = moto_service = signing_name = "iam"

    @emulated_operation
    def simulate_principal_policy(self, request: ServiceRequest) -> Fields:
        """Simulate each action on each resource."""
        account, arn = request.account, str(request.parameters["PolicySourceArn"])
        owner = _find_principal(account, arn)
        principal = roles.build_session(arn) if owner is roles.find_role(account, arn) else Principal(account, arn)
        policies, keys = roles.read_policies(account, owner), principal.build_keys(roles.read_tags(owner))
        results = [
            _simulate(AccessRequest(principal, action, resource, keys=keys, other_keys=OtherKeys.UNKNOWN), policies)
            for action in request.parameters["ActionNames"]
            for resource in request.parameters.get("ResourceArns") or ["*"]
        ]
        return {"EvaluationResults": results, "IsTruncated": False}


def _simulate(request: AccessRequest, policies: PrincipalPolicies) -> dict[str, Any]:
    matching = list(list_covering_statements(request, policies.identity))
    known_keys = {key.lower() for key in request.keys}
    result: dict[str, Any] = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": _name_decision(evaluate(request, policies)),
        "MatchedStatements": [{"SourcePolicyId": one.policy, "SourcePolicyType": "IAM Policy"} for one in matching],
        "MissingContextValues": sorted(
            {key for one in matching for key in _list_context_keys(one.statement) if key.lower() not in known_keys}
        ),
    }
    if policies.boundary is not None:
        is_allowed = evaluate(request, PrincipalPolicies([policies.boundary])).allowed
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": is_allowed}
    return result


def _name_decision(decision: AccessDecision) -> str:
    """Return the decision in the words of IAM's policy simulator."""
    return "allowed" if decision.allowed else "explicitDeny" if decision.explicit else "implicitDeny"


def _list_context_keys(statement: Statement) -> Iterator[str]:
    for keys in statement.get("Condition", {}).values():
        yield from keys


def _find_principal(account: str, arn: str) -> Any:
    """Return moto's role or user. Raises NotFoundException."""
    from moto.iam.exceptions import NotFoundException

    owner = roles.find_role(account, arn) or roles.find_user(account, arn)
    if owner is None:
        raise NotFoundException(f"The principal {arn} cannot be found.")
    return owner
