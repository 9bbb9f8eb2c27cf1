"""What SageMaker's roles may do. Encryption and public access are checkov's own checks (CKV_AWS_22, 98, 122, 187, 306,
307, 367 to 372), which the review runs beside these."""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown, iam
from sustainable_mlops.rules import relation
from sustainable_mlops.rules.rule import Severity, Verdict, Verdicts, failed, passed, rule, unknown

_LISTED = "managed_policy_arns"
_FULL = ("AdministratorAccess", "PowerUserAccess", "AmazonSageMakerFullAccess", "AmazonS3FullAccess", "IAMFullAccess")


@rule(
    id="SUS_ROLE_WILDCARD",
    severity=Severity.WARN,
    title="A role of SageMaker may not do everything",
    practices=("76",),
    fix="Grant the actions that the phase needs, on the prefixes and names that it works on.",
    types=(iam.ROLE,),
)
def no_wildcard(plan: Plan, role: Resource) -> Verdicts:
    """`*`, all of a service, or all but some, on every resource. Of roles that sagemaker.amazonaws.com may take on."""
    if not relation.is_role(plan, role):
        return
    policies = relation.policies(plan, role)
    wide = [(d, action) for d in policies.documents for s in d.statements for action in _wide(s)]
    if wide:
        document, action = wide[0]
        yield failed(f"{document.resource.address} allows {action} on every resource", document.path)
    elif policies.whole:
        yield passed()
    else:
        yield unknown("what its policies allow is not known until apply", "policy")


def _wide(statement: iam.Statement) -> list[str]:
    """The actions with which a statement gives all of a service, or everything, on every resource."""
    everywhere = "*" in statement.resources or statement.not_resources
    if statement.effect != "Allow" or not everywhere or statement.conditions:
        return []
    if statement.not_actions:
        return [f"everything but {', '.join(map(str, statement.not_actions))}"]
    return [action for action in statement.actions if isinstance(action, str) and action.split(":")[-1] == "*"]


@rule(
    id="SUS_ROLE_FULL_ACCESS",
    severity=Severity.WARN,
    title="A role of SageMaker has no FullAccess policy",
    practices=("76",),
    fix="Replace the managed policy by one for the phase: data preparation, training, pipeline or inference.",
    types=(iam.ROLE,),
)
def no_full_access(plan: Plan, role: Resource) -> Verdicts:
    """AWS's managed policies that open all of a service or account."""
    if not relation.is_role(plan, role):
        return
    open_end: Verdict | None = None
    for arn, by in _attached(plan, role):
        name, path = str(arn).rsplit("/", 1)[-1], by if by == _LISTED else ""
        if name in _FULL:
            yield failed(f"{name} is attached, by {by}", path)
            return
        if arn is UNKNOWN:
            open_end = unknown(f"what is attached by {by} is not known until apply", path)
    yield open_end or passed()


def _attached(plan: Plan, role: Resource) -> Iterator[tuple[str | Unknown | None, str]]:
    """The ARNs of a role's managed policies, those of this plan apart, and what attaches each."""
    if plan.configured(role, _LISTED) is not False:
        listed, named = role.texts(_LISTED), plan.references(role, _LISTED)
        ours = bool(named.of(iam.POLICY)) and not named.unresolved
        for arn in [UNKNOWN] if listed is UNKNOWN else listed:
            if arn is not UNKNOWN or not ours:
                yield arn, _LISTED
    attachments = plan.joins.sources(role, iam.ATTACHMENT, "role")
    for attachment in attachments.sure:
        if not isinstance(plan.joins.target(attachment, "policy_arn", iam.POLICY), Resource):
            yield attachment.text("policy_arn"), attachment.address
    yield from ((UNKNOWN, attachment.address) for attachment in attachments.maybe)
