"""The model registry: package groups with their policies, and versioned model packages with their approval."""

from sustainable_mlops.sandbox.errors import ApiError, ConflictError, ValidationError
from sustainable_mlops.sandbox.sagemaker.region import Region
from sustainable_mlops.sandbox.sagemaker.resources import Family, Fields, Resource, list_page, now

#: Members of UpdateModelPackage that are no fields of a package.
_NOT_FIELDS = (
    "AdditionalInferenceSpecificationsToAdd",
    "ModelPackageArn",
    "ClientToken",
    "CustomerMetadataPropertiesToRemove",
    "CustomerMetadataProperties",
)


class ModelPackageGroups(Family):
    """Create, Describe, List and DeleteModelPackageGroup; Put, Get and DeleteModelPackageGroupPolicy."""

    arn_type = "model-package-group"
    noun = "model package group"

    def __init__(self, region: Region, packages: Family) -> None:
        super().__init__(region)
        self._packages = packages

    def create_model_package_group(self, request: Fields) -> Fields:
        """Completed at once, as on AWS."""
        name = request["ModelPackageGroupName"]
        if self.find(name) is not None:
            raise ValidationError(f"Model Package Group already exists: {self.arn(name)}")
        group = self.add(name, {"ModelPackageGroupStatus": "Completed"} | request, request.get("Tags"))
        group.fields |= {"ModelPackageGroupArn": group.arn, "CreatedBy": {}}
        return {"ModelPackageGroupArn": group.arn}

    def describe_model_package_group(self, request: Fields) -> Fields:
        """The group; its packages are listed by ListModelPackages."""
        return self.get(request["ModelPackageGroupName"]).fields

    def list_model_package_groups(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        return list_page(self, request, "ModelPackageGroupSummaryList", name="ModelPackageGroupName")

    def delete_model_package_group(self, request: Fields) -> Fields:
        """Refused while it holds packages."""
        group = self.get(request["ModelPackageGroupName"])
        if any(package.fields.get("ModelPackageGroupName") == group.name for package in self._packages):
            raise ConflictError(
                f"Model Package Group {group.arn} can not be deleted because it still contains Model Packages."
            )
        del self.resources[group.name]
        return {}

    def put_model_package_group_policy(self, request: Fields) -> Fields:
        """Share a group with other accounts."""
        group = self.get(request["ModelPackageGroupName"])
        group.fields["ResourcePolicy"] = request["ResourcePolicy"]
        return {"ModelPackageGroupArn": group.arn}

    def get_model_package_group_policy(self, request: Fields) -> Fields:
        """The policy as it was put."""
        group = self.find(request["ModelPackageGroupName"])
        if group is None:
            raise ValidationError(f"Cannot find Model Package Group: {self.arn(request['ModelPackageGroupName'])}")
        if "ResourcePolicy" not in group.fields:
            raise ValidationError(f"Cannot find resource policy for: {group.arn}")
        return {"ResourcePolicy": group.fields["ResourcePolicy"]}

    def delete_model_package_group_policy(self, request: Fields) -> Fields:
        """Refused where there is none."""
        self.get_model_package_group_policy(request)
        del self.get(request["ModelPackageGroupName"]).fields["ResourcePolicy"]
        return {}

    def not_found(self, name: str) -> ApiError:
        """The registry words it in its own way."""
        return ValidationError(f"ModelPackageGroup {self.arn(name)} does not exist.")


class ModelPackages(Family):
    """Create, Describe, Update, List and DeleteModelPackage."""

    arn_type = "model-package"
    noun = "model package"

    def __init__(self, region: Region) -> None:
        super().__init__(region)
        self.groups = ModelPackageGroups(region, self)

    def create_model_package(self, request: Fields) -> Fields:
        """The next version of a group, or an unversioned package of its own name."""
        if ("ModelPackageGroupName" in request) == ("ModelPackageName" in request):
            raise ValidationError("Either ModelPackageName or ModelPackageGroupName must be specified, but not both.")
        fields = {"ModelPackageStatus": "Completed"} | request
        if "ModelPackageGroupName" in request:
            group = self.groups.get(request["ModelPackageGroupName"])
            if "Tags" in request:
                raise ValidationError("Tags cannot be specified for versioned model packages; tag the group instead.")
            # A version number is never given twice, even after its package was deleted.
            version = group.fields["_versions"] = group.fields.get("_versions", 0) + 1
            name = f"{group.name}/{version}"
            approval = request.get("ModelApprovalStatus", "PendingManualApproval")
            fields |= {"ModelPackageGroupName": group.name, "ModelPackageVersion": version}
            fields |= {"ModelApprovalStatus": approval}
        else:
            name = request["ModelPackageName"]
            self.must_be_free(name)
        package = self.add(name, fields, request.get("Tags"))
        details: Fields = {"ValidationStatuses": [], "ImageScanStatuses": []}
        package.fields |= {"ModelPackageName": name, "ModelPackageArn": package.arn}
        package.fields |= {"ModelPackageStatusDetails": details, "CreatedBy": {}, "LastModifiedBy": {}}
        self._announce(package)
        return {"ModelPackageArn": package.arn}

    def describe_model_package(self, request: Fields) -> Fields:
        """One version by its ARN, or an unversioned package by its name."""
        return self.get(request["ModelPackageName"]).fields

    def update_model_package(self, request: Fields) -> Fields:
        """Approve or reject a version, or change what is known of it."""
        package = self.get(request["ModelPackageArn"])
        package.fields |= {member: value for member, value in request.items() if member not in _NOT_FIELDS}
        metadata = package.fields.get("CustomerMetadataProperties", {}) | request.get("CustomerMetadataProperties", {})
        for key in request.get("CustomerMetadataPropertiesToRemove", []):
            metadata.pop(key, None)
        more = package.fields.get("AdditionalInferenceSpecifications", [])
        more = more + request.get("AdditionalInferenceSpecificationsToAdd", [])
        package.fields |= {"CustomerMetadataProperties": metadata, "AdditionalInferenceSpecifications": more}
        package.fields["LastModifiedTime"] = now()
        self._announce(package)
        return {"ModelPackageArn": package.arn}

    def list_model_packages(self, request: Fields) -> Fields:
        """The versions of one group, or the unversioned packages."""
        wanted: Fields = {
            member: request[member] for member in ("ModelPackageGroupName", "ModelApprovalStatus") if member in request
        }
        if "ModelPackageGroupName" in wanted:
            wanted["ModelPackageGroupName"] = self.groups.get(wanted["ModelPackageGroupName"]).name
        elif request.get("ModelPackageType", "Unversioned") == "Unversioned":
            wanted["ModelPackageGroupName"] = None
        return list_page(self, request, "ModelPackageSummaryList", name="ModelPackageName", wanted=wanted)

    def delete_model_package(self, request: Fields) -> Fields:
        """Gone at once; its version number is not used again."""
        del self.resources[self.get(request["ModelPackageName"]).name]
        return {}

    def not_found(self, name: str) -> ApiError:
        """The registry words it in its own way."""
        return ValidationError(f"ModelPackage {self.arn(name)} does not exist.")

    def _announce(self, package: Resource) -> None:
        members = (
            "ModelPackageGroupName",
            "ModelPackageName",
            "ModelPackageVersion",
            "ModelPackageArn",
            "ModelPackageStatus",
            "ModelApprovalStatus",
        )
        detail = {member: package.fields[member] for member in members if member in package.fields}
        self.region.publish("SageMaker Model Package State Change", detail, package.arn)
