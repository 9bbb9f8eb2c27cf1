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
            "with all others": _build_dashboard("SEARCH('{AWS/SageMaker,EndpointName,VariantName} Invocations', 'Sum')"),
        },
        "fail": {
            "no dashboard": build_real_time(),
            "another's": _build_dashboard(
                '{"widgets": [{"metrics": [["AWS/SageMaker", "Invocations", "EndpointName", "fares"]]}]}'
            ),
        },
        "unknown": {
            "not known": _build_dashboard(UNKNOWN),
            "whether it has instances not known": {ENDPOINT: {"name": "delay", "endpoint_config_name": UNKNOWN}},
        },
        "not_applicable": {"serverless": build_serverless()},
    },
}
