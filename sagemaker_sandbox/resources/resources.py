"""SageMaker's resources and the parts that hold them: names, status changes, snapshots and closing."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from sagemaker_sandbox.base.errors import AccessDeniedError, ValidationError
from sagemaker_sandbox.iam.evaluation import AccessDecision, AccessRequest, PolicyKind, Principal
from sagemaker_sandbox.resources.region import AccountRegion

#: A request or a response, as the present members of a structure in the service model.
Fields = dict[str, Any]


def now() -> datetime:
    """Return the present moment with its time zone."""
    return datetime.now(UTC)


@dataclass
class PendingChange:
    """A change that takes effect at `due` (seconds since the epoch)."""

    due: float
    fields: Fields
    is_deletion: bool = False


@dataclass
class SageMakerResource:
    """One resource. `fields` is its description, and `private` is data of the sandbox alone.

    Both hold plain data, which is saved with the state. A pending change takes effect when it is due.
    """

    name: str
    arn: str
    fields: Fields
    tags: dict[str, str] = field(default_factory=dict)
    private: Fields = field(default_factory=dict)
    pending_change: PendingChange | None = None

    def schedule_change(self, after_seconds: float, fields: Fields) -> None:
        """Schedule values to merge into `fields` after `after_seconds`."""
        self.pending_change = PendingChange(time.time() + after_seconds, fields)

    def schedule_deletion(self, after_seconds: float) -> None:
        """Schedule the deletion after `after_seconds`."""
        self.pending_change = PendingChange(time.time() + after_seconds, {}, is_deletion=True)

    def apply_due_change(self) -> bool:
        """Apply a due change. Return False if the resource no longer exists."""
        change = self.pending_change
        if change is not None and time.time() >= change.due:
            if change.is_deletion:
                return False
            self.fields |= change.fields
            self.pending_change = None
        return True

    @property
    def is_being_deleted(self) -> bool:
        """True if a deletion is pending."""
        return self.pending_change is not None and self.pending_change.is_deletion

    def to_data(self) -> Fields:
        """Return the resource as plain data."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Fields) -> "SageMakerResource":
        """Return the resource from plain data."""
        change = data["pending_change"]
        return cls(**data | {"pending_change": None if change is None else PendingChange(**change)})


class ServicePart:
    """Operations on one subject of SageMaker, in one Region of one account.

    The parameters of the constructor are its dependencies: the Region, and parts before it in the registry. A method
    with a decorator of `handlers` handles the operation of its name: `create_model` handles CreateModel.
    """

    #: botocore's name of the service with these operations.
    service: ClassVar[str] = "sagemaker"
    #: Refused operations, with the reason and the alternative.
    refused_operations: ClassVar[Mapping[str, str]] = {}

    def __init__(self, region: AccountRegion) -> None:
        self.region = region

    def snapshot(self) -> Any:
        """Return plain data for `restore`. The caller holds the Region's lock."""
        return None

    def restore(self, snapshot: Any) -> None:
        """Restore a snapshot. Work that ran then no longer runs, and the state must say so."""

    def list_remaining(self) -> dict[str, list[str]]:
        """Return the names of resources by type that a destroy should have removed."""
        return {}

    def close(self) -> None:
        """End everything that runs. Other services still handle requests.

        The caller does not hold the Region's lock.
        """


