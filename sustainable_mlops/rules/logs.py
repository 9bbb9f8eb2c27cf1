"""Logs of SageMaker's jobs and endpoints."""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.reading import judge
from sustainable_mlops.rules.relation import SAGEMAKER
from sustainable_mlops.rules.rule import Severity, Verdicts, rule

LOG_GROUP = "aws_cloudwatch_log_group"


@rule(
    id="SUS_LOG_RETENTION",
    severity=Severity.WARN,
    title="SageMaker's logs expire",
    practices=("43",),
    fix="Set retention_in_days; 0, the default, keeps them for ever.",
    types=(LOG_GROUP,),
)
def logs_expire(plan: Plan, group: Resource) -> Verdicts:
    """Of groups below /aws/sagemaker/, and of those whose name comes from a SageMaker resource."""
    name = group.text("name")
    if name is UNKNOWN:
        if not any(r.type.startswith(SAGEMAKER) for r in plan.references(group, "name").resources):
            return
    elif name is None or not name.lower().startswith("/aws/sagemaker/"):
        return
    yield judge(
        group.number("retention_in_days"), "retention_in_days", lambda days: bool(days), "logs are kept for ever"
    )
