"""Uses of the evaluator decide on the simulator's cases as the evaluator does."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.iam.evaluation import OtherKeys
from sagemaker_sandbox.iam.partial_requests import decide_service_access
from sagemaker_sandbox.services.policy_simulation import PolicySimulationOperations
from sagemaker_sandbox.services.registry import ServiceRequest
from sustainable_mlops.aws.arn import Arn
from tests.sandbox.iam_simulator.cases import KEYS, SERVICE, Case, Document, generate_cases

#: The first cases of the comparison with the simulator.
CASES = list(generate_cases(0, 2000))


def list_all_keys(case: Case) -> dict[str, Any]:
    """Return the condition keys of a request, and those that it does not have."""
    return {**dict.fromkeys(KEYS), **case.request.keys}


def make_role(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the principal of a case, or the role that it assumes, be a role with the policies of the case."""
    boundary = case.boundary and json.dumps(case.boundary)
    monkeypatch.setattr(roles, "_find_boundary_document", lambda *_: boundary)
    role = SimpleNamespace(
        arn=case.request.principal.arn,
        name="",
        policies={str(number): json.dumps(document) for number, document in enumerate(case.identity)},
        managed_policies={},
        assume_role_policy_document=json.dumps(case.resource_policy),
    )
    monkeypatch.setattr(roles, "find_role", lambda *_: role)
    monkeypatch.setattr(roles, "_SESSION_NAME", "night")


def is_of_role(case: Case) -> bool:
    """Return whether only the policies of a role, its boundary and the resource's policy decide."""
    return case.request.principal.is_role and case.session is None and not case.service_control


def decide_with_all_keys(case: Case, _: pytest.MonkeyPatch) -> bool | None:
    """Return the decision on a request whose other keys are unknown, but which lists all keys of the policies."""
    request = replace(case.request, keys=list_all_keys(case), other_keys=OtherKeys.UNKNOWN)
    return replace(case, request=request).evaluate() == "Allowed"


def decide_as_role(case: Case, monkeypatch: pytest.MonkeyPatch) -> bool | None:
    """Return the decision of a delivery with a role."""
    request, policy = case.request, case.build_resource_policy()
    owner = "" if request.resource == "*" else Arn.parse(str(request.resource)).account
    if not is_of_role(case) or (owner != request.resource_account and request.is_cross_account):
        return None
    if policy is None and request.is_cross_account:
        return None
    make_role(case, monkeypatch)
    account, arn = request.principal.account, request.principal.arn
    return roles.decide_action(account, arn, request.action, request.resource, list_all_keys(case), policy).allowed


def decide_as_service(case: Case, monkeypatch: pytest.MonkeyPatch) -> bool | None:
    """Return the decision of a resource's policy or a trust policy on a service's request."""
    request = case.request
    if request.principal != SERVICE or case.resource_policy is None:
        return None
    keys, document = list_all_keys(case), json.dumps(case.resource_policy)
    if request.action == "sts:AssumeRole":
        make_role(case, monkeypatch)
        return roles.can_assume(request.resource_account, str(request.resource), SERVICE.arn, keys)
    return decide_service_access(document, SERVICE.arn, request.action, request.resource, keys).allowed


def simulate_role(case: Case, monkeypatch: pytest.MonkeyPatch) -> bool | None:
    """Return the decision of SimulatePrincipalPolicy, which knows no condition keys but those of the principal."""
    documents = [*case.identity, *([case.boundary] if case.boundary else [])]
    if not is_of_role(case) or case.resource_policy or case.request.is_cross_account or has_keys(documents):
        return None
    make_role(case, monkeypatch)
    request = case.request
    parameters = {
        "PolicySourceArn": request.principal.arn,
        "ActionNames": [request.action],
        "ResourceArns": [request.resource],
    }
    service_request = ServiceRequest(request.principal.account, "eu-north-1", parameters)
    response = PolicySimulationOperations().simulate_principal_policy(service_request)
    return bool(response["EvaluationResults"][0]["EvalDecision"] == "allowed")


def has_keys(documents: list[Document]) -> bool:
    """Return whether a condition key may decide."""
    return "Condition" in str(documents) or "${" in str(documents)


@pytest.mark.parametrize(
    ("decide", "least"),
    [(decide_with_all_keys, 2000), (decide_as_role, 300), (decide_as_service, 50), (simulate_role, 50)],
)
def test_a_use_decides_like_the_evaluator(
    decide: Callable[[Case, pytest.MonkeyPatch], bool | None], least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decisions: Counter[bool] = Counter()
    for case in CASES:
        with monkeypatch.context() as patch:
            decision = decide(case, patch)
        if decision is not None:
            assert decision == (case.evaluate() == "Allowed"), (case.seed, case.describe())
            decisions[decision] += 1
    assert decisions.total() >= least
    assert min(decisions[True], decisions[False]) > decisions.total() / 20, decisions


def test_a_refusal_does_not_depend_on_unknown_values() -> None:
    decisions: Counter[tuple[str, str]] = Counter()
    for complete, partial in zip(CASES, hide_values(), strict=True):
        pair = complete.evaluate(), partial.evaluate()
        decisions[pair] += 1
        assert pair[0] != "Allowed" or pair[1] == "Allowed", (complete.seed, partial.describe())
        assert pair[1] != "ExplicitlyDenied" or pair[0] == "ExplicitlyDenied", (complete.seed, partial.describe())
    assert decisions["ExplicitlyDenied", "ExplicitlyDenied"] > 100
    assert decisions["ImplicitlyDenied", "Allowed"] > 50
    assert decisions["ExplicitlyDenied", "Allowed"] > 20


def hide_values() -> Iterator[Case]:
    """Yield the cases without some condition keys, and some without the ARN of the resource."""
    for case in CASES:
        choice = random.Random(case.seed)  # noqa: S311  no secret
        keys = {key: value for key, value in list_all_keys(case).items() if choice.random() < 0.5}
        resource = case.request.resource if choice.random() < 0.8 else None
        request = replace(case.request, keys=keys, resource=resource, other_keys=OtherKeys.UNKNOWN)
        yield replace(case, request=request)
