"""Scan of an account for idle resources."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sustainable_mlops.account.idle.account import AccountReader
from sustainable_mlops.account.idle.endpoints import (
    AwsRecommendation,
    find_endpoints,
    merge_recommendations,
    read_compute_optimizer,
    read_cost_optimization_hub,
)
from sustainable_mlops.account.idle.finding import IdleFinding, IdleReport, SkippedPart
from sustainable_mlops.account.idle.network import find_interface_endpoints
from sustainable_mlops.account.idle.scope import IdleScanScope, IdleScanTarget, read_tags
from sustainable_mlops.account.idle.studio import find_apps, find_notebooks, find_tracking_servers
from sustainable_mlops.account.idle.unused_resources import find_checkpoints, find_log_groups, find_unused_models
from sustainable_mlops.account.preflight.account import DeniedError
from sustainable_mlops.base.errors import UserError

_METRICS = "cloudwatch:GetMetricData"


class IdleScan(NamedTuple):
    """A part of the account, and the IAM actions that it needs."""

    find: Callable[[IdleScanScope], Iterator[IdleFinding | str]]
    actions: tuple[str, ...]


_ENDPOINT_READS = ("sagemaker:ListEndpoints", "sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig")
#: Parts in the order of the report.
PARTS: dict[str, IdleScan] = {
    "endpoints": IdleScan(find_endpoints, (*_ENDPOINT_READS, _METRICS)),
    "Studio apps": IdleScan(find_apps, ("sagemaker:ListDomains", "sagemaker:ListApps", "sagemaker:DescribeApp")),
    "notebook instances": IdleScan(find_notebooks, ("sagemaker:ListNotebookInstances",)),
    "tracking servers": IdleScan(
        find_tracking_servers,
        ("sagemaker:ListMlflowTrackingServers", "sagemaker:DescribeMlflowTrackingServer", "s3:ListBucket"),
    ),
    "configurations and models": IdleScan(
        find_unused_models,
        (
            *_ENDPOINT_READS,
            "sagemaker:ListEndpointConfigs",
            "sagemaker:ListModels",
            "sagemaker:ListTransformJobs",
            "sagemaker:DescribeTransformJob",
            "sagemaker:ListInferenceComponents",
            "sagemaker:DescribeInferenceComponent",
        ),
    ),
    "checkpoints": IdleScan(find_checkpoints, ("s3:ListAllMyBuckets", "s3:ListBucket")),
    "log groups": IdleScan(find_log_groups, ("logs:DescribeLogGroups",)),
    "interface endpoints": IdleScan(find_interface_endpoints, ("ec2:DescribeVpcEndpoints", _METRICS)),
}
_TAGS = "tags"
#: Services of AWS with findings on endpoints, and the IAM actions that they need.
_SERVICES: dict[str, tuple[Callable[[IdleScanScope], list[AwsRecommendation] | str], tuple[str, ...]]] = {
    "Compute Optimizer": (
        read_compute_optimizer,
        ("compute-optimizer:GetEnrollmentStatus", "compute-optimizer:GetIdleRecommendations"),
    ),
    "Cost Optimization Hub": (
        read_cost_optimization_hub,
        ("cost-optimization-hub:ListEnrollmentStatuses", "cost-optimization-hub:ListRecommendations"),
    ),
}


def list_actions() -> dict[str, tuple[str, ...]]:
    """Return the IAM actions of each part."""
    return {
        _TAGS: ("tag:GetResources",),
        **{name: part.actions for name, part in PARTS.items()},
        **{name: actions for name, (_, actions) in _SERVICES.items()},
    }


def is_complete(report: IdleReport) -> bool:
    """Return whether every part of the account was read. The services of AWS are optional, and may be missing."""
    return all(one.part in _SERVICES for one in report.skipped)


def find_idle(
    account: AccountReader, target: IdleScanTarget, days: float, progress: Callable[[str], None] = lambda _: None
) -> IdleReport:
    """Return the idle resources of an environment or a Region. A denied read skips only its part. Raises UserError."""
    progress(_TAGS)
    try:
        moment = account.read_time()
    except DeniedError as error:
        raise UserError(f"{target.region}: {error.reason}; check the Region, the credentials and the network") from None
    report = IdleReport(target.region, target.environment, days, moment)
    tags = None
    with _skip_if_denied(report, _TAGS):
        tags = read_tags(account)
    scope = IdleScanScope(account, target, days, moment, tags)
    for name, part in PARTS.items():
        progress(name)
        with _skip_if_denied(report, name):
            report.add(list(part.find(scope)))
    _merge_services(report, scope, progress)
    report.findings.sort(key=_get_cost, reverse=True)
    return report


def _get_cost(finding: IdleFinding) -> float:
    cost = finding.estimate.get("cost")
    return cost.central if cost is not None else 0.0


def _merge_services(report: IdleReport, scope: IdleScanScope, progress: Callable[[str], None]) -> None:
    for name, (read, _) in _SERVICES.items():
        progress(name)
        with _skip_if_denied(report, name):
            result = read(scope)
            if isinstance(result, str):
                report.notes.append(result)
            else:
                report.findings = merge_recommendations(scope, report.findings, result)


@contextmanager
def _skip_if_denied(report: IdleReport, part: str) -> Iterator[None]:
    """Add a skipped part to the report if a read inside the block is denied or fails."""
    try:
        yield
    except DeniedError as error:
        report.skipped.append(SkippedPart(part, error.reason, error.action))
