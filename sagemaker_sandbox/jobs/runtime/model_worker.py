"""Worker of a model server, as seen by the server: a process and its pipe."""

import io
import select
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from sagemaker_sandbox.jobs.runtime.container import Container
from sagemaker_sandbox.jobs.runtime.container_invocation import ContainerRequest, InvocationTimeoutError, ModelError
from sagemaker_sandbox.jobs.runtime.missing_package import explain_missing_package
from sagemaker_sandbox.jobs.runtime.process import kill_group
from sagemaker_sandbox.jobs.runtime.worker import Message, read_message, write_message

_WORKER = Path(__file__).with_name("worker.py")
#: Seconds between two checks of a silent worker, and seconds that a worker has to end after its last message.
_CHECK_INTERVAL, _EXIT_TIMEOUT = 0.5, 1.0
#: Last lines of the log in an error.
_LOG_LINES = 20


class Worker:
    """A worker process and its pipe. One thread at a time uses it; any thread can kill it."""

    def __init__(self, container: Container, environment: Mapping[str, str], log: Path) -> None:
        self.idle_since = 0.0
        #: True for a worker that is always kept warm.
        self.is_kept_warm = False
        self._log = log
        self._death: ModelError | None = None
        with log.open("ab") as errors:
            self._popen = subprocess.Popen(
                container.build_command([sys.executable, "-P", str(_WORKER)], container.folder),
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                bufsize=0,  # unbuffered, so that polling sees all available data
            )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._requests, self._responses = io.BufferedWriter(self._popen.stdin), self._popen.stdout

    @property
    def pid(self) -> int:
        """Process ID."""
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        """True if the process runs."""
        return self._popen.poll() is None

    def wait_until_ready(self, seconds: float) -> None:
        """Wait until the model is loaded. Raises ModelError."""
        late = f"the model was not loaded within {seconds:g} s of the container's start"
        self._receive(seconds, ModelError(0, late, ""))

    def send(self, request: ContainerRequest) -> Generator[Message, None, None]:
        """Send one request and yield the messages of its response. Raises ModelError.

        Closing the generator early kills the worker.
        """
        deadline = time.monotonic() + request.timeout_seconds
        try:
            write_message(self._requests, {"headers": dict(request.headers)}, request.body)
        except (OSError, ValueError):  # the worker ended; reading reports it
            self.kill()
        has_more = True
        try:
            while has_more:
                header, body = self._receive(deadline - time.monotonic(), InvocationTimeoutError())
                has_more = header.get("more", False)
                yield header, body
        except GeneratorExit:
            if has_more:
                self.kill()
            raise

    def _receive(self, seconds: float, timeout_error: ModelError) -> Message:
        message = read_message(_WorkerOutput(self, self._responses, time.monotonic() + seconds, timeout_error))
        if message is None:
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(_EXIT_TIMEOUT)
            self.kill()
            error = self._death or ModelError(500, f"the worker died with exit code {self._popen.returncode}", "")
            error.log = self.read_log_end()
            raise error
        header, _ = message
        if header["status"] != 200:
            raise ModelError(header["status"], explain_missing_package(header["message"]), self.read_log_end())
        return message

    def read_memory(self) -> int:
        """Return the resident memory in bytes; 0 after the end."""
        import psutil

        try:
            return psutil.Process(self.pid).memory_info().rss
        except psutil.NoSuchProcess:
            return 0

    def kill(self, error: ModelError | None = None) -> None:
        """Kill the process and its children. An active request fails with the first given error."""
        self._death = self._death or error
        kill_group(self._popen)
        self._popen.wait()

    def close(self) -> None:
        """Kill the process and close the pipe. Only the thread that uses the worker may call it."""
        self.kill()
        for pipe in (self._requests, self._responses):
            with suppress(OSError, ValueError):  # unsent data of a dead worker
                pipe.close()

    def read_log_end(self) -> str:
        """Return the last lines of the log; empty after the instance was deleted."""
        if not self._log.exists():
            return ""
        with self._log.open("rb") as log:
            size = log.seek(0, io.SEEK_END)
            log.seek(max(0, size - 16_384))
            return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-_LOG_LINES:])


class _WorkerOutput:
    """Output of a worker until a deadline, at which the worker is killed.

    A process that the script has forked may hold the pipe open. The pipe alone therefore does not show that the worker
    has ended.
    """

    def __init__(self, worker: Worker, pipe: IO[bytes], deadline: float, timeout_error: ModelError) -> None:
        self._worker = worker
        self._pipe = pipe
        self._deadline = deadline
        self._timeout_error = timeout_error
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN | select.POLLHUP)

    def read(self, size: int, /) -> bytes:
        """Return some of the output; empty at its end."""
        is_alive = True
        while not self._poll.poll(max(min(self._deadline - time.monotonic(), _CHECK_INTERVAL), 0) * 1000):
            if not is_alive:
                return b""
            if time.monotonic() >= self._deadline:
                self._worker.kill(self._timeout_error)
            is_alive = self._worker.is_alive
        return self._pipe.read(size)


class ResponseParts(Iterator[bytes]):
    """Parts of a response as they arrive.

    `on_end` is called once: after the last part, an error, or `close`.
    """

    def __init__(self, messages: Generator[Message, None, None], on_end: Callable[[], None]) -> None:
        self._messages = messages
        self._on_end: Callable[[], None] | None = on_end
        self._first = b""
        header, self._first = self._read_message()
        self.headers: Mapping[str, str] = header["headers"]

    def __next__(self) -> bytes:
        part, self._first = self._first, b""
        while not part:  # an empty part ends a stream, and is the only part of an empty response
            _, part = self._read_message()
        return part

    def _read_message(self) -> Message:
        try:
            return next(self._messages)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the response early."""
        self._messages.close()
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end()
