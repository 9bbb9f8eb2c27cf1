"""MLflow tracking servers: their statuses. MLflow itself does not run.

The messages of a refused Stop and Delete are AWS's: https://github.com/aws/amazon-sagemaker-feedback/issues/104. The
other messages have the same form. AWS documents no list of the statuses in which an operation is allowed, so the
sandbox refuses all operations on a server that is changing.

A request has a version such as 2.16, and a description the version with its patch:
https://github.com/hashicorp/terraform-provider-aws/issues/42276.
"""

from typing import ClassVar

from sagemaker_sandbox.base.errors import ResourceInUseError, ResourceNotFoundError, ValidationError
from sagemaker_sandbox.resources.handlers import stored_operation
from sagemaker_sandbox.resources.listing import list_page
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, SageMakerResource, now

_NOTE = "Stored, with the statuses of AWS. MLflow does not run."
#: Versions in descriptions, by version in requests. Sources: Amazon SageMaker Developer Guide,
#: "Integrate MLflow with your environment"; https://github.com/aws-samples/sample-mlops-bestpractices/issues/49.
_VERSIONS = {"2.13": "2.13.2", "2.16": "2.16.2", "3.0": "3.0.0"}
_DEFAULT_VERSION = "3.0"
_STATUS = "TrackingServerStatus"
_RUNNING = ("Created", "Updated", "Started", "StopFailed")
_STOPPED = ("Stopped", "StartFailed")


#: Value of IsActive after a change to a status. Other statuses do not change it.
_ACTIVITY = {
    "Creating": "Inactive",
    "Created": "Active",
    "Started": "Active",
    "Stopped": "Inactive",
    "Deleting": "Inactive",
}


class TrackingServers(ResourceFamily):
    """Handlers of the operations on MLflow tracking servers."""

    arn_type = "mlflow-tracking-server"
    noun = "Tracking Server"
    #: Statuses in which each operation is allowed.
    _allowed: ClassVar[dict[str, tuple[str, ...]]] = {
        "started": _STOPPED,
        "stopped": _RUNNING,
        "updated": (*_RUNNING, *_STOPPED, "UpdateFailed"),
        "deleted": (*_RUNNING, *_STOPPED, "CreateFailed", "DeleteFailed", "UpdateFailed"),
    }

    @stored_operation(_NOTE)
    def create_mlflow_tracking_server(self, request: Fields) -> Fields:
        """Create a server: Creating, then Created."""
        name = request["TrackingServerName"]
        if self.find(name) is not None:
            raise ResourceInUseError(f"{self.noun} with ARN {self.build_arn(name)} already exists.")
        version = request.get("MlflowVersion", _DEFAULT_VERSION)
        if version not in _VERSIONS:
            raise ValidationError("The provided MLflow version is not supported")
        defaults = {
            "AutomaticModelRegistration": False,
            "TrackingServerSize": "Small",
            "WeeklyMaintenanceWindowStart": "Tue:03:30",
        }
        server = self.add(name, defaults | request | {"MlflowVersion": _VERSIONS[version]}, request.get("Tags"))
        server.fields |= {
            "TrackingServerArn": server.arn,
            "TrackingServerUrl": f"https://{name}.mlflow.{self.region.name}.sagemaker.aws",
        }
        self._change(server, "CreateMlflowTrackingServer", "Creating", "Created")
        return {"TrackingServerArn": server.arn}

    @stored_operation(_NOTE)
    def describe_mlflow_tracking_server(self, request: Fields) -> Fields:
        """Return a server."""
        return self.get(request["TrackingServerName"]).fields

    @stored_operation(_NOTE)
    def list_mlflow_tracking_servers(self, request: Fields) -> Fields:
        """Return summaries."""
        filters = {member: request[member] for member in (_STATUS, "MlflowVersion") if member in request}
        return list_page(
            "ListMlflowTrackingServers", request, self, name="TrackingServerName", status=_STATUS, filters=filters
        )

    @stored_operation(_NOTE)
    def update_mlflow_tracking_server(self, request: Fields) -> Fields:
        """Change a server: Updating, then Updated."""
        server = self._get_for_change(request, "updated")
        server.fields |= request
        self._change(server, "UpdateMlflowTrackingServer", "Updating", "Updated")
        return {"TrackingServerArn": server.arn}

    @stored_operation(_NOTE)
    def start_mlflow_tracking_server(self, request: Fields) -> Fields:
        """Start a stopped server: Starting, then Started."""
        server = self._get_for_change(request, "started")
        self._change(server, "StartMlflowTrackingServer", "Starting", "Started")
        return {"TrackingServerArn": server.arn}

    @stored_operation(_NOTE)
    def stop_mlflow_tracking_server(self, request: Fields) -> Fields:
        """Stop a running server: Stopping, then Stopped."""
        server = self._get_for_change(request, "stopped")
        self._change(server, "StopMlflowTrackingServer", "Stopping", "Stopped")
        return {"TrackingServerArn": server.arn}

    @stored_operation(_NOTE)
    def delete_mlflow_tracking_server(self, request: Fields) -> Fields:
        """Delete a server. Its artifacts in S3 stay."""
        server = self.get(request["TrackingServerName"])
        status = server.fields[_STATUS]
        if status not in self._allowed["deleted"]:
            raise ValidationError(f"{self.noun} is in un-deletable state ({status.upper()}), so it cannot be deleted.")
        server.fields |= _build_status("Deleting")
        self.schedule_deletion(server, "DeleteMlflowTrackingServer")
        return {"TrackingServerArn": server.arn}

    @stored_operation(_NOTE)
    def create_presigned_mlflow_tracking_server_url(self, request: Fields) -> Fields:
        """Return an address of a running server. Nothing answers there."""
        server = self._get_for_change(request, "stopped")
        return {"AuthorizedUrl": f"{server.fields['TrackingServerUrl']}/auth?authToken=none"}

    def _get_for_change(self, request: Fields, change: str) -> SageMakerResource:
        """Return the server. Raises ValidationError if its status does not allow the change."""
        server = self.get(request["TrackingServerName"])
        status = server.fields[_STATUS]
        if status not in self._allowed[change]:
            raise ValidationError(
                f"{self.noun} with ARN {server.arn} is currently in status {status.upper()}, can't be {change}."
            )
        return server

    def _change(self, server: SageMakerResource, operation: str, during: str, after: str) -> None:
        """Set the status `during`, then `after`."""
        server.fields |= _build_status(during) | {"LastModifiedTime": now()}
        self.schedule_change(server, operation, _build_status(after))

    def create_not_found_error(self, name: str) -> Exception:
        """Return the error for a name that does not exist."""
        return ResourceNotFoundError(f"{self.noun} with ARN {self.build_arn(name)} does not exist.")


def _build_status(status: str) -> Fields:
    return {_STATUS: status} | ({"IsActive": _ACTIVITY[status]} if status in _ACTIVITY else {})
