"""Statuses of MLflow tracking servers, MLflow apps and projects, and the schedules that stop and start a server."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import ROLE, catch_error, make_role, make_service_role, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]
BUCKET = "s3://runs/mlflow"
PRODUCT = {"ProductId": "prod-abcdefghijklm"}


def wait_for_status(sagemaker: Any, name: str, status: str) -> dict[str, Any]:
    def find_server() -> Any:
        server = sagemaker.describe_mlflow_tracking_server(TrackingServerName=name)
        return server if server["TrackingServerStatus"] == status else None

    server: dict[str, Any] = wait_until(find_server)
    return server


def test_a_server_is_stopped_started_changed_and_deleted(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("server")
    server = {"TrackingServerName": name}
    sagemaker.create_mlflow_tracking_server(**server, ArtifactStoreUri=BUCKET, RoleArn=ROLE)
    assert catch_error(sagemaker.create_mlflow_tracking_server, **server, ArtifactStoreUri=BUCKET, RoleArn=ROLE) == (
        "ResourceInUse",
        f"Tracking Server with ARN {find_arn(sagemaker, name)} already exists.",
    )
    created = wait_for_status(sagemaker, name, "Created")
    assert (created["IsActive"], created["TrackingServerSize"]) == ("Active", "Small")
    assert "in status CREATED, can't be started" in catch_error(sagemaker.start_mlflow_tracking_server, **server)[1]

    sagemaker.stop_mlflow_tracking_server(**server)
    assert wait_for_status(sagemaker, name, "Stopped")["IsActive"] == "Inactive"
    for refused in (sagemaker.stop_mlflow_tracking_server, sagemaker.create_presigned_mlflow_tracking_server_url):
        assert "in status STOPPED" in catch_error(refused, **server)[1]
    sagemaker.start_mlflow_tracking_server(**server)
    assert wait_for_status(sagemaker, name, "Started")["IsActive"] == "Active"
    assert sagemaker.create_presigned_mlflow_tracking_server_url(**server)["AuthorizedUrl"].startswith("https://")

    sagemaker.update_mlflow_tracking_server(**server, TrackingServerSize="Medium")
    assert wait_for_status(sagemaker, name, "Updated")["TrackingServerSize"] == "Medium"
    summaries = sagemaker.list_mlflow_tracking_servers(TrackingServerStatus="Updated")["TrackingServerSummaries"]
    assert name in [summary["TrackingServerName"] for summary in summaries]
    sagemaker.delete_mlflow_tracking_server(**server)
    wait_until(lambda: name not in str(sagemaker.list_mlflow_tracking_servers()["TrackingServerSummaries"]))
    assert catch_error(sagemaker.describe_mlflow_tracking_server, **server)[0] == "ResourceNotFound"


def find_arn(sagemaker: Any, name: str) -> str:
    return str(sagemaker.describe_mlflow_tracking_server(TrackingServerName=name)["TrackingServerArn"])


def test_a_changing_server_is_neither_stopped_nor_deleted(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("server")
    server = {"TrackingServerName": name}
    sandbox.fault("CreateMlflowTrackingServer", status_delay=600, resource=name)
    sagemaker.create_mlflow_tracking_server(**server, ArtifactStoreUri=BUCKET, RoleArn=ROLE)
    assert catch_error(sagemaker.stop_mlflow_tracking_server, **server) == (
        "ValidationException",
        f"Tracking Server with ARN {find_arn(sagemaker, name)} is currently in status CREATING, can't be stopped.",
    )
    assert catch_error(sagemaker.delete_mlflow_tracking_server, **server) == (
        "ValidationException",
        "Tracking Server is in un-deletable state (CREATING), so it cannot be deleted.",
    )


def test_a_request_has_no_patch_version_of_mlflow_and_a_description_has_one(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("server")
    server = {"TrackingServerName": name, "ArtifactStoreUri": BUCKET, "RoleArn": ROLE}
    for version in ("2.16.2", "3.0.0", "3.10"):
        assert catch_error(sagemaker.create_mlflow_tracking_server, **server, MlflowVersion=version) == (
            "ValidationException",
            "The provided MLflow version is not supported",
        )
    sagemaker.create_mlflow_tracking_server(**server, MlflowVersion="2.16")
    assert sagemaker.describe_mlflow_tracking_server(TrackingServerName=name)["MlflowVersion"] == "2.16.2"


def test_an_mlflow_app_is_changed_listed_and_deleted(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("app")
    sandbox.fault("CreateMlflowApp", status_delay=600)
    changing = sagemaker.create_mlflow_app(Name=name, ArtifactStoreUri=BUCKET, RoleArn=ROLE)["Arn"]
    assert catch_error(sagemaker.delete_mlflow_app, Arn=changing)[0] == "ConflictException"
    app = {"Arn": sagemaker.create_mlflow_app(Name=name, ArtifactStoreUri=BUCKET, RoleArn=ROLE)["Arn"]}

    def find_app(status: str) -> Any:
        description = sagemaker.describe_mlflow_app(**app)
        return description if description["Status"] == status else None

    created = wait_until(lambda: find_app("Created"))
    assert (created["Name"], created["MlflowVersion"]) == (name, "3.10.1")
    assert not {"AccountDefaultStatus", "DefaultDomainIdList"} & set(created)
    sagemaker.update_mlflow_app(**app, DefaultDomainIdList=["d-abc"])
    assert wait_until(lambda: find_app("Updated"))["DefaultDomainIdList"] == ["d-abc"]
    assert sagemaker.create_presigned_mlflow_app_url(**app)["AuthorizedUrl"].startswith("https://")
    listed = sagemaker.list_mlflow_apps(DefaultForDomainId="d-abc", Status="Updated")["Summaries"]
    assert [one["Arn"] for one in listed] == [app["Arn"]]
    sagemaker.delete_mlflow_app(**app)
    wait_until(lambda: app["Arn"] not in str(sagemaker.list_mlflow_apps()["Summaries"]))
    assert catch_error(sagemaker.describe_mlflow_app, **app)[0] == "ResourceNotFound"


def test_a_project_is_provisioned_changed_and_deleted(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("project")

    def find_project(status: str) -> Any:
        project = sagemaker.describe_project(ProjectName=name)
        return project if project["ProjectStatus"] == status else None

    assert "either" in catch_error(sagemaker.create_project, ProjectName=name)[1]
    unknown = {"ProductId": "churn"}
    assert (
        "Product churn does not exist or access was denied"
        in (
            catch_error(
                sagemaker.create_project, ProjectName=fresh("other"), ServiceCatalogProvisioningDetails=unknown
            )[1]
        )
    )
    sagemaker.create_project(ProjectName=name, ServiceCatalogProvisioningDetails=PRODUCT)
    created = wait_until(lambda: find_project("CreateCompleted"))
    assert created["ServiceCatalogProvisioningDetails"]["ProvisioningArtifactId"].startswith("pa-")
    sagemaker.update_project(ProjectName=name, ProjectDescription="Churn of customers.")
    assert wait_until(lambda: find_project("UpdateCompleted"))["ProjectDescription"] == "Churn of customers."
    assert name in [one["ProjectName"] for one in sagemaker.list_projects(NameContains=name)["ProjectSummaryList"]]
    sagemaker.delete_project(ProjectName=name)
    wait_until(lambda: sagemaker.list_projects(NameContains=name)["ProjectSummaryList"] == [])
    assert catch_error(sagemaker.describe_project, ProjectName=name)[1] == f"Project {name} does not exist"


def test_schedules_stop_and_start_a_server() -> None:
    with Sandbox.start() as sandbox:
        sagemaker, scheduler = sandbox.client("sagemaker"), sandbox.client("scheduler")
        make_role(sandbox)
        role = make_service_role(
            sandbox,
            "scheduler.amazonaws.com",
            "sagemaker:StartMlflowTrackingServer",
            "sagemaker:StopMlflowTrackingServer",
        )
        sagemaker.create_mlflow_tracking_server(TrackingServerName="runs", ArtifactStoreUri=BUCKET, RoleArn=ROLE)
        wait_for_status(sagemaker, "runs", "Created")
        for verb, hour in (("stop", 19), ("start", 7)):
            target = {
                "Arn": f"arn:aws:scheduler:::aws-sdk:sagemaker:{verb}MlflowTrackingServer",
                "RoleArn": role,
                "Input": json.dumps({"TrackingServerName": "runs"}),
            }
            scheduler.create_schedule(
                Name=verb,
                ScheduleExpression=f"cron(0 {hour} * * ? *)",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target=target,
            )
        now = sandbox.advance(0)
        evening = now.replace(hour=19, minute=1, second=0, microsecond=0)
        sandbox.advance((evening - now).total_seconds() % 86_400 + 86_400)
        wait_for_status(sagemaker, "runs", "Stopped")
        sandbox.advance(12 * 3600)
        first_start = wait_for_status(sagemaker, "runs", "Started")
        sandbox.advance(7 * 86_400)  # each schedule in between finds the status that the one before it has set
        assert wait_for_status(sagemaker, "runs", "Started")["LastModifiedTime"] > first_start["LastModifiedTime"]
