"""The answer of a List operation: filtered, sorted and cut to a page as its request asks, in the documented order."""

import functools
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from botocore.model import ListShape, StructureShape

from sustainable_mlops.aws.service_model import service_model
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.resources import Fields, Resource

_PAGE = 100  # the most that any List operation returns at once
_TIME = re.compile(r"\w+Time(After|Before)")
_DEFAULT = re.compile(r"default(?: value)?(?: is|:)\s*(?:<code>)?(?P<value>\w+)", re.IGNORECASE)


def list_page(
    operation: str,
    request: Fields,
    resources: Iterable[Resource],
    *,
    name: str,
    status: str = "",
    wanted: Fields | None = None,
) -> Fields:
    """The answer of `operation`, whose one list holds what each resource's Describe would answer.

    `name` is the field that holds the name, `status` the one that holds the status; `wanted` are values that fields
    must have (None: must not have).
    """
    times = {member: _seconds(value) for member, value in request.items() if _TIME.fullmatch(member)}
    found = [
        resource.fields
        for resource in resources
        if _matches(resource.fields, request, name, status)
        and _in_time(resource.fields, times)
        and all(resource.fields.get(member) == value for member, value in (wanted or {}).items())
    ]
    by = str(request.get("SortBy") or documented_default(operation, "SortBy") or "CreationTime")
    order = str(request.get("SortOrder") or documented_default(operation, "SortOrder") or "Descending")
    field = {"name": name, "status": status}.get(by.lower(), by)
    if not any(field in fields for fields in found):  # such as CREATION_TIME, or what no resource has
        field = "CreationTime"
    have = [fields for fields in found if fields.get(field) is not None]
    have.sort(key=lambda fields: fields[field], reverse=order.lower().startswith("desc"))
    ordered = have + [fields for fields in found if fields.get(field) is None]
    return cut(operation, request, ordered)


def cut(operation: str, request: Fields, items: list[Any]) -> Fields:
    """One page of `items`, which are in order already."""
    token = request.get("NextToken") or "0"
    if not re.fullmatch(r"[0-9]{1,9}", token):
        raise ValidationError("The NextToken is invalid.")
    start, size = int(token), request.get("MaxResults") or int(documented_default(operation, "MaxResults") or _PAGE)
    page: Fields = {_list_member(operation): items[start : start + size]}
    if start + size < len(items):
        page["NextToken"] = str(start + size)
    return page


@functools.cache
def documented_default(operation: str, member: str) -> str:
    """The default that AWS documents for a member of the operation's request; empty where it documents none."""
    shape = service_model("sagemaker").operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)
    default = _DEFAULT.search(shape.members[member].documentation) if member in shape.members else None
    return default["value"] if default else ""


@functools.cache
def _list_member(operation: str) -> str:
    shape = service_model("sagemaker").operation_model(operation).output_shape
    assert isinstance(shape, StructureShape)
    (member,) = (name for name, member in shape.members.items() if isinstance(member, ListShape))
    return member


def _matches(fields: Fields, request: Fields, name: str, status: str) -> bool:
    wanted_status = next((value for member, value in request.items() if member.endswith("StatusEquals")), None)
    return request.get("NameContains", "").lower() in fields[name].lower() and (
        wanted_status is None or fields.get(status) == wanted_status
    )


def _in_time(fields: Fields, times: dict[str, float]) -> bool:
    """Whether every `<field>After` and `<field>Before` holds."""
    for member, seconds in times.items():
        moment = fields.get(re.sub(r"(After|Before)$", "", member))
        if moment is None:
            return False
        if moment.timestamp() < seconds if member.endswith("After") else moment.timestamp() > seconds:
            return False
    return True


def _seconds(sent: Any) -> float:
    """A time in a request, which clients send as epoch seconds or in ISO 8601."""
    try:
        if isinstance(sent, str):
            sent = datetime.fromisoformat(sent)
        return float(sent.timestamp() if isinstance(sent, datetime) else sent)
    except (ValueError, OverflowError):
        raise ValidationError(f"Value '{sent}' is no timestamp; send seconds since the epoch or ISO 8601.") from None


def created_within(moment: datetime, request: Fields) -> bool:
    """Whether it lies within what the request names in CreatedAfter and CreatedBefore."""
    times = {
        member: _seconds(value) for member, value in request.items() if member in ("CreatedAfter", "CreatedBefore")
    }
    return _in_time({"Created": moment}, times)


def descending(request: Fields) -> bool:
    """Whether the request's SortOrder, by default Descending, asks for the latest first."""
    return str(request.get("SortOrder", "Descending")) == "Descending"
