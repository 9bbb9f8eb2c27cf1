"""Report of the grants that no request has used since the start of the sandbox."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.iam.grants import GrantRecorder, NamedStatement, UnusedGrant
from sagemaker_sandbox.iam.wildcards import matches
from sagemaker_sandbox.moto_patches.sts_assumed_roles import ORGANIZATION_ROLE

#: Actions of the roles of jobs, endpoints and functions that AWS checks and the sandbox does not.
UNCHECKED_ACTIONS = (
    *("cloudwatch:PutMetricData", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams"),
    *("logs:PutLogEvents", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken"),
    *("ecr:GetDownloadUrlForLayer", "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission"),
    *("ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission", "ec2:Describe*"),
)
LIMITS = (
    "A grant is used if a request needed it since the start of the sandbox or its last reset. A run that you did not "
    "make may need more.",
    "Actions and resources of a statement count separately: each is used if any request used it.",
    "The sandbox does not check some actions of jobs, endpoints and functions: logs, metrics, images and network "
    "interfaces. The report marks them as unchecked.",
    "Policies of resources, permissions boundaries and Deny statements are not listed.",
)


def report_unused_grants(recorder: GrantRecorder, name: str) -> dict[str, Any]:
    """Return unused grants of roles and users whose name contains `name`, the principals without requests, and limits.

    `used_actions` has the actions that requests needed, by principal. Roles that AWS creates are excluded.
    """
    grants: list[dict[str, Any]] = []
    active: list[str] = []
    idle: list[str] = []
    for owner, statements in _list_principals():
        if name not in owner.rpartition("/")[2]:
            continue
        if not recorder.has_principal(owner):
            idle.append(owner)
            continue
        active.append(owner)
        grants += [_describe(grant) for grant in recorder.list_unused(owner, statements)]
    used_actions = {owner: recorder.list_used_actions(owner) for owner in active}
    return {"active": active, "idle": idle, "used_actions": used_actions, "grants": grants, "limits": list(LIMITS)}


def _list_principals() -> Iterator[tuple[str, list[NamedStatement]]]:
    """Yield the ARN of each role and user, and the statements of its identity-based policies."""
    from moto.iam.models import iam_backends

    for account, partitions in sorted(iam_backends.items()):
        backend = partitions["aws"]
        for owner in (*list(backend.roles.values()), *list(backend.users.values())):
            if "/aws-service-role/" in owner.arn or owner.name == ORGANIZATION_ROLE:
                continue
            statements = roles.list_identity_statements(account, owner)
            yield str(owner.arn), [NamedStatement(policy, statement) for policy, statement in statements]


def _describe(grant: UnusedGrant) -> dict[str, Any]:
    unchecked = [one for one in grant.actions if any(matches(pattern, one) for pattern in UNCHECKED_ACTIONS)]
    return {**asdict(grant), "kind": str(grant.kind), "unchecked_actions": unchecked}
