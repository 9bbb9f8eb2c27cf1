"""Requests of the roles of an environment, evaluated by the policies of a plan.

The requests are those of forbidden acts, and one for each action and resource of each statement.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sagemaker_sandbox.enforcement.operations import RequestedOperation
from sagemaker_sandbox.enforcement.required_permissions import list_required_permissions
from sagemaker_sandbox.iam.elements import make_list
from sagemaker_sandbox.iam.evaluation import AccessRequest, Policy, Principal, PrincipalPolicies
from sustainable_mlops.aws.service_model import load_service_model
from tests.envs.forbidden_acts import list_acts
from tests.envs.test_forbidden_acts import ACCOUNT, IAM, NAMES, PREFIX, REGION, REQUIRED_CALLS
from tests.sandbox.iam_simulator.cases import Case, Document

#: The default key policy, which lets the policies of the account decide.
_KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"{IAM}:root"}, "Action": "kms:*", "Resource": "*"}],
}

Keys = dict[str, str | list[str]]


def list_role_cases(role: str, policies: PrincipalPolicies) -> Iterator[Case]:
    """Yield the requests of a role."""
    arn = NAMES.role_arns.get(role, f"{IAM}:role/deployer-{PREFIX}-{role}")
    principal = Principal(ACCOUNT, arn, f"arn:aws:sts::{ACCOUNT}:assumed-role/{arn.rpartition('/')[2]}/session")
    identity = [_build_document(policy) for policy in policies.identity]
    boundary = _build_document(policies.boundary) if policies.boundary is not None else None
    for number, (action, resource, keys) in enumerate([*_list_acts(role), *_list_grants(identity)]):
        all_keys = {"aws:PrincipalArn": arn, "aws:ResourceAccount": ACCOUNT, **keys}
        request = AccessRequest(principal, action, resource, ACCOUNT, all_keys)
        yield Case(number, request, identity, boundary, None, (), _KEY_POLICY if action.startswith("kms:") else None)


def _build_document(policy: Policy) -> Document:
    return {"Version": "2012-10-17", "Statement": list(policy.statements)}


def _list_acts(role: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield action, resource and condition keys of the permissions that forbidden acts and a required call need."""
    for act in [REQUIRED_CALLS[role], *list_acts(role, NAMES)]:
        operation = RequestedOperation(
            act.service, load_service_model(act.service).signing_name, act.operation, act.parameters
        )
        for permission in list_required_permissions(operation, ACCOUNT, REGION):
            tags = {"aws:ResourceTag/environment": "dev"} if permission.resource == NAMES.kms_key_arn else {}
            yield permission.action, permission.resource, {**tags, **permission.keys}


def _list_grants(documents: list[Document]) -> Iterator[tuple[str, str, Keys]]:
    """Yield action, resource and condition keys of requests that match one statement each."""
    for statement in [statement for document in documents for statement in document["Statement"]]:
        keys: Keys = {}
        for operator, tests in statement.get("Condition", {}).items():
            for key, values in tests.items():
                text = str(make_list(values)[0]).replace("*", "x")
                keys[key] = [text] if operator.startswith("For") else text
        for action in make_list(statement.get("Action")):
            for resource in make_list(statement.get("Resource")):
                if "*" not in action:
                    yield action, resource if resource == "*" else resource.replace("*", "x"), keys
