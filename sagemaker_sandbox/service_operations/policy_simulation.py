"""IAM's SimulatePrincipalPolicy, which the SageMaker SDK calls before it starts a job. moto has no such operation.

The response says what the principal's own policies and its permissions boundary decide for each action and resource.
Conditions are not evaluated: their keys are named as missing, as IAM does, and the decision is that of a request that
meets them.
"""

from collections.abc import Iterator
from typing import Any

from sagemaker_sandbox import roles
from sagemaker_sandbox.base.handlers import emulated_operation
from sagemaker_sandbox.base.resources import Fields
from sagemaker_sandbox.iam import policies
from sagemaker_sandbox.iam.policies import Decision, Statement
from sagemaker_sandbox.service_operations.registry import ServiceOperations, ServiceRequest


class PolicySimulationOperations(ServiceOperations):
    """Operations that simulate policies."""

    service = moto_service = signing_name = "iam"

    @emulated_operation
    def simulate_principal_policy(self, request: ServiceRequest) -> Fields:
        """Simulate each action on each resource."""
        from moto.iam.models import iam_backends

        backend = iam_backends[request.account]["aws"]
        principal = _find_principal(backend, request.parameters["PolicySourceArn"])
        identity = list(roles.list_identity_statements(principal))
        boundary = roles.find_boundary_statements(backend, principal)
        results = [
            _simulate(identity, boundary, action, resource)
            for action in request.parameters["ActionNames"]
            for resource in request.parameters.get("ResourceArns") or ["*"]
        ]
        return {"EvaluationResults": results, "IsTruncated": False}


def _simulate(
    identity: list[tuple[str, Statement]], boundary: list[Statement] | None, action: str, resource: str
) -> dict[str, Any]:
    matching = [
        (name, statement) for name, statement in identity if policies.select_statements([statement], action, resource)
    ]
    decision = policies.decide(statement for _, statement in matching)
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "MatchedStatements": [{"SourcePolicyId": name, "SourcePolicyType": "IAM Policy"} for name, _ in matching],
        "MissingContextValues": sorted({key for _, statement in matching for key in _list_context_keys(statement)}),
    }
    if boundary is not None:
        boundary_decision = policies.decide(policies.select_statements(boundary, action, resource))
        result["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": boundary_decision is Decision.ALLOWED,
        }
        if decision is Decision.ALLOWED:
            decision = boundary_decision
    return result | {"EvalDecision": str(decision)}


def _list_context_keys(statement: Statement) -> Iterator[str]:
    for keys in statement.get("Condition", {}).values():
        yield from keys


def _find_principal(backend: Any, arn: str) -> Any:
    from moto.iam.exceptions import NotFoundException

    for principal in (*backend.roles.values(), *backend.users.values()):
        if principal.arn == arn:
            return principal
    raise NotFoundException(f"The principal {arn} cannot be found.")
