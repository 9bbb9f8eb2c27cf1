"""Resources that SageMaker stores for services that do not run here: Studio, notebooks and Model Monitor.

Each class is one resource type. Its handlers are the same for all types: the request becomes the description.
"""

import functools
import secrets
from collections.abc import Callable
from typing import Any, ClassVar

from botocore import xform_name

from sagemaker_sandbox.base.errors import ApiError, ResourceInUseError, ResourceNotFoundError, ValidationError
from sagemaker_sandbox.resources.handlers import stored_operation
from sagemaker_sandbox.resources.listing import list_page
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, SageMakerResource

_NO_STUDIO, _NO_NOTEBOOK, _NO_MONITOR = (
    "Stored. Studio does not run.",
    "Stored. Notebooks do not run.",
    "Stored. Nothing is monitored.",
)
#: Types of apps that run in a space.
_SPACE_APPS = ("JupyterLab", "CodeEditor")
_APP_DELETION_SECONDS = 0.5


class StoredFamily(ResourceFamily):
    """A resource type with Create, Describe, Update, Delete and List. The input has no effect."""

    #: SageMaker's name of the type in operations, such as `UserProfile`, and its plural in the List operation.
    kind: ClassVar[str] = ""
    plural: ClassVar[str] = ""
    note: ClassVar[str]
    #: Members that identify a resource, in the order of the ARN. The last is the member with its name.
    identity: ClassVar[tuple[str, ...]]
    #: Member with the ARN.
    arn_member: ClassVar[str] = ""
    has_update: ClassVar[bool] = True
    #: The type has the error ResourceNotFound; otherwise it has ValidationException.
    has_not_found_error: ClassVar[bool] = True
    #: Member with the status, if a list can be filtered by it.
    status_member: ClassVar[str] = ""
    #: Order of lists, if the service model documents none.
    default_order: ClassVar[str] = ""
    #: Types of the resources inside a resource: a list operation and its list.
    children: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __init_subclass__(cls) -> None:
        """Give the class the handlers of its operations. A class without a kind is a base of others."""
        if not cls.kind:
            return
        cls.plural = cls.plural or f"{cls.kind}s"
        cls.arn_member = cls.arn_member or f"{cls.kind}Arn"
        handlers = {
            f"Create{cls.kind}": StoredFamily._create,
            f"Describe{cls.kind}": StoredFamily._describe,
            f"Delete{cls.kind}": StoredFamily._delete,
            f"List{cls.plural}": StoredFamily._list,
        }
        if cls.has_update:
            handlers[f"Update{cls.kind}"] = StoredFamily._update
        for operation, function in handlers.items():
            setattr(cls, xform_name(operation), stored_operation(cls.note)(_copy_function(function)))

    def complete(self, fields: Fields) -> Fields:
        """Return the description of a new resource. Types with values of SageMaker override this."""
        return fields

    def check_update(self, request: Fields) -> Fields:
        """Return the changed members of the description. Types with conditions override this."""
        return request

    def check_deletion(self, request: Fields) -> None:
        """Raise ApiError if the resource cannot be deleted. Types with conditions override this."""

    def end(self, resource: SageMakerResource) -> None:
        """Delete a resource. Types whose deletion takes time override this."""
        self.remove(resource)

    def _create(self, request: Fields) -> Fields:
        fields = self.complete(dict(request))
        key = self._build_key(fields)
        if "DomainId" in request:
            self.region.call("DescribeDomain", {"DomainId": request["DomainId"]})
        if self.find(key) is not None:
            raise self.create_name_taken_error(key)
        resource = self.add(key, fields, request.get("Tags"))
        moment = self.region.clock.now()
        resource.fields |= {self.arn_member: resource.arn, "CreationTime": moment, "LastModifiedTime": moment}
        return resource.fields

    def _describe(self, request: Fields) -> Fields:
        return self.get(self._build_key(request)).fields

    def _update(self, request: Fields) -> Fields:
        resource = self.get(self._build_key(request))
        resource.fields |= self.check_update(request) | {"LastModifiedTime": self.region.clock.now()}
        return resource.fields

    def _delete(self, request: Fields) -> Fields:
        resource = self.get(self._build_key(request))
        for operation, member in self.children:
            if self.region.call(operation, {f"{self.identity[-1]}Equals": resource.name})[member]:
                raise ResourceInUseError(f"Unable to delete {self.noun} [{resource.name}] because it has {member}.")
        self.check_deletion(request)
        self.end(resource)
        return {}

    def _list(self, request: Fields) -> Fields:
        name = self.identity[-1]
        filters = {
            member.removesuffix("Equals"): value
            for member, value in request.items()
            if (member.endswith("Equals") and member != "StatusEquals") or member == "EndpointName"
        }
        contained = request.get(f"{name}Contains", request.get("NameContains", ""))
        order = {"SortOrder": self.default_order} if self.default_order else {}
        page_request = order | request | {"NameContains": contained}
        return list_page(
            f"List{self.plural}", page_request, self, name=name, status=self.status_member, filters=filters
        )

    def _build_key(self, fields: Fields) -> str:
        return "/".join(str(fields[member]) for member in self.identity)

    def create_name_taken_error(self, name: str) -> ApiError:
        """Return the error for a name that exists."""
        return ResourceInUseError(f"{self.noun.capitalize()} {name} already exists.")

    def create_not_found_error(self, name: str) -> Exception:
        """Return the error for a name that does not exist."""
        if self.has_not_found_error:
            return ResourceNotFoundError(f"{self.noun.capitalize()} {name} does not exist.")
        return ValidationError(f"Cannot find {self.kind}: {self.build_arn(name)}")


