"""Tags of every SageMaker resource, by ARN."""

from collections.abc import Iterable

from sustainable_mlops.sandbox.errors import ValidationError
from sustainable_mlops.sandbox.sagemaker.resources import Family, Fields, Resource

_MOST_TAGS = 50


class Tags:
    """AddTags, ListTags, DeleteTags."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def add_tags(self, request: Fields) -> Fields:
        """New and overwritten tags; answers all of them."""
        resource = self._resource(request["ResourceArn"])
        added = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        if len(resource.tags | added) > _MOST_TAGS:
            raise ValidationError(f"A resource can have at most {_MOST_TAGS} tags.")
        resource.tags |= added
        return self.list_tags(request)

    def list_tags(self, request: Fields) -> Fields:
        """All tags of one resource."""
        tags = self._resource(request["ResourceArn"]).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def delete_tags(self, request: Fields) -> Fields:
        """Keys that are not there are passed over."""
        tags = self._resource(request["ResourceArn"]).tags
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _resource(self, arn: str) -> Resource:
        for family in self._families:
            resource = family.find(arn) if arn.startswith(family.arn("")) else None
            if resource is not None:
                return resource
        raise ValidationError(f"Could not find resource {arn}.")
