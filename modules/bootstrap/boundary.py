"""Permissions boundaries of the CI roles, and of the roles that they create."""

from collections.abc import Iterable
from typing import Any

from cdktn_provider_aws.iam_policy import IamPolicy

from modules.bootstrap.inputs import OWN_STATE, Environment, Inputs
from modules.bootstrap.state import format_bucket_arn
from modules.policies import show_policy
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    concat,
    each_of,
    is_null,
    is_omitted,
    jsonencode,
    list_of,
    map_of,
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
#: Changes of the state bucket and its key, and deletions of versions. Neither plan nor apply needs one.
_STATE_CHANGES = (
    "kms:CreateAlias",
    "kms:CreateGrant",
    "kms:DeleteImportedKeyMaterial",
    "kms:Disable*",
    "kms:Put*",
    "kms:ReplicateKey",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:Update*",
    "s3:DeleteBucket*",
    "s3:DeleteObjectVersion",
    "s3:Put*Configuration",
    "s3:PutBucket*",
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


def add(module: Module[Inputs], key_arn: str) -> tuple[Any, Any]:
    """Add a boundary for each environment unless an existing one is set. Return the ARNs and the resources."""
    var = module.var
    arns = module.local(
        "boundary_arns",
        map_of(
            var.environments,
            lambda environment: when(
                is_null(var.permissions_boundary_arn),
                _compose_arn(var, environment),
                assume_not_null(var.permissions_boundary_arn),
            ),
        ),
    )
    bounded = each_of(
        module.local(
            "bounded_environments",
            map_of(
                var.environments,
                lambda environment: environment,
                where=lambda _environment: is_omitted(var.permissions_boundary_arn),
            ),
        )
    )
    policies = show_policy(
        module,
        "boundary",
        {
            "sid": "AllowServices",
            "actions": concat(list_allowed_actions(), var.additional_actions),
            "resources": ["*"],
        },
        *_build_denials(var, bounded.value),
        *_build_state_denials(var, bounded.key, bounded.value, key_arn),
        why="A boundary limits the CI roles of its environment, and every role that they create. It grants nothing.",
        for_each=bounded,
    )
    reason = "A boundary grants nothing: it limits what other policies grant"
    policy = each_of(policies)
    environment = var.environments[policy.key]
    return arns, module.add(
        IamPolicy,
        "boundary",
        skips={f"CKV_AWS_{number}": reason for number in (286, 287, 288, 289, 290, 355)},
        for_each=policy,
        name=_format_name(environment),
        path=var.role_path,
        description=f"Permissions boundary of the deployers of {environment.name_prefix}, and of the roles that they "
        "create",
        policy=jsonencode(policy.value.input),
        tags=var.tags,
    )


def _compose_arn(var: Inputs, environment: Environment) -> str:
    return f"arn:{var.partition}:iam::{var.account_id}:policy{var.role_path}{_format_name(environment)}"


def _format_name(environment: Environment) -> str:
    return f"deployer-{environment.name_prefix}-boundary"


def _deny(sid: str, actions: Iterable[str], *conditions: dict[str, Any], **where: Any) -> dict[str, Any]:
    return {"sid": sid, "effect": "Deny", "actions": list(actions), **where, "condition": list(conditions)}


def _build_denials(var: Inputs, environment: Environment) -> list[dict[str, Any]]:
    """Return the statements that deny an escalation of privileges."""
    iam = f"arn:{var.partition}:iam::{var.account_id}"
    without_boundary = {
        "test": "StringNotEquals",
        "variable": "iam:PermissionsBoundary",
        "values": [_compose_arn(var, environment)],
    }
    return [
        _deny("DenyUsersAndGroups", ["iam:*"], resources=[f"{iam}:user/*", f"{iam}:group/*"]),
        _deny("DenyIdentityProviders", ["iam:*"], resources=[f"{iam}:oidc-provider/*", f"{iam}:saml-provider/*"]),
        _deny(
            "DenyDeployersAndBoundary",
            ["iam:*"],
            resources=[f"{iam}:role{var.role_path}deployer-*", f"{iam}:policy{var.role_path}deployer-*"],
        ),
        _deny(
            "DenyOtherNames",
            sorted(f"iam:{action}" for action in (*_CHANGES, *_BOUNDED_ACTIONS)),
            not_resources=[
                f"{iam}:{kind}{environment.role_path}{environment.name_prefix}-*" for kind in ("role", "policy")
            ],
        ),
        _deny(
            "DenyRolesWithoutBoundary",
            [f"iam:{action}" for action in _BOUNDED_ACTIONS],
            without_boundary,
            resources=[f"{iam}:role/*"],
        ),
        _deny("DenyRemovalOfBoundary", ["iam:DeleteRolePermissionsBoundary"], resources=[f"{iam}:role/*"]),
    ]


def _build_state_denials(var: Inputs, name: str, environment: Environment, key_arn: str) -> list[dict[str, Any]]:
    """Return the statements that protect the state: only plan and apply use it, and nobody changes its protection."""
    bucket = format_bucket_arn(var)
    deployer = f"arn:{var.partition}:iam::{var.account_id}:role{var.role_path}deployer-{environment.name_prefix}"
    other_principals = {
        "test": "ArnNotEquals",
        "variable": "aws:PrincipalArn",
        "values": [f"{deployer}-plan", f"{deployer}-apply"],
    }
    other_states = list_of(
        var.environments,
        lambda other, _environment: f"{bucket}/{other}/*",
        where=lambda other, _environment: other != name,
    )
    return [
        _deny("DenyStateToOthers", ["kms:*", "s3:*"], other_principals, resources=[bucket, f"{bucket}/*", key_arn]),
        _deny("DenyOtherStates", ["s3:*"], resources=concat([f"{bucket}/{OWN_STATE}/*"], other_states)),
        _deny("DenyChangesOfState", _STATE_CHANGES, resources=[bucket, f"{bucket}/*", key_arn]),
        _deny(
            "DenyAccessPoints",
            ["s3:CreateAccessPoint*"],
            resources=[f"arn:{var.partition}:s3:*:{var.account_id}:accesspoint/*"],
        ),
    ]