def _copy_function(function: Callable[..., Fields]) -> Any:
    """Return a copy of the function for one class, because its support is an attribute of the function."""

    @functools.wraps(function)
    def handle(self: StoredFamily, request: Fields) -> Fields:
        return function(self, request)

    return handle


class Domains(StoredFamily):
    """Studio domains. SageMaker chooses the ID of a domain."""

    kind, arn_type, noun, note = "Domain", "domain", "domain", _NO_STUDIO
    identity = ("DomainId",)
    children = (("ListUserProfiles", "UserProfiles"), ("ListSpaces", "Spaces"))

    def complete(self, fields: Fields) -> Fields:
        """Add the ID, the file system and the address."""
        domain = f"d-{secrets.token_hex(6)}"
        return {
            "AppNetworkAccessType": "PublicInternetOnly",
            "DomainId": domain,
            "HomeEfsFileSystemId": f"fs-{secrets.token_hex(4)}",
            "Status": "InService",
            "TagPropagation": "DISABLED",
            "Url": f"https://{domain}.studio.{self.region.name}.sagemaker.aws",
        } | fields

    def check_update(self, request: Fields) -> Fields:
        """Return the changed members. The mode VpcOnly needs the network, even if the domain has this mode."""
        if request.get("AppNetworkAccessType") == "VpcOnly" and not (request.get("VpcId") and request.get("SubnetIds")):
            raise ValidationError("VpcId and Subnet IDs are required for updating domains to VpcOnly mode.")
        return request


class UserProfiles(StoredFamily):
    """User profiles of a domain."""

    kind, arn_type, noun, note = "UserProfile", "user-profile", "user profile", _NO_STUDIO
    identity = ("DomainId", "UserProfileName")

    def complete(self, fields: Fields) -> Fields:
        """Add the status. A profile names a user of IAM Identity Center if the domain does, and only then."""
        domain = self.region.call("DescribeDomain", {"DomainId": fields["DomainId"]})
        is_sso = domain["AuthMode"] == "SSO"
        for member in ("SingleSignOnUserIdentifier", "SingleSignOnUserValue"):
            if (member in fields) != is_sso:
                rule = "is required" if is_sso else "cannot be specified"
                raise ValidationError(f"{member} {rule} for a domain with the AuthMode {domain['AuthMode']}.")
        return {"Status": "InService"} | fields

    def check_deletion(self, request: Fields) -> None:
        """Raise ResourceInUseError if the user has an app."""
        _check_apps(self, "UserProfileName", request)


