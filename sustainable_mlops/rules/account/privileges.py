"""Privileges of SageMaker's roles.

The review also runs checkov, which checks encryption and public access (CKV_AWS_22, 98, 122, 187, 306, 307, 367 to
372).
"""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown, iam
from sustainable_mlops.rules import ml_evidence
from sustainable_mlops.rules.rule import RuleResult, RuleResults, Severity, failure, rule, success, unknown_result

_ARN_LIST = "managed_policy_arns"
_FULL_ACCESS = (
    "AdministratorAccess",
    "PowerUserAccess",
    "AmazonSageMakerFullAccess",
    "AmazonS3FullAccess",
    "IAMFullAccess",
)


@rule(
    id="SUS_ROLE_WILDCARD",
    severity=Severity.WARN,
    title="A SageMaker role should not allow all actions on all resources",
    problem="A SageMaker role allows all actions on all resources",
    practices=("76",),
    fix="Grant the actions that the phase needs, on the prefixes and names that it works on.",
    types=(iam.ROLE,),
)
def no_wildcard(plan: Plan, role: Resource) -> RuleResults:
    """Check for `*`, all actions of a service, or all but some, on every resource.

    The rule covers roles that sagemaker.amazonaws.com may assume.
    """
    if not ml_evidence.is_sagemaker_role(plan, role):
        return
    policies = ml_evidence.find_role_policies(plan, role)
    wide = [(d, action) for d in policies.documents for s in d.statements for action in _list_wildcards(s)]
    if wide:
        document, action = wide[0]
        yield failure(f"{document.resource.address} allows {action} on every resource", document.path)
    elif policies.is_complete:
        yield success()
    else:
        yield unknown_result("the actions that its policies allow are not known until apply", "policy")


def _list_wildcards(statement: iam.PolicyStatement) -> list[str]:
    """Return the actions with which a statement allows a whole service, or everything, on every resource."""
    everywhere = "*" in statement.resources or statement.not_resources
    if statement.effect != "Allow" or not everywhere or statement.conditions:
        return []
    if statement.not_actions:
        return [f"everything but {', '.join(map(str, statement.not_actions))}"]
    return [action for action in statement.actions if isinstance(action, str) and action.split(":")[-1] == "*"]


@rule(
    id="SUS_ROLE_FULL_ACCESS",
    severity=Severity.WARN,
    title="A SageMaker role should not have a FullAccess policy",
    problem="A SageMaker role has a FullAccess policy",
    practices=("76",),
    fix=("Replace the managed policy with a policy for the phase: data preparation, training, pipeline or inference."),
    types=(iam.ROLE,),
)
def no_full_access(plan: Plan, role: Resource) -> RuleResults:
    """Check for AWS managed policies that allow a whole service or account."""
    if not ml_evidence.is_sagemaker_role(plan, role):
        return
    open_end: RuleResult | None = None
    for arn, attachment in _list_attached(plan, role):
        name, path = str(arn).rsplit("/", 1)[-1], attachment if attachment == _ARN_LIST else ""
        if name in _FULL_ACCESS:
            yield failure(f"{name} is attached by {attachment}", path)
            return
        if arn is UNKNOWN:
            open_end = unknown_result(f"the policy attached by {attachment} is not known until apply", path)
    yield open_end or success()


def _list_attached(plan: Plan, role: Resource) -> Iterator[tuple[str | Unknown | None, str]]:
    """Yield the ARN of each managed policy of a role that is outside this plan, and its attachment."""
    if plan.is_configured(role, _ARN_LIST) is not False:
        arns, references = role.texts(_ARN_LIST), plan.find_references(role, _ARN_LIST)
        is_in_plan = bool(references.filter_by_type(iam.POLICY)) and not references.unresolved
        for arn in [UNKNOWN] if arns is UNKNOWN else arns:
            if arn is not UNKNOWN or not is_in_plan:
                yield arn, _ARN_LIST
    attachments = plan.joins.find_sources(role, iam.ATTACHMENT, "role")
    for attachment in attachments.certain:
        if not isinstance(plan.joins.find_target(attachment, "policy_arn", iam.POLICY), Resource):
            yield attachment.text("policy_arn"), attachment.address
    yield from ((UNKNOWN, attachment.address) for attachment in attachments.possible)
