"""S3 GetObjectAttributes: moto ignores names after a comma and a space, as the SDK for JavaScript sends them."""

from typing import Any

from moto.s3.models import S3Backend


def apply() -> None:
    """Remove the spaces."""
    get_object_attributes = S3Backend.get_object_attributes

    def get_named_attributes(self: Any, key: Any, attributes_to_get: list[str]) -> Any:
        return get_object_attributes(self, key, [name.strip() for name in attributes_to_get])

    S3Backend.get_object_attributes = get_named_attributes
