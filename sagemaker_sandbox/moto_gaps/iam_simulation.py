"""SimulatePrincipalPolicy: moto has none, and the SageMaker SDK asks it before it starts a job.

The answer is what the principal's own policies and its permissions boundary say of each action and resource. Conditions
are not evaluated: their keys are named as missing, as IAM does, and the decision is that of a request that meets them.
"""

from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.responses import IamResponse

from sagemaker_sandbox import policies, roles
from sagemaker_sandbox.policies import Decision, Statement


def close() -> None:
    """Answer the operation."""

    def simulate_principal_policy(self: Any) -> ActionResult:
        principal = _principal(self.backend, self._get_param("PolicySourceArn"))
        identity = list(roles.identity(principal))
        boundary = roles.boundary(self.backend, principal)
        results = [
            _result(identity, boundary, action, resource)
            for action in self._get_param("ActionNames")
            for resource in self._get_param("ResourceArns") or ["*"]
        ]
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})

    IamResponse.simulate_principal_policy = simulate_principal_policy


def _result(
    identity: list[tuple[str, Statement]], boundary: list[Statement] | None, action: str, resource: str
) -> dict[str, Any]:
    concerned = [(name, one) for name, one in identity if policies.concerning([one], action, resource)]
    decision = policies.decide(one for _, one in concerned)
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "MatchedStatements": [{"SourcePolicyId": name, "SourcePolicyType": "IAM Policy"} for name, _ in concerned],
        "MissingContextValues": sorted({key for _, one in concerned for key in _context_keys(one)}),
    }
    if boundary is not None:
        bounded = policies.decide(policies.concerning(boundary, action, resource))
        result["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": bounded is Decision.ALLOWED,
        }
        if decision is Decision.ALLOWED:
            decision = bounded
    return result | {"EvalDecision": str(decision)}


def _context_keys(statement: Statement) -> Iterator[str]:
    for keys in statement.get("Condition", {}).values():
        yield from keys


def _principal(backend: Any, arn: str) -> Any:
    for principal in (*backend.roles.values(), *backend.users.values()):
        if principal.arn == arn:
            return principal
    raise NotFoundException(f"The principal {arn} cannot be found.")
