"""Tags of every SageMaker resource, by ARN."""

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ResourceFamily, Fields, ServicePart, SageMakerResource

_MOST_TAGS = 50


class Tags(ServicePart):
    """AddTags, ListTags, DeleteTags."""

    def __init__(self, region: AccountRegion, families: list[ResourceFamily]) -> None:
        super().__init__(region)
        self._families = families

    def has(self, arn: str) -> bool:
        """Whether a resource of this Region has that ARN."""
        with self.region.lock:
            return self._find(arn) is not None

    @emulated_operation
    def add_tags(self, request: Fields) -> Fields:
        """New and overwritten tags; answers all of them."""
        resource = self._resource(request["ResourceArn"])
        added = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        if len(resource.tags | added) > _MOST_TAGS:
            raise ValidationError(f"A resource can have at most {_MOST_TAGS} tags.")
        resource.tags |= added
        return self.list_tags(request)

    @emulated_operation
    def list_tags(self, request: Fields) -> Fields:
        """All tags of one resource."""
        tags = self._resource(request["ResourceArn"]).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    @emulated_operation
    def delete_tags(self, request: Fields) -> Fields:
        """Keys that are not there are passed over."""
        tags = self._resource(request["ResourceArn"]).tags
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _resource(self, arn: str) -> SageMakerResource:
        resource = self._find(arn)
        if resource is None:
            raise ValidationError(f"Could not find resource {arn}.")
        return resource

    def _find(self, arn: str) -> SageMakerResource | None:
        found = (family.find(arn) for family in self._families if arn.startswith(family.build_arn("")))
        return next((resource for resource in found if resource is not None), None)
