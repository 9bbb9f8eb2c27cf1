"""Serves one model as SageMaker's hosting does: workers answer one request each, start on demand and go when idle."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_sandbox.runtime.container import ML_ROOT, Container, count_cpus
from sagemaker_sandbox.runtime.container_invocation import (
    ContainerRequest,
    ContainerResponse,
    InvocationTimeoutError,
    InvocationTimings,
    ModelError,
    ThrottledError,
)
from sagemaker_sandbox.runtime.model_worker import ResponseParts, Worker
from sagemaker_sandbox.runtime.process import kill_marked
from sagemaker_sandbox.scratch import CONTAINER_VARIABLE
from sustainable_mlops.errors import UserError

#: Seconds between two looks at memory, and at whether workers live or are idle.
_MEMORY_EVERY, _LOOK_EVERY = 0.25, 1.0
#: Seconds until a worker that must be warm is started again after one could not be.
_AGAIN_AFTER = 5.0
_MEBIBYTE = 2**20

_DELETED = "the endpoint was deleted"


@dataclass(frozen=True)
class Capacity:
    """What a model server may use, sizes in MB and times in seconds.

    Requests beyond `workers` at once wait for one, `waiting` of them; what is more is throttled. Where none may wait,
    as in Serverless Inference, each request that meets no idle worker starts one. `warm` workers never go.

    `memory_mb` is kept by looking at each worker's resident memory every 0.25 s and killing it above the limit: a short
    peak passes, where the real limit would not let it.
    """

    workers: int
    max_waiting: int = 0
    warm: int = 0
    memory_mb: int | None = None
    idle_seconds: float = 60.0
    startup_seconds: float = 60.0


class ModelServer:
    """Serves the model that is in its container's folder, by the script that is beside it.

    The entry point is `code/inference.py` of the model, or what SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY say.
    Workers write to `logs` of the container's folder, files that begin with `log`; `model` is where in it the model is.
    `now` is the time, in seconds, that workers are idle by.
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
        self._given = environment
        self._capacity = capacity
        self._changed = threading.Condition()
        self._idle: list[Worker] = []
        self._workers: set[Worker] = set()
        self._busy = 0
        self._waiting = 0
        self._starting = 0
        self._started = 0
        self._failure: ModelError | None = None
        self._closing = threading.Event()
        self._janitor: threading.Thread | None = None

    @property
    def worker_count(self) -> int:
        """Live workers, busy or idle."""
        return len(self.pids)

    @property
    def pids(self) -> list[int]:
        """The processes of these."""
        with self._changed:
            return [worker.pid for worker in self._workers if worker.is_alive]

    @property
    def memory_bytes(self) -> int:
        """What they use, in bytes."""
        with self._changed:
            workers = list(self._workers)
        return sum(worker.read_memory() for worker in workers)

    def start(self, workers: int = 1) -> None:
        """Load the model in so many workers, or as many as must be warm. Raises ModelError.

        A container without a script is as ready as it can be: what its image would do by itself is not known here.
        """
        if not self.has_program:
            return
        more = max(workers, self._capacity.warm) - self.worker_count
        if more > 0:
            with ThreadPoolExecutor(min(more, count_cpus() + 1)) as starting:
                list(starting.map(lambda _: self._give_back(self._start_worker(), asked=False), range(more)))

    @property
    def has_program(self) -> bool:
        """Whether there is a script to load the model by."""
        try:
            self._environment()
        except ModelError:
            return False
        return True

    def reshape(self, capacity: Capacity) -> None:
        """Have other capacity from now on; back once what must be warm is. Raises ModelError."""
        with self._changed:
            self._capacity = capacity
            self._mark_kept()
        self.start(0)

    def invoke(self, asked: ContainerRequest) -> ContainerResponse:
        """Answer one request. Raises ThrottledError, and ModelError for everything that fails in the container.

        The worker of an answer that streams is busy until its parts have all been taken, or it is closed.
        """
        worker, setup = self._take(time.monotonic() + asked.timeout_seconds)
        began = time.monotonic()

        def took() -> InvocationTimings:
            return InvocationTimings(time.monotonic() - began, setup=setup, provisioned=worker.is_kept_warm)

        try:
            parts = ResponseParts(worker.send(asked), lambda: self._give_back(worker))
            return ContainerResponse(parts if asked.streams else b"".join(parts), parts.headers, took())
        except ModelError as error:
            error.timings = took()
            raise

    def close(self) -> None:
        """Kill all workers; requests under way fail. No worker is left, and none starts any more."""
        with self._changed:
            busy, idle = self._workers.difference(self._idle), self._idle
            self._workers, self._idle = set(), []
            janitor = self._janitor
            self._closing.set()
            self._changed.notify_all()
        for worker in idle:
            worker.close()
        for worker in busy:
            worker.kill(ModelError(0, _DELETED, ""))
        if janitor is not None:
            janitor.join()
        if self._started:
            kill_marked(self._mark)

    def _take(self, until: float) -> tuple[Worker, float | None]:
        """A worker for one request, and how long its cold start took. Raises ThrottledError, ModelError."""
        with self._changed:
            worker = self._idle_worker() if self._capacity.max_waiting == 0 else self._awaited_worker(until)
            self._busy += 1
        if worker is not None:
            return worker, None
        began = time.monotonic()
        try:
            return self._start_worker(), time.monotonic() - began
        except BaseException as error:
            with self._changed:
                self._busy -= 1
            if isinstance(error, ModelError):
                error.timings = InvocationTimings(setup=time.monotonic() - began)
            raise

    def _idle_worker(self) -> Worker | None:
        """An idle one, of those that are always there where possible; None where there is none, and may be one more."""
        if self._closing.is_set():
            raise ModelError(0, _DELETED, "")
        if self._busy >= self._capacity.workers:
            raise ThrottledError(f"{self._busy} requests are under way, MaxConcurrency allows no more")
        self._part_with(*(worker for worker in self._idle if not worker.is_alive or self._tired(worker)))
        # The last used, so that the others can go.
        worker = max(self._idle, key=lambda worker: (worker.is_kept_warm, worker.idle_since), default=None)
        if worker is not None:
            self._idle.remove(worker)
        return worker

    def _awaited_worker(self, until: float) -> Worker:
        """As `_idle_worker`, once there is one; more are started meanwhile."""
        if self._waiting >= self._capacity.max_waiting:
            raise ThrottledError(f"{self._waiting} requests are waiting, and no more may")
        self._waiting += 1
        self._failure = None
        try:
            while not self._closing.is_set():
                worker = self._idle_worker() if self._busy < self._capacity.workers else None
                if worker is not None:
                    return worker
                if self._failure is not None and not self._workers and not self._starting:
                    raise self._failure
                self._start_another()
                if not self._changed.wait(until - time.monotonic()):
                    raise InvocationTimeoutError
            raise ModelError(0, _DELETED, "")
        finally:
            self._waiting -= 1

    def _tired(self, worker: Worker) -> bool:
        return not worker.is_kept_warm and worker.idle_since + self._capacity.idle_seconds < self._now()

    def _part_with(self, *workers: Worker) -> None:
        for worker in workers:
            self._idle.remove(worker)
            self._workers.discard(worker)
            worker.close()

    def _give_back(self, worker: Worker, *, asked: bool = True) -> None:
        with self._changed:
            self._busy -= asked
            if worker in self._workers and worker.is_alive:
                worker.idle_since = self._now()
                self._idle.append(worker)
                self._mark_kept()
            else:
                self._workers.discard(worker)
                worker.close()
            self._changed.notify_all()

    def _mark_kept(self) -> None:
        """As many workers as must be warm are always there, by preference those that were."""
        by_age = sorted(self._workers, key=lambda worker: (not worker.is_kept_warm, worker.pid))
        for number, worker in enumerate(by_age):
            worker.is_kept_warm = number < self._capacity.warm

    def _start_another(self) -> None:
        """Start a worker in the background, if one more may be."""
        if self._closing.is_set() or len(self._workers) + self._starting >= self._capacity.workers:
            return
        self._starting += 1

        def start() -> None:
            failure, worker = None, None
            try:
                worker = self._start_worker()
            except ModelError as error:
                failure = error
            with self._changed:
                self._starting -= 1
                self._failure = failure
                self._changed.notify_all()
            if worker is not None:
                self._give_back(worker, asked=False)

        threading.Thread(target=start, name="model-server worker", daemon=True).start()

    def _start_worker(self) -> Worker:
        environment = self._environment()
        with self._changed:
            if self._closing.is_set():
                raise ModelError(0, _DELETED, "")
            self._started += 1
            log = self._container.folder / "logs" / f"{self._log}-{self._started}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            worker = Worker(self._container, environment, log)
            self._workers.add(worker)
            if self._janitor is None:
                self._janitor = threading.Thread(target=self._look_after, name="model server", daemon=True)
                self._janitor.start()
        try:
            worker.wait_until_ready(self._capacity.startup_seconds)
        except ModelError:
            worker.close()
            with self._changed:
                self._workers.discard(worker)
            raise
        return worker

    def _environment(self) -> dict[str, str]:
        """What a worker is told of where everything is. Raises ModelError for what is missing."""
        container = self._container
        model = f"{ML_ROOT}/{self._model.relative_to(container.folder).as_posix()}"
        given = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": f"{model}/code", **self._given}
        try:
            code = container.to_local_path(given["SAGEMAKER_SUBMIT_DIRECTORY"], "SAGEMAKER_SUBMIT_DIRECTORY")
        except UserError as error:
            raise ModelError(500, str(error), "") from error
        if not (code / given["SAGEMAKER_PROGRAM"]).is_file():
            raise ModelError(500, _no_program(given), "")
        return container.build_environment(given) | {
            "SM_MODEL_DIR": container.to_container_path(self._model),
            CONTAINER_VARIABLE: self._mark,
        }

    @property
    def _mark(self) -> str:
        """What tells its processes, daemons too, from those of the other models of a container."""
        return str(self._model)

    def _look_after(self) -> None:
        """Let idle workers go, keep the memory limit, and have as many warm as must be; ends when nothing is left."""
        again = 0.0
        while not self._closing.wait(_LOOK_EVERY if self._capacity.memory_mb is None else _MEMORY_EVERY):
            with self._changed:
                self._part_with(*(worker for worker in self._idle if not worker.is_alive or self._tired(worker)))
                workers, capacity = list(self._workers), self._capacity
                if len(workers) + self._starting < capacity.warm and again < time.monotonic():
                    again = time.monotonic() + _AGAIN_AFTER
                    self._start_another()
                if not workers and not self._starting and not capacity.warm:
                    self._janitor = None
                    return
            for worker in workers:
                limit = capacity.memory_mb
                if limit is not None and worker.is_alive and worker.read_memory() > limit * _MEBIBYTE:
                    worker.kill(_too_large(limit))


def _too_large(limit: int) -> ModelError:
    return ModelError(0, f"the worker was killed: it used more than MemorySizeInMB, {limit} MB", "")


def _no_program(environment: Mapping[str, Any]) -> str:
    return (
        f"the model's data hold no {environment['SAGEMAKER_PROGRAM']} in code/; pack the script there, or name it by "
        "the model's environment variables SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY"
    )
