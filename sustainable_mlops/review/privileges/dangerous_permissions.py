"""Permissions that need attention even for a new policy owner."""

import re
from collections.abc import Callable, Set

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Unknown
from sustainable_mlops.plan.iam import DerivedText, PolicyCondition
from sustainable_mlops.review.accounts import assess_foreign_accounts
from sustainable_mlops.review.patterns import Patterns, covers
from sustainable_mlops.review.privileges.grants import Grant
from sustainable_mlops.review.privileges.policy_types import IDENTITY
from sustainable_mlops.review.risk import Level

#: Managed policies with access to a whole service or account.
WIDE_NAMES = LazyPattern(r"(FullAccess|AdministratorAccess|PowerUserAccess)(_?v\d+)?$", re.I)
#: Actions that, on all roles or users, give access to every other permission.
_ESCALATING_ACTIONS = (
    "iam:passrole", "iam:createpolicyversion", "iam:setdefaultpolicyversion", "iam:attachrolepolicy",
    "iam:attachuserpolicy", "iam:attachgrouppolicy", "iam:putrolepolicy", "iam:putuserpolicy", "iam:putgrouppolicy",
    "iam:updateassumerolepolicy", "iam:createaccesskey", "iam:createloginprofile", "iam:updateloginprofile",
    "iam:addusertogroup", "iam:deleterolepermissionsboundary", "iam:deleteuserpermissionsboundary",
    "iam:putrolepermissionsboundary", "iam:putuserpermissionsboundary", "sts:assumerole",
)  # fmt: skip
#: Actions that, on all resources, give wide access, but not every other permission. A bearer token calls every endpoint
#: that its owner may invoke; the action has no resource types, so only a condition limits it (Service Authorization
#: Reference, 2026-10-27).
_SENSITIVE_ACTIONS = (
    "iam:createrole", "iam:createuser", "iam:createpolicy", "secretsmanager:getsecretvalue", "kms:decrypt",
    "s3:deletebucket", "s3:deleteobject", "s3:deleteobjectversion", "sagemaker:callwithbearertoken",
    # Removes policies with deny statements.
    "iam:deleterolepolicy", "iam:deleteuserpolicy", "iam:deletegrouppolicy", "iam:detachrolepolicy",
    "iam:detachuserpolicy", "iam:detachgrouppolicy", "iam:removeuserfromgroup",
    # Decides who may use a resource.
    "kms:putkeypolicy", "kms:creategrant", "s3:putbucketpolicy", "s3:deletebucketpolicy", "s3:putaccesspointpolicy",
    "s3:putbucketacl", "s3:putobjectacl", "s3:putbucketpublicaccessblock", "s3:putaccountpublicaccessblock",
    "secretsmanager:putresourcepolicy", "dynamodb:putresourcepolicy", "ecr:setrepositorypolicy", "lambda:addpermission",
    # Makes data unreadable.
    "kms:schedulekeydeletion", "kms:disablekey",
    # Runs code, or opens a session, with the role of another resource.
    "lambda:updatefunctioncode", "lambda:updatefunctionconfiguration", "ssm:sendcommand", "ssm:startsession",
    "ecs:executecommand", "ec2-instance-connect:sendsshpublickey", "sagemaker:createpresigneddomainurl",
    "sagemaker:createpresignednotebookinstanceurl",
)  # fmt: skip
#: All resources of a service, or all roles, users, groups or policies: only wildcards in place of the name.
_ALL_RESOURCES = LazyPattern(r"(?:[^:]*:){0,5}[?*/]*\*[?*/]*")
_ALL_IDENTITIES = LazyPattern(r"(?:[^:]*:){0,5}(?:role|user|group|policy)/[?*/]*\*[?*/]*")
_ALL_ACTIONS = LazyPattern(r"([^:*?]+):[?*]*\*[?*]*")
#: Condition keys that limit an IAM action to certain roles, policies or services.
_NARROWING_KEYS = LazyPattern(
    r"iam:(passedtoservice|associatedresourcearn|permissionsboundary|policyarn)|(aws|iam):resourcetag/.+", re.I
)
#: Condition keys that limit "everyone" to an organization, account, network or workload.
_RESTRICTING_KEYS = LazyPattern(
    r"aws:source(account|arn|orgid|orgpaths|vpc|vpce|owner)|aws:principal(orgid|orgpaths|account|arn)"
    r"|kms:calleraccount|.+:(sub|aud)",
    re.I,
)
#: Values that any account can have: any organization, VPC or VPC endpoint, any account, an ARN of any account.
_ANYBODY_VALUES = LazyPattern(
    r"\d{0,11}[*?].*|(?:o|vpce?)-[^/]*[*?].*|arn:(?:[^:]*:){0,2}[*?]+|arn:(?:[^:]*:){3}(?:[^:]*[*?]|:[*?]).*", re.I
)
#: Identity providers that issue tokens to anyone, so a condition must name the subject.
_IDENTITY_PROVIDER = LazyPattern(r"Federated:(?:arn:[^:]+:iam::\d+:oidc-provider/)?(?!cognito-identity|arn:)([^/]+).*")
_SUBJECT = LazyPattern(
    r".+:(sub|repository(?:_id)?|repository_owner(?:_id)?|enterprise_id|project_path|namespace_path)", re.I
)
_ORGANIZATIONS = LazyPattern(r"aws(?:cc)?_(organizations|controltower|servicecatalog)_.+")
#: A subject of one owner: a text without wildcards, or an owner that ends before the first wildcard, such as
#: `repo:my-org/*`. Anybody can register a name that `repo:my-org*` matches.
_OWNED_SUBJECT = LazyPattern(r"[^*?]*|(?:[\w-]+:|org/)?+[^:/*?]+[:/].*")


