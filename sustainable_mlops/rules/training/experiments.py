"""Experiment tracking."""

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule


@rule(
    id="SUS_MLFLOW_SERVER",
    severity=Severity.WARN,
    title="Experiment tracking should not need a server that always runs",
    problem="Experiment tracking needs a server that always runs",
    practices=("40",),
    fix="Use aws_sagemaker_mlflow_app, which is serverless, or stop the server while nobody uses it.",
    types=("aws_sagemaker_mlflow_tracking_server",),
)
def no_tracking_server(_: Plan, server: Resource) -> RuleResults:
    """Report a tracking server: it is billed by the hour, even while nobody uses it."""
    path = "tracking_server_size"
    yield failure(f"a server of size {server.get(path, 'Small')} runs all day", path)
