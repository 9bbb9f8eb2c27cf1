"""ECR: moto refuses an immutable tag of another image with the error for an image that is pushed again.

ECR has two errors: ImageAlreadyExistsException if neither the manifest nor the tag has changed, and
ImageTagAlreadyExistsException if the tag of an immutable repository belongs to another image.
"""

from typing import Any

from moto.core.exceptions import ServiceException
from moto.ecr.exceptions import ImageAlreadyExistsException
from moto.ecr.models import ECRBackend


class ImageTagAlreadyExistsException(ServiceException):  # type: ignore[misc]
    """Refusal of a tag that another image has."""

    code = "ImageTagAlreadyExistsException"


def apply() -> None:
    """Refuse the tag of another image as ECR does."""
    put_image = ECRBackend.put_image

    def put_image_with_both_errors(
        self: Any, repository_name: str, image_manifest: str, image_tag: str, *more: Any, **options: Any
    ) -> Any:
        try:
            return put_image(self, repository_name, image_manifest, image_tag, *more, **options)
        except ImageAlreadyExistsException:
            images = self.repositories[repository_name].images
            if any(image_tag in image.image_tags and image.image_manifest == image_manifest for image in images):
                raise
            raise ImageTagAlreadyExistsException(
                f"The image tag '{image_tag}' already exists in the '{repository_name}' repository and cannot be "
                "overwritten because the tag is immutable."
            ) from None

    ECRBackend.put_image = put_image_with_both_errors
