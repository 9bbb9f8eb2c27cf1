"""Identity providers of CI, and the trust policies of the roles."""

from typing import Any

from cdktn_provider_aws.iam_openid_connect_provider import IamOpenidConnectProvider

from modules.bootstrap.inputs import Inputs
from modules.iam_statements import build_item_statement
from modules.policies import encode_policy, encode_statement
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    concat,
    each_of,
    flatten,
    is_null,
    length,
    list_of,
    optional,
    replace,
    set_of,
    split,
    when,
)
from sustainable_mlops.authoring.resources import Module

#: CI systems: the inputs of their providers, and the fields of the jobs that each role trusts.
CI_SYSTEMS = ("github", "gitlab")


def add(module: Module[Inputs]) -> list[Any]:
    """Add the identity providers that roles trust and that the account does not have. Return them."""
    module.local(
        "issuers",
        {name: replace(getattr(module.var, name).url, "https://", "") for name in CI_SYSTEMS},
        why="Issuers without https://, as in the ARNs of the providers and in condition keys.",
    )
    nothing: list[str] = []
    providers = []
    for name in CI_SYSTEMS:
        provider = getattr(module.var, name)
        is_new = when(provider.create_provider & (length(_list_jobs(module.var, name)) > 0), ["own"], nothing)
        providers.append(
            module.add(
                IamOpenidConnectProvider,
                name,
                why="AWS verifies this issuer with its own certificate authorities, so there is no thumbprint_list.",
                for_each=each_of(set_of(is_new)),
                url=provider.url,
                client_id_list=[provider.audience],
                tags=module.var.tags,
            )
        )
    return providers


def compose_provider_arn(module: Module[Inputs], name: str) -> str:
    """Return the ARN of an identity provider, which contains its URL."""
    issuer = getattr(module.locals.issuers, name)
    return f"arn:{module.var.partition}:iam::{module.var.account_id}:oidc-provider/{issuer}"


def encode_trust(module: Module[Inputs], role: Any, *, plans: bool = False) -> str:
    """Return the trust policy of a role: only jobs of these repositories and projects."""
    return encode_policy(
        extra_elements=concat(
            _build_elements(module, "github", role, lambda jobs: _list_github_subjects(jobs, plans=plans)),
            _build_elements(
                module,
                "gitlab",
                role,
                lambda jobs: _list_gitlab_subjects(jobs, plans=plans),
                # Subjects of merge requests contain the source branch, which is any name.
                test="StringLike" if plans else "StringEquals",
            ),
        )
    )


def _build_elements(
    module: Module[Inputs], name: str, role: Any, list_subjects: Any, test: str = "StringEquals"
) -> list[dict[str, Any]]:
    """Return the statement for the jobs of one CI system, or an empty list without such jobs."""
    issuer = getattr(module.locals.issuers, name)
    audience = {"test": "StringEquals", "variable": f"{issuer}:aud", "values": [getattr(module.var, name).audience]}
    return build_item_statement(
        getattr(role, name),
        lambda jobs: encode_statement(
            {
                "sid": f"{name.title()}Jobs",
                "actions": ["sts:AssumeRoleWithWebIdentity"],
                "principals": [{"type": "Federated", "identifiers": [compose_provider_arn(module, name)]}],
                "condition": [
                    audience,
                    {"test": test, "variable": f"{issuer}:sub", "values": flatten(list_of(jobs, list_subjects))},
                ],
            }
        ),
    )


def _list_github_subjects(jobs: Any, *, plans: bool) -> list[str]:
    """Return the subjects of tokens.

    Source: GitHub, OpenID Connect reference, "Example subject claims" and "Immutable subject claims".
    """
    names = split("/", jobs.repository)
    start = when(
        is_null(jobs.repository_id),
        f"repo:{jobs.repository}",
        f"repo:{names[0]}@{assume_not_null(jobs.owner_id)}/{names[1]}@{assume_not_null(jobs.repository_id)}",
    )
    nothing: list[str] = []
    ends = concat(
        list_of(jobs.branches, lambda branch: f"ref:refs/heads/{branch}"),
        list_of(jobs.tags, lambda tag: f"ref:refs/tags/{tag}"),
        list_of(jobs.environments, lambda environment: f"environment:{environment}"),
        *([when(jobs.pull_requests, ["pull_request"], nothing)] if plans else []),
    )
    return list_of(ends, lambda end: f"{start}:{end}")


def _list_gitlab_subjects(jobs: Any, *, plans: bool) -> list[str]:
    """Return the subjects of tokens. Source: GitLab, OpenID Connect in AWS, "Configure a role and trust"."""
    start = f"project_path:{jobs.project}:ref_type"
    nothing: list[str] = []
    return concat(
        list_of(jobs.branches, lambda branch: f"{start}:branch:ref:{branch}"),
        list_of(jobs.tags, lambda tag: f"{start}:tag:ref:{tag}"),
        *([when(jobs.merge_requests, [f"{start}:branch:ref:*"], nothing)] if plans else []),
    )


def _list_jobs(var: Inputs, name: str) -> list[str]:
    """Return the repositories or projects that any role trusts."""
    field = {"github": "repository", "gitlab": "project"}[name]

    def list_names(role: Any) -> list[str]:
        return list_of(getattr(role, name), lambda jobs: getattr(jobs, field))

    return flatten(
        list_of(
            var.environments,
            lambda environment: concat(
                list_names(environment.plan),
                list_names(environment.apply),
                flatten(list_of(optional(environment.promote), list_names)),
            ),
        )
    )
