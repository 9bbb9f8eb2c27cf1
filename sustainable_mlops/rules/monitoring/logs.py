"""Logs of SageMaker's jobs and endpoints."""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.rules.attributes import check_value
from sustainable_mlops.rules.ml_evidence import SAGEMAKER
from sustainable_mlops.rules.rule import RuleResults, Severity, rule

LOG_GROUP = "aws_cloudwatch_log_group"


@rule(
    id="SUS_LOG_RETENTION",
    severity=Severity.WARN,
    title="SageMaker logs should expire",
    problem="SageMaker logs never expire",
    practices=("43",),
    fix="Set retention_in_days. The default, 0, keeps logs forever.",
    types=(LOG_GROUP,),
)
def logs_expire(plan: Plan, group: Resource) -> RuleResults:
    """Check log groups below /aws/sagemaker/, and groups whose name comes from a SageMaker resource."""
    name, prefix = group.text("name"), group.text("name_prefix")
    names = [text.lower() for text in (name, prefix) if isinstance(text, str)]
    if not any(text.startswith("/aws/sagemaker/") for text in names) and not _is_of_sagemaker(plan, group, name):
        return
    yield check_value(
        group.number("retention_in_days"), "retention_in_days", lambda days: bool(days), "logs are kept forever"
    )


def _is_of_sagemaker(plan: Plan, group: Resource, name: str | Unknown | None) -> bool:
    """Return whether an unknown name comes from a SageMaker resource."""
    references = plan.find_references(group, "name").resources if name is UNKNOWN else ()
    return any(resource.type.startswith(SAGEMAKER) for resource in references)
