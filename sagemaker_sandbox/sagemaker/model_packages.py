"""The model registry: package groups with their policies, and versioned model packages with their approval."""

from collections.abc import Callable
from typing import Any

from sagemaker_sandbox import policies
from sagemaker_sandbox.errors import AccessDeniedError, ApiError, ConflictError, ValidationError
from sagemaker_sandbox.parts.listing import list_page
from sagemaker_sandbox.parts.handlers import emulated_operation, shared_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ResourceFamily, Fields, SageMakerResource, now

#: Members of UpdateModelPackage to the field of a package that they change, as events list it, where it has another
#: name. Source: developer guide, "Events that SageMaker AI sends to Amazon EventBridge".
_CHANGED_FIELDS = {
    "AdditionalInferenceSpecificationsToAdd": "AdditionalInferenceSpecifications",
    "CustomerMetadataPropertiesToRemove": "CustomerMetadataProperties",
    "SourceUri": "sourceUri",
}
#: Members that say which package and which request, and change nothing.
_IDENTIFIERS = ("ClientToken", "ModelPackageArn")
#: Members of UpdateModelPackage that are no fields of a package.
_NOT_FIELDS = (
    "AdditionalInferenceSpecificationsToAdd",
    "ModelPackageArn",
    "ClientToken",
    "CustomerMetadataPropertiesToRemove",
    "CustomerMetadataProperties",
)


