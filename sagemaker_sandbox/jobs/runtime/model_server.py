"""Model server: workers answer one request each, start on demand and end when idle, as in SageMaker hosting."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_sandbox.base.scratch import CONTAINER_VARIABLE
from sagemaker_sandbox.jobs.runtime.container import ML_ROOT, Container, count_cpus
from sagemaker_sandbox.jobs.runtime.container_invocation import (
    ContainerRequest,
    ContainerResponse,
    InvocationTimeoutError,
    InvocationTimings,
    ModelError,
    ThrottledError,
)
from sagemaker_sandbox.jobs.runtime.model_data import HANDLERS_VARIABLE
from sagemaker_sandbox.jobs.runtime.model_worker import ResponseParts, Worker
from sagemaker_sandbox.jobs.runtime.process import kill_daemons
from sustainable_mlops.base.errors import UserError

#: Seconds between two checks of worker memory, and between two checks of idle and ended workers.
_MEMORY_INTERVAL, _CHECK_INTERVAL = 0.25, 1.0
#: Seconds between two attempts to start a worker that must be warm.
_RETRY_INTERVAL = 5.0
_MEBIBYTE = 2**20

_DELETED = "the endpoint was deleted"


@dataclass(frozen=True)
class Capacity:
    """Resources of a model server. Sizes are in MB and times in seconds.

    At most `workers` requests run and `max_waiting` more wait; further requests are throttled. If `max_waiting`
    is 0, as in Serverless Inference, a request without an idle worker starts one. `warm_workers` never end.

    `memory_mb` is enforced by a check of the resident memory of each worker every 0.25 s. A worker above the limit is
    killed. A short peak passes, which the real limit would not allow.
    """

    workers: int
    max_waiting: int = 0
    warm_workers: int = 0
    memory_mb: int | None = None
    idle_seconds: float = 60.0
    startup_seconds: float = 60.0


class ModelServer:
    """Server of the model in the folder of its container, with the script beside the model.

    The entry point is `code/inference.py` of the model, or the values of SAGEMAKER_PROGRAM and
    SAGEMAKER_SUBMIT_DIRECTORY, or the built-in algorithm of the image. `model` is the folder of the model within the
    container. Workers write to `logs` of the container, to files that begin with `log`. `now` returns the time in
    seconds for the idle timeout.
    """

    def __init__(
        self,
        container: Container,
        environment: Mapping[str, str],
        capacity: Capacity,
        *,
        model: Path | None = None,
        log: str = "worker",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._container = container
        self._model = model or container.model
        self._log = log
        self._now = now
        self._base_environment = environment
        self._capacity = capacity
        self._lock = threading.RLock()
        self._idle: list[Worker] = []
        self._workers: set[Worker] = set()
        self._busy_count = 0
        #: Turns of the waiting requests, in the order of their arrival.
        self._waiting: deque[threading.Condition] = deque()
        self._starting_count = 0
        self._started_count = 0
        self._failure: ModelError | None = None
        self._closing = threading.Event()
        self._maintenance_thread: threading.Thread | None = None

    @property
    def worker_count(self) -> int:
        """Number of live workers, busy or idle."""
        return len(self.pids)

    @property
    def request_count(self) -> int:
        """Number of requests that a worker answers, or that wait for one."""
        with self._lock:
            return self._busy_count + len(self._waiting)

    @property
    def pids(self) -> list[int]:
        """Process IDs of the live workers."""
        with self._lock:
            return [worker.pid for worker in self._workers if worker.is_alive]

    @property
    def memory_bytes(self) -> int:
        """Resident memory of all workers."""
        with self._lock:
            workers = list(self._workers)
        return sum(worker.read_memory() for worker in workers)

    def start(self, workers: int = 1) -> None:
        """Load the model in `workers` workers, or in all that must be warm. Raises ModelError.

        Without a script there is nothing to load: the sandbox does not know what the image would run.
        """
        if self.has_program:
            self._start_workers(self._reserve_starts(workers))

    def _reserve_starts(self, workers: int) -> int:
        """Return the number of workers to start. Nobody else starts them meanwhile."""
        with self._lock:
            missing = max(0, max(workers, self._capacity.warm_workers) - self.worker_count)
            self._starting_count += missing
        return missing

    def _start_workers(self, count: int) -> None:
        """Start workers at the same time. Raises ModelError."""
        try:
            with ThreadPoolExecutor(count_cpus() + 1) as executor:
                list(
                    executor.map(lambda _: self._return_worker(self._start_worker(), was_reserved=False), range(count))
                )
        finally:
            with self._lock:
                self._starting_count -= count
                self._wake_waiting()

    @property
    def has_program(self) -> bool:
        """True if there is a script that loads the model."""
        try:
            self._build_environment()
        except ModelError:
            return False
        return True

    def reshape(self, capacity: Capacity) -> None:
        """Apply another capacity. Raises ModelError.

        The call returns when the workers that must be warm are warm.
        """
        has_program = self.has_program
        with self._lock:
            self._capacity = capacity
            self._mark_warm_workers()
            self._wake_waiting()
            missing = self._reserve_starts(0) if has_program else 0
        self._start_workers(missing)

    def invoke(self, request: ContainerRequest) -> ContainerResponse:
        """Answer one request. Raises ThrottledError, and ModelError for failures in the container.

        The worker of a streaming response is busy until the caller has read or closed it.
        """
        worker, setup = self._reserve_worker(time.monotonic() + request.timeout_seconds)
        start = time.monotonic()

        def build_timings() -> InvocationTimings:
            return InvocationTimings(time.monotonic() - start, cold_start=setup, is_provisioned=worker.is_kept_warm)

        try:
            parts = ResponseParts(worker.send(request), lambda: self._return_worker(worker))
            return ContainerResponse(parts if request.is_streaming else b"".join(parts), parts.headers, build_timings())
        except ModelError as error:
            error.timings = build_timings()
            raise

    def close(self) -> None:
        """Kill all workers; active requests fail. No worker starts afterward."""
        with self._lock:
            busy_workers, idle_workers = self._workers.difference(self._idle), self._idle
            self._workers, self._idle = set(), []
            maintenance_thread = self._maintenance_thread
            self._closing.set()
            self._wake_waiting()
        for worker in idle_workers:
            worker.close()
        for worker in busy_workers:
            worker.kill(ModelError(0, _DELETED, ""))
        if maintenance_thread is not None:
            maintenance_thread.join()
        if self._started_count:
            kill_daemons(self._process_marker)

    def _reserve_worker(self, deadline: float) -> tuple[Worker, float | None]:
        """Return a worker for one request, and the duration of its cold start.

        Raises ThrottledError and ModelError.
        """
        with self._lock:
            worker = self._take_idle_worker() if self._capacity.max_waiting == 0 else self._wait_for_worker(deadline)
            self._busy_count += 1
        if worker is not None:
            return worker, None
        start = time.monotonic()
        try:
            return self._start_worker(), time.monotonic() - start
        except BaseException as error:
            with self._lock:
                self._busy_count -= 1
            if isinstance(error, ModelError):
                error.timings = InvocationTimings(cold_start=time.monotonic() - start)
            raise

    def _take_idle_worker(self) -> Worker | None:
        """Return an idle worker, preferably a warm one; None if the caller may start one."""
        if self._closing.is_set():
            raise ModelError(0, _DELETED, "")
        if self._busy_count >= self._capacity.workers:
            raise ThrottledError(f"{self._busy_count} requests are running; MaxConcurrency allows no more")
        self._remove_idle(*(worker for worker in self._idle if not worker.is_alive or self._is_idle_too_long(worker)))
        # The most recently used worker, so that the others can end.
        worker = max(self._idle, key=lambda worker: (worker.is_kept_warm, worker.idle_since), default=None)
        if worker is not None:
            self._idle.remove(worker)
        return worker

    def _wait_for_worker(self, deadline: float) -> Worker:
        """Wait for an idle worker, after the requests that arrived before. More workers are started meanwhile."""
        if len(self._waiting) >= self._capacity.max_waiting:
            raise ThrottledError(f"{len(self._waiting)} requests are waiting, which is the maximum")
        turn = threading.Condition(self._lock)
        self._waiting.append(turn)
        self._failure = None
        try:
            while not self._closing.is_set():
                is_next = self._waiting[0] is turn and self._busy_count < self._capacity.workers
                worker = self._take_idle_worker() if is_next else None
                if worker is not None:
                    return worker
                if self._failure is not None and not self._workers and not self._starting_count:
                    raise self._failure
                self._start_in_background()
                if not turn.wait(deadline - time.monotonic()):
                    raise InvocationTimeoutError
            raise ModelError(0, _DELETED, "")
        finally:
            self._waiting.remove(turn)
            self._wake_next()

    def _wake_next(self) -> None:
        """Wake the request that has waited longest. One request takes one worker, so the others sleep on."""
        if self._waiting:
            self._waiting[0].notify()

    def _wake_waiting(self) -> None:
        """Wake all waiting requests."""
        for turn in self._waiting:
            turn.notify()

    def _is_idle_too_long(self, worker: Worker) -> bool:
        return not worker.is_kept_warm and worker.idle_since + self._capacity.idle_seconds < self._now()

    def _remove_idle(self, *workers: Worker) -> None:
        for worker in workers:
            self._idle.remove(worker)
            self._workers.discard(worker)
            worker.close()

    def _return_worker(self, worker: Worker, *, was_reserved: bool = True) -> None:
        with self._lock:
            self._busy_count -= was_reserved
            if worker in self._workers and worker.is_alive:
                worker.idle_since = self._now()
                self._idle.append(worker)
                self._mark_warm_workers()
            else:
                self._workers.discard(worker)
                worker.close()
            self._wake_next()

    def _mark_warm_workers(self) -> None:
        """Mark as many workers as must be warm, preferably those that are marked already."""
        by_age = sorted(self._workers, key=lambda worker: (not worker.is_kept_warm, worker.pid))
        for number, worker in enumerate(by_age):
            worker.is_kept_warm = number < self._capacity.warm_workers

    def _start_in_background(self) -> None:
        """Start a worker in the background, within the capacity."""
        if self._closing.is_set() or len(self._workers) + self._starting_count >= self._capacity.workers:
            return
        self._starting_count += 1

        def start() -> None:
            failure, worker = None, None
            try:
                worker = self._start_worker()
            except ModelError as error:
                failure = error
            with self._lock:
                self._starting_count -= 1
                self._failure = failure
                self._wake_waiting()
            if worker is not None:
                self._return_worker(worker, was_reserved=False)

        threading.Thread(target=start, name="model-server worker", daemon=True).start()

    def _start_worker(self) -> Worker:
        environment = self._build_environment()
        with self._lock:
            if self._closing.is_set():
                raise ModelError(0, _DELETED, "")
            self._started_count += 1
            log = self._container.folder / "logs" / f"{self._log}-{self._started_count}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            worker = Worker(self._container, environment, log)
            self._workers.add(worker)
            if self._maintenance_thread is None:
                self._maintenance_thread = threading.Thread(
                    target=self._maintain_workers, name="model server", daemon=True
                )
                self._maintenance_thread.start()
        try:
            worker.wait_until_ready(self._capacity.startup_seconds)
        except ModelError:
            worker.close()
            with self._lock:
                self._workers.discard(worker)
            raise
        return worker

    def _build_environment(self) -> dict[str, str]:
        """Return the environment of a worker. Raises ModelError for missing files."""
        container = self._container
        model = f"{ML_ROOT}/{self._model.relative_to(container.folder).as_posix()}"
        own = {"SM_MODEL_DIR": container.to_container_path(self._model), CONTAINER_VARIABLE: self._process_marker}
        variables = {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": f"{model}/code",
            **self._base_environment,
        }
        try:
            code = container.to_local_path(variables["SAGEMAKER_SUBMIT_DIRECTORY"], "SAGEMAKER_SUBMIT_DIRECTORY")
        except UserError as error:
            raise ModelError(500, str(error), "") from error
        if not (code / variables["SAGEMAKER_PROGRAM"]).is_file():
            if self._is_built_in:
                return container.build_environment(self._base_environment) | own
            raise ModelError(500, _describe_missing_program(variables), "")
        return container.build_environment(variables) | own

    @property
    def _is_built_in(self) -> bool:
        """True for the model file of a built-in algorithm, without a script of the user."""
        return (
            HANDLERS_VARIABLE in self._base_environment
            and "SAGEMAKER_PROGRAM" not in self._base_environment
            and any(path.is_file() for path in self._model.iterdir())
        )

    @property
    def _process_marker(self) -> str:
        """Marker in the environment of all processes of this model, including daemons."""
        return str(self._model)

    def _maintain_workers(self) -> None:
        """End idle workers, enforce the memory limit and keep workers warm, until no worker is left."""
        next_attempt = 0.0
        while not self._closing.wait(_CHECK_INTERVAL if self._capacity.memory_mb is None else _MEMORY_INTERVAL):
            with self._lock:
                self._remove_idle(
                    *(worker for worker in self._idle if not worker.is_alive or self._is_idle_too_long(worker))
                )
                workers, capacity = list(self._workers), self._capacity
                if len(workers) + self._starting_count < capacity.warm_workers and next_attempt < time.monotonic():
                    next_attempt = time.monotonic() + _RETRY_INTERVAL
                    self._start_in_background()
                if not workers and not self._starting_count and not capacity.warm_workers:
                    self._maintenance_thread = None
                    return
            for worker in workers:
                limit = capacity.memory_mb
                if limit is not None and worker.is_alive and worker.read_memory() > limit * _MEBIBYTE:
                    worker.kill(_build_memory_error(limit))


def _build_memory_error(limit: int) -> ModelError:
    return ModelError(0, f"the worker was killed: it used more than MemorySizeInMB, {limit} MB", "")


def _describe_missing_program(environment: Mapping[str, Any]) -> str:
    return (
        f"the model data contain no {environment['SAGEMAKER_PROGRAM']} in code/; add the script there, or set "
        "the environment variables SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY of the model"
    )
