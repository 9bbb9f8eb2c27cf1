"""The accounts that belong to the owner of a plan, and the risk of access for other accounts."""

from collections.abc import Iterable, Iterator, Set

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import Plan
from sustainable_mlops.plan.iam import PolicyStatement, parse_statements, read_document
from sustainable_mlops.plan.resource_pairs import ResourcePair
from sustainable_mlops.plan.values import Block
from sustainable_mlops.review.patterns import covers
from sustainable_mlops.review.risk import Level

_ARN_ACCOUNT = LazyPattern(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:(\d{12}):")
_PRINCIPAL_ACCOUNT = LazyPattern(r"(?:arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:)?(\d{12})(?::.*)?")
_PUT_KEY_POLICY = "kms:putkeypolicy"
#: Types whose `arn` is an argument that may name a resource of another account.
_ARN_ARGUMENTS = frozenset(
    {
        "aws_cloudwatch_event_target",
        "aws_lakeformation_resource",
        "aws_notifications_channel_association",
        "aws_sns_topic_data_protection_policy",
        "aws_sns_topic_policy",
    }
)
#: Attributes with the role that a service assumes. A principal can pass only roles of its own account:
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
_PASSED_ROLES = frozenset(
    ("role", "role_arn", "execution_role_arn", "iam_role_arn", "service_role_arn", "task_role_arn")
)
#: Types with a policy that AWS accepts only for their own resource.
_OWN_POLICIES = frozenset(
    f"aws_{name}"
    for name in ("cloudwatch_event_bus_policy", "dynamodb_resource_policy", "secretsmanager_secret_policy", "sns_topic",
                 "sns_topic_policy", "sqs_queue", "sqs_queue_policy")
)  # fmt: skip


def find_own_accounts(plan: Plan, pairs: Iterable[ResourcePair]) -> frozenset[str]:
    """Return the account IDs that belong to the owner of the plan.

    The sources are: ARNs of resources, the caller identity, `allowed_account_ids` of providers, and policies of new
    KMS keys. The provider checks `allowed_account_ids`, so a plan with a foreign account there cannot be applied. KMS
    refuses a new key whose policy does not let its creator change the policy:
    https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html#KMS-CreateKey-request-Policy
    Without any of them, the ARNs of passed roles and of the resources in resource policies count, if all have one
    account.
    """
    pairs = list(pairs)
    callers = (value.get("account_id") for value in plan.data_sources if value.type == "aws_caller_identity")
    accounts = {value for value in (*callers, *_list_allowed_accounts(plan)) if isinstance(value, str)}
    for pair in pairs:
        sides = () if pair.type in _ARN_ARGUMENTS else (pair.before, pair.after)
        arns = (values.text("arn") for values in sides if values is not None)
        accounts |= {match[1] for arn in arns if isinstance(arn, str) and (match := _ARN_ACCOUNT.match(arn))}
        if pair.type == "aws_kms_key" and pair.is_new:
            accounts |= _find_key_account(plan, pair)
    return frozenset(accounts or _find_only_account(pairs))


def _find_only_account(pairs: Iterable[ResourcePair]) -> Set[str]:
    """Return the account that passed roles and the resources of resource policies have in common."""
    accounts = {
        match[1]
        for pair in pairs
        if pair.type.startswith("aws_")
        for values in (pair.before, pair.after)
        if values is not None
        for arn in _list_own_arns(pair.type, values)
        if isinstance(arn, str) and (match := _ARN_ACCOUNT.match(arn))
    }
    return accounts if len(accounts) == 1 else frozenset()


def _list_own_arns(type_: str, values: Block) -> Iterator[object]:
    """Yield ARNs in a resource that can only be of its own account."""
    yield from (values.text(name) for name in _PASSED_ROLES.intersection(values))
    text = values.text("policy") if type_ in _OWN_POLICIES else None
    for statement in (parse_statements(text) or ()) if isinstance(text, str) else ():
        yield from statement.resources


def assess_foreign_accounts(principals: Iterable[str], own: Set[str]) -> tuple[Level, str]:
    """Return the level and the reason of access for these principals. The reason is empty for own accounts."""
    accounts = {match[1] for principal in principals if (match := _PRINCIPAL_ACCOUNT.fullmatch(principal))}
    others = ", ".join(sorted(accounts - own))
    if others and not own:
        return Level.LOOK, f"account {others}: the plan does not show which account is your own"
    return (Level.STOP, f"another account: {others}") if others else (Level.NOTE, "")


def _list_allowed_accounts(plan: Plan) -> Iterator[object]:
    for provider in plan.configuration.providers.values():
        expressions = provider.get("expressions") if isinstance(provider, dict) else None
        expression = expressions.get("allowed_account_ids") if isinstance(expressions, dict) else None
        accounts = plan.configuration.evaluate_constant(expression)
        yield from accounts if isinstance(accounts, list) else ()


def _find_key_account(plan: Plan, key: ResourcePair) -> Set[str]:
    """Return the account of a new key, if its policy lets exactly one account change it."""
    policy = None if key.new is None else read_document(key.new, "policy", plan.joins)
    if policy is None or not policy.is_complete or key.resource.get("bypass_policy_lockout_safety_check") is not False:
        return frozenset()
    names = [
        name
        for statement in policy.statements
        if _may_change_policy(statement)
        for kind, identifiers in statement.principals
        for name in identifiers
    ]
    accounts = {match[1] if (match := _PRINCIPAL_ACCOUNT.fullmatch(str(name))) else "" for name in names}
    return accounts if len(accounts) == 1 and "" not in accounts else frozenset()


def _may_change_policy(statement: PolicyStatement) -> bool:
    """Return whether the statement allows, or may allow, a change of the key policy."""
    if statement.effect == "Deny":
        return False
    actions = (action if not isinstance(action, str) else action.lower() for action in statement.actions)
    return bool(statement.not_actions) or any(covers(action, _PUT_KEY_POLICY) is not False for action in actions)
