"""The model registry: package groups with their policies, and model packages with versions and approval."""

from collections.abc import Callable
from typing import Any

from sagemaker_sandbox.base.errors import AccessDeniedError, ApiError, ConflictError, ValidationError
from sagemaker_sandbox.iam.evaluation import Policy, Principal, PrincipalPolicies, ResourcePolicy, evaluate
from sagemaker_sandbox.iam.partial_requests import ALL_ACTIONS, build_request
from sagemaker_sandbox.resources.handlers import emulated_operation, shared_operation
from sagemaker_sandbox.resources.listing import list_page
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, SageMakerResource, now
from sustainable_mlops.aws.arn import Arn

#: Names in events of the fields that members of UpdateModelPackage change, if the two differ. Source: developer guide,
#: "Events that SageMaker AI sends to Amazon EventBridge".
_CHANGED_FIELDS = {
    "AdditionalInferenceSpecificationsToAdd": "AdditionalInferenceSpecifications",
    "CustomerMetadataPropertiesToRemove": "CustomerMetadataProperties",
    "SourceUri": "sourceUri",
}
#: Members that identify the package and the request.
_IDENTIFIERS = ("ClientToken", "ModelPackageArn")
#: Members of UpdateModelPackage that are not fields of a package.
_NOT_FIELDS = (
    "AdditionalInferenceSpecificationsToAdd",
    "ModelPackageArn",
    "ClientToken",
    "CustomerMetadataPropertiesToRemove",
    "CustomerMetadataProperties",
)


class ModelPackageGroups(ResourceFamily):
    """Handlers of the operations on model package groups and their policies."""

    arn_type = "model-package-group"
    noun = "model package group"

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        #: Functions that return whether something belongs to the group of this name.
        self.usage_checks: list[Callable[[str], bool]] = []

    @emulated_operation
    def create_model_package_group(self, request: Fields) -> Fields:
        """Create a group. As on AWS, it is Completed immediately."""
        name = request["ModelPackageGroupName"]
        if self.find(name) is not None:
            raise ValidationError(f"Model Package Group already exists: {self.build_arn(name)}")
        group = self.add(name, {"ModelPackageGroupStatus": "Completed"} | request, request.get("Tags"))
        group.fields |= {"ModelPackageGroupArn": group.arn, "CreatedBy": {}}
        return {"ModelPackageGroupArn": group.arn}

    @shared_operation("ModelPackageGroupName")
    def describe_model_package_group(self, request: Fields) -> Fields:
        """Return the group. ListModelPackages lists its packages."""
        return self.get(request["ModelPackageGroupName"]).fields

    @emulated_operation
    def list_model_package_groups(self, request: Fields) -> Fields:
        """Return summaries, newest first."""
        return list_page("ListModelPackageGroups", request, self, name="ModelPackageGroupName")

    @emulated_operation
    def delete_model_package_group(self, request: Fields) -> Fields:
        """Delete a group without packages."""
        group = self.get(request["ModelPackageGroupName"])
        if any(is_used(group.name) for is_used in self.usage_checks):
            raise ConflictError(
                f"Model Package Group {group.arn} can not be deleted because it still contains Model Packages."
            )
        self.remove(group)
        return {}

    @emulated_operation
    def put_model_package_group_policy(self, request: Fields) -> Fields:
        """Share a group with other accounts."""
        group = self.get(request["ModelPackageGroupName"])
        Policy.parse_valid(request["ResourcePolicy"])
        group.private["policy"] = request["ResourcePolicy"]
        return {"ModelPackageGroupArn": group.arn}

    @emulated_operation
    def get_model_package_group_policy(self, request: Fields) -> Fields:
        """Return the policy without changes."""
        group = self.find(request["ModelPackageGroupName"])
        if group is None:
            raise ValidationError(
                f"Cannot find Model Package Group: {self.build_arn(request['ModelPackageGroupName'])}"
            )
        if "policy" not in group.private:
            raise ValidationError(f"Cannot find resource policy for: {group.arn}")
        return {"ResourcePolicy": group.private["policy"]}

    @emulated_operation
    def delete_model_package_group_policy(self, request: Fields) -> Fields:
        """Delete the policy. Refuse this if the group has none."""
        self.get_model_package_group_policy(request)
        del self.get(request["ModelPackageGroupName"]).private["policy"]
        return {}

    def create_not_found_error(self, name: str) -> ApiError:
        """Return the error in the words of the registry."""
        return ValidationError(f"ModelPackageGroup {self.build_arn(name)} does not exist.")

    def check_access(self, principal: Principal, action: str, arn: str) -> None:
        """Raise AccessDeniedError unless the group's policy allows this action of another account's principal."""
        group = self.find(Arn.parse(arn).resource.split("/")[1])
        document = "{}" if group is None else group.private.get("policy", "{}")
        request = build_request(principal, action, arn, owner=self.region.account_id)
        # The principal's own policies are checked if the sandbox enforces IAM, before SageMaker gets the request.
        decision = evaluate(request, PrincipalPolicies([ALL_ACTIONS]), ResourcePolicy(Policy.parse(document)))
        if not decision.allowed:
            raise AccessDeniedError(decision.explain(request))


