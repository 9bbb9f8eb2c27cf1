"""The answers of the Describe operations: filtered by target and cut to a page."""

import re
from collections.abc import Iterable, Sequence

from sagemaker_sandbox.autoscaling.errors import InvalidNextTokenError
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.resources import Fields

#: The most that a page holds, and what it holds where a request does not say.
_PAGE = 50


def build_page(request: Fields, member: str, found: Sequence[Fields]) -> Fields:
    """One page of what was found, in its order."""
    size, token = request.get("MaxResults", _PAGE), request.get("NextToken") or "0"
    if not 1 <= size <= _PAGE:
        raise ValidationError(f"MaxResults must be between 1 and {_PAGE}")
    if not re.fullmatch(r"[0-9]{1,9}", token):
        raise InvalidNextTokenError
    start = int(token)
    answer: Fields = {member: list(found[start : start + size])}
    if start + size < len(found):
        answer["NextToken"] = str(start + size)
    return answer


def filter_by_target(request: Fields, found: Iterable[Fields]) -> list[Fields]:
    """Those of the target or the targets that a request names, as far as it does."""
    ids = request.get("ResourceIds") or ([request["ResourceId"]] if "ResourceId" in request else [])
    dimension = request.get("ScalableDimension")
    if dimension and not ids:
        raise ValidationError("Resource ID must be specified if scalable dimension is specified")
    return [
        one for one in found if (not ids or one["ResourceId"] in ids) and dimension in (None, one["ScalableDimension"])
    ]
