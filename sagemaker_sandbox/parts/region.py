"""One Region of one account, as every part of its SageMaker knows it."""

import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sagemaker_sandbox.clock import Clock
from sagemaker_sandbox.context import Context
from sagemaker_sandbox.events import Publisher
from sagemaker_sandbox.faults.armed import Faults
from sagemaker_sandbox.parts.lock import Lock


class Call(Protocol):
    """An operation of this account and Region, asked for inside the process."""

    def __call__(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer as the service model has it, times as aware datetimes. Raises ApiError as the service would."""


class Region:
    """Hold `lock`, which all accounts and Regions share, while reading or changing any resource, and never while asking
    another service or the disk."""

    def __init__(
        self,
        account_id: str,
        name: str,
        context: Context,
        publisher: Publisher,
        call: Call,
        faults: Faults,
        lock: Lock,
    ) -> None:
        self.account_id = account_id
        self.name = name
        self.context = context
        self.call = call
        #: What is to go wrong, by the operation that makes it and its name.
        self.faults = faults
        self.lock = lock
        #: Set once the Region closes: what runs in the background ends.
        self.closing = threading.Event()
        #: Called after each change of state that is published; must return at once, as the lock may be held.
        self.heard: list[Callable[[], None]] = []
        self._publisher = publisher
        self._running: set[threading.Thread] = set()

    @property
    def folder(self) -> Path:
        """Where this Region's jobs and model servers have their files."""
        return self.context.folder / self.account_id / self.name

    def arn(self, kind: str, name: str) -> str:
        """The ARN of the resource of that type and name."""
        return f"arn:aws:sagemaker:{self.name}:{self.account_id}:{kind}/{name}"

    def client(self, service: str) -> Any:
        """boto3 on this very sandbox, in this account and Region."""
        return self.context.client(service, self.name, self.account_id)

    def transition_seconds(self, operation: str, name: str) -> float:
        """How long the resource of that name is Creating, Updating or Deleting, now that the operation begins it."""
        return self.context.transition_seconds + self.faults.status_delay(operation, name)

    def publish(self, detail_type: str, detail: Mapping[str, Any], *arns: str, moment: datetime | None = None) -> None:
        """Tell EventBridge, and who listens here, as SageMaker does for changes of state; returns at once."""
        self._publisher.publish(self.account_id, self.name, detail_type, detail, *arns, moment=moment)
        for hear in self.heard:
            hear()

    def changed(self) -> None:
        """What is not under the lock has changed, and is to be saved."""
        with self.lock:
            pass

    @property
    def clock(self) -> Clock:
        """The time of all that is scheduled, watched or scaled."""
        return self.context.clock

    def start(self, name: str, work: Callable[[], None], *, awaited: bool = False) -> threading.Thread:
        """Do `work` in a thread of its own, without the lock. It must end soon once `closing` is set.

        The time is not moved ahead before work that is `awaited` is over.
        """
        under_way = ExitStack()
        if awaited:
            under_way.enter_context(self.clock.working())

        def run() -> None:
            try:
                with under_way:
                    work()
            except Exception:  # the thread's last line: nobody else would say that it failed
                traceback.print_exc()
            finally:
                self._running.discard(thread)

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._running.add(thread)
        thread.start()
        return thread

    def join(self) -> None:
        """Returns once nothing runs in the background any more."""
        for thread in list(self._running):
            if thread is not threading.current_thread():
                thread.join()
