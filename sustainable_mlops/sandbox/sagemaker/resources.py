"""A SageMaker resource, and what all families of resources share: naming, status changes over time, listing."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from sustainable_mlops.sandbox.errors import ValidationError
from sustainable_mlops.sandbox.sagemaker.region import Region

#: A request or a response: the members of the service model's structure that are present.
Fields = dict[str, Any]

_PAGE = 100  # the most that any List operation returns at once


def now() -> datetime:
    """The present moment, aware."""
    return datetime.now(UTC)


@dataclass
class Resource:
    """One resource: `fields` is what Describe answers. A change under way takes effect once it is due."""

    name: str
    arn: str
    fields: Fields
    tags: dict[str, str] = field(default_factory=dict)
    _due: float = 0.0
    _then: Fields | None = None
    _changing: bool = False

    def change(self, after_seconds: float, then: Fields | None) -> None:
        """Merge `then` into the fields once `after_seconds` have passed; None deletes the resource."""
        self._due, self._then, self._changing = time.time() + after_seconds, then, True

    def settle(self) -> bool:
        """Let a due change take effect; False once the resource is gone."""
        if self._changing and time.time() >= self._due:
            if self._then is None:
                return False
            self.fields |= self._then
            self._changing = False
        return True

    @property
    def going(self) -> bool:
        """Whether it is being deleted."""
        return self._changing and self._then is None


class Family:
    """All resources of one kind in one region. Public methods named as operations (`create_model`) answer them."""

    #: The type in an ARN, such as `endpoint-config`.
    arn_type: ClassVar[str]
    #: What SageMaker calls one of them in its messages.
    noun: ClassVar[str]

    def __init__(self, region: Region) -> None:
        self.region = region
        self.resources: dict[str, Resource] = {}
        #: Called with the name of each resource that is gone for good.
        self.when_gone: list[Callable[[str], None]] = []

    def arn(self, name: str) -> str:
        """The ARN of the resource of that name."""
        return f"arn:aws:sagemaker:{self.region.name}:{self.region.context.account_id}:{self.arn_type}/{name}"

    def add(self, name: str, fields: Fields, tags: list[dict[str, str]] | None = None) -> Resource:
        """Keep a new resource; creation and modification times are set here."""
        created = {"CreationTime": now(), "LastModifiedTime": now()}
        resource = Resource(name, self.arn(name), fields | created)
        resource.tags = {tag["Key"]: tag["Value"] for tag in tags or []}
        self.resources[name] = resource
        return resource

    def find(self, name_or_arn: str) -> Resource | None:
        """The resource of that name or ARN, with due changes in effect; None where there is none."""
        name = name_or_arn.removeprefix(self.arn(""))
        resource = self.resources.get(name)
        if resource is not None and not resource.settle():
            del self.resources[name]
            for tell in self.when_gone:
                tell(name)
            return None
        return resource

    def get(self, name_or_arn: str) -> Resource:
        """As `find`; raises the family's own not-found error."""
        resource = self.find(name_or_arn)
        if resource is None:
            raise self.not_found(name_or_arn.removeprefix(self.arn("")))
        return resource

    def __iter__(self) -> Iterator[Resource]:
        for name in list(self.resources):
            resource = self.find(name)
            if resource is not None:
                yield resource

    def must_be_free(self, name: str) -> None:
        """Raise ValidationError where the name is taken."""
        if self.find(name) is not None:
            raise ValidationError(f'Cannot create already existing {self.noun} "{self.arn(name)}".')

    def not_found(self, name: str) -> Exception:
        """The error for a name that does not exist. The Terraform provider tells `gone` by this wording."""
        return ValidationError(f'Could not find {self.noun} "{self.arn(name)}".')

    def left(self) -> list[str]:
        """Names of what a destroy should have taken away; what is on its way out has been."""
        return [resource.name for resource in self if not resource.going]


def list_page(
    family: Family, request: Fields, key: str, *, name: str, status: str = "", wanted: Fields | None = None
) -> Fields:
    """The answer of a List operation: filtered, sorted and cut to a page as its request asks.

    `key` is the response's list, `name` the field that holds the name, `status` the one that holds the status;
    `wanted` are values that fields must have (None: must not have).
    """
    found = [
        resource.fields
        for resource in family
        if _matches(resource.fields, request, name, status)
        and all(resource.fields.get(member) == value for member, value in (wanted or {}).items())
    ]
    by = {"Name": name, "Status": status, "LastModifiedTime": "LastModifiedTime"}.get(request.get("SortBy", ""))
    descending = str(request.get("SortOrder", "Descending")).lower().startswith("desc")
    found.sort(key=lambda fields: fields[by or "CreationTime"], reverse=descending)
    token = request.get("NextToken") or "0"
    if not token.isdecimal():
        raise ValidationError("The NextToken is invalid.")
    start, size = int(token), request.get("MaxResults") or _PAGE
    page: Fields = {key: found[start : start + size]}
    if start + size < len(found):
        page["NextToken"] = str(start + size)
    return page


def _matches(fields: Fields, request: Fields, name: str, status: str) -> bool:
    wanted_status = next((value for member, value in request.items() if member.endswith("StatusEquals")), None)
    return (
        request.get("NameContains", "").lower() in fields[name].lower()
        and (wanted_status is None or fields.get(status) == wanted_status)
        and all(_in_time(fields[member], member, request) for member in ("CreationTime", "LastModifiedTime"))
    )


def _in_time(moment: datetime, member: str, request: Fields) -> bool:
    after, before = request.get(f"{member}After", 0), request.get(f"{member}Before", float("inf"))
    return bool(after <= moment.timestamp() <= before)