class Spaces(StoredFamily):
    """Spaces of a domain."""

    kind, arn_type, noun, note = "Space", "space", "space", _NO_STUDIO
    identity = ("DomainId", "SpaceName")

    def complete(self, fields: Fields) -> Fields:
        """Add the status and the address."""
        url = f"https://{fields['DomainId']}.studio.{self.region.name}.sagemaker.aws/jupyterlab/default"
        return {"Status": "InService", "Url": url} | fields

    def check_update(self, request: Fields) -> Fields:
        """Return the changed members. AWS refuses every AppType, even that of the space.

        Source: https://github.com/boto/boto3/issues/4375.
        """
        settings = request.get("SpaceSettings")
        if settings is None:
            return request
        if "AppType" in settings:
            raise ValidationError("Updating AppType for Space is not supported.")
        current = self.get(self._build_key(request)).fields.get("SpaceSettings", {})
        return request | {"SpaceSettings": current | settings}

    def check_deletion(self, request: Fields) -> None:
        """Raise ResourceInUseError if the space has an app."""
        _check_apps(self, "SpaceName", request)


def _check_apps(family: StoredFamily, owner: str, request: Fields) -> None:
    """Raise ResourceInUseError if an owner of apps has one that is not deleted."""
    filters = {"DomainIdEquals": request["DomainId"], f"{owner}Equals": request[owner], "MaxResults": 100}
    if any(app["Status"] != "Deleted" for app in family.region.call("ListApps", filters)["Apps"]):
        raise ResourceInUseError(f"Unable to delete {family.kind} [{request[owner]}] because it has apps.")


class Apps(StoredFamily):
    """Apps of users and spaces. A deleted app stays in lists, as on AWS."""

    kind, arn_type, noun, note = "App", "app", "app", _NO_STUDIO
    identity = ("DomainId", "AppType", "AppName")
    has_update = False

    def _build_key(self, fields: Fields) -> str:
        owner = fields.get("UserProfileName") or fields.get("SpaceName")
        return f"{fields['DomainId']}/{owner}/{fields['AppType'].lower()}/{fields['AppName']}"

    def complete(self, fields: Fields) -> Fields:
        """Add the status, the default instance and the times. The owner must exist and allow the type."""
        owners = [member for member in ("UserProfileName", "SpaceName") if member in fields]
        if len(owners) != 1:
            raise ValidationError("An app needs either UserProfileName or SpaceName.")
        operation = "DescribeSpace" if owners == ["SpaceName"] else "DescribeUserProfile"
        owner = self.region.call(operation, {member: fields[member] for member in ("DomainId", *owners)})
        needs_space = fields["AppType"] in _SPACE_APPS
        if needs_space and operation == "DescribeUserProfile":
            raise ValidationError(f"The AppType {fields['AppType']} is supported in spaces only.")
        allowed_type = owner.get("SpaceSettings", {}).get("AppType", fields["AppType"])
        if fields["AppType"] != allowed_type:
            raise ValidationError(f"The space allows apps of the AppType {allowed_type} only.")
        previous, moment = self.find(self._build_key(fields)), self.region.clock.now()
        if previous is not None and previous.fields["Status"] == "Deleted":
            self.remove(previous)
        return {
            "LastHealthCheckTimestamp": moment,
            "LastUserActivityTimestamp": moment,
            "ResourceSpec": {"InstanceType": "ml.t3.medium" if needs_space else "system"},
            "Status": "InService",
        } | fields

    def end(self, resource: SageMakerResource) -> None:
        """Set the status Deleting and, soon, Deleted. Raises ValidationError for a deleted app."""
        if resource.fields["Status"] != "InService":
            raise ValidationError(f"App {resource.arn} has already been deleted.")
        resource.fields["Status"] = "Deleting"
        resource.schedule_change(_APP_DELETION_SECONDS, {"Status": "Deleted"})

    def list_remaining(self) -> dict[str, list[str]]:
        """Return the names of running apps."""
        names = [app.name for app in self if app.fields["Status"] == "InService"]
        return {self.arn_type: names} if names else {}


