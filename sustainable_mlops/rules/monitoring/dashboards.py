"""Dashboards: what an endpoint uses beside what it does."""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import ENDPOINT, SERVERLESS, kinds

DASHBOARD = "aws_cloudwatch_dashboard"


@rule(
    id="SUS_ENDPOINT_DASHBOARD",
    severity=Severity.INFO,
    title="A dashboard shows what an endpoint's instances do",
    practices=("69",),
    fix="Add an aws_cloudwatch_dashboard with the endpoint's Invocations beside its instances and their utilisation.",
    types=(ENDPOINT,),
)
def is_shown(plan: Plan, endpoint: Resource) -> Verdicts:
    """Advice: the dashboard may be elsewhere. Not of serverless endpoints, which take what they use."""
    of_endpoint = kinds(plan, endpoint)
    if of_endpoint == {SERVERLESS}:
        return
    answers = [_shows(plan, dashboard, endpoint) for dashboard in plan.joins.all(DASHBOARD)]
    if True in answers:
        yield passed()
    elif UNKNOWN in answers:
        yield unknown("what the dashboards show is not known until apply")
    elif of_endpoint is UNKNOWN:
        yield unknown("whether it has instances cannot be told from this plan", "endpoint_config_name")
    else:
        yield failed("no dashboard of this plan shows it")


def _shows(plan: Plan, dashboard: Resource, endpoint: Resource) -> bool | Unknown:
    """By reference, by name, or by a search over all endpoints."""
    path = "dashboard_body"
    body, name = dashboard.text(path), endpoint.text("name")
    if endpoint in plan.references(dashboard, path).resources:
        return True
    if not isinstance(body, str):
        return UNKNOWN
    if "SEARCH(" in body and "/SageMaker" in body:
        return True
    return name if name is UNKNOWN else f'"{name}"' in body
