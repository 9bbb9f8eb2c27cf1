"""The control plane of SageMaker in every account and Region.

It checks requests and calls the handlers of operations.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.base.errors import ApiError, NotEmulatedError, UnknownOperationError
from sagemaker_sandbox.base.events import EventPublisher
from sagemaker_sandbox.base.validation import validate
from sagemaker_sandbox.control_plane import request_roles
from sagemaker_sandbox.control_plane.registry import OPERATIONS, Operation, RegionParts
from sagemaker_sandbox.faults.fault_queue import FaultQueue
from sagemaker_sandbox.resources.callers import find_caller
from sagemaker_sandbox.resources.handlers import SupportLevel
from sagemaker_sandbox.resources.lock import Lock
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily
from sagemaker_sandbox.resources.response_shape import shape_output
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.aws.service_model import load_service_model

#: An account and a Region.
AccountAndRegion = tuple[str, str]


class ClosingError(ApiError):
    """The sandbox stops or is being reset. Nothing would end what starts now."""

    code = "ServiceUnavailable"
    status = 503


#: Verbs of operations that can start background work.
_STARTING_VERBS = ("Create", "Start", "Retry")


class ControlPlane:
    """All accounts and Regions. Every account and Region exists."""

    def __init__(self, context: SandboxContext) -> None:
        self.context = context
        self.publisher = EventPublisher(context.client)
        #: Check `check(role, region, operation, request)` of IAM; None without enforcement.
        self.role_check: Callable[[str, str, str, Mapping[str, Any]], None] | None = None
        self._parts: dict[AccountAndRegion, RegionParts] = {}
        self._lock = Lock()
        self.faults = FaultQueue()

    def get_parts(self, account: str, region: str) -> RegionParts:
        """Return the parts of one Region of an account."""
        with self._lock:
            key = (account, region)
            if key not in self._parts:
                self._parts[key] = self._create_parts(account, region)
            return self._parts[key]

    def _create_parts(self, account: str, name: str) -> RegionParts:
        def call(operation: str, request: Mapping[str, Any]) -> Fields:
            self.faults.raise_error(operation, request)
            return self.call(account, name, operation, request)

        def check_role(role: str, operation: str, request: Mapping[str, Any]) -> None:
            if self.role_check is not None:
                self.role_check(role, name, operation, request)

        region = AccountRegion(
            account, name, self.context, self.publisher, call, self.faults, self._lock, check_role=check_role
        )
        return RegionParts(region)

    def __iter__(self) -> Iterator[RegionParts]:
        with self._lock:
            all_parts = list(self._parts.values())
        return iter(all_parts)

    def list_existing_parts(self) -> list[RegionParts]:
        """Return the parts that exist by now. Frequent callers use this, because it counts as no change."""
        return list(self._parts.values())

    def describe_resource(self, arn: str) -> tuple[str | None, Mapping[str, str]]:
        """Return the resource policy and the tags of a resource.

        The policy of a model package is that of its group.
        """
        _, _, region, account, name = Arn.parse(arn)
        parts = self.get_parts(account, region)
        group = re.sub(r"^model-package/([^/]+)/.*$", r"model-package-group/\1", name)
        policy: str | None = None
        tags: dict[str, str] = {}
        with self._lock:
            for resource in (resource for family in parts.families for resource in family):
                resource_name = Arn.parse(resource.arn).resource.lower()
                if resource_name == group.lower():
                    policy = resource.private.get("policy")
                if resource_name == name.lower():
                    tags = dict(resource.tags)
        return policy, tags

    def call(self, account: str, region: str, operation: str, request: Mapping[str, Any]) -> Fields:
        """Return the response to an operation of the control plane, with times as datetimes. Raises ApiError."""
        found_operation = self.find_operation(operation)
        self.check_request(account, found_operation, request)
        present_members = {member: value for member, value in request.items() if value is not None}
        parts = self.get_parts(account, region)
        if found_operation.support.level is SupportLevel.REFUSED or found_operation.part is None:
            raise NotEmulatedError(operation, found_operation.support.note)
        parts = self._find_owner(parts, found_operation, present_members)
        part = parts.get(found_operation.part)
        with self._lock:
            if parts.region.closing.is_set() and operation.startswith(_STARTING_VERBS):
                raise ClosingError("The sandbox is stopping. Try again after its next start.")
            response = getattr(part, found_operation.method)(present_members)
            return shape_output(response, load_service_model("sagemaker").operation_model(operation).output_shape)

    @staticmethod
    def find_operation(operation: str) -> Operation:
        """Return an operation of SageMaker. Raises UnknownOperationError."""
        found_operation = OPERATIONS.find("sagemaker", operation)
        if found_operation is None:
            raise UnknownOperationError(f"SageMaker has no operation {operation}.")
        return found_operation

    @staticmethod
    def check_request(account: str, operation: Operation, request: Mapping[str, Any]) -> None:
        """Raise ApiError for a request that the service model does not allow, or whose role cannot be assumed."""
        if operation.support.level is SupportLevel.REFUSED:
            raise NotEmulatedError(operation.name, operation.support.note)
        shape = load_service_model("sagemaker").operation_model(operation.name).input_shape
        if shape is not None:
            validate(request, shape)
        if operation.name.startswith("Create"):
            request_roles.check_roles(account, operation.name, request)

    def _find_owner(self, parts: RegionParts, operation: Operation, request: Fields) -> RegionParts:
        """Return the parts that handle the request.

        They are another account's for the ARN of a shared resource. Raises AccessDeniedError.
        """
        region = parts.region
        arn = str(request.get(operation.support.shared_member, "")) if operation.support.shared_member else ""
        shared = Arn.parse_or_none(arn)
        if shared is None or shared.account == region.account_id or shared.region != region.name:
            return parts
        owner = self.get_parts(shared.account, shared.region)
        assert operation.part is not None
        family = owner.get(operation.part)
        assert isinstance(family, ResourceFamily)
        with self._lock:
            family.check_access(find_caller(region.account_id), f"sagemaker:{operation.name}", arn)
        return owner

    @property
    def change_count(self) -> int:
        """A number that differs as soon as anything may have changed."""
        return self._lock.acquire_count

    @contextmanager
    def pause(self, seconds: float = 5.0) -> Iterator[None]:
        """Keep all resources unchanged during the block, without handling requests. Raises TimeoutError."""
        with self._lock.hold_unchanged(seconds):
            yield

    def snapshot(self) -> dict[AccountAndRegion, dict[str, Any]]:
        """Return the data for `restore` by account and Region. Call this inside `pause`."""
        return {key: parts.snapshot() for key, parts in self._parts.items()}

    def restore(self, snapshots: Mapping[AccountAndRegion, Mapping[str, Any]]) -> None:
        """Restore a snapshot."""
        for (account, region), snapshot in snapshots.items():
            self.get_parts(account, region).restore(snapshot)

    def close(self) -> None:
        """End jobs and workers, write buffered data, and publish pending events."""
        for parts in self:
            parts.close()
        self.publisher.close()

    def reset(self) -> None:
        """Close everything, and remove all resources and files. A new resource finds no files of an old one."""
        self.close()
        for parts in self:
            shutil.rmtree(parts.region.folder, ignore_errors=True)
        with self._lock:
            self._parts.clear()
        self.faults.clear()


def convert_to_json(value: Any) -> Any:
    """Return a response in JSON, with times in seconds since the epoch."""
    if isinstance(value, dict):
        return {key: convert_to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [convert_to_json(item) for item in value]
    return value.timestamp() if isinstance(value, datetime) else value
