"""What SageMaker's roles may do. Encryption and public access are checkov's own checks (CKV_AWS_22, 98, 122, 187, 306,
307, 367 to 372), which the review runs beside these."""

from sustainable_mlops.plan import Plan, Resource, iam
from sustainable_mlops.rules import relation
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

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
    """`*`, or all of a service, on every resource. Of roles that sagemaker.amazonaws.com may take on."""
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
    if statement.effect != "Allow" or "*" not in statement.resources or statement.conditions:
        return []
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
    policies = relation.policies(plan, role)
    full = [arn for arn in policies.managed_arns if arn.rsplit("/", 1)[-1] in _FULL]
    if full:
        yield failed(f"{full[0].rsplit('/', 1)[-1]} is attached", "managed_policy_arns")
    elif policies.whole:
        yield passed()
    else:
        yield unknown("which policies are attached is not known until apply", "managed_policy_arns")
