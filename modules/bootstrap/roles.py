"""CI roles of each environment: plan, apply and promote."""

from collections.abc import Callable, Mapping
from typing import Any

from cdktn_provider_aws.iam_policy import IamPolicy
from cdktn_provider_aws.iam_role import IamRole
from cdktn_provider_aws.iam_role_policy import IamRolePolicy
from cdktn_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment

from modules.bootstrap import trust
from modules.bootstrap.inputs import EnvironmentRoles, Inputs
from modules.iam_statements import build_prefix_condition, build_statement, build_via_condition, equals, get_dns_suffix
from modules.policies import encode_policy, show_policy
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    coalesce,
    each_of,
    is_null,
    jsonencode,
    list_of,
    map_of,
    merge,
    merge_all,
)
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs], boundary_arns: Any, prerequisites: list[Any], key_arn: str) -> dict[str, Any]:
    """Add the roles with their policies, and return the roles by kind."""
    var = module.var
    environment = each_of(var.environments)
    promoting_environments = module.local(
        "promoting_environments",
        map_of(
            var.environments,
            lambda environment: environment,
            where=lambda environment: ~is_null(environment.promote),
        ),
    )
    promoting = each_of(promoting_environments)

    def add_role(kind: str, each: Any, role: Any, description: str, *, plans: bool = False) -> Any:
        return module.add(
            IamRole,
            kind,
            for_each=each,
            name=f"deployer-{each.value.name_prefix}-{kind}",
            description=f"{description} {each.key}",
            path=var.role_path,
            permissions_boundary=boundary_arns[each.key],
            assume_role_policy=trust.encode_trust(module, role, plans=plans),
            tags=var.tags,
            depends_on=prerequisites,
        )

    roles = {
        "plan": add_role("plan", environment, environment.value.plan, "CI that plans the environment", plans=True),
        "apply": add_role("apply", environment, environment.value.apply, "CI that applies the environment"),
        "promote": add_role(
            "promote",
            promoting,
            assume_not_null(promoting.value.promote),
            "CI that reads the models of the environment",
        ),
    }
    _attach_documents(module, roles)
    _allow_state_key(module, roles, key_arn)
    _allow_promotion(module, promoting_environments, promoting, roles["promote"])
    return roles


def _attach_documents(module: Module[Inputs], roles: dict[str, Any]) -> None:
    """Create a managed policy of each document, and attach it to the roles."""
    var = module.var

    def list_policies(documents: Any) -> Any:
        return merge_all(
            list_of(
                var.environments,
                lambda name, environment: map_of(
                    documents(environment),
                    lambda _document, text: {"environment": name, "text": text},
                    key=lambda document, _text: f"deployer-{environment.name_prefix}-{document}",
                ),
            )
        )

    plan_policies = module.local(
        "plan_policies", list_policies(lambda one: one.plan.policies), why="Documents of the plan roles, by policy."
    )
    policies = module.local(
        "policies",
        list_policies(lambda one: merge(one.plan.policies, one.apply.policies)),
        why="All documents. The apply roles also get the documents of plan.",
    )
    policy = each_of(policies)
    managed = module.add(
        IamPolicy,
        "this",
        for_each=policy,
        name=policy.key,
        path=var.role_path,
        policy=policy.value.text,
        tags=var.tags,
    )
    for kind, attached in (("plan", plan_policies), ("apply", policies)):
        one = each_of(attached)
        module.add(
            IamRolePolicyAttachment,
            kind,
            for_each=one,
            role=roles[kind][one.value.environment].name,
            policy_arn=managed[one.key].arn,
        )


def _allow_state_key(module: Module[Inputs], roles: dict[str, Any], key_arn: str) -> None:
    """Allow plan and apply to read and write the encrypted state."""
    var = module.var
    environment = each_of(var.environments)
    policies = show_policy(
        module,
        "state_key",
        build_statement(
            "UseStateKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key_arn], build_via_condition(var, "s3")
        ),
        why="A plan writes the lock file, so it encrypts too.",
        for_each=environment,
    )
    for kind in ("plan", "apply"):
        policy = each_of(policies)
        module.add(
            IamRolePolicy,
            kind,
            for_each=policy,
            name="state-key",
            role=roles[kind][policy.key].name,
            policy=jsonencode(policy.value.input),
        )


def _allow_promotion(
    module: Module[Inputs], promoting_environments: Mapping[str, EnvironmentRoles], promoting: Any, roles: Any
) -> None:
    """Allow the promote roles to read the registries and the models."""
    var = module.var
    environment: EnvironmentRoles = promoting.value
    region = coalesce(environment.region, var.region)

    registries = module.local(
        "registries",
        map_of(
            promoting_environments,
            lambda one: merge(
                assume_not_null(one.promote).registries,
                map_of([one.name_prefix], lambda prefix: prefix, key=lambda _prefix: var.account_id),
            ),
        ),
        why="Name prefix of the package groups in each account, by environment.",
    )

    def list_arns(format_arn: Callable[[Any, Any], str]) -> Any:
        return list_of(registries[promoting.key], format_arn)

    def list_bucket_arns(objects: str = "") -> Any:
        return list_arns(
            lambda account, prefix: f"arn:{var.partition}:s3:::{prefix}-artifacts-{account}-{region}{objects}"
        )

    def list_sagemaker_arns(kind: str) -> Any:
        return list_arns(lambda account, prefix: f"arn:{var.partition}:sagemaker:{region}:{account}:{kind}/{prefix}-*")

    module.add(
        IamRolePolicy,
        "promote",
        for_each=promoting,
        name="read-registry",
        role=roles[promoting.key].name,
        policy=encode_policy(
            build_statement(
                "ReadModelGroups",
                ["sagemaker:DescribeModelPackageGroup"],
                list_sagemaker_arns("model-package-group"),
            ),
            build_statement(
                "ReadModels",
                ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
                list_sagemaker_arns("model-package"),
            ),
            build_statement("ReadModelFiles", ["s3:GetObject"], list_bucket_arns("/models/*")),
            build_statement("ListModelFiles", ["s3:ListBucket"], list_bucket_arns(), build_prefix_condition("models/")),
            build_statement(
                "DecryptModelFiles",
                ["kms:Decrypt"],
                list_arns(lambda account, _prefix: f"arn:{var.partition}:kms:{region}:{account}:key/*"),
                equals("kms:ViaService", f"s3.{region}.{get_dns_suffix(var)}"),
            ),
        ),
    )
