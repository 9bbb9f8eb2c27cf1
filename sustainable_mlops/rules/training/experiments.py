"""Tracking of experiments."""

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, rule


@rule(
    id="SUS_MLFLOW_SERVER",
    severity=Severity.WARN,
    title="Experiments are tracked without a server that always runs",
    practices=("40",),
    fix="Use aws_sagemaker_mlflow_app, which is serverless, or stop the server when nobody works.",
    types=("aws_sagemaker_mlflow_tracking_server",),
)
def no_tracking_server(_: Plan, server: Resource) -> Verdicts:
    """A tracking server is billed by the hour, whether anybody tracks anything or not."""
    path = "tracking_server_size"
    yield failed(f"a server of size {server.get(path, 'Small')} runs day and night", path)