class ResourceFamily(ServicePart):
    """All resources of one type in one Region of one account."""

    #: Resource type in ARNs, such as `endpoint-config`.
    arn_type: ClassVar[str]
    #: SageMaker's name of a resource in its messages.
    noun: ClassVar[str]

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        self.resources: dict[str, SageMakerResource] = {}
        #: Functions to call with the name of each removed resource. The Region's lock is held.
        self.on_removed: list[Callable[[str], None]] = []

    def build_arn(self, name: str) -> str:
        """Return the ARN of the resource with this name."""
        return self.region.build_arn(self.arn_type, name)

    def add(self, name: str, fields: Fields, tags: list[dict[str, str]] | None = None) -> SageMakerResource:
        """Add a new resource with its creation and modification times."""
        times = {"CreationTime": now(), "LastModifiedTime": now()}
        resource = SageMakerResource(name, self.build_arn(name), fields | times)
        resource.tags = {tag["Key"]: tag["Value"] for tag in tags or []}
        self.resources[name] = resource
        return resource

    def remove(self, resource: SageMakerResource) -> None:
        """Remove a resource, and call the functions in `on_removed` with its name."""
        if self.resources.pop(resource.name, None) is not None:
            for notify in self.on_removed:
                notify(resource.name)

    def find(self, name_or_arn: str) -> SageMakerResource | None:
        """Return the resource with this name or ARN, after its due change was applied, or None."""
        resource = self.resources.get(name_or_arn.removeprefix(self.build_arn("")))
        if resource is not None and not resource.apply_due_change():
            self.remove(resource)
            return None
        return resource

    def get(self, name_or_arn: str) -> SageMakerResource:
        """Return the resource with this name or ARN. Raise the family's not-found error."""
        resource = self.find(name_or_arn)
        if resource is None:
            raise self.create_not_found_error(name_or_arn.removeprefix(self.build_arn("")))
        return resource

    def __iter__(self) -> Iterator[SageMakerResource]:
        for name in list(self.resources):
            resource = self.find(name)
            if resource is not None:
                yield resource

    def schedule_change(self, resource: SageMakerResource, operation: str, fields: Fields) -> None:
        """Schedule values for the end of the status change that the operation begins."""
        seconds = self.region.take_transition_seconds(operation, resource.name)
        resource.schedule_change(seconds, fields)
        self._start_change(resource.name, seconds)

    def schedule_deletion(self, resource: SageMakerResource, operation: str) -> None:
        """Schedule the deletion that the operation begins."""
        seconds = self.region.take_transition_seconds(operation, resource.name)
        resource.schedule_deletion(seconds)
        self._start_change(resource.name, seconds)

    def _start_change(self, name: str, seconds: float) -> None:
        """Apply a scheduled change in time, even if no request looks at the resource.

        The time does not advance meanwhile, because schedules and alarms must find the new status. A delay that a fault
        injects holds no clock: it may be longer than a test.
        """

        def apply() -> None:
            if not self.region.closing.wait(seconds):
                with self.region.lock:
                    self.find(name)

        is_short = seconds <= self.region.context.transition_seconds
        self.region.start_thread(f"{self.arn_type} {name}", apply, blocks_clock=is_short)

    def check_name_is_free(self, name: str) -> None:
        """Raise ValidationError if the name is taken."""
        if self.find(name) is not None:
            raise ValidationError(f'Cannot create already existing {self.noun} "{self.build_arn(name)}".')

    def create_not_found_error(self, name: str) -> Exception:
        """Return the error for a name that does not exist.

        The Terraform provider recognizes a deleted resource by this wording.
        """
        return ValidationError(f'Could not find {self.noun} "{self.build_arn(name)}".')

    def check_access(self, principal: Principal, action: str, arn: str) -> None:
        """Raise AccessDeniedError for another account's action. Families with shareable resources override this."""
        request = AccessRequest(principal, action, arn)
        raise AccessDeniedError(AccessDecision(False, PolicyKind.RESOURCE).explain(request))

    def list_remaining(self) -> dict[str, list[str]]:
        """Return the names of resources that are not being deleted."""
        names = [resource.name for resource in self if not resource.is_being_deleted]
        return {self.arn_type: names} if names else {}

    def snapshot(self) -> Any:
        """Return every resource as plain data."""
        return [resource.to_data() for resource in self.resources.values()]

    def restore(self, snapshot: Any) -> None:
        """Restore every resource. A pending transition ends at its scheduled time."""
        self.resources = {data["name"]: SageMakerResource.from_data(data) for data in snapshot or ()}
        for resource in self.resources.values():
            if resource.pending_change is not None:
                self._start_change(resource.name, max(resource.pending_change.due - time.time(), 0))
