"""What a container needs of its role wherever SageMaker runs it: its logs, its metrics and its image."""

from collections.abc import Iterable
from typing import Any

from modules.iam_statements import ArnLocation, build_statement


def write_logs(at: ArnLocation, group: str) -> dict[str, Any]:
    """Writing to a log group; a name that ends with * stands for many."""
    return build_statement(
        "Logs",
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        [f"arn:{at.partition}:logs:{at.region}:{at.account_id}:log-group:{group}"],
    )


def publish_metrics(*namespaces: str) -> dict[str, Any]:
    """Publishing metrics, an action that knows no resource, in these namespaces alone."""
    return build_statement(
        "Metrics",
        ["cloudwatch:PutMetricData"],
        ["*"],
        {"test": "StringLike", "variable": "cloudwatch:namespace", "values": list(namespaces)},
    )


def log_in_to_registry() -> dict[str, Any]:
    """A token for image registries, an action that knows no resource."""
    return build_statement("RegistryLogin", ["ecr:GetAuthorizationToken"], ["*"])


def pull_images(repositories: Iterable[str]) -> dict[str, Any]:
    """Pulling images from these repositories, by ARN."""
    return build_statement(
        "PullImages",
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        repositories,
    )
