"""Permissions that nobody should get unnoticed, new holder or not."""

import re
from collections.abc import Set

from sustainable_mlops.plan import Unknown
from sustainable_mlops.plan.iam import Condition
from sustainable_mlops.review.grants import Grant
from sustainable_mlops.review.patterns import covers
from sustainable_mlops.review.policy_types import IDENTITY

#: Whoever has one of these on all roles or users can take every other permission.
_ESCALATING = (
    "iam:passrole", "iam:createpolicyversion", "iam:setdefaultpolicyversion", "iam:attachrolepolicy",
    "iam:attachuserpolicy", "iam:attachgrouppolicy", "iam:putrolepolicy", "iam:putuserpolicy", "iam:putgrouppolicy",
    "iam:updateassumerolepolicy", "iam:createaccesskey", "iam:createloginprofile", "iam:updateloginprofile",
    "iam:addusertogroup", "iam:deleterolepermissionsboundary", "iam:deleteuserpermissionsboundary", "sts:assumerole",
)  # fmt: skip
#: Conditions that keep "everybody" to one's own organisation, account, network or workload.
_KEEPING = re.compile(
    r"aws:source(account|arn|orgid|orgpaths|vpc|vpce|owner)|aws:principal(orgid|orgpaths|account|arn)"
    r"|aws:resourceaccount|kms:calleraccount|.+:(sub|aud)",
    re.I,
)
_ACCOUNT = re.compile(r"(?:arn:[a-z-]+:(?:iam|sts)::)?(\d{12})(?::.*)?")


def danger(grant: Grant, group: str, accounts: Set[str]) -> str:
    """Why a permission is dangerous; empty where it is not. `accounts` are one's own, as far as known."""
    return _of_identity(grant) if group == IDENTITY else _of_principals(grant, accounts)


def _of_identity(grant: Grant) -> str:
    actions = [action for action in grant.actions.patterns if not isinstance(action, Unknown)]
    if grant.actions.negated:
        return "everything but some actions"
    if any(covers(action, "*:*") for action in actions):
        return "all actions of all services"
    if not grant.resources.negated and "*" not in grant.resources.patterns:
        return ""
    wide = [action for action in actions if action.endswith(":*")]
    if wide:
        return f"all of {', '.join(action[:-2] for action in wide)} on all resources"
    taking = [name for name in _ESCALATING if any(covers(action, name) for action in actions)]
    if taking and not grant.conditions:
        return f"{', '.join(taking)} on all resources lets it take other permissions"
    return ""


def _of_principals(grant: Grant, accounts: Set[str]) -> str:
    if grant.principals.negated:
        return "everybody but some"
    if "*" in grant.principals.patterns and not any(map(_keeps, grant.conditions)):
        return "everybody"
    named = {match[1] for text in grant.principals.patterns if (match := _ACCOUNT.fullmatch(str(text)))}
    others = sorted(named - accounts) if accounts else []
    return f"another account: {', '.join(others)}" if others else ""


def _keeps(condition: Condition) -> bool:
    operator, key = str(condition.operator).lower(), str(condition.key)
    positive = "not" not in operator and operator != "null" and not operator.endswith("ifexists")
    return positive and "*" not in condition.values and _KEEPING.fullmatch(key) is not None
