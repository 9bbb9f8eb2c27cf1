"""Conversion between arrays and the bodies of requests and responses."""

import io
import json
from typing import Any

from . import content_types, errors


def encode(array_like: Any, content_type: str) -> str | bytes:
    """Return an array as JSON, CSV or NPY. Raises UnsupportedFormatError."""
    import numpy as np

    if content_type == content_types.JSON:
        return json.dumps(array_like, default=lambda value: value.tolist())
    if content_type == content_types.CSV:
        text = io.StringIO()
        np.savetxt(text, array_like, delimiter=",", fmt="%s")
        return text.getvalue()
    if content_type == content_types.NPY:
        buffer = io.BytesIO()
        np.save(buffer, array_like)
        return buffer.getvalue()
    raise errors.UnsupportedFormatError(content_type)


def decode(obj: Any, content_type: str) -> Any:
    """Return JSON, CSV or NPY as an array. Raises UnsupportedFormatError."""
    import numpy as np

    if content_type == content_types.JSON:
        return np.array(json.loads(obj))
    if content_type == content_types.CSV:
        return np.genfromtxt(io.StringIO(obj), dtype=np.float32, delimiter=",")
    if content_type == content_types.NPY:
        return np.load(io.BytesIO(obj), allow_pickle=False)
    raise errors.UnsupportedFormatError(content_type)
