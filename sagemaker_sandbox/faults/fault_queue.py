"""The faults that wait for what they match."""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.faults import known
from sagemaker_sandbox.faults.fault import SAGEMAKER, Fault


class RefusedOnRequestError(ApiError):
    """A request that is refused because a fault says so."""

    def __init__(self, fault: Fault) -> None:
        assert fault.error is not None
        super().__init__(fault.message or f"{fault.error}, as was asked of the sandbox.")
        self.code = fault.error
        self.status = known.status(fault.service, fault.name, fault.error) or 400


class Faults:
    """Those of all accounts and Regions. The first that matches is used, and goes once it was used up."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, fault: Fault) -> Fault:
        """Have it come about. Raises UserError for one that cannot."""
        resolved = known.resolve(fault)
        with self._lock:
            self._armed.append(resolved)
        return resolved

    def listed(self) -> list[Fault]:
        """What has not been used up, in order."""
        with self._lock:
            return list(self._armed)

    def clear(self) -> None:
        """Nothing is to go wrong any more."""
        with self._lock:
            self._armed.clear()

    def refuse(self, operation: str, request: Mapping[str, Any]) -> None:
        """Raise the error that waits for a request of SageMaker's own, such as a pipeline's, or of who scales it.

        Only what makes something, or more of it, fails so.
        """
        if not self._armed or not operation.startswith(("Create", "UpdateEndpointWeightsAndCapacities")):
            return
        names = [value for value in request.values() if isinstance(value, str)]
        fault = self.of_request(SAGEMAKER, operation, names, lambda fault: fault.error is not None)
        if fault is not None:
            raise RefusedOnRequestError(fault)

    def of_request(
        self, service: str, operation: str, names: Iterable[str], wanted: Callable[[Fault], bool] = lambda _fault: True
    ) -> Fault | None:
        """What goes wrong with the answer to a request in which these names stand."""
        names = list(names)
        return self._take(
            service,
            operation,
            lambda fault: (
                not fault.status_delay
                and fault.error not in known.outcomes(fault)
                and any(fault.resource in name for name in names or [""])
                and wanted(fault)
            ),
        )

    def status_delay(self, operation: str, name: str) -> float:
        """Seconds for which a resource of SageMaker is under way longer."""
        fault = self._take(SAGEMAKER, operation, lambda fault: bool(fault.status_delay) and fault.resource in name)
        return fault.status_delay if fault is not None else 0.0

    def outcome(self, operation: str, name: str, error: str) -> Fault | None:
        """The fault that makes a resource of SageMaker fail in this way."""
        return self._take(SAGEMAKER, operation, lambda fault: fault.error == error and fault.resource in name)

    def interrupts(self, job: str, checkpoints: int) -> bool:
        """Whether a spot job with so many checkpoint files from its present instances loses them now."""

        def due(fault: Fault) -> bool:
            after = 1 if fault.after_checkpoints is None else fault.after_checkpoints
            return fault.error == known.SPOT and fault.resource in job and checkpoints >= after

        return self._take(SAGEMAKER, "CreateTrainingJob", due) is not None

    def _take(self, service: str, operation: str, matches: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for number, fault in enumerate(self._armed):
                if (fault.service, fault.name) == (service, operation) and matches(fault):
                    self._armed[number : number + 1] = [fault.left()] if fault.times > 1 else []
                    return fault
        return None