class ModelPackages(ResourceFamily):
    """Handlers of the operations on model packages."""

    arn_type = "model-package"
    noun = "model package"

    def __init__(self, region: AccountRegion, groups: ModelPackageGroups) -> None:
        super().__init__(region)
        self._groups = groups
        groups.usage_checks.append(
            lambda name: any(package.fields.get("ModelPackageGroupName") == name for package in self)
        )

    @shared_operation("ModelPackageGroupName")
    def create_model_package(self, request: Fields) -> Fields:
        """Create the next version of a group, or an unversioned package with its own name."""
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
            # A version number is never reused, even after its package was deleted.
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
        self._publish(package)
        return {"ModelPackageArn": package.arn}

    @shared_operation("ModelPackageName")
    def describe_model_package(self, request: Fields) -> Fields:
        """Return a version by its ARN, or an unversioned package by its name."""
        return self.get(request["ModelPackageName"]).fields

    @shared_operation("ModelPackageArn")
    def update_model_package(self, request: Fields) -> Fields:
        """Approve or reject a version, or change its other fields."""
        package = self.get(request["ModelPackageArn"])
        package.fields |= {member: value for member, value in request.items() if member not in _NOT_FIELDS}
        metadata = package.fields.get("CustomerMetadataProperties", {}) | request.get("CustomerMetadataProperties", {})
        for key in request.get("CustomerMetadataPropertiesToRemove", []):
            metadata.pop(key, None)
        specifications = package.fields.get("AdditionalInferenceSpecifications", [])
        specifications = specifications + request.get("AdditionalInferenceSpecificationsToAdd", [])
        for member, value in (
            ("CustomerMetadataProperties", metadata),
            ("AdditionalInferenceSpecifications", specifications),
        ):
            package.fields.pop(member, None)
            if value:  # the service model allows neither of them to be empty
                package.fields[member] = value
        package.fields["LastModifiedTime"] = now()
        changed_fields = {_CHANGED_FIELDS.get(member, member) for member in request if member not in _IDENTIFIERS}
        self._publish(package, UpdatedModelPackageFields=sorted(changed_fields))
        return {"ModelPackageArn": package.arn}

    @shared_operation("ModelPackageGroupName")
    def list_model_packages(self, request: Fields) -> Fields:
        """Return the versions of one group, or the unversioned packages."""
        packages = list(self)
        filters = {"ModelApprovalStatus": request["ModelApprovalStatus"]} if "ModelApprovalStatus" in request else {}
        if "ModelPackageGroupName" in request:
            filters["ModelPackageGroupName"] = self._groups.get(request["ModelPackageGroupName"]).name
        elif (kind := request.get("ModelPackageType", "Unversioned")) != "Both":
            packages = [
                package for package in packages if ("ModelPackageGroupName" in package.fields) == (kind == "Versioned")
            ]
        return list_page("ListModelPackages", request, packages, name="ModelPackageName", filters=filters)

    @shared_operation("ModelPackageName")
    def delete_model_package(self, request: Fields) -> Fields:
        """Delete a package immediately. Its version number is not reused."""
        self.remove(self.get(request["ModelPackageName"]))
        return {}

    def create_not_found_error(self, name: str) -> ApiError:
        """Return the error in the words of the registry."""
        return ValidationError(f"ModelPackage {self.build_arn(name)} does not exist.")

    def check_access(self, principal: Principal, action: str, arn: str) -> None:
        """Raise AccessDeniedError unless the policy of the package's group allows the action."""
        self._groups.check_access(principal, action, arn)

    def _publish(self, package: SageMakerResource, **more: Any) -> None:
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
