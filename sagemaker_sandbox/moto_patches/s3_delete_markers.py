"""S3 delete markers: moto crashes when the last version of an object is removed and it is a delete marker."""

from typing import Any

from moto.s3.models import FakeDeleteMarker


def apply() -> None:
    """Give delete markers what moto calls on every version that goes."""
    if not hasattr(FakeDeleteMarker, "dispose"):
        FakeDeleteMarker.dispose = _dispose


def _dispose(_marker: Any) -> None:
    """A delete marker has no content to let go of."""
