"""Permissions boundaries of the CI roles, and of the roles that they create."""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

from cdktn_provider_aws.iam_policy import IamPolicy

from modules.bootstrap.inputs import OWN_STATE, EnvironmentRoles, Inputs
from modules.bootstrap.state import format_bucket_arn
from modules.feature_store.iam_statements import GLUE_DATABASE
from modules.iam_statements import build_item_statement
from modules.policies import encode_statement, show_policy
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    concat,
    each_of,
    is_null,
    is_omitted,
    jsonencode,
    list_of,
    map_of,
    replace,
    when,
)
from sustainable_mlops.authoring.resources import Module
from sustainable_mlops.catalogue.deployer_actions import list_actions

#: Services with actions that run code with roles of other teams, or change settings of the account. The boundary allows
#: only these actions of them. `ssm:SendCommand` and `ec2:RunInstances` are not among them.
_LISTED_ACTIONS = (
    "ec2:*SecurityGroup*",
    "ec2:*Tags",
    "ec2:*VpcEndpoint",
    "ec2:*VpcEndpoints",
    "ec2:CreateNetworkInterface*",
    "ec2:DeleteNetworkInterface*",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribePrefixLists",
    "ec2:DescribeRegions",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:BatchCheck*",
    "ecr:BatchGet*",
    "ecr:Get*",
    "glue:*Database",
    "glue:*Table",
    "glue:*TableOptimizer",
    "iam:DeleteRole*",
    "iam:GetRole*",
    "iam:List*Role*",
    "iam:PutRole*",
    "iam:UpdateRole*",
    "lakeformation:GetDataLakeSettings",
    "lakeformation:ListPermissions",
    "servicequotas:Get*",
    "servicequotas:List*",
    "ssm:*Document*",
    "ssm:*Parameter*",
    "ssm:*Tags*",
    "ssm:StartAutomationExecution",
)
#: Access points have policies of their own. S3 Block Public Access of the account refuses public policies.
_BUCKET_ACTIONS = ("s3:Create*AccessPoint*", "s3:PutAccountPublicAccessBlock")
#: Actions of notebooks and Studio that run code with a role, without iam:PassRole.
_NOTEBOOK_ACTIONS = (
    "sagemaker:Create*Presigned*",
    "sagemaker:CreateApp",
    "sagemaker:CreateSpace",
    "sagemaker:CreateUserProfile",
    "sagemaker:StartSession",
    "sagemaker:UpdateDomain",
    "sagemaker:UpdateNotebookInstance*",
    "sagemaker:UpdateSpace",
    "sagemaker:UpdateUserProfile",
)
#: Changes of pipelines and documents, and starts of pipelines, which run code with the role of the owner. Runs of
#: MLflow contain data, so that no role writes them to another account.
_PROGRAM_ACTIONS = (
    "sagemaker-mlflow:*",
    "sagemaker:CallMlflowAppApi",
    "sagemaker:RetryPipeline*",
    "sagemaker:StartPipeline*",
    "sagemaker:UpdatePipeline*",
    "ssm:CreateDocument",
    "ssm:DeleteDocument",
    "ssm:UpdateDocument*",
)
#: Actions on the tagged resources of other environments that the boundary denies.
_TAGGED_ACTIONS = (
    "application-autoscaling:*",
    "ec2:Authorize*",
    "ec2:CreateTags",
    "ec2:Delete*",
    "ec2:Modify*",
    "ec2:Revoke*",
    "kms:*",
    "sagemaker-mlflow:*",
    "sagemaker:AddTags",
    "sagemaker:CallMlflowAppApi",
    "sagemaker:Delete*",
    "sagemaker:Invoke*",
    "sagemaker:Start*",
    "sagemaker:Stop*",
    "sagemaker:Update*",
)
#: Actions that create roles or widen them. IAM knows the key iam:PermissionsBoundary for them.
_BOUNDED_ACTIONS = ("AttachRolePolicy", "CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy")
#: Changes of roles and policies. Environments create a service-linked role, which has another name.
_CHANGES = (
    "Attach*",
    "CreatePolicy*",
    "CreateRole",
    "Delete*",
    "Detach*",
    "PassRole",
    "Put*",
    "Set*",
    "Update*",
)
#: Everything but reads: preflight reads the CI roles.
_WRITES = (
    *(
        f"iam:{verb}*"
        for verb in (
            "Add",
            "Attach",
            "Create",
            "Delete",
            "Detach",
            "Pass",
            "Put",
            "Remove",
            "Set",
            "Tag",
            "Untag",
            "Update",
        )
    ),
    "sts:*",
)
#: Changes of the state bucket and its key, and deletions of versions. Neither plan nor apply needs one.
_STATE_CHANGES = (
    "kms:Create*",
    "kms:Delete*",
    "kms:Disable*",
    "kms:Put*",
    "kms:Replicate*",
    "kms:Schedule*",
    "kms:Tag*",
    "kms:Untag*",
    "kms:Update*",
    "s3:DeleteBucket*",
    "s3:DeleteObjectVersion",
    "s3:Put*Configuration",
    "s3:PutBucket*",
)


