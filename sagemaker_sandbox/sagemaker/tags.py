"""Tags of SageMaker's resources, by ARN."""

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, SageMakerResource, ServicePart

_MAX_TAGS = 50


class ResourceTags(ServicePart):
    """Handlers of AddTags, ListTags and DeleteTags."""

    def __init__(self, region: AccountRegion, families: list[ResourceFamily]) -> None:
        super().__init__(region)
        self._families = families

    def has(self, arn: str) -> bool:
        """Return whether a resource of this Region has the ARN."""
        with self.region.lock:
            return self._find(arn) is not None

    @emulated_operation
    def add_tags(self, request: Fields) -> Fields:
        """Add or overwrite tags, and return all of them."""
        resource = self._get_resource(request["ResourceArn"])
        added = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        if len(resource.tags | added) > _MAX_TAGS:
            raise ValidationError(f"A resource can have at most {_MAX_TAGS} tags.")
        resource.tags |= added
        return self.list_tags(request)

    @emulated_operation
    def list_tags(self, request: Fields) -> Fields:
        """Return all tags of one resource."""
        tags = self._get_resource(request["ResourceArn"]).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    @emulated_operation
    def delete_tags(self, request: Fields) -> Fields:
        """Remove tags. Missing keys are ignored."""
        tags = self._get_resource(request["ResourceArn"]).tags
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _get_resource(self, arn: str) -> SageMakerResource:
        resource = self._find(arn)
        if resource is None:
            raise ValidationError(f"Could not find resource {arn}.")
        return resource

    def _find(self, arn: str) -> SageMakerResource | None:
        matches = (family.find(arn) for family in self._families if arn.startswith(family.build_arn("")))
        return next((resource for resource in matches if resource is not None), None)
