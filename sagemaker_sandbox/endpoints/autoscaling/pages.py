"""Responses of the Describe operations: filter by target, and pagination."""

import re
from collections.abc import Iterable, Sequence

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.endpoints.autoscaling.errors import InvalidNextTokenError
from sagemaker_sandbox.resources.resources import Fields

#: Largest and default page size.
_PAGE = 50


def build_page(request: Fields, member: str, items: Sequence[Fields]) -> Fields:
    """Return one page of the items, in their order."""
    size, token = request.get("MaxResults", _PAGE), request.get("NextToken") or "0"
    if not 1 <= size <= _PAGE:
        raise ValidationError(f"MaxResults must be between 1 and {_PAGE}")
    if not re.fullmatch(r"[0-9]{1,9}", token):
        raise InvalidNextTokenError
    start = int(token)
    response: Fields = {member: list(items[start : start + size])}
    if start + size < len(items):
        response["NextToken"] = str(start + size)
    return response


def filter_by_target(request: Fields, items: Iterable[Fields]) -> list[Fields]:
    """Return the items of the targets that the request names, or all items."""
    ids = request.get("ResourceIds") or ([request["ResourceId"]] if "ResourceId" in request else [])
    dimension = request.get("ScalableDimension")
    if dimension and not ids:
        raise ValidationError("Resource ID must be specified if scalable dimension is specified")
    return [
        item
        for item in items
        if (not ids or item["ResourceId"] in ids) and dimension in (None, item["ScalableDimension"])
    ]