def list_allowed_actions() -> list[str]:
    """Return all services of environments, and for IAM and the allowed services only the actions that they need."""
    allowed = set(_LISTED_ACTIONS)
    services = {action.partition(":")[0] for action in allowed}
    actions = {*list_actions(), *(f"iam:{action}" for action in _BOUNDED_ACTIONS if action != "AttachRolePolicy")}
    whole = {action for action in actions if action.partition(":")[0] not in services}
    allowed |= {action for action in actions - whole if not any(fnmatchcase(action, pattern) for pattern in allowed)}
    return [*sorted({f"{action.partition(':')[0]}:*" for action in whole}), *sorted(allowed)]


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
            "actions": concat([*list_allowed_actions(), "sagemaker-mlflow:*"], var.additional_actions),
            "resources": ["*"],
        },
        *_build_denials(var, bounded.value),
        *_build_state_denials(var, bounded.key, bounded.value, key_arn),
        extra_elements=_build_denials_of_others(var, bounded.key),
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


def _compose_arn(var: Inputs, environment: EnvironmentRoles) -> str:
    return f"arn:{var.partition}:iam::{var.account_id}:policy{var.role_path}{_format_name(environment)}"


def _format_name(environment: EnvironmentRoles) -> str:
    return f"deployer-{environment.name_prefix}-boundary"


def _deny(sid: str, actions: Iterable[str], *conditions: dict[str, Any], **where: Any) -> dict[str, Any]:
    return {"sid": sid, "effect": "Deny", "actions": list(actions), **where, "condition": list(conditions)}


def _build_denials(var: Inputs, environment: EnvironmentRoles) -> list[dict[str, Any]]:
    """Return the statements that deny an escalation of privileges."""
    iam = f"arn:{var.partition}:iam::{var.account_id}"
    without_boundary = {
        "test": "StringNotEquals",
        "variable": "iam:PermissionsBoundary",
        "values": [_compose_arn(var, environment)],
    }
    return [
        _deny(
            "DenyIdentities",
            ["iam:*"],
            resources=[f"{iam}:{kind}/*" for kind in ("user", "group", "oidc-provider", "saml-provider")],
        ),
        _deny(
            "DenyDeployersAndBoundary",
            _WRITES,
            resources=[f"{iam}:role{var.role_path}deployer-*", f"{iam}:policy{var.role_path}deployer-*"],
        ),
        _deny(
            "DenyOtherNames",
            [f"iam:{action}" for action in _CHANGES],
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
        _deny("DenyEverywhere", [*_BUCKET_ACTIONS, *_NOTEBOOK_ACTIONS], resources=["*"]),
        _deny(
            "DenyOthers",
            _PROGRAM_ACTIONS,
            not_resources=[
                f"arn:{var.partition}:{name}"
                for name in (
                    f"sagemaker:*:{var.account_id}:mlflow-*",
                    f"sagemaker:*:{var.account_id}:pipeline/{environment.name_prefix}-*",
                    f"ssm:*:{var.account_id}:document/{environment.name_prefix}-*",
                )
            ],
        ),
    ]


def _build_denials_of_others(var: Inputs, name: str) -> list[dict[str, Any]]:
    """Return the statements that protect the other environments, or an empty list if there are none."""

    def list_others(format_text: Callable[[str, EnvironmentRoles], str]) -> list[str]:
        return list_of(var.environments, format_text, where=lambda other, _environment: other != name)

    # The pattern of a bucket covers its objects, and does not cover the state bucket.
    buckets = list_others(
        lambda _other, environment: f"arn:{var.partition}:s3:::{environment.name_prefix}-*-{var.account_id}-*"
    )
    parameters = list_others(
        lambda other, _environment: f"arn:{var.partition}:ssm:*:{var.account_id}:parameter/sustainable-mlops/{other}/*"
    )
    glue = f"arn:{var.partition}:glue:*:{var.account_id}:table/{GLUE_DATABASE}"
    tables = list_others(lambda _other, environment: f"{glue}/{replace(environment.name_prefix, '-', '_')}_*")
    tags = list_others(lambda other, _environment: other)
    tagged = {"test": "StringEquals", "variable": "aws:ResourceTag/environment", "values": tags}

    def deny_others(*arguments: Any, **where: Any) -> list[dict[str, Any]]:
        return build_item_statement(tags, lambda _: encode_statement(_deny(*arguments, **where)))

    return concat(
        deny_others("DenyOtherData", ["glue:*", "s3:*", "ssm:*"], resources=concat(buckets, parameters, tables)),
        deny_others("DenyOtherTags", _TAGGED_ACTIONS, tagged, resources=["*"]),
    )


def _build_state_denials(var: Inputs, name: str, environment: EnvironmentRoles, key_arn: str) -> list[dict[str, Any]]:
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
    ]
