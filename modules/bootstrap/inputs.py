"""Inputs of `bootstrap`."""

from typing import Annotated, Any

from modules.common import AccountId, LocatedInputs, NamePrefix, ProtectedInputs, Region, RoleArn, RoleInputs, RolePath
from modules.iam_statements import Action
from modules.location import require_key_in_region
from modules.storage.inputs import LONGEST_BUCKET_NAME, ExistingKmsKey
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import (
    can,
    distinct,
    every,
    flatten,
    is_null,
    jsondecode,
    jsonencode,
    length,
    list_of,
    match,
    merge,
    optional,
)
from sustainable_mlops.catalogue.limits import get_limit

MOST_CHARACTERS = get_limit("managed_policy_characters")
MOST_POLICIES = get_limit("role_managed_policies")
#: Folder of the state of the root module that calls this module.
OWN_STATE = "bootstrap"

EnvironmentName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9-]*$",
        json_schema_extra=must("be the name of an environment: lower-case letters, digits and hyphens"),
    ),
]
GitHubRepository = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$",
        json_schema_extra=must("be an owner and a repository such as acme/platform, without wildcards"),
    ),
]
GitHubId = Annotated[
    str,
    Field(pattern=r"^[0-9]+$", json_schema_extra=must("be the digits of an ID of GitHub such as 123456")),
]
GitLabProject = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)+$",
        json_schema_extra=must("be the path of a project such as acme/ml/platform, without wildcards"),
    ),
]
RefName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9._/#@+-]+$",
        json_schema_extra=must("be one name such as main, without wildcards and without refs/heads/"),
    ),
]
ProviderUrl = Annotated[
    str,
    Field(
        pattern=r"^https://[a-z0-9.-]+(/[A-Za-z0-9._-]+)*$",
        json_schema_extra=must("be an address that starts with https:// and has no slash at its end"),
    ),
]
Audience = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9:/._-]{1,255}$",
        json_schema_extra=must("be the audience of the tokens such as sts.amazonaws.com, without wildcards"),
    ),
]
PlanPolicyName = Annotated[
    str,
    Field(pattern=r"^plan-[a-z0-9-]+$", json_schema_extra=must("be a name such as plan-data")),
]
ApplyPolicyName = Annotated[
    str,
    Field(pattern=r"^apply-[a-z0-9-]+$", json_schema_extra=must("be a name such as apply-data")),
]


class GitHubProvider(ModuleInputs):
    """Identity provider of GitHub Actions."""

    audience: Audience = Field("sts.amazonaws.com", description="Audience of the tokens.")
    create_provider: bool = Field(
        True,
        description="Create the identity provider. False uses the account's existing one, because IAM accepts one for "
        "each URL.",
    )
    url: ProviderUrl = Field(
        "https://token.actions.githubusercontent.com",
        description="Issuer of the tokens. GitHub Enterprise Server has its own.",
    )


class GitLabProvider(ModuleInputs):
    """Identity provider of GitLab CI."""

    audience: Audience = Field("sts.amazonaws.com", description="Audience of the tokens: `aud` of `id_tokens`.")
    create_provider: bool = Field(
        True,
        description="Create the identity provider. False uses the account's existing one, because IAM accepts one for "
        "each URL.",
    )
    url: ProviderUrl = Field("https://gitlab.com", description="Address of the GitLab instance.")


class _GitHubRefs(ModuleInputs):
    branches: list[RefName] = Field(default_factory=list, description="Branches whose jobs may assume the role.")
    environments: list[RefName] = Field(
        default_factory=list,
        description="GitHub environments whose jobs may assume the role. Restrict their branches in GitHub.",
    )
    owner_id: GitHubId | None = Field(
        None,
        description=(
            "ID of the owner, for a repository with immutable subject claims. "
            "Default: the subject contains names instead of IDs."
        ),
    )
    repository: GitHubRepository = Field(description="Owner and name of the repository.")
    repository_id: GitHubId | None = Field(
        None, description="ID of the repository, for a repository with immutable subject claims."
    )
    tags: list[RefName] = Field(default_factory=list, description="Git tags whose jobs may assume the role.")


_BOTH_IDS = rule(
    "owner_id",
    lambda v: is_null(v.owner_id) == is_null(v.repository_id),
    "set both owner_id and repository_id, or neither",
)


