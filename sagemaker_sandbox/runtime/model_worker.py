"""A model server's worker as the server sees it: a process and the pipe to it."""

import io
import select
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from sagemaker_sandbox.runtime.container import Container
from sagemaker_sandbox.runtime.container_invocation import ContainerRequest, InvocationTimeoutError, ModelError
from sagemaker_sandbox.runtime.process import kill_group
from sagemaker_sandbox.runtime.worker import Message, read_message, write_message

_WORKER = Path(__file__).with_name("worker.py")
#: Seconds between two looks at whether a silent worker lives, and those in which one that says no more may end itself.
_LOOK_EVERY, _ENDS_WITHIN = 0.5, 1.0


class Worker:
    """A worker process and the pipe to it. One thread at a time may use it; any may kill it."""

    def __init__(self, container: Container, environment: Mapping[str, str], log: Path) -> None:
        self.idle_since = 0.0
        #: Whether it is one of those that are always there.
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
                bufsize=0,  # what has come is to be seen by waiting for it
            )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._requests, self._answers = io.BufferedWriter(self._popen.stdin), self._popen.stdout

    @property
    def pid(self) -> int:
        """Process id."""
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._popen.poll() is None

    def wait_until_ready(self, seconds: float) -> None:
        """Wait for the model to be loaded; raises ModelError."""
        late = f"the model was not loaded within {seconds:g} s of the container's start"
        self._receive(seconds, ModelError(0, late, ""))

    def send(self, asked: ContainerRequest) -> Generator[Message, None, None]:
        """One request; the messages of its answer. Raises ModelError. Closed before the end, it kills the worker."""
        until = time.monotonic() + asked.timeout_seconds
        try:
            write_message(self._requests, {"headers": dict(asked.headers)}, asked.body)
        except (OSError, ValueError):  # it died; reading says so
            self.kill()
        more = True
        try:
            while more:
                header, body = self._receive(until - time.monotonic(), InvocationTimeoutError())
                more = header.get("more", False)
                yield header, body
        except GeneratorExit:
            if more:
                self.kill()
            raise

    def _receive(self, seconds: float, too_late: ModelError) -> Message:
        message = read_message(_WorkerOutput(self, self._answers, time.monotonic() + seconds, too_late))
        if message is None:
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(_ENDS_WITHIN)
            self.kill()
            error = self._death or ModelError(500, f"the worker died with exit code {self._popen.returncode}", "")
            error.log = self.log_end()
            raise error
        header, _ = message
        if header["status"] != 200:
            raise ModelError(header["status"], header["message"], self.log_end())
        return message

    def read_memory(self) -> int:
        """Resident memory in bytes, 0 once it has ended."""
        import psutil

        try:
            return psutil.Process(self.pid).memory_info().rss
        except psutil.NoSuchProcess:
            return 0

    def kill(self, why: ModelError | None = None) -> None:
        """End it and its children; a request under way fails so. The first reason counts."""
        self._death = self._death or why
        kill_group(self._popen)
        self._popen.wait()

    def close(self) -> None:
        """Kill it and close the pipe; for the one thread that uses it."""
        self.kill()
        for pipe in (self._requests, self._answers):
            with suppress(OSError, ValueError):  # what a dead worker did not take
                pipe.close()

    def log_end(self, lines: int = 20) -> str:
        """The last lines of its log; nothing once that went with its instance."""
        if not self._log.exists():
            return ""
        with self._log.open("rb") as log:
            size = log.seek(0, io.SEEK_END)
            log.seek(max(0, size - 16_384))
            return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-lines:])


class _WorkerOutput:
    """What a worker says until a moment; then it is killed. Whatever the script has forked may hold the pipe open, so
    that the pipe alone does not tell that the worker has ended."""

    def __init__(self, worker: Worker, pipe: IO[bytes], until: float, too_late: ModelError) -> None:
        self._worker = worker
        self._pipe = pipe
        self._until = until
        self._too_late = too_late
        self._coming = select.poll()
        self._coming.register(pipe, select.POLLIN | select.POLLHUP)

    def read(self, size: int, /) -> bytes:
        """Some of it; nothing where no more comes."""
        lives = True
        while not self._coming.poll(max(min(self._until - time.monotonic(), _LOOK_EVERY), 0) * 1000):
            if not lives:
                return b""
            if time.monotonic() >= self._until:
                self._worker.kill(self._too_late)
            lives = self._worker.is_alive
        return self._pipe.read(size)


class ResponseParts(Iterator[bytes]):
    """The parts of an answer, as they come; `ended` is called once after the last one, an error, or `close`."""

    def __init__(self, answer: Generator[Message, None, None], ended: Callable[[], None]) -> None:
        self._answer = answer
        self._ended: Callable[[], None] | None = ended
        self._first = b""
        header, self._first = self._next()
        self.headers: Mapping[str, str] = header["headers"]

    def __next__(self) -> bytes:
        part, self._first = self._first, b""
        while not part:  # an empty one is the end of a stream, and all of an empty answer
            _, part = self._next()
        return part

    def _next(self) -> Message:
        try:
            return next(self._answer)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take no more of it."""
        self._answer.close()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()
