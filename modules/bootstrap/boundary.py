"""Permissions boundary of the CI roles, and of the roles that they create."""

from typing import Any, cast

from cdktn_provider_aws.iam_policy import IamPolicy

from modules.bootstrap.inputs import Inputs
from modules.bootstrap.state import format_bucket_arn
from modules.policies import encode_policy
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    concat,
    each_of,
    flatten,
    is_null,
    is_omitted,
    length,
    list_of,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module
from sustainable_mlops.catalogue.deployer_actions import list_actions

#: Services of the containers, which no resource of an environment needs.
_CONTAINER_SERVICES = ("ecr",)
#: Actions that create roles or widen them. IAM knows the key iam:PermissionsBoundary for them.
_BOUNDED_ACTIONS = ("AttachRolePolicy", "CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy")
#: Other changes of roles and policies.
_CHANGES = (
    "CreatePolicy",
    "CreatePolicyVersion",
    "DeletePolicy",
    "DeletePolicyVersion",
    "DeleteRole",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "PassRole",
    "SetDefaultPolicyVersion",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
)


def list_allowed_actions() -> list[str]:
    """Return all services of environments, and the actions of IAM that environments need."""
    actions = set(list_actions())
    services = {action.partition(":")[0] for action in actions} - {"iam"} | set(_CONTAINER_SERVICES)
    return [
        *sorted(f"{service}:*" for service in services),
        *sorted(
            {action for action in actions if action.startswith("iam:")}
            | {f"iam:{action}" for action in _BOUNDED_ACTIONS if action != "AttachRolePolicy"}
        ),
    ]


def compose_arn(var: Inputs) -> str:
    """Return the ARN of the boundary that this module creates."""
    return f"arn:{var.partition}:iam::{var.account_id}:policy{var.role_path}{_format_name(var)}"


def add(module: Module[Inputs]) -> tuple[str, Any]:
    """Add the boundary unless an existing one is set. Return its ARN and the resource."""
    var = module.var
    nothing: set[str] = set()
    arn = module.local(
        "boundary_arn",
        when(is_null(var.permissions_boundary_arn), compose_arn(var), assume_not_null(var.permissions_boundary_arn)),
    )
    own = each_of(
        when(
            is_omitted(var.permissions_boundary_arn) & (length(var.environments) > 0),
            set_of(["own"]),
            set_of(nothing),
        )
    )
    reason = "A boundary grants nothing: it limits what other policies grant"
    policy = module.add(
        IamPolicy,
        "boundary",
        why="The boundary limits the CI roles, and every role that they create. It grants nothing.",
        skips={f"CKV_AWS_{number}": reason for number in (286, 287, 288, 289, 290, 355)},
        for_each=own,
        name=_format_name(var),
        path=var.role_path,
        description=f"Permissions boundary of the deployers of {var.name_prefix}, and of the roles that they create",
        policy=encode_policy(
            {
                "sid": "AllowServices",
                "actions": concat(list_allowed_actions(), var.additional_actions),
                "resources": ["*"],
            },
            *_build_denials(var),
        ),
        tags=var.tags,
    )
    return cast(str, arn), policy


def _build_denials(var: Inputs) -> list[dict[str, Any]]:
    """Return the statements that deny an escalation of privileges."""
    iam = f"arn:{var.partition}:iam::{var.account_id}"

    def deny(sid: str, actions: list[str], *conditions: dict[str, Any], **where: Any) -> dict[str, Any]:
        return {"sid": sid, "effect": "Deny", "actions": actions, **where, "condition": list(conditions)}

    names = flatten(
        list_of(
            var.environments,
            lambda environment: [
                f"{iam}:role{environment.role_path}{environment.name_prefix}-*",
                f"{iam}:policy{environment.role_path}{environment.name_prefix}-*",
            ],
        )
    )
    without_boundary = {
        "test": "StringNotEquals",
        "variable": "iam:PermissionsBoundary",
        "values": [compose_arn(var)],
    }
    return [
        deny("DenyUsersAndGroups", ["iam:*"], resources=[f"{iam}:user/*", f"{iam}:group/*"]),
        deny("DenyIdentityProviders", ["iam:*"], resources=[f"{iam}:oidc-provider/*", f"{iam}:saml-provider/*"]),
        deny(
            "DenyDeployersAndBoundary",
            ["iam:*"],
            resources=[f"{iam}:role{var.role_path}deployer-*", f"{iam}:policy{var.role_path}deployer-*"],
        ),
        deny(
            "DenyOtherNames",
            sorted(f"iam:{action}" for action in (*_CHANGES, *_BOUNDED_ACTIONS)),
            not_resources=names,
        ),
        deny(
            "DenyRolesWithoutBoundary",
            [f"iam:{action}" for action in _BOUNDED_ACTIONS],
            without_boundary,
            resources=[f"{iam}:role/*"],
        ),
        deny("DenyRemovalOfBoundary", ["iam:DeleteRolePermissionsBoundary"], resources=[f"{iam}:role/*"]),
        deny(
            "DenyChangesOfStateBucket",
            [
                "s3:DeleteBucket",
                "s3:DeleteBucketPolicy",
                "s3:DeleteObjectVersion",
                "s3:PutBucketPolicy",
                "s3:PutBucketVersioning",
                "s3:PutLifecycleConfiguration",
            ],
            resources=[format_bucket_arn(var), f"{format_bucket_arn(var)}/*"],
        ),
    ]


def _format_name(var: Inputs) -> str:
    return f"deployer-{var.name_prefix}-boundary"
