"""Experiment tracking."""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.plan.schedules import find_calling_schedules
from sustainable_mlops.plan.values import combine_any
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result


@rule(
    id="SUS_MLFLOW_SERVER",
    severity=Severity.WARN,
    title="Experiment tracking should not need a server that always runs",
    problem="Experiment tracking needs a server that always runs",
    practices=("40",),
    fix="Use aws_sagemaker_mlflow_app, which is serverless, or stop the server with an aws_scheduler_schedule.",
    types=("aws_sagemaker_mlflow_tracking_server",),
)
def tracking_server_stops(plan: Plan, server: Resource) -> RuleResults:
    """Check for a schedule that stops the server: it is billed by the hour, even while nobody uses it."""
    path = "tracking_server_size"
    schedules = find_calling_schedules("sagemaker:stopMlflowTrackingServer", server, "tracking_server_name", plan.joins)
    stops = combine_any(calls_server for _, calls_server in schedules)
    if stops is UNKNOWN:
        yield unknown_result("it is not known until apply what stops it", path)
    elif stops:
        yield success()
    else:
        yield failure(f"a server of size {server.get(path, 'Small')} runs all day", path)
