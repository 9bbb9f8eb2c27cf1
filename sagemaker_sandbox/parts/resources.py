"""A SageMaker resource, and what all parts of a Region share: naming, status changes over time, keeping, closing."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from sagemaker_sandbox.errors import AccessDeniedError, ValidationError
from sagemaker_sandbox.parts.region import Region

#: A request or a response: the members of the service model's structure that are present.
Fields = dict[str, Any]


def now() -> datetime:
    """The present moment, aware."""
    return datetime.now(UTC)


@dataclass
class Change:
    """A change under way: what the resource becomes at `due` (seconds since the epoch)."""

    due: float
    fields: Fields
    private: Fields
    gone: bool = False


@dataclass
class Resource:
    """One resource: `fields` is what Describe answers, `private` what the sandbox alone knows of it.

    Both hold plain data, which is kept with the state. A change under way takes effect once it is due.
    """

    name: str
    arn: str
    fields: Fields
    tags: dict[str, str] = field(default_factory=dict)
    private: Fields = field(default_factory=dict)
    coming: Change | None = None

    def change(self, after_seconds: float, fields: Fields, private: Fields | None = None) -> None:
        """Merge these into `fields` and `private` once `after_seconds` have passed."""
        self.coming = Change(time.time() + after_seconds, fields, private or {})

    def delete(self, after_seconds: float) -> None:
        """Be gone once `after_seconds` have passed."""
        self.coming = Change(time.time() + after_seconds, {}, {}, gone=True)

    def settle(self) -> bool:
        """Let a due change take effect; False once the resource is gone."""
        coming = self.coming
        if coming is not None and time.time() >= coming.due:
            if coming.gone:
                return False
            self.fields |= coming.fields
            self.private |= coming.private
            self.coming = None
        return True

    @property
    def going(self) -> bool:
        """Whether it is being deleted."""
        return self.coming is not None and self.coming.gone

    def data(self) -> Fields:
        """All of it as plain data."""
        return asdict(self)

    @classmethod
    def of(cls, data: Fields) -> "Resource":
        """What `data` was taken from."""
        coming = data["coming"]
        return cls(**data | {"coming": None if coming is None else Change(**coming)})


class Part:
    """A part of SageMaker in one Region of one account.

    Its constructor's parameters say what it depends on: the Region, and parts that stand before it in the registry.
    A method that is marked by `operations.behaves` (or one of its kin) answers the operation of its name:
    `create_model` is CreateModel.
    """

    #: botocore's name of the service whose operations these are.
    service: ClassVar[str] = "sagemaker"
    #: Operations of this part that are refused: the reason, and what to do instead.
    refuses: ClassVar[Mapping[str, str]] = {}

    def __init__(self, region: Region) -> None:
        self.region = region

    def snapshot(self) -> Any:
        """What has to be kept for `restore`: plain data. Called with the Region's lock held."""
        return None

    def restore(self, kept: Any) -> None:
        """Bring back what was kept; what ran then does not any more, and has to be said so."""

    def left(self) -> dict[str, list[str]]:
        """Type to the names of what a destroy should have taken away."""
        return {}

    def close(self) -> None:
        """End what runs; requests to the other services are still answered. Called without the Region's lock."""


class Family(Part):
    """All resources of one kind in one Region of one account."""

    #: The type in an ARN, such as `endpoint-config`.
    arn_type: ClassVar[str]
    #: What SageMaker calls one of them in its messages.
    noun: ClassVar[str]

    def __init__(self, region: Region) -> None:
        super().__init__(region)
        self.resources: dict[str, Resource] = {}
        #: Called with the name of each resource that is gone for good, with the Region's lock held.
        self.when_gone: list[Callable[[str], None]] = []

    def arn(self, name: str) -> str:
        """The ARN of the resource of that name."""
        return self.region.arn(self.arn_type, name)

    def add(self, name: str, fields: Fields, tags: list[dict[str, str]] | None = None) -> Resource:
        """Keep a new resource; creation and modification times are set here."""
        created = {"CreationTime": now(), "LastModifiedTime": now()}
        resource = Resource(name, self.arn(name), fields | created)
        resource.tags = {tag["Key"]: tag["Value"] for tag in tags or []}
        self.resources[name] = resource
        return resource

    def remove(self, resource: Resource) -> None:
        """Forget a resource."""
        if self.resources.pop(resource.name, None) is not None:
            for tell in self.when_gone:
                tell(resource.name)

    def find(self, name_or_arn: str) -> Resource | None:
        """The resource of that name or ARN, with due changes in effect; None where there is none."""
        resource = self.resources.get(name_or_arn.removeprefix(self.arn("")))
        if resource is not None and not resource.settle():
            self.remove(resource)
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

    def must_allow(self, account: str, action: str, arn: str) -> None:
        """Raise AccessDeniedError unless another account may do this to a resource of this one."""
        raise AccessDeniedError(account, action, arn)

    def left(self) -> dict[str, list[str]]:
        """What is on its way out has been."""
        names = [resource.name for resource in self if not resource.going]
        return {self.arn_type: names} if names else {}

    def snapshot(self) -> Any:
        """Every resource."""
        return [resource.data() for resource in self.resources.values()]

    def restore(self, kept: Any) -> None:
        """Every resource, by its name."""
        self.resources = {data["name"]: Resource.of(data) for data in kept or ()}
