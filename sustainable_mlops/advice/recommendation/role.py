"""Role of a load test: the role of the environment, or the only role of the account that can run load tests."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.aws.parameters import get_platform_parameter
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.platform import read_platform

#: The only policy that AWS documents for Inference Recommender. Source: developer guide, prerequisites of Inference
#: Recommender.
POLICY = "AmazonSageMakerFullAccess"
_SERVICE = "sagemaker.amazonaws.com"


def find_role(environment: str, region: str) -> str:
    """Return the role of the environment, or else the only role of the account for load tests. Raises UserError.

    A role of the account counts if SageMaker may assume it and it has the policy `AmazonSageMakerFullAccess`.
    """
    parameter = get_platform_parameter(environment)
    with aws.translate_aws_errors(parameter):
        role = read_platform(parameter, aws.make_client("ssm", region)).roles.recommendation
    if role is not None:
        return role
    remedy = f"set recommendation_role_arn in envs/{environment}/settings.yaml and apply it"
    with aws.translate_aws_errors(
        f"{parameter}: names no role for load tests; pass --role; searching the roles of the account"
    ):
        roles = list(list_roles(aws.make_client("iam", region)))
    if len(roles) == 1:
        return roles[0]
    reason = (
        f"{len(roles)} roles of the account can run them ({', '.join(roles)})"
        if roles
        else f"the account has no role with the policy {POLICY} that SageMaker may assume"
    )
    raise UserError(f"{parameter}: names no role for load tests, and {reason}; pass --role, or {remedy}")


def list_roles(iam: Client) -> Iterator[str]:
    """Yield the ARN of each role that SageMaker may assume and that has the policy for load tests."""
    pages = iam.get_paginator("list_entities_for_policy").paginate(
        PolicyArn=f"arn:{iam.meta.partition}:iam::aws:policy/{POLICY}", EntityFilter="Role"
    )
    for name in sorted(one["RoleName"] for page in pages for one in page["PolicyRoles"]):
        role = iam.get_role(RoleName=name)["Role"]
        if _trusts_sagemaker(role["AssumeRolePolicyDocument"]):
            yield role["Arn"]


def _trusts_sagemaker(document: Any) -> bool:
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and _SERVICE in ([services] if isinstance(services, str) else services):
            return True
    return False
