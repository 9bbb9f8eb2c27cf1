"""IAM statements that every SageMaker container needs: logs, metrics and images."""

from collections.abc import Iterable
from typing import Any

from modules.iam_statements import ArnLocation, build_statement


def write_logs(at: ArnLocation, group: str) -> dict[str, Any]:
    """Return the statement to write to a log group. A name that ends with * matches several groups."""
    return build_statement(
        "Logs",
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        [f"arn:{at.partition}:logs:{at.region}:{at.account_id}:log-group:{group}"],
    )


def publish_metrics(*namespaces: str) -> dict[str, Any]:
    """Return the statement to publish metrics, which has no resource, in these namespaces only."""
    return build_statement(
        "Metrics",
        ["cloudwatch:PutMetricData"],
        ["*"],
        {"test": "StringLike", "variable": "cloudwatch:namespace", "values": list(namespaces)},
    )


def log_in_to_registry() -> dict[str, Any]:
    """Return the statement to get a token for image registries, which has no resource."""
    return build_statement("RegistryLogin", ["ecr:GetAuthorizationToken"], ["*"])


def pull_images(repositories: Iterable[str]) -> dict[str, Any]:
    """Return the statement to pull images from these repository ARNs."""
    return build_statement(
        "PullImages",
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        repositories,
    )
