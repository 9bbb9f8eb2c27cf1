"""MLflow tracking server, and the schedules that stop and start it."""

from typing import Any

from cdktn_provider_aws.iam_role_policy import IamRolePolicy
from cdktn_provider_aws.sagemaker_mlflow_tracking_server import SagemakerMlflowTrackingServer
from cdktn_provider_aws.scheduler_schedule import SchedulerSchedule
from cdktn_provider_aws.scheduler_schedule_group import SchedulerScheduleGroup

from modules.iam_statements import equals
from modules.policies import encode_policy
from modules.roles import add_service_role, encode_trust
from modules.schedules import SCHEDULER_TABLES
from modules.studio.inputs import Inputs
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    coalesce,
    each_of,
    jsonencode,
    list_of,
    merge,
    merge_all,
    optional,
    optional_map,
)
from sustainable_mlops.authoring.resources import Module

#: Key of the server. No space can have this name, because it has an underscore.
_KEY = "tracking_server"
#: Time in which Scheduler retries a stop or a start.
_RETRY_SECONDS = 3600
_RETRIES = 10
#: Maximum delay of a stop or a start. It avoids load peaks on the hour.
_WINDOW_MINUTES = 15


def add_tracking_server(module: Module[Inputs]) -> Any:
    """Add the server, and its schedules with their role. Returns a map with at most one server."""
    var = module.var
    for table, (value, why) in SCHEDULER_TABLES.items():
        module.local(table, value, why=why)
    name = module.local("tracking_server_name", f"{var.name_prefix}-tracking")
    server = each_of(optional_map(_KEY, var.tracking_server))
    servers = module.add(
        SagemakerMlflowTrackingServer,
        "this",
        for_each=server,
        tracking_server_name=name,
        artifact_store_uri=server.value.artifacts_s3_uri,
        automatic_model_registration=server.value.automatic_model_registration,
        mlflow_version=server.value.mlflow_version,
        role_arn=coalesce(server.value.role_arn, var.role_arn),
        tracking_server_size=server.value.size,
        tags=var.tags,
    )
    _add_schedules(module, servers)
    return servers


def _add_schedules(module: Module[Inputs], servers: Any) -> None:
    var, name = module.var, module.locals.tracking_server_name
    location = f"{var.region}:{var.account_id}"
    server = each_of(servers)
    groups = module.add(
        SchedulerScheduleGroup,
        "tracking_server",
        why="A separate group, because a trust policy can name a group of schedules and not a single schedule.",
        for_each=server,
        name=server.value.tracking_server_name,
        tags=var.tags,
    )
    schedule_group = f"arn:{var.partition}:scheduler:{location}:schedule-group/{name}"
    roles = add_service_role(
        module,
        "tracking_server",
        for_each=server,
        name=f"{name}-off-hours",
        description=f"Stops and starts the tracking server {name}",
        trust=encode_trust(
            ["scheduler.amazonaws.com"],
            equals("aws:SourceAccount", var.account_id),
            {"test": "ArnEquals", "variable": "aws:SourceArn", "values": [schedule_group]},
            sid="StopAndStart",
        ),
    )
    role = each_of(roles)
    policies = module.add(
        IamRolePolicy,
        "tracking_server",
        for_each=role,
        name="stop-and-start",
        role=role.value.name,
        policy=encode_policy(
            {
                "sid": "StopAndStart",
                "actions": ["sagemaker:StartMlflowTrackingServer", "sagemaker:StopMlflowTrackingServer"],
                "resources": [f"arn:{var.partition}:sagemaker:{location}:mlflow-tracking-server/{name}"],
            }
        ),
    )
    schedule = each_of(
        merge_all(
            list_of(
                optional(var.tracking_server),
                lambda one: merge({"stop": one.off_hours.begin}, optional_map("start", one.off_hours.end)),
            )
        )
    )
    module.add(
        SchedulerSchedule,
        "tracking_server",
        why="Universal targets, because Scheduler has no target of its own for tracking servers.",
        skips={"CKV_AWS_297": "It contains a name, no secret; a separate key would only add KMS calls"},
        for_each=schedule,
        name=schedule.key,
        group_name=groups[_KEY].name,
        schedule_expression=schedule.value,
        schedule_expression_timezone=assume_not_null(var.tracking_server).off_hours.timezone,
        flexible_time_window={"mode": "FLEXIBLE", "maximum_window_in_minutes": _WINDOW_MINUTES},
        target={
            "arn": f"arn:{var.partition}:scheduler:::aws-sdk:sagemaker:{schedule.key}MlflowTrackingServer",
            "input": jsonencode({"TrackingServerName": servers[_KEY].tracking_server_name}),
            "role_arn": roles[_KEY].arn,
            "retry_policy": {
                "maximum_event_age_in_seconds": _RETRY_SECONDS,
                "maximum_retry_attempts": _RETRIES,
            },
        },
        depends_on=[policies],
    )
