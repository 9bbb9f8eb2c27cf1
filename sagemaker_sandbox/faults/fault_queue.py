"""Pending faults, and the requests and resources that they apply to."""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.faults import fault_rules
from sagemaker_sandbox.faults.fault import SAGEMAKER, Fault


class InjectedError(ApiError):
    """The error of an injected fault."""

    def __init__(self, fault: Fault) -> None:
        assert fault.error is not None
        super().__init__(fault.message or f"{fault.error}, injected by a fault of the sandbox.")
        self.code = fault.error
        self.status = fault_rules.find_status(fault.service, fault.operation_name, fault.error) or 400


class FaultQueue:
    """Pending faults of all accounts and Regions. The first match is used, and removed when it is used up."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        """Add a fault, and return it as it is stored. Raises UserError for a fault that cannot occur."""
        resolved = fault_rules.resolve_fault(fault)
        with self._lock:
            self._pending.append(resolved)
        return resolved

    def list_pending(self) -> list[Fault]:
        """Return the faults that are not used up, in order."""
        with self._lock:
            return list(self._pending)

    def clear(self) -> None:
        """Remove all pending faults."""
        with self._lock:
            self._pending.clear()

    def raise_error(self, operation: str, request: Mapping[str, Any]) -> None:
        """Raise the pending error for a request that SageMaker itself makes.

        Examples are the requests of a pipeline or of a scaling policy. Only requests that create or add something fail
        in this way.
        """
        if not self._pending or not operation.startswith(("Create", "UpdateEndpointWeightsAndCapacities")):
            return
        names = [value for value in request.values() if isinstance(value, str)]
        fault = self.take_for_request(
            SAGEMAKER, operation, names, lambda fault: fault.error is not None and not fault.after_effect
        )
        if fault is not None:
            raise InjectedError(fault)

    def take_for_request(
        self,
        service: str,
        operation: str,
        names: Iterable[str],
        condition: Callable[[Fault], bool] = lambda _fault: True,
    ) -> Fault | None:
        """Use and return the fault for the response to a request that contains these names."""
        names = list(names)
        return self._take(
            service,
            operation,
            lambda fault: (
                not fault.status_delay
                and fault.error not in fault_rules.list_failures(fault)
                and any(fault.resource in name for name in names or [""])
                and condition(fault)
            ),
        )

    def take_status_delay(self, operation: str, name: str) -> float:
        """Use a status delay for a resource, and return its seconds."""
        fault = self._take(SAGEMAKER, operation, lambda fault: bool(fault.status_delay) and fault.resource in name)
        return fault.status_delay if fault is not None else 0.0

    def take_failure(self, operation: str, name: str, error: str) -> Fault | None:
        """Use and return the fault that makes a resource fail with this error."""
        return self._take(SAGEMAKER, operation, lambda fault: fault.error == error and fault.resource in name)

    def take_interruption(self, job: str, checkpoints: int) -> bool:
        """Return whether a spot job loses its instances now, and use the fault.

        `checkpoints` is the number of checkpoint files from its present instances.
        """

        def is_due(fault: Fault) -> bool:
            after = 1 if fault.after_checkpoints is None else fault.after_checkpoints
            return fault.error == fault_rules.SPOT and fault.resource in job and checkpoints >= after

        return self._take(SAGEMAKER, "CreateTrainingJob", is_due) is not None

    def _take(self, service: str, operation: str, matches: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for number, fault in enumerate(self._pending):
                if (fault.service, fault.operation_name) == (service, operation) and matches(fault):
                    if fault.skip:
                        self._pending[number] = fault.skip_once()
                        continue
                    self._pending[number : number + 1] = [fault.use_once()] if fault.times > 1 else []
                    return fault
        return None
