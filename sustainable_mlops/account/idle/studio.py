"""Resources that people use interactively: Studio apps, notebook instances and MLflow tracking servers."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sustainable_mlops.account.idle.finding import IdleFinding, IdleKind, describe_unknown, estimate_month
from sustainable_mlops.account.idle.scope import IdleScanScope
from sustainable_mlops.account.studio_apps import APP_MEMBERS, identify
from sustainable_mlops.aws import S3Uri
from sustainable_mlops.catalogue import service_prices
from sustainable_mlops.footprint import FleetActivity, FootprintEstimate, make_exact
from sustainable_mlops.footprint.activities import ServiceActivity

_NO_WORK = make_exact(0.0, "no work")
#: Types of apps with an instance of their own that reports the activity of its user.
_APP_TYPES = ("CodeEditor", "JupyterLab", "JupyterServer", "KernelGateway")
#: Instance type of apps that cost nothing.
_FREE = "system"
#: Statuses of a tracking server that runs.
_RUNNING_SERVERS = (
    "Created",
    "MaintenanceComplete",
    "MaintenanceFailed",
    "Started",
    "StopFailed",
    "Updated",
    "UpdateFailed",
)
#: Largest difference of two times that count as equal.
_SAME = timedelta(seconds=1)


def find_apps(scope: IdleScanScope) -> Iterator[IdleFinding | str]:
    """Yield the apps without user activity in the period.

    SageMaker's health checks can also update the time of the last activity. So the use of an app is unknown if both
    times are equal and recent. Source: LastUserActivityTimestamp of DescribeApp in the API reference.
    """
    domains = {one["DomainId"]: one for one in scope.account.list_all("sagemaker", "list_domains", "Domains")}
    for summary in scope.account.list_all("sagemaker", "list_apps", "Apps"):
        instance_type = summary.get("ResourceSpec", {}).get("InstanceType", _FREE)
        if summary["Status"] != "InService" or summary["AppType"] not in _APP_TYPES or instance_type == _FREE:
            continue
        domain = domains.get(summary["DomainId"], {})
        identity = identify(summary, *APP_MEMBERS)
        app = scope.account.call("sagemaker", "describe_app", **identity)
        owner = summary.get("SpaceName") or summary.get("UserProfileName")
        name = f"{domain.get('DomainName', summary['DomainId'])}/{owner}/{summary['AppType']}/{summary['AppName']}"
        is_included = scope.includes(name, app["AppArn"], domain.get("DomainArn", ""))
        if not is_included or not scope.is_older(app["CreationTime"]):
            continue
        activity = app.get("LastUserActivityTimestamp")
        if scope.is_older(activity):
            yield IdleFinding(
                IdleKind.APP,
                name,
                f"no user activity for {scope.count_days(activity)}, on {instance_type}",
                "a domain of studio, which stops idle apps",
                estimate_month(FleetActivity(instance_type, scope.region, duty=_NO_WORK)),
                app["AppArn"],
                identity=identity,
            )
        elif activity is None or _is_health_check(activity, app.get("LastHealthCheckTimestamp")):
            yield f"app {name}: its last activity may be a health check, so its use is unknown"


def _is_health_check(activity: datetime, check: datetime | None) -> bool:
    return check is not None and abs(activity - check) <= _SAME


def find_notebooks(scope: IdleScanScope) -> Iterator[IdleFinding | str]:
    """Yield the notebook instances that have run for the whole period. AWS reports no activity of them."""
    running = {"StatusEquals": "InService"}
    for notebook in scope.account.list_all("sagemaker", "list_notebook_instances", "NotebookInstances", **running):
        name, arn = notebook["NotebookInstanceName"], notebook["NotebookInstanceArn"]
        start, instance_type = notebook["LastModifiedTime"], notebook["InstanceType"]
        if scope.includes(name, arn) and scope.is_older(start):
            yield IdleFinding(
                IdleKind.NOTEBOOK,
                name,
                f"has run for {scope.count_days(start)}, on {instance_type}",
                "a space of studio, whose idle apps stop",
                estimate_month(FleetActivity(instance_type, scope.region, duty=_NO_WORK)),
                arn,
                scope.find_manager(arn),
                {"NotebookInstanceName": name},
            )


def find_tracking_servers(scope: IdleScanScope) -> Iterator[IdleFinding | str]:
    """Yield the running tracking servers without a new artifact in the period.

    AWS reports no requests of tracking servers, so new objects in the artifact store stand for use.
    """
    for server in scope.account.list_all("sagemaker", "list_mlflow_tracking_servers", "TrackingServerSummaries"):
        name, arn, start = server["TrackingServerName"], server["TrackingServerArn"], server["LastModifiedTime"]
        is_running = server["TrackingServerStatus"] in _RUNNING_SERVERS and server.get("IsActive") != "Inactive"
        if not is_running or not scope.includes(name, arn) or not scope.is_older(start):
            continue
        description = scope.account.call("sagemaker", "describe_mlflow_tracking_server", TrackingServerName=name)
        store = S3Uri.parse(description["ArtifactStoreUri"])
        objects = scope.account.list_all("s3", "list_objects_v2", "Contents", Bucket=store.bucket, Prefix=store.key)
        if any(not scope.is_older(one["LastModified"]) for one in objects):
            continue
        yield IdleFinding(
            IdleKind.TRACKING_SERVER,
            name,
            f"no new artifact for {scope.period}, size {description['TrackingServerSize']}",
            "tracking_server.off_hours (studio)",
            _estimate_server(description["TrackingServerSize"], scope.region),
            arn,
            scope.find_manager(arn),
            {"TrackingServerName": name},
        )


def _estimate_server(size: str, region: str) -> FootprintEstimate:
    """Return the cost of a tracking server; AWS publishes neither its instance type nor its energy."""
    for price in service_prices.load_by_type().get("aws_sagemaker_mlflow_tracking_server", ()):
        if all(size in (one.values or (size,)) for one in price.conditions):
            return estimate_month(ServiceActivity(price.item, region))
    return describe_unknown(f"no price known for a tracking server of size {size}")
