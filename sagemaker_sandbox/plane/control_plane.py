"""SageMaker of every account and Region: who answers an operation, and what is checked before it does."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sustainable_mlops.aws.service_model import service_model
from sagemaker_sandbox.context import SandboxContext
from sagemaker_sandbox.errors import ApiError, NotEmulatedError, UnknownOperationError
from sagemaker_sandbox.events import EventPublisher
from sagemaker_sandbox.faults.fault_queue import FaultQueue
from sagemaker_sandbox.parts.lock import Lock
from sagemaker_sandbox.parts.handlers import SupportLevel
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ResourceFamily, Fields
from sagemaker_sandbox.parts.shaping import shape_output
from sagemaker_sandbox.plane import request_roles
from sagemaker_sandbox.plane.registry import COVERAGE, Operation, Parts
from sagemaker_sandbox.validation import validate

#: An account and a Region.
Place = tuple[str, str]


class ClosingError(ApiError):
    """The sandbox ends, or is emptied: what began now nobody would end."""

    code = "ServiceUnavailable"
    status = 503


#: How the names of operations begin that may begin what runs.
_BEGINNING = ("Create", "Start", "Retry")


class ControlPlane:
    """All accounts and Regions; every one exists."""

    def __init__(self, context: SandboxContext) -> None:
        self.context = context
        self.publisher = EventPublisher(context.client)
        self._places: dict[Place, Parts] = {}
        self._lock = Lock()
        self.faults = FaultQueue()

    def parts(self, account: str, region: str) -> Parts:
        """What that Region of that account holds."""
        with self._lock:
            place = (account, region)
            if place not in self._places:
                self._places[place] = self._make(account, region)
            return self._places[place]

    def _make(self, account: str, name: str) -> Parts:
        def call(operation: str, request: Mapping[str, Any]) -> Fields:
            self.faults.raise_error(operation, request)
            return self.call(account, name, operation, request)

        return Parts(AccountRegion(account, name, self.context, self.publisher, call, self.faults, self._lock))

    def __iter__(self) -> Iterator[Parts]:
        with self._lock:
            places = list(self._places.values())
        return iter(places)

    def standing(self) -> list[Parts]:
        """All that there are by now, for who looks often: it counts for no change."""
        return list(self._places.values())

    def call(self, account: str, region: str, operation: str, request: Mapping[str, Any]) -> Fields:
        """The answer to one operation of the control plane, times as datetimes. Raises ApiError."""
        known = self.known(operation)
        self.check(account, known, request)
        given = {member: value for member, value in request.items() if value is not None}
        parts = self.parts(account, region)
        if known.declared.level is SupportLevel.REFUSED or known.part is None:
            raise NotEmulatedError(operation, known.declared.note)
        parts = self._owner(parts, known, given)
        part = parts.of(known.part)
        with self._lock:
            if parts.region.closing.is_set() and operation.startswith(_BEGINNING):
                raise ClosingError("The sandbox is ending. Try again once it is there.")
            answer = getattr(part, known.method)(given)
            return shape_output(answer, service_model("sagemaker").operation_model(operation).output_shape)

    @staticmethod
    def known(operation: str) -> Operation:
        """What there is of an operation. Raises UnknownOperationError."""
        known = COVERAGE.find("sagemaker", operation)
        if known is None:
            raise UnknownOperationError(f"SageMaker has no operation {operation}.")
        return known

    @staticmethod
    def check(account: str, operation: Operation, request: Mapping[str, Any]) -> None:
        """Raise ApiError for a request that the service model does not allow, or whose role cannot be assumed."""
        if operation.declared.level is SupportLevel.REFUSED:
            raise NotEmulatedError(operation.name, operation.declared.note)
        shape = service_model("sagemaker").operation_model(operation.name).input_shape
        if shape is not None:
            validate(request, shape)
        if operation.name.startswith("Create"):
            request_roles.must_be_assumable(account, operation.name, request)

    def _owner(self, parts: Parts, operation: Operation, request: Fields) -> Parts:
        """The place that answers: another account's for the ARN of what it shares. Raises AccessDeniedError."""
        region = parts.region
        arn = str(request.get(operation.declared.shared_member, "")) if operation.declared.shared_member else ""
        if not arn.startswith("arn:"):
            return parts
        _, _, _, where, account, _ = (*arn.split(":", 5), *[""] * 6)[:6]
        if account == region.account_id or where != region.name:
            return parts
        owner = self.parts(account, where)
        assert operation.part is not None
        family = owner.of(operation.part)
        assert isinstance(family, ResourceFamily)
        with self._lock:
            family.check_access(region.account_id, f"sagemaker:{operation.name}", arn)
        return owner

    @property
    def changes(self) -> int:
        """A number that is another one once anything may have changed."""
        return self._lock.held

    @contextmanager
    def at_rest(self, seconds: float = 5.0) -> Iterator[None]:
        """Nothing changes meanwhile, and nobody is answered. Raises TimeoutError."""
        with self._lock.quietly(seconds):
            yield

    def snapshot(self) -> dict[Place, dict[str, Any]]:
        """Account and Region to what `restore` needs. Call it `at_rest`."""
        return {place: parts.snapshot() for place, parts in self._places.items()}

    def restore(self, kept: Mapping[Place, Mapping[str, Any]]) -> None:
        """Bring back what was kept."""
        for (account, region), snapshot in kept.items():
            self.parts(account, region).restore(snapshot)

    def close(self) -> None:
        """End jobs and workers, write what is still buffered, tell what has happened."""
        for parts in self:
            parts.close()
        self.publisher.close()

    def reset(self) -> None:
        """As `close`, and nothing is left, files included: names that are free again find no others' there."""
        self.close()
        for parts in self:
            shutil.rmtree(parts.region.folder, ignore_errors=True)
        with self._lock:
            self._places.clear()
        self.faults.clear()


def json_value(value: Any) -> Any:
    """An answer as the protocol sends it: moments as epoch seconds."""
    if isinstance(value, dict):
        return {key: json_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [json_value(item) for item in value]
    return value.timestamp() if isinstance(value, datetime) else value