class GitHubJobs(_GitHubRefs):
    """Jobs of a GitHub repository."""

    rules = (
        _BOTH_IDS,
        rule(
            "branches",
            lambda v: length(v.branches) + length(v.environments) + length(v.tags) > 0,
            "set at least one of branches, environments and tags",
        ),
    )


class GitHubPlanJobs(_GitHubRefs):
    """Jobs of a GitHub repository that plan."""

    pull_requests: bool = Field(True, description="Jobs of pull requests may assume the role.")

    rules = (
        _BOTH_IDS,
        rule(
            "pull_requests",
            lambda v: v.pull_requests | (length(v.branches) + length(v.environments) + length(v.tags) > 0),
            "must be true, or set at least one of branches, environments and tags",
        ),
    )


class _GitLabRefs(ModuleInputs):
    branches: list[RefName] = Field(default_factory=list, description="Branches whose jobs may assume the role.")
    project: GitLabProject = Field(description="Path of the project, with all groups.")
    tags: list[RefName] = Field(default_factory=list, description="Git tags whose jobs may assume the role.")


class GitLabJobs(_GitLabRefs):
    """Jobs of a GitLab project."""

    rules = (
        rule("branches", lambda v: length(v.branches) + length(v.tags) > 0, "set at least one of branches and tags"),
    )


class GitLabPlanJobs(_GitLabRefs):
    """Jobs of a GitLab project that plan."""

    merge_requests: bool = Field(
        True,
        description="Jobs of merge requests may assume the role. GitLab's subject names their source branch, so jobs "
        "of all branches of the project may assume it.",
    )

    rules = (
        rule(
            "merge_requests",
            lambda v: v.merge_requests | (length(v.branches) + length(v.tags) > 0),
            "must be true, or set at least one of branches and tags",
        ),
    )


class PlanRole(ModuleInputs):
    """Role that plans."""

    github: list[GitHubPlanJobs] = Field(default_factory=list, description="Jobs of GitHub that may assume the role.")
    gitlab: list[GitLabPlanJobs] = Field(default_factory=list, description="Jobs of GitLab that may assume the role.")
    policies: dict[PlanPolicyName, str] = Field(
        min_length=1,
        description="Policy documents as JSON by name: `plan-*.json` of `envs/<name>/deployer`. The role of apply gets "
        "them too.",
    )

    rules = (
        rule(
            "github", lambda v: length(v.github) + length(v.gitlab) > 0, "name at least one job in github or in gitlab"
        ),
    )


class ApplyRole(ModuleInputs):
    """Role that applies."""

    github: list[GitHubJobs] = Field(default_factory=list, description="Jobs of GitHub that may assume the role.")
    gitlab: list[GitLabJobs] = Field(default_factory=list, description="Jobs of GitLab that may assume the role.")
    policies: dict[ApplyPolicyName, str] = Field(
        min_length=1, description="Policy documents as JSON by name: `apply-*.json` of `envs/<name>/deployer`."
    )

    rules = (
        rule(
            "github", lambda v: length(v.github) + length(v.gitlab) > 0, "name at least one job in github or in gitlab"
        ),
    )


class PromoteRole(ModuleInputs):
    """Role that reads the registries from which models are promoted."""

    github: list[GitHubJobs] = Field(default_factory=list, description="Jobs of GitHub that may assume the role.")
    gitlab: list[GitLabJobs] = Field(default_factory=list, description="Jobs of GitLab that may assume the role.")
    registries: dict[AccountId, NamePrefix] = Field(
        default_factory=dict,
        description="Other accounts whose models the environment accepts, each with the name prefix of its package "
        "groups: `promotion.registries` of the environment's settings.",
    )

    rules = (
        rule(
            "github", lambda v: length(v.github) + length(v.gitlab) > 0, "name at least one job in github or in gitlab"
        ),
    )


class EnvironmentRoles(ModuleInputs):
    """Environment of this account, with the roles of its CI."""

    apply: ApplyRole = Field(description="Role `deployer-<name_prefix>-apply`.")
    name_prefix: NamePrefix = Field(description="`name_prefix` of the environment's settings.")
    plan: PlanRole = Field(description="Role `deployer-<name_prefix>-plan`.")
    promote: PromoteRole | None = Field(
        None, description="Role `deployer-<name_prefix>-promote`, which only reads. Default: none."
    )
    region: Region | None = Field(
        None, description="Region of the environment. Default: the input `region` of the module."
    )
    role_path: RolePath = Field("/", description="IAM path of the environment's roles.")


