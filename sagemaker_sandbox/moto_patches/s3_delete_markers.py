"""S3 delete markers: moto fails to remove the last version of an object if it is a delete marker."""

from typing import Any

from moto.s3.models import FakeDeleteMarker


def apply() -> None:
    """Add the method that moto calls on each version that it removes."""
    if not hasattr(FakeDeleteMarker, "dispose"):
        FakeDeleteMarker.dispose = _dispose


def _dispose(_marker: Any) -> None:
    """Do nothing: a delete marker has no content."""
