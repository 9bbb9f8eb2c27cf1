"""Tags of every SageMaker resource, by ARN."""

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.operations import behaves
from sagemaker_sandbox.parts.region import Region
from sagemaker_sandbox.parts.resources import Family, Fields, Part, Resource

_MOST_TAGS = 50


class Tags(Part):
    """AddTags, ListTags, DeleteTags."""

    def __init__(self, region: Region, families: list[Family]) -> None:
        super().__init__(region)
        self._families = families

    def has(self, arn: str) -> bool:
        """Whether a resource of this Region has that ARN."""
        with self.region.lock:
            return self._find(arn) is not None

    @behaves
    def add_tags(self, request: Fields) -> Fields:
        """New and overwritten tags; answers all of them."""
        resource = self._resource(request["ResourceArn"])
        added = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        if len(resource.tags | added) > _MOST_TAGS:
            raise ValidationError(f"A resource can have at most {_MOST_TAGS} tags.")
        resource.tags |= added
        return self.list_tags(request)

    @behaves
    def list_tags(self, request: Fields) -> Fields:
        """All tags of one resource."""
        tags = self._resource(request["ResourceArn"]).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    @behaves
    def delete_tags(self, request: Fields) -> Fields:
        """Keys that are not there are passed over."""
        tags = self._resource(request["ResourceArn"]).tags
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _resource(self, arn: str) -> Resource:
        resource = self._find(arn)
        if resource is None:
            raise ValidationError(f"Could not find resource {arn}.")
        return resource

    def _find(self, arn: str) -> Resource | None:
        found = (family.find(arn) for family in self._families if arn.startswith(family.arn("")))
        return next((resource for resource in found if resource is not None), None)