def assess_danger(grant: Grant, group: str, accounts: Set[str]) -> tuple[Level, str]:
    """Return the level of a permission and the reason; the reason is empty if it is harmless.

    `accounts` are the account IDs of the owner of the plan, as far as known.
    """
    return _assess_identity_grant(grant) if group == IDENTITY else _assess_principals(grant, accounts)


def is_on_all_resources(grant: Grant) -> bool:
    """Return whether the grant names all resources of a service."""
    return grant.resources.negated or any(map(_ALL_RESOURCES.fullmatch, map(str, grant.resources.patterns)))


def widen_unknowns(grant: Grant) -> Grant:
    """Return the grant with each value that is unknown before apply replaced by a wildcard."""
    known = (
        condition for condition in grant.conditions if not any(map(_may_be_anyone, (*condition[:2], *condition.values)))
    )
    principals = _widen_patterns(grant.principals, _may_be_anyone)
    actions, resources = (
        _widen_patterns(part, lambda text: text is UNKNOWN) for part in (grant.actions, grant.resources)
    )
    return Grant(principals, actions, resources, tuple(known))


def _widen_patterns(part: Patterns, worse: Callable[[str | Unknown], bool]) -> Patterns:
    return part if part.negated else Patterns(tuple("*" if worse(text) else text for text in part.patterns))


def _may_be_anyone(text: str | Unknown) -> bool:
    """Return whether a text may name any account. An account that the plan creates counts as foreign."""
    opened = isinstance(text, DerivedText) and any(
        _ORGANIZATIONS.fullmatch(resource.type) for resource in text.resources
    )
    return text is UNKNOWN or opened


def _assess_identity_grant(grant: Grant) -> tuple[Level, str]:
    actions = [action for action in grant.actions.patterns if not isinstance(action, Unknown)]
    if grant.actions.negated:
        return Level.STOP, "all actions except some"
    if any(covers(action, "*:*") for action in actions):
        return Level.STOP, "all actions of all services"
    resources = [str(resource) for resource in grant.resources.patterns]
    has_all_resources = is_on_all_resources(grant)
    services = [match[1] for action in actions if (match := _ALL_ACTIONS.fullmatch(action))]
    if has_all_resources and services:
        return Level.STOP, f"all actions of {', '.join(services)} on all resources"
    if not has_all_resources and not any(map(_ALL_IDENTITIES.fullmatch, resources)):
        return Level.NOTE, ""
    escalating, far = (
        ", ".join(name for name in names if any(covers(action, name) for action in actions))
        for names in (_ESCALATING_ACTIONS, _SENSITIVE_ACTIONS)
    )
    if escalating and not any(map(_is_narrowing, grant.conditions)):
        return Level.STOP, f"{escalating} on all resources gives access to other permissions"
    if far and not any(map(_is_positive, grant.conditions)):
        return Level.LOOK, f"{far} on all resources"
    return Level.NOTE, ""


def _assess_principals(grant: Grant, accounts: Set[str]) -> tuple[Level, str]:
    if grant.principals.negated:
        return Level.STOP, "everyone, with exceptions"
    principals = [str(principal) for principal in grant.principals.patterns]
    if "*" in principals:
        restrictions = [condition for condition in grant.conditions if _is_restricting(condition)]
        if not restrictions:
            return Level.STOP, "everyone"
        principals += [str(value) for condition in restrictions for value in condition.values]
    for principal in principals:
        provider = _IDENTITY_PROVIDER.fullmatch(principal)
        if provider and not any(map(_names_subject, grant.conditions)):
            return Level.STOP, f"everyone with a token of {provider[1]}"
    return assess_foreign_accounts(principals, accounts)


def _is_positive(condition: PolicyCondition) -> bool:
    """Return whether the condition fails for requests without its key, and allows only some values."""
    operator = str(condition.operator).lower()
    wrong = "not" in operator or operator in ("null", "nullifexists") or operator.endswith("ifexists")
    return not wrong and not operator.startswith("forallvalues:") and "*" not in condition.values


def _is_narrowing(condition: PolicyCondition) -> bool:
    return _is_positive(condition) and _NARROWING_KEYS.fullmatch(str(condition.key)) is not None


def _is_restricting(condition: PolicyCondition) -> bool:
    key = str(condition.key)
    if not _is_positive(condition) or not _RESTRICTING_KEYS.fullmatch(key):
        return False
    return not any(map(_ANYBODY_VALUES.fullmatch, map(str, condition.values)))


def _names_subject(condition: PolicyCondition) -> bool:
    known = [str(value) for value in condition.values]
    whose = _is_positive(condition) and _SUBJECT.fullmatch(str(condition.key)) is not None
    return whose and all(map(_OWNED_SUBJECT.fullmatch, known))
