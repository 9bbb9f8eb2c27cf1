"""Unused resources: configurations, models, checkpoints and logs without retention."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

from sustainable_mlops.account.idle.finding import IdleFinding, IdleKind, estimate_month
from sustainable_mlops.account.idle.model_users import list_models, list_transform_models, list_used_configurations
from sustainable_mlops.account.idle.scope import IdleScanScope
from sustainable_mlops.catalogue.limits import LogRetentionDays
from sustainable_mlops.catalogue.regions import find_partition
from sustainable_mlops.footprint import FootprintEstimate, StorageActivity, make_exact
from sustainable_mlops.footprint.activities import ServiceActivity

#: Log groups that SageMaker writes.
SAGEMAKER_LOGS = "/aws/sagemaker/"
_ENDPOINT_LOGS = "/aws/sagemaker/Endpoints/"
_BYTES_PER_GB = 1e9
#: Retention periods that the advice may name.
_RETENTION_DAYS: tuple[int, ...] = tuple(days for days in get_args(LogRetentionDays) if days >= 30)
#: Prefix of checkpoints, and the number of its folders with the workload and the run; see jobs/layout.py.
_CHECKPOINTS, _DEPTH = "checkpoints/", 3


def find_unused_models(scope: IdleScanScope) -> Iterator[IdleFinding | str]:
    """Yield configurations without an endpoint, and models without a configuration in use or a recent job."""
    account = scope.account
    used = list_used_configurations(account)
    remaining_configs = []
    for summary in account.list_all("sagemaker", "list_endpoint_configs", "EndpointConfigs"):
        name, arn = summary["EndpointConfigName"], summary["EndpointConfigArn"]
        is_unused = name not in used and scope.is_older(summary["CreationTime"])
        if is_unused and scope.includes(name, arn):
            yield _build_unused_finding(
                scope, IdleKind.ENDPOINT_CONFIG, name, arn, "no endpoint uses it", "EndpointConfigName"
            )
        else:
            remaining_configs.append(name)
    models_in_use = list_models(account, remaining_configs, used)
    for filters in ({"LastModifiedTimeAfter": scope.since}, {"StatusEquals": "InProgress"}):
        models_in_use |= list_transform_models(account, **filters)
    for summary in account.list_all("sagemaker", "list_models", "Models"):
        name, arn = summary["ModelName"], summary["ModelArn"]
        is_unused = name not in models_in_use and scope.is_older(summary["CreationTime"])
        if is_unused and scope.includes(name, arn):
            problem = "no endpoint and no transform job uses it"
            yield _build_unused_finding(scope, IdleKind.MODEL, name, arn, problem, "ModelName")


def _build_unused_finding(
    scope: IdleScanScope, kind: IdleKind, name: str, arn: str, problem: str, member: str
) -> IdleFinding:
    return IdleFinding(
        kind, name, problem, "none: it costs nothing", arn=arn, manager=scope.find_manager(arn), identity={member: name}
    )


def find_checkpoints(scope: IdleScanScope) -> Iterator[IdleFinding | str]:
    """Yield the runs without a new checkpoint in the period, in the buckets of artifacts."""
    for bucket in scope.account.list_all("s3", "list_buckets", "Buckets"):
        name = bucket["Name"]
        is_platform_bucket = "-artifacts-" in name and name.endswith(f"-{scope.region}")
        if is_platform_bucket and scope.includes(name, _build_bucket_arn(scope, name)):
            yield from _find_checkpoints(scope, name)


def _build_bucket_arn(scope: IdleScanScope, bucket: str) -> str:
    return f"arn:{find_partition(scope.region)}:s3:::{bucket}"


def _find_checkpoints(scope: IdleScanScope, bucket: str) -> Iterator[IdleFinding]:
    size: dict[str, int] = defaultdict(int)
    newest: dict[str, datetime] = {}
    for one in scope.account.list_all("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=_CHECKPOINTS):
        prefix = "/".join(one["Key"].split("/")[:_DEPTH])
        size[prefix] += one["Size"]
        newest[prefix] = max(newest.get(prefix, one["LastModified"]), one["LastModified"])
    for prefix, moment in newest.items():
        if scope.is_older(moment):
            gb = size[prefix] / _BYTES_PER_GB
            yield IdleFinding(
                IdleKind.CHECKPOINTS,
                f"s3://{bucket}/{prefix}/",
                f"{gb:.3g} GB, not written for {scope.count_days(moment)}",
                "lifecycle_days.checkpoints (storage)",
                estimate_month(StorageActivity("STANDARD", scope.region, make_exact(gb))),
                f"{_build_bucket_arn(scope, bucket)}/{prefix}/",
            )


def find_log_groups(scope: IdleScanScope) -> Iterator[IdleFinding | str]:
    """Yield the log groups of SageMaker and of the environment that keep their events forever."""
    for group in scope.account.list_all("logs", "describe_log_groups", "logGroups"):
        name, arn = group["logGroupName"], group["arn"].removesuffix(":*")
        is_own = name.startswith(SAGEMAKER_LOGS) or bool(scope.target.environment)
        if "retentionInDays" in group or not is_own or not _includes_group(scope, name, arn):
            continue
        gb = group.get("storedBytes", 0) / _BYTES_PER_GB
        module = "the endpoint's module" if name.startswith(_ENDPOINT_LOGS) else "observability"
        yield IdleFinding(
            IdleKind.LOG_GROUP,
            name,
            f"keeps {gb:.3g} GB of events without retention",
            f"log_retention_days ({module})",
            _estimate_logs(gb, scope.region),
            arn,
            scope.find_manager(arn),
            _identify_retention(scope, group),
        )


def _includes_group(scope: IdleScanScope, name: str, arn: str) -> bool:
    """Return whether a log group belongs to the scan. All environments of a Region share the groups of jobs."""
    is_shared = name.startswith(SAGEMAKER_LOGS) and not name.startswith(_ENDPOINT_LOGS)
    return is_shared or scope.includes(name, arn)


def _identify_retention(scope: IdleScanScope, group: dict[str, Any]) -> dict[str, Any]:
    created = datetime.fromtimestamp(group["creationTime"] / 1000, UTC)
    return {"logGroupName": group["logGroupName"], "retentionInDays": choose_retention(created, scope.moment)}


def choose_retention(created: datetime, moment: datetime) -> int:
    """Return the shortest retention of at least 30 days that deletes no existing event of a log group."""
    age = (moment - created).total_seconds() / 86_400
    return next((days for days in _RETENTION_DAYS if days > age), _RETENTION_DAYS[-1])


def _estimate_logs(gb: float, region: str) -> FootprintEstimate:
    return estimate_month(ServiceActivity("GB of stored logs", region, make_exact(gb)))