class AppImageConfigs(StoredFamily):
    """Configurations of images for apps of Studio."""

    kind, arn_type, noun, note = "AppImageConfig", "app-image-config", "app image config", _NO_STUDIO
    identity = ("AppImageConfigName",)


class StudioLifecycleConfigs(StoredFamily):
    """Scripts for apps of Studio."""

    kind, arn_type, note = "StudioLifecycleConfig", "studio-lifecycle-config", _NO_STUDIO
    noun = "Studio lifecycle configuration"
    identity = ("StudioLifecycleConfigName",)
    has_update = False

    def check_deletion(self, request: Fields) -> None:
        """Raise ResourceInUseError if the settings of a domain or a user profile contain the script."""
        script = self.get(request["StudioLifecycleConfigName"])
        for kind, identity in (("Domain", Domains.identity), ("UserProfile", UserProfiles.identity)):
            for summary in self.region.call(f"List{kind}s", {"MaxResults": 100})[f"{kind}s"]:
                owner = self.region.call(f"Describe{kind}", {member: summary[member] for member in identity})
                if repr(script.arn) in repr(owner):
                    raise ResourceInUseError(
                        f"Unable to delete {self.noun} [{script.name}] because [{owner[f'{kind}Arn']}] uses it."
                    )


class CodeRepositories(StoredFamily):
    """Git repositories for notebooks."""

    kind, plural, arn_type, note = "CodeRepository", "CodeRepositories", "code-repository", _NO_NOTEBOOK
    noun = "code repository"
    identity = ("CodeRepositoryName",)
    has_not_found_error = False

    def create_name_taken_error(self, name: str) -> ApiError:
        """Return the error for a name that exists."""
        return ValidationError(f"Cannot create already existing code repository {self.build_arn(name)}")


class NotebookInstanceLifecycleConfigs(StoredFamily):
    """Scripts for notebook instances."""

    kind, arn_type = "NotebookInstanceLifecycleConfig", "notebook-instance-lifecycle-config"
    noun, note = "Notebook Instance Lifecycle Config", _NO_NOTEBOOK
    identity = ("NotebookInstanceLifecycleConfigName",)

    def create_name_taken_error(self, name: str) -> ApiError:
        """Return the error for a name that exists."""
        return ValidationError(
            f"Unable to create {self.noun} {self.build_arn(name)}. (Details: {self.noun} already exists.)"
        )

    def create_not_found_error(self, name: str) -> Exception:
        """Return the error for a name that does not exist."""
        return ValidationError(
            f"Unable to describe {self.noun} '{self.build_arn(name)}'. (Details: {self.noun} does not exist.)"
        )


