"""One Region of one account."""

import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.base.events import EventPublisher
from sagemaker_sandbox.faults.fault_queue import FaultQueue
from sagemaker_sandbox.resources.lock import Lock
from sagemaker_sandbox.resources.usage_log import UsageLog


class CallOperation(Protocol):
    """A function that calls an operation of this account and Region inside the process."""

    def __call__(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response as the service model describes it, with times that have a time zone.

        Raises ApiError as the service would.
        """


#: Function `check(role, operation, request)` that raises ApiError unless the role may call an operation of SageMaker.
CheckRole = Callable[[str, str, Mapping[str, Any]], None]


def _allow(_role: str, _operation: str, _request: Mapping[str, Any]) -> None:
    """Allow every call, without enforcement of IAM."""


class AccountRegion:
    """One Region of one account, which every part of its SageMaker shares.

    Hold `lock` to read or change a resource. All accounts and Regions share the lock. Never hold it during a request to
    another service or the disk.
    """

    def __init__(
        self,
        account_id: str,
        name: str,
        context: SandboxContext,
        publisher: EventPublisher,
        call: CallOperation,
        faults: FaultQueue,
        lock: Lock,
        check_role: CheckRole = _allow,
    ) -> None:
        self.account_id = account_id
        self.name = name
        self.context = context
        self.call = call
        self.check_role = check_role
        #: Pending faults.
        self.faults = faults
        self.lock = lock
        #: Set when the Region closes. Background threads then end.
        self.closing = threading.Event()
        #: Functions to call after each published state change. They must return immediately: the lock may be held.
        self.on_state_change: list[Callable[[], None]] = []
        #: Periods in which instances ran.
        self.usage = UsageLog(context.clock.now)
        self._publisher = publisher
        self._threads: set[threading.Thread] = set()

    @property
    def folder(self) -> Path:
        """Folder of this Region's jobs and model servers."""
        return self.context.folder / self.account_id / self.name

    def build_arn(self, kind: str, name: str) -> str:
        """Return the ARN of a resource of this type and name."""
        return f"arn:aws:sagemaker:{self.name}:{self.account_id}:{kind}/{name}"

    def client(self, service: str) -> Any:
        """Return a boto3 client of the sandbox for this account and Region."""
        return self.context.client(service, self.name, self.account_id)

    def take_transition_seconds(self, operation: str, name: str) -> float:
        """Return the duration of Creating, Updating or Deleting for an operation that starts now.

        A status delay that a fault injects is included, and used up.
        """
        return self.context.transition_seconds + self.faults.take_status_delay(operation, name)

    def publish(self, detail_type: str, detail: Mapping[str, Any], *arns: str, moment: datetime | None = None) -> None:
        """Publish a state change to EventBridge and to the functions in `on_state_change`. Return immediately."""
        self._publisher.publish(self.account_id, self.name, detail_type, detail, *arns, moment=moment)
        for notify in self.on_state_change:
            notify()

    def mark_changed(self) -> None:
        """Make the next save include a change that was made without the lock."""
        with self.lock:
            pass

    @property
    def clock(self) -> Clock:
        """Clock of schedules, alarms and scaling."""
        return self.context.clock

    def start_thread(self, name: str, work: Callable[[], None], *, blocks_clock: bool = False) -> threading.Thread:
        """Run `work` in a thread, without the lock. It must end soon after `closing` is set.

        With `blocks_clock`, the time does not advance until the work is done.
        """
        clock_block = ExitStack()
        if blocks_clock:
            clock_block.enter_context(self.clock.track_work())

        def run() -> None:
            try:
                with clock_block:
                    work()
            except Exception:  # nothing else reports a failed thread
                traceback.print_exc()
            finally:
                self._threads.discard(thread)

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except BaseException:  # such as the system's limit of threads
            self._threads.discard(thread)
            clock_block.close()
            raise
        return thread

    def join(self) -> None:
        """Wait until no background thread runs."""
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join()
