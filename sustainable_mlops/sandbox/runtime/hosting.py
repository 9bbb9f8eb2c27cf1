"""Serves one model as Serverless Inference does: workers start on demand, answer one request each, go when idle."""

import io
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sustainable_mlops.errors import UserError
from sustainable_mlops.sandbox.runtime import archives, mounting
from sustainable_mlops.sandbox.runtime.container import ML_ROOT, Container
from sustainable_mlops.sandbox.runtime.process import kill_group
from sustainable_mlops.sandbox.runtime.worker import read_message, write_message

#: A container must answer within a minute. Source: InvokeEndpoint in the SageMaker Runtime API reference.
INVOCATION_SECONDS = 60.0

_WORKER = Path(__file__).with_name("worker.py")
_LOOK_EVERY = 0.25  # seconds between two looks at memory and idleness
_MEBIBYTE = 2**20

_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)


class ModelError(Exception):
    """The container failed: its status (0: no answer), its message, and the end of the worker's log."""

    def __init__(self, original_status: int, message: str, log: str) -> None:
        super().__init__(message)
        self.original_status = original_status
        self.message = message
        self.log = log


class ThrottledError(Exception):
    """More requests at once than max_concurrency."""


class Worker:
    """A worker process and the pipe to it. One thread at a time may use it; any may kill it."""

    def __init__(
        self, container: Container, environment: Mapping[str, str], log: Path, invocation_seconds: float
    ) -> None:
        self.idle_since = time.monotonic()
        self._log = log
        self._invocation_seconds = invocation_seconds
        self._death: tuple[int, str] | None = None
        with log.open("ab") as errors:
            self._popen = subprocess.Popen(
                container.launch([sys.executable, "-P", str(_WORKER)], container.folder),
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._requests, self._answers = self._popen.stdin, self._popen.stdout

    @property
    def pid(self) -> int:
        """Process id."""
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._popen.poll() is None

    def wait_until_ready(self, seconds: float) -> None:
        """Wait for the model to be loaded; raises ModelError."""
        self._receive(seconds, f"the model was not loaded within {seconds:g} s of the container's start")

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """One request, one answer; raises ModelError."""
        try:
            write_message(self._requests, {"content_type": content_type, "accept": accept}, body)
        except OSError:  # it died; reading says so
            self.kill()
        return self._receive(self._invocation_seconds, _TIMED_OUT)

    def _receive(self, seconds: float, too_late: str) -> tuple[bytes, str]:
        watch = threading.Timer(seconds, self.kill, (0, too_late))
        watch.start()
        try:
            message = read_message(self._answers)
        finally:
            watch.cancel()
        if message is None:
            self.kill()
            status, reason = self._death or (500, f"the worker died with exit code {self._popen.returncode}")
            raise ModelError(status, reason, self.log_end())
        header, body = message
        if header["status"] != 200:
            raise ModelError(header["status"], header["message"], self.log_end())
        return body, header.get("content_type", "")

    def memory(self) -> int:
        """Resident memory in bytes, 0 once it has ended."""
        import psutil

        try:
            return psutil.Process(self.pid).memory_info().rss
        except psutil.NoSuchProcess:
            return 0

    def kill(self, status: int | None = None, reason: str = "") -> None:
        """End it and its children; a request under way fails with `reason`. The first reason counts."""
        if status is not None and self._death is None:
            self._death = (status, reason)
        kill_group(self._popen)
        self._popen.wait()

    def close(self) -> None:
        """Kill it and close the pipe; for the one thread that uses it."""
        self.kill()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):  # what a dead worker did not take
                pipe.close()

    def log_end(self, lines: int = 20) -> str:
        """The last lines of its log."""
        with self._log.open("rb") as log:
            size = log.seek(0, io.SEEK_END)
            log.seek(max(0, size - 16_384))
            return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-lines:])


