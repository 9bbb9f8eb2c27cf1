"""Dashboards with the capacity and the load of an endpoint."""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import ENDPOINT, SERVERLESS, find_kinds

DASHBOARD = "aws_cloudwatch_dashboard"


@rule(
    id="SUS_ENDPOINT_DASHBOARD",
    severity=Severity.INFO,
    title="A dashboard should show an endpoint's instances and requests",
    problem="No dashboard shows an endpoint's instances and requests",
    practices=("69",),
    fix="Add an aws_cloudwatch_dashboard with the endpoint's Invocations, its instances and their utilization.",
    types=(ENDPOINT,),
)
def endpoint_dashboard(plan: Plan, endpoint: Resource) -> RuleResults:
    """Check for a dashboard. This is advice: the dashboard may be elsewhere. Serverless endpoints have no instances."""
    endpoint_kinds = find_kinds(plan, endpoint)
    if endpoint_kinds == {SERVERLESS}:
        return
    matches = [_shows_endpoint(plan, dashboard, endpoint) for dashboard in plan.joins.list_existing(DASHBOARD)]
    if True in matches:
        yield success()
    elif UNKNOWN in matches:
        yield unknown_result("the content of the dashboards is not known until apply")
    elif endpoint_kinds is UNKNOWN:
        yield unknown_result("this plan does not show whether the endpoint has instances", "endpoint_config_name")
    else:
        yield failure("no dashboard in this plan shows the endpoint")


def _shows_endpoint(plan: Plan, dashboard: Resource, endpoint: Resource) -> bool | Unknown:
    """Return whether a dashboard shows the endpoint: by reference, by name, or by a search over all endpoints."""
    path = "dashboard_body"
    body, name = dashboard.text(path), endpoint.text("name")
    if endpoint in plan.find_references(dashboard, path).resources:
        return True
    if not isinstance(body, str):
        return UNKNOWN
    if "SEARCH(" in body and "/SageMaker" in body:
        return True
    return name if name is UNKNOWN else f'"{name}"' in body