class NotebookInstances(StoredFamily):
    """Notebook instances. They are InService or Stopped immediately."""

    kind, arn_type, noun, note = "NotebookInstance", "notebook-instance", "Notebook Instance", _NO_NOTEBOOK
    identity = ("NotebookInstanceName",)
    status_member = "NotebookInstanceStatus"
    default_order = "Ascending"

    def complete(self, fields: Fields) -> Fields:
        """Add the status, the address and the documented defaults. Some members have other names in requests."""
        name = fields["NotebookInstanceName"]
        return {
            "DirectInternetAccess": "Enabled",
            "NotebookInstanceLifecycleConfigName": fields.get("LifecycleConfigName"),
            "NotebookInstanceStatus": "InService",
            "RootAccess": "Enabled",
            "SecurityGroups": fields.get("SecurityGroupIds"),
            "Url": f"{name}.notebook.{self.region.name}.sagemaker.aws",
            "VolumeSizeInGB": 5,
        } | fields

    @stored_operation(_NO_NOTEBOOK)
    def start_notebook_instance(self, request: Fields) -> Fields:
        """Set the status InService."""
        self._change_status(request, ("Stopped", "Failed"), "Pending")["NotebookInstanceStatus"] = "InService"
        return {}

    @stored_operation(_NO_NOTEBOOK)
    def stop_notebook_instance(self, request: Fields) -> Fields:
        """Set the status Stopped."""
        self._change_status(request, ("InService",), "Stopping")["NotebookInstanceStatus"] = "Stopped"
        return {}

    def check_update(self, request: Fields) -> Fields:
        """Return the changed members of the description. The instance must be stopped."""
        self._change_status(request, ("Stopped", "Failed"), "Updating")
        if request.get("DisassociateLifecycleConfig"):
            return request | {"NotebookInstanceLifecycleConfigName": None}
        if "LifecycleConfigName" in request:
            return request | {"NotebookInstanceLifecycleConfigName": request["LifecycleConfigName"]}
        return request

    def check_deletion(self, request: Fields) -> None:
        """Raise ValidationError unless the instance is stopped."""
        self._change_status(request, ("Stopped", "Failed"), "Deleting")

    def _change_status(self, request: Fields, allowed: tuple[str, ...], target: str) -> Fields:
        """Return the description of the instance. Raises ValidationError unless its status allows the change."""
        instance = self.get(request["NotebookInstanceName"])
        status = instance.fields["NotebookInstanceStatus"]
        if status not in allowed:
            raise ValidationError(
                f"Status ({status}) not in ([{', '.join(allowed)}]). Unable to transition to ({target}) for "
                f"{self.noun} ({instance.arn})"
            )
        return instance.fields

    def create_name_taken_error(self, name: str) -> ApiError:
        """Return the error for a name that exists."""
        return ValidationError(f"Cannot create a duplicate {self.noun} ({self.build_arn(name)})")

    def create_not_found_error(self, name: str) -> Exception:
        """Return the error for a name that does not exist."""
        del name
        return ValidationError("RecordNotFound")


class JobDefinitions(StoredFamily):
    """Definitions of monitoring jobs of one kind."""

    note = _NO_MONITOR
    identity = ("JobDefinitionName",)
    arn_member = "JobDefinitionArn"
    has_update = False

    def complete(self, fields: Fields) -> Fields:
        """Add the members of the summary in a list."""
        inputs = fields[f"{self.kind.removesuffix('JobDefinition')}JobInput"]
        name = fields["JobDefinitionName"]
        return fields | {
            "EndpointName": inputs.get("EndpointInput", {}).get("EndpointName"),
            "MonitoringJobDefinitionArn": self.build_arn(name),
            "MonitoringJobDefinitionName": name,
        }


class DataQualityJobDefinitions(JobDefinitions):
    """Definitions of data quality jobs."""

    kind, arn_type = "DataQualityJobDefinition", "data-quality-job-definition"
    noun = "data quality job definition"


class ModelBiasJobDefinitions(JobDefinitions):
    """Definitions of model bias jobs."""

    kind, arn_type, noun = "ModelBiasJobDefinition", "model-bias-job-definition", "model bias job definition"


class ModelExplainabilityJobDefinitions(JobDefinitions):
    """Definitions of model explainability jobs."""

    kind, arn_type = "ModelExplainabilityJobDefinition", "model-explainability-job-definition"
    noun = "model explainability job definition"


class ModelQualityJobDefinitions(JobDefinitions):
    """Definitions of model quality jobs."""

    kind, arn_type = "ModelQualityJobDefinition", "model-quality-job-definition"
    noun = "model quality job definition"


#: All recorded types. A domain comes before the resources inside it.
STORED_FAMILIES = (
    Domains,
    UserProfiles,
    Spaces,
    Apps,
    AppImageConfigs,
    StudioLifecycleConfigs,
    CodeRepositories,
    NotebookInstanceLifecycleConfigs,
    NotebookInstances,
    DataQualityJobDefinitions,
    ModelBiasJobDefinitions,
    ModelExplainabilityJobDefinitions,
    ModelQualityJobDefinitions,
)