class ModelServer:
    """The model of an endpoint or of a transform job.

    `model_data` is a model.tar.gz, unpacked into `folder`, the container's /opt/ml, at the first cold start and shared
    by the workers; the entry point is `code/inference.py` or what SAGEMAKER_PROGRAM says. Workers write their logs to
    `folder/logs`. `mounted` says whether /opt/ml is real, as `mounting` finds it otherwise.

    `memory_mb`, of a serverless endpoint, is kept by looking at each worker's resident memory every 0.25 s and killing
    it above the limit: a short peak passes, where the real limit would not let it. `idle_seconds` and `startup_seconds`
    are the sandbox's choices.
    """

    def __init__(
        self,
        model_data: bytes | None,
        environment: Mapping[str, str],
        folder: Path,
        *,
        memory_mb: int | None = None,
        max_concurrency: int,
        idle_seconds: float = 60,
        startup_seconds: float = 60,
        invocation_seconds: float = INVOCATION_SECONDS,
        mounted: bool | None = None,
    ) -> None:
        self._model_data = model_data
        self._given = environment
        real = mounting.mounted() if mounted is None else mounted
        self._container = Container(folder.absolute(), mounted=real, host="model")
        self._memory = memory_mb * _MEBIBYTE if memory_mb is not None else None
        self._invocation_seconds = invocation_seconds
        self._max_concurrency = max_concurrency
        self._idle_seconds = idle_seconds
        self._startup_seconds = startup_seconds
        self._lock = threading.Lock()
        self._unpacking = threading.Lock()
        self._unpacked = False
        self._idle: list[Worker] = []
        self._workers: set[Worker] = set()
        self._in_flight = 0
        self._started = 0
        self._closed = threading.Event()
        self._janitor: threading.Thread | None = None

    @property
    def workers(self) -> int:
        """Live workers, busy or idle."""
        with self._lock:
            return sum(worker.alive for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The processes of these."""
        with self._lock:
            return [worker.pid for worker in self._workers if worker.alive]

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Answer one request: body and content type. The first one, and each one more at once, is a cold start.

        Raises ThrottledError over max_concurrency, ModelError for everything that fails in the container.
        """
        worker = self._take_place()
        try:
            if worker is None:
                worker = self._start_worker()
            answer = worker.invoke(body, content_type, accept)
        finally:
            self._give_back(worker)
        return answer

    def close(self) -> None:
        """Kill all workers; requests under way fail. No worker is left, and none starts any more."""
        self._closed.set()
        with self._lock:
            busy, idle = self._workers.difference(self._idle), self._idle
            self._workers, self._idle = set(), []
        for worker in idle:
            worker.close()
        for worker in busy:
            worker.kill(0, "the endpoint was deleted")
        if self._janitor is not None:
            self._janitor.join()

    def _take_place(self) -> Worker | None:
        """Count the request in, and return an idle worker if there is one."""
        with self._lock:
            if self._closed.is_set():
                raise ModelError(0, "the endpoint was deleted", "")
            if self._in_flight >= self._max_concurrency:
                raise ThrottledError(f"{self._in_flight} requests are under way, MaxConcurrency allows no more")
            self._in_flight += 1
            while self._idle:
                worker = self._idle.pop()  # the last used, so that the others can go
                if worker.alive:
                    return worker
                self._workers.discard(worker)
                worker.close()
            return None

    def _give_back(self, worker: Worker | None) -> None:
        with self._lock:
            self._in_flight -= 1
            if worker is None:
                return
            if worker in self._workers and worker.alive:
                worker.idle_since = time.monotonic()
                self._idle.append(worker)
            else:
                self._workers.discard(worker)
                worker.close()

    def _start_worker(self) -> Worker:
        environment = self._environment()
        with self._lock:
            if self._closed.is_set():
                raise ModelError(0, "the endpoint was deleted", "")
            self._started += 1
            log = self._container.folder / "logs" / f"worker-{self._started}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            worker = Worker(self._container, environment, log, self._invocation_seconds)
            self._workers.add(worker)
            if self._janitor is None:
                self._janitor = threading.Thread(target=self._look_after, name="model-server", daemon=True)
                self._janitor.start()
        try:
            worker.wait_until_ready(self._startup_seconds)
        except ModelError:
            worker.close()
            with self._lock:
                self._workers.discard(worker)
            raise
        return worker

    def _environment(self) -> dict[str, str]:
        """Unpack the model at the first call, and say where everything is; raises ModelError for what is missing."""
        container = self._container
        given = {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": f"{ML_ROOT}/model/code",
            **self._given,
        }
        try:
            self._unpack(container.model)
            code = container.local(given["SAGEMAKER_SUBMIT_DIRECTORY"], "SAGEMAKER_SUBMIT_DIRECTORY")
        except UserError as error:
            raise ModelError(500, str(error), "") from error
        if not (code / given["SAGEMAKER_PROGRAM"]).is_file():
            raise ModelError(500, _no_program(given), "")
        return container.environment(given) | {"SM_MODEL_DIR": container.seen(container.model)}

    def _unpack(self, model: Path) -> None:
        with self._unpacking:
            if self._unpacked:
                return
            shutil.rmtree(model, ignore_errors=True)
            model.mkdir(parents=True)
            if self._model_data is not None:
                archives.unpack(io.BytesIO(self._model_data), model, "model.tar.gz")
            self._unpacked = True

    def _look_after(self) -> None:
        """Scale to zero, and keep the memory limit."""
        while not self._closed.wait(_LOOK_EVERY):
            with self._lock:
                workers = list(self._workers)
                since = time.monotonic() - self._idle_seconds
                tired = [worker for worker in self._idle if worker.idle_since < since]
                for worker in tired:
                    self._idle.remove(worker)
                    self._workers.discard(worker)
            for worker in tired:
                worker.close()
            for worker in workers:
                if self._memory is not None and worker.alive and worker.memory() > self._memory:
                    limit = self._memory // _MEBIBYTE
                    worker.kill(0, f"the worker was killed: it used more than MemorySizeInMB, {limit} MB")


def _no_program(environment: Mapping[str, Any]) -> str:
    return (
        f"model.tar.gz holds no {environment['SAGEMAKER_PROGRAM']} in code/; pack the script there, or name it by the "
        "model's environment variables SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY"
    )
