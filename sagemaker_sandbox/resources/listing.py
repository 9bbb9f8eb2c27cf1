"""Responses of List operations: filtered, sorted in the documented order, and cut to a page."""

import functools
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from botocore.model import ListShape, StructureShape

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.resources import Fields, SageMakerResource
from sustainable_mlops.aws.service_model import load_service_model

_MAX_PAGE = 100  # the largest page of any List operation
_TIME = re.compile(r"\w+Time(After|Before)")
_DEFAULT = re.compile(r"default(?: value)?(?: is|:)\s*(?:<code>)?(?P<value>\w+)", re.IGNORECASE)


def list_page(
    operation: str,
    request: Fields,
    resources: Iterable[SageMakerResource],
    *,
    name: str,
    status: str = "",
    filters: Fields | None = None,
) -> Fields:
    """Return the response of `operation`, which lists the description of each resource.

    `name` and `status` are the fields with the name and the status. `filters` are required values of fields; None means
    that the field must be absent.
    """
    times = {member: _parse_seconds(value) for member, value in request.items() if _TIME.fullmatch(member)}
    descriptions = [
        resource.fields
        for resource in resources
        if _matches(resource.fields, request, name, status)
        and _is_in_time_range(resource.fields, times)
        and all(resource.fields.get(member) == value for member, value in (filters or {}).items())
    ]
    sort_by = str(request.get("SortBy") or find_documented_default(operation, "SortBy") or "CreationTime")
    order = str(request.get("SortOrder") or find_documented_default(operation, "SortOrder") or "Descending")
    field = {"name": name, "status": status}.get(sort_by.lower(), sort_by)
    if not any(field in fields for fields in descriptions):  # such as CREATION_TIME, or what no resource has
        field = "CreationTime"
    with_value = [fields for fields in descriptions if fields.get(field) is not None]
    with_value.sort(key=lambda fields: fields[field], reverse=order.lower().startswith("desc"))
    ordered = with_value + [fields for fields in descriptions if fields.get(field) is None]
    return build_page(operation, request, ordered)


def build_page(operation: str, request: Fields, items: list[Any]) -> Fields:
    """Return one page of `items`, which are already in order."""
    token = request.get("NextToken") or "0"
    if not re.fullmatch(r"[0-9]{1,9}", token):
        raise ValidationError("The NextToken is invalid.")
    start, size = (
        int(token),
        request.get("MaxResults") or int(find_documented_default(operation, "MaxResults") or _MAX_PAGE),
    )
    page: Fields = {_list_member(operation): items[start : start + size]}
    if start + size < len(items):
        page["NextToken"] = str(start + size)
    return page


@functools.cache
def find_documented_default(operation: str, member: str) -> str:
    """Return the documented default of a request member, or an empty string."""
    shape = load_service_model("sagemaker").operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)
    default = _DEFAULT.search(shape.members[member].documentation) if member in shape.members else None
    return default["value"] if default else ""


@functools.cache
def _list_member(operation: str) -> str:
    shape = load_service_model("sagemaker").operation_model(operation).output_shape
    assert isinstance(shape, StructureShape)
    (member,) = (name for name, member in shape.members.items() if isinstance(member, ListShape))
    return member


def _matches(fields: Fields, request: Fields, name: str, status: str) -> bool:
    wanted_status = next((value for member, value in request.items() if member.endswith("StatusEquals")), None)
    return request.get("NameContains", "").lower() in fields[name].lower() and (
        wanted_status is None or fields.get(status) == wanted_status
    )


def _is_in_time_range(fields: Fields, times: dict[str, float]) -> bool:
    """Return whether the fields satisfy every `<field>After` and `<field>Before`."""
    for member, seconds in times.items():
        moment = fields.get(re.sub(r"(After|Before)$", "", member))
        if moment is None:
            return False
        if moment.timestamp() < seconds if member.endswith("After") else moment.timestamp() > seconds:
            return False
    return True


def _parse_seconds(value: Any) -> float:
    """Return a time of a request in seconds. Clients send seconds since the epoch, or ISO 8601."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        return float(value.timestamp() if isinstance(value, datetime) else value)
    except (ValueError, OverflowError):
        raise ValidationError(
            f"Value '{value}' is not a timestamp; send seconds since the epoch or ISO 8601."
        ) from None


def is_created_within(moment: datetime, request: Fields) -> bool:
    """Return whether a moment is between CreatedAfter and CreatedBefore of the request."""
    times = {
        member: _parse_seconds(value)
        for member, value in request.items()
        if member in ("CreatedAfter", "CreatedBefore")
    }
    return _is_in_time_range({"Created": moment}, times)


def is_descending(request: Fields) -> bool:
    """Return whether the request's SortOrder is Descending, which is the default."""
    return str(request.get("SortOrder", "Descending")) == "Descending"