class ModelPackageGroups(ResourceFamily):
    """Create, Describe, List and DeleteModelPackageGroup; Put, Get and DeleteModelPackageGroupPolicy."""

    arn_type = "model-package-group"
    noun = "model package group"

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        #: Asked whether anything belongs to the group of that name.
        self.in_use: list[Callable[[str], bool]] = []

    @emulated_operation
    def create_model_package_group(self, request: Fields) -> Fields:
        """Completed at once, as on AWS."""
        name = request["ModelPackageGroupName"]
        if self.find(name) is not None:
            raise ValidationError(f"Model Package Group already exists: {self.build_arn(name)}")
        group = self.add(name, {"ModelPackageGroupStatus": "Completed"} | request, request.get("Tags"))
        group.fields |= {"ModelPackageGroupArn": group.arn, "CreatedBy": {}}
        return {"ModelPackageGroupArn": group.arn}

    @shared_operation("ModelPackageGroupName")
    def describe_model_package_group(self, request: Fields) -> Fields:
        """The group; its packages are listed by ListModelPackages."""
        return self.get(request["ModelPackageGroupName"]).fields

    @emulated_operation
    def list_model_package_groups(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        return list_page("ListModelPackageGroups", request, self, name="ModelPackageGroupName")

    @emulated_operation
    def delete_model_package_group(self, request: Fields) -> Fields:
        """Refused while it holds packages."""
        group = self.get(request["ModelPackageGroupName"])
        if any(uses(group.name) for uses in self.in_use):
            raise ConflictError(
                f"Model Package Group {group.arn} can not be deleted because it still contains Model Packages."
            )
        self.remove(group)
        return {}

    @emulated_operation
    def put_model_package_group_policy(self, request: Fields) -> Fields:
        """Share a group with other accounts."""
        group = self.get(request["ModelPackageGroupName"])
        policies.parse_statements(request["ResourcePolicy"])
        group.private["policy"] = request["ResourcePolicy"]
        return {"ModelPackageGroupArn": group.arn}

    @emulated_operation
    def get_model_package_group_policy(self, request: Fields) -> Fields:
        """The policy as it was put."""
        group = self.find(request["ModelPackageGroupName"])
        if group is None:
            raise ValidationError(f"Cannot find Model Package Group: {self.build_arn(request['ModelPackageGroupName'])}")
        if "policy" not in group.private:
            raise ValidationError(f"Cannot find resource policy for: {group.arn}")
        return {"ResourcePolicy": group.private["policy"]}

    @emulated_operation
    def delete_model_package_group_policy(self, request: Fields) -> Fields:
        """Refused where there is none."""
        self.get_model_package_group_policy(request)
        del self.get(request["ModelPackageGroupName"]).private["policy"]
        return {}

    def not_found(self, name: str) -> ApiError:
        """The registry words it in its own way."""
        return ValidationError(f"ModelPackageGroup {self.build_arn(name)} does not exist.")

    def check_access(self, account: str, action: str, arn: str) -> None:
        """A group's policy says what other accounts may do to it and to its packages."""
        group = self.find(arn.rsplit(":", 1)[1].split("/")[1])
        if group is None or not policies.allows_account(group.private.get("policy", "{}"), account, action, arn):
            raise AccessDeniedError(account, action, arn)


class ModelPackages(ResourceFamily):
    """Create, Describe, Update, List and DeleteModelPackage."""

    arn_type = "model-package"
    noun = "model package"

    def __init__(self, region: AccountRegion, groups: ModelPackageGroups) -> None:
        super().__init__(region)
        self._groups = groups
        groups.in_use.append(lambda name: any(one.fields.get("ModelPackageGroupName") == name for one in self))

    @shared_operation("ModelPackageGroupName")
    def create_model_package(self, request: Fields) -> Fields:
        """The next version of a group, or an unversioned package of its own name."""
        if "ModelPackageGroupName" in request and "ModelPackageName" in request:
            raise ValidationError(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one "
                "to use."
            )
        if "ModelPackageGroupName" not in request and "ModelPackageName" not in request:
            raise ValidationError("Missing ARN.")
        fields = {"ModelPackageStatus": "Completed"} | request
        if "ModelPackageGroupName" in request:
            group = self._groups.find(request["ModelPackageGroupName"])
            if group is None:
                raise ValidationError("Model Package Group does not exist.")
            if "Tags" in request:
                raise ValidationError("Tags cannot be specified for versioned model packages; tag the group instead.")
            # A version number is never given twice, even after its package was deleted.
            version = group.private["versions"] = group.private.get("versions", 0) + 1
            name = f"{group.name}/{version}"
            approval = request.get("ModelApprovalStatus", "PendingManualApproval")
            fields |= {"ModelPackageGroupName": group.name, "ModelPackageVersion": version}
            fields |= {"ModelApprovalStatus": approval}
        else:
            name = request["ModelPackageName"]
            self.check_name_is_free(name)
        package = self.add(name, fields, request.get("Tags"))
        details: Fields = {"ValidationStatuses": [], "ImageScanStatuses": []}
        package.fields |= {"ModelPackageName": name, "ModelPackageArn": package.arn}
        package.fields |= {"ModelPackageStatusDetails": details, "CreatedBy": {}, "LastModifiedBy": {}}
        self._announce(package)
        return {"ModelPackageArn": package.arn}

    @shared_operation("ModelPackageName")
    def describe_model_package(self, request: Fields) -> Fields:
        """One version by its ARN, or an unversioned package by its name."""
        return self.get(request["ModelPackageName"]).fields

    @shared_operation("ModelPackageArn")
    def update_model_package(self, request: Fields) -> Fields:
        """Approve or reject a version, or change what is known of it."""
        package = self.get(request["ModelPackageArn"])
        package.fields |= {member: value for member, value in request.items() if member not in _NOT_FIELDS}
        metadata = package.fields.get("CustomerMetadataProperties", {}) | request.get("CustomerMetadataProperties", {})
        for key in request.get("CustomerMetadataPropertiesToRemove", []):
            metadata.pop(key, None)
        more = package.fields.get("AdditionalInferenceSpecifications", [])
        more = more + request.get("AdditionalInferenceSpecificationsToAdd", [])
        for member, value in (("CustomerMetadataProperties", metadata), ("AdditionalInferenceSpecifications", more)):
            package.fields.pop(member, None)
            if value:  # the service model knows neither of them empty
                package.fields[member] = value
        package.fields["LastModifiedTime"] = now()
        changed = {_CHANGED_FIELDS.get(member, member) for member in request if member not in _IDENTIFIERS}
        self._announce(package, UpdatedModelPackageFields=sorted(changed))
        return {"ModelPackageArn": package.arn}

    @shared_operation("ModelPackageGroupName")
    def list_model_packages(self, request: Fields) -> Fields:
        """The versions of one group, or the unversioned packages."""
        found = list(self)
        wanted = {"ModelApprovalStatus": request["ModelApprovalStatus"]} if "ModelApprovalStatus" in request else {}
        if "ModelPackageGroupName" in request:
            wanted["ModelPackageGroupName"] = self._groups.get(request["ModelPackageGroupName"]).name
        elif (kind := request.get("ModelPackageType", "Unversioned")) != "Both":
            found = [one for one in found if ("ModelPackageGroupName" in one.fields) == (kind == "Versioned")]
        return list_page("ListModelPackages", request, found, name="ModelPackageName", wanted=wanted)

    @shared_operation("ModelPackageName")
    def delete_model_package(self, request: Fields) -> Fields:
        """Gone at once; its version number is not used again."""
        self.remove(self.get(request["ModelPackageName"]))
        return {}

    def not_found(self, name: str) -> ApiError:
        """The registry words it in its own way."""
        return ValidationError(f"ModelPackage {self.build_arn(name)} does not exist.")

    def check_access(self, account: str, action: str, arn: str) -> None:
        """As the policy of the package's group has it."""
        self._groups.check_access(account, action, arn)

    def _announce(self, package: SageMakerResource, **more: Any) -> None:
        members = (
            "ModelPackageGroupName",
            "ModelPackageName",
            "ModelPackageVersion",
            "ModelPackageArn",
            "ModelPackageStatus",
            "ModelApprovalStatus",
        )
        detail = {member: package.fields[member] for member in members if member in package.fields}
        self.region.publish("SageMaker Model Package State Change", detail | more, package.arn)
