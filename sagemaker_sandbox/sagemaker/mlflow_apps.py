"""Serverless MLflow apps: their statuses. MLflow itself does not run.

Sources: SageMaker API reference; the Terraform provider (`mlflow_app_test.go`), for the form of the ARN and the members
that a description lacks unless the request has them; for the version
https://github.com/aws-samples/sample-mlops-bestpractices/issues/49. AWS documents no messages: these are similar to
those of tracking servers.
"""

import secrets

from sagemaker_sandbox.base.errors import ConflictError, ResourceNotFoundError
from sagemaker_sandbox.resources.handlers import stored_operation
from sagemaker_sandbox.resources.listing import list_page
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, SageMakerResource, now

_NOTE = "Stored, with the statuses of AWS. MLflow does not run."
_VERSION = "3.10.1"
_CHANGING = ("Creating", "Updating", "Deleting")


class MlflowApps(ResourceFamily):
    """Handlers of the operations on MLflow apps. SageMaker chooses the ID of an app, and several may have one name."""

    arn_type = "mlflow-app"
    noun = "Mlflow App"

    @stored_operation(_NOTE)
    def create_mlflow_app(self, request: Fields) -> Fields:
        """Create an app: Creating, then Created."""
        defaults = {
            "MlflowVersion": _VERSION,
            "ModelRegistrationMode": "AutoModelRegistrationDisabled",
            "WeeklyMaintenanceWindowStart": "Tue:03:30",
        }
        app = self.add(f"app-{secrets.token_hex(6).upper()}", defaults | request, request.get("Tags"))
        app.fields["Arn"] = app.arn
        self._change(app, "CreateMlflowApp", "Creating", "Created")
        return {"Arn": app.arn}

    @stored_operation(_NOTE)
    def describe_mlflow_app(self, request: Fields) -> Fields:
        """Return an app."""
        return self.get(request["Arn"]).fields

    @stored_operation(_NOTE)
    def list_mlflow_apps(self, request: Fields) -> Fields:
        """Return summaries."""
        filters: Fields = {
            member: request[member]
            for member in ("Status", "MlflowVersion", "AccountDefaultStatus")
            if member in request
        }
        domain = request.get("DefaultForDomainId")
        apps = (app for app in self if domain is None or domain in app.fields.get("DefaultDomainIdList", ()))
        return list_page("ListMlflowApps", request, apps, name="Name", status="Status", filters=filters)

    @stored_operation(_NOTE)
    def update_mlflow_app(self, request: Fields) -> Fields:
        """Change an app: Updating, then Updated."""
        app = self._get_for_change(request, "updated")
        app.fields |= request
        self._change(app, "UpdateMlflowApp", "Updating", "Updated")
        return {"Arn": app.arn}

    @stored_operation(_NOTE)
    def delete_mlflow_app(self, request: Fields) -> Fields:
        """Delete an app. Its artifacts in S3 stay."""
        app = self._get_for_change(request, "deleted")
        app.fields["Status"] = "Deleting"
        self.schedule_deletion(app, "DeleteMlflowApp")
        return {"Arn": app.arn}

    @stored_operation(_NOTE)
    def create_presigned_mlflow_app_url(self, request: Fields) -> Fields:
        """Return an address of an app. Nothing answers there."""
        app = self._get_for_change(request, "opened")
        return {"AuthorizedUrl": f"https://{app.name}.mlflow.{self.region.name}.app.aws/auth?authToken=none"}

    def _get_for_change(self, request: Fields, change: str) -> SageMakerResource:
        """Return the app. Raises ConflictError while it changes."""
        app = self.get(request["Arn"])
        if (status := app.fields["Status"]) in _CHANGING:
            raise ConflictError(
                f"{self.noun} with ARN {app.arn} is currently in status {status.upper()}, can't be {change}."
            )
        return app

    def _change(self, app: SageMakerResource, operation: str, during: str, after: str) -> None:
        """Set the status `during`, then `after`."""
        app.fields |= {"Status": during, "LastModifiedTime": now()}
        self.schedule_change(app, operation, {"Status": after})

    def create_not_found_error(self, name: str) -> Exception:
        """Return the error for an ID that does not exist."""
        return ResourceNotFoundError(f"{self.noun} with ARN {self.build_arn(name)} does not exist.")
