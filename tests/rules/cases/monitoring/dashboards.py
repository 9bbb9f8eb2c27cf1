"""Cases of rules/monitoring/dashboards.py."""

from tests.rules.endpoints import ENDPOINT, UNKNOWN, Resources, build_real_time, build_serverless


def _build_dashboard(body: str) -> Resources:
    return {**build_real_time(), "aws_cloudwatch_dashboard.d": {"dashboard_name": "delay", "dashboard_body": body}}


CASES = {
    "SUS_ENDPOINT_DASHBOARD": {
        "pass": {
            "by name": _build_dashboard(
                '{"widgets": [{"metrics": [["AWS/SageMaker", "Invocations", "EndpointName", "delay"]]}]}'
            ),
            "by a reference": _build_dashboard(f"${{{ENDPOINT}.arn}}"),
            "by a search": _build_dashboard("SEARCH('{AWS/SageMaker,EndpointName,VariantName} Invocations', 'Sum')"),
        },
        "fail": {
            "no dashboard": build_real_time(),
            "a dashboard of another endpoint": _build_dashboard(
                '{"widgets": [{"metrics": [["AWS/SageMaker", "Invocations", "EndpointName", "fares"]]}]}'
            ),
        },
        "unknown": {
            "unknown": _build_dashboard(UNKNOWN),
            "unknown kind of endpoint": {ENDPOINT: {"name": "delay", "endpoint_config_name": UNKNOWN}},
        },
        "not_applicable": {"serverless": build_serverless()},
    }
}
