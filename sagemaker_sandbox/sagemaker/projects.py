"""Projects of SageMaker. Service Catalog provisions nothing here.

Sources: SageMaker API reference; the Terraform provider (`project.go`), for the messages about missing projects;
aws-samples/sagemaker-studio-emr, issue 42, for the message about a missing product.
"""

import re
import secrets

from sagemaker_sandbox.base.errors import ResourceInUseError, ValidationError
from sagemaker_sandbox.resources.handlers import stored_operation
from sagemaker_sandbox.resources.listing import list_page
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, SageMakerResource, now

_NOTE = "Stored, with the statuses of AWS. Every product exists, and nothing is provisioned."
_DETAILS, _STATUS = "ServiceCatalogProvisioningDetails", "ProjectStatus"
_PRODUCT, _ARTIFACT = re.compile(r"prod-\w+"), re.compile(r"pa-\w+")
_SETTLED = ("CreateCompleted", "CreateFailed", "UpdateCompleted", "UpdateFailed", "DeleteFailed")


class Projects(ResourceFamily):
    """Handlers of the operations on projects."""

    arn_type = "project"
    noun = "Project"

    @stored_operation(_NOTE)
    def create_project(self, request: Fields) -> Fields:
        """Create a project: CreateInProgress, then CreateCompleted."""
        name = request["ProjectName"]
        if self.find(name) is not None:
            raise ResourceInUseError(f"{self.noun} {name} already exists.")
        if (_DETAILS in request) == ("TemplateProviders" in request):
            raise ValidationError(f"Specify either {_DETAILS} or TemplateProviders.")
        project = self.add(name, dict(request), request.get("Tags"))
        if _DETAILS in request:
            details = {"ProvisioningArtifactId": f"pa-{secrets.token_hex(7)[:13]}"} | request[_DETAILS]
            self._check_product(details)
            project.fields |= {
                _DETAILS: details,
                "ServiceCatalogProvisionedProductDetails": {"ProvisionedProductId": f"pp-{secrets.token_hex(7)[:13]}"},
            }
        identity = {"ProjectArn": project.arn, "ProjectId": f"p-{secrets.token_hex(6)}"}
        project.fields |= identity
        self._change(project, "Create")
        return identity

    @stored_operation(_NOTE)
    def describe_project(self, request: Fields) -> Fields:
        """Return a project."""
        return self.get(request["ProjectName"]).fields

    @stored_operation(_NOTE)
    def list_projects(self, request: Fields) -> Fields:
        """Return summaries."""
        return list_page("ListProjects", request, self, name="ProjectName", status=_STATUS)

    @stored_operation(_NOTE)
    def update_project(self, request: Fields) -> Fields:
        """Change a project: UpdateInProgress, then UpdateCompleted."""
        project = self._get_settled(request, "update")
        details = project.fields.get(_DETAILS, {}) | request.get("ServiceCatalogProvisioningUpdateDetails", {})
        if details:
            self._check_product(details)
            project.fields[_DETAILS] = details
        if "ProjectDescription" in request:
            project.fields["ProjectDescription"] = request["ProjectDescription"]
        self._change(project, "Update")
        return {"ProjectArn": project.arn}

    @stored_operation(_NOTE)
    def delete_project(self, request: Fields) -> Fields:
        """Delete a project."""
        project = self._get_settled(request, "delete")
        project.fields |= {_STATUS: "DeleteInProgress", "LastModifiedTime": now()}
        self.schedule_deletion(project, "DeleteProject")
        return {}

    def _change(self, project: SageMakerResource, verb: str) -> None:
        project.fields |= {_STATUS: f"{verb}InProgress", "LastModifiedTime": now()}
        self.schedule_change(project, f"{verb}Project", {_STATUS: f"{verb}Completed"})

    def _get_settled(self, request: Fields, verb: str) -> SageMakerResource:
        """Return the project. Raises ValidationError while it is changing."""
        project = self.get(request["ProjectName"])
        status = project.fields[_STATUS]
        if status not in _SETTLED:
            raise ValidationError(f"Cannot {verb} {self.noun} in {status} status.")
        return project

    @staticmethod
    def _check_product(details: Fields) -> None:
        for noun, member, form in (
            ("Product", "ProductId", _PRODUCT),
            ("Provisioning artifact", "ProvisioningArtifactId", _ARTIFACT),
        ):
            if not form.fullmatch(details[member]):
                raise ValidationError(f"{noun} {details[member]} does not exist or access was denied")

    def create_not_found_error(self, name: str) -> Exception:
        """Return the error for a name that does not exist. The provider looks for its end."""
        return ValidationError(f"{self.noun} {name} does not exist")