class Inputs(LocatedInputs, ProtectedInputs, RoleInputs):
    """Inputs of `bootstrap`."""

    additional_actions: list[Action] = Field(
        default_factory=list,
        description="Actions that the permissions boundary allows in addition to the actions of this project's "
        "modules, such as lambda:*.",
    )
    block_public_access: bool = Field(
        True,
        description="Block public access to all S3 buckets of the account. Set false if another root module, or the "
        "organization, blocks it.",
    )
    break_glass_role_arns: list[RoleArn] = Field(
        default_factory=list,
        description="Emergency (break-glass) roles that the service control policy exempts. If empty, the output "
        "`service_control_policy` is null.",
    )
    environments: dict[EnvironmentName, EnvironmentRoles] = Field(
        default_factory=dict, description="Environments of this account by name, with the roles of their CI."
    )
    existing_kms_key: ExistingKmsKey | None = Field(
        None,
        description="Encrypt the state with this key instead of a new one. It is an object, so that the ARN may be "
        "unknown until apply.",
    )
    github: GitHubProvider = Field(default_factory=GitHubProvider, description="Identity provider of GitHub Actions.")
    gitlab: GitLabProvider = Field(default_factory=GitLabProvider, description="Identity provider of GitLab CI.")
    noncurrent_version_days: int = Field(
        90,
        ge=1,
        description="Days until a noncurrent version of the state expires. The ten newest ones never expire.",
    )

    rules = (
        require_key_in_region(
            "existing_kms_key", lambda v: list_of(optional(v.existing_kms_key), lambda existing: existing.arn)
        ),
        rule(
            "name_prefix",
            lambda v: length(format_bucket_name(v)) <= LONGEST_BUCKET_NAME,
            f"the bucket name <name_prefix>-state-<account_id> has more than {LONGEST_BUCKET_NAME} characters; shorten "
            "name_prefix",
        ),
        rule(
            "environments",
            lambda v: (
                length(distinct(list_of(v.environments, lambda environment: environment.name_prefix)))
                == length(v.environments)
            ),
            "two environments have the same name_prefix; choose a different one, because role names contain it.",
        ),
        rule(
            "environments",
            lambda v: every(
                v.environments,
                lambda environment: every(
                    v.environments, lambda other: ~can(match(f"^{environment.name_prefix}-", other.name_prefix))
                ),
            ),
            "a name_prefix must not begin with another one and a hyphen, such as smlops-prod beside smlops; choose a "
            "different one, because CI changes all roles that begin with its prefix.",
        ),
        rule(
            "environments",
            lambda v: every(v.environments, lambda name, _environment: name != OWN_STATE),
            f"no environment may be named {OWN_STATE}; choose another name, because this module's own state has it.",
        ),
        rule(
            "environments",
            lambda v: every(list_documents(v), lambda text: can(jsondecode(text).Statement)),
            "each document of policies must be JSON with a Statement; read it with file().",
        ),
        rule(
            "environments",
            lambda v: every(
                list_documents(v),
                lambda text: ~can(jsondecode(text)) | (length(jsonencode(jsondecode(text))) <= MOST_CHARACTERS),
            ),
            f"each document of policies may have at most {MOST_CHARACTERS} characters; split a longer one.",
        ),
        rule(
            "environments",
            lambda v: every(
                v.environments,
                lambda environment: (
                    length(environment.plan.policies) + length(environment.apply.policies) <= MOST_POLICIES
                ),
            ),
            f"IAM attaches at most {MOST_POLICIES} policies to a role, and the apply role gets the plan and the apply "
            "documents; merge some of them.",
        ),
    )


def format_bucket_name(var: Any) -> str:
    """Return the name of the state bucket."""
    return f"{var.name_prefix}-state-{var.account_id}"


def list_documents(var: Any) -> list[str]:
    """Return the policy documents of all environments."""
    return flatten(
        list_of(
            var.environments,
            lambda environment: list_of(
                merge(environment.plan.policies, environment.apply.policies), lambda text: text
            ),
        )
    )
