"""Containers of an instance: download of model data, and the model servers."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sagemaker_sandbox.jobs.runtime import mounting
from sagemaker_sandbox.jobs.runtime.container import Container, count_cpus
from sagemaker_sandbox.jobs.runtime.container_invocation import (
    ContainerRequest,
    ContainerResponse,
    ModelError,
    ThrottledError,
)
from sagemaker_sandbox.jobs.runtime.model_data import (
    DownloadTimeoutError,
    MissingDataError,
    ModelDataCache,
    ModelDataSource,
    build_model_environment,
    list_sources,
)
from sagemaker_sandbox.jobs.runtime.model_server import Capacity, ModelServer
from sagemaker_sandbox.resources.resources import Fields
from sustainable_mlops.base.errors import UserError

#: Largest number of requests that wait for a worker of an instance, in the order of their arrival. Further requests
#: receive status 503. Assumed: AWS's model servers differ, and their default is 100.
MAX_WAITING_REQUESTS = 1000
#: Variables of a model with another number. Source: `job_queue_size` in the configuration of Multi Model Server and of
#: TorchServe.
_QUEUE_VARIABLES = ("MMS_JOB_QUEUE_SIZE", "TS_JOB_QUEUE_SIZE")


class StartError(Exception):
    """An instance cannot start. The message is suitable for FailureReason."""


@dataclass(frozen=True)
class InstanceShape:
    """Purchased capacity of an instance.

    `memory_mb` and `max_concurrency` apply to serverless variants only. `max_loaded_mb` limits the memory of all models
    of a multi-model container; None means half of the memory of this computer.
    """

    memory_mb: int | None = None
    max_concurrency: int | None = None
    idle_seconds: float = 300.0
    warm_workers: int = 1
    startup_seconds: float = 600.0
    download_seconds: float = 600.0
    max_loaded_mb: int | None = None

    @property
    def capacity(self) -> Capacity:
        """Capacity of the model server.

        On an instance there is one worker for each CPU, and further requests wait.
        """
        if self.max_concurrency is None:
            return Capacity(
                count_cpus(),
                MAX_WAITING_REQUESTS,
                self.warm_workers,
                idle_seconds=self.idle_seconds,
                startup_seconds=self.startup_seconds,
            )
        return Capacity(
            self.max_concurrency,
            warm_workers=self.warm_workers,
            memory_mb=self.memory_mb,
            idle_seconds=self.idle_seconds,
            startup_seconds=self.startup_seconds,
        )


@dataclass(frozen=True)
class InstanceContext:
    """Values that the containers of an instance share.

    `variant` is the variant name, `data` the downloaded model data, and `now` returns the time in seconds.
    """

    variant: str
    data: ModelDataCache
    now: Callable[[], float]


class HostedContainer:
    """Base class of containers with one model and with many models."""

    def __init__(
        self, number: int, name: str, fields: Fields, folder: Path, shape: InstanceShape, context: InstanceContext
    ) -> None:
        self.name = name
        self.number = number
        self.fields = fields
        self.shape = shape
        self.context = context
        self.environment = build_model_environment(fields)
        self.container = Container(folder.absolute(), mounted=mounting.is_opt_ml_mounted(), host="model")
        self.logs = folder / "logs"

    def download_data(self) -> None:
        """Download all data that the container needs from S3. Raises StartError."""
        self.container.reset()
        self.logs.mkdir(parents=True, exist_ok=True)
        for source in list_sources(self.fields):
            self._download_source(source)

    def _download_source(self, source: ModelDataSource) -> None:
        label = f'container "container_{self.number}"'
        try:
            self.context.data.copy_to(
                source, self.container.to_local_path(source.target, "target"), self.shape.download_seconds
            )
        except MissingDataError:
            raise StartError(
                f'Failed to download model data for {label} from URL: "{source.url}". Please ensure that there is '
                "an object located at the URL and that the role passed to CreateModel has permissions to download the "
                "object."
            ) from None
        except DownloadTimeoutError:
            raise StartError(  # AWS publishes no wording
                f'Failed to download model data for {label} from URL: "{source.url}" within '
                f"{self.shape.download_seconds:g} seconds."
            ) from None
        except UserError as error:
            self.log_line(str(error))
            raise StartError(
                f'Failed to extract model data archive for {label} from URL: "{source.url}". Please ensure that '
                "the object located at the URL is a valid tar.gz archive."
            ) from None

    def log_line(self, line: str) -> None:
        """Append a line to the container log, for events that the script does not print."""
        with (self.logs / "container.log").open("a") as log:
            log.write(f"{line}\n")

    def build_health_error(self, error: ModelError) -> StartError:
        """Log a load error and return a StartError with the message of SageMaker."""
        self.log_line(error.message)
        return StartError(
            f"The {self.name} container for production variant {self.context.variant} did not pass the ping health "
            "check. Please check CloudWatch logs for this endpoint."
        )


class SingleModelContainer(HostedContainer):
    """A container that serves one model."""

    def __init__(
        self, number: int, name: str, fields: Fields, folder: Path, shape: InstanceShape, context: InstanceContext
    ) -> None:
        super().__init__(number, name, fields, folder, shape, context)
        self._server: ModelServer | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def pids(self) -> Sequence[int]:
        """Process IDs of the workers."""
        return self._server.pids if self._server is not None else ()

    def start(self) -> None:
        """Download the model data and load the model. Raises StartError."""
        self.download_data()
        with self._lock:
            if self._is_closed:
                raise StartError(f"The {self.name} container was ended before it was healthy.")
            self._server = ModelServer(self.container, self.environment, self._build_capacity(), now=self.context.now)
        try:
            self._server.start()
        except ModelError as error:
            raise self.build_health_error(error) from None

    def _build_capacity(self) -> Capacity:
        """Return the capacity, with the queue that the model's environment sets. Raises StartError."""
        capacity = self.shape.capacity
        size = next((self.environment[name] for name in _QUEUE_VARIABLES if name in self.environment), None)
        if size is None or capacity.max_waiting == 0:
            return capacity
        if not size.isdecimal() or int(size) == 0:
            error = f"{' or '.join(_QUEUE_VARIABLES)}: {size!r} is not a positive number"
            raise self.build_health_error(ModelError(0, error, ""))
        return replace(capacity, max_waiting=int(size))

    def reshape(self, shape: InstanceShape) -> None:
        """Apply another capacity. Raises StartError."""
        self.shape = shape
        assert self._server is not None
        try:
            self._server.reshape(self._build_capacity())
        except ModelError as error:
            raise self.build_health_error(error) from None

    def invoke(self, request: ContainerRequest) -> ContainerResponse:
        """Send one request to the model and return its response."""
        assert self._server is not None
        try:
            return self._server.invoke(request)
        except ThrottledError as error:
            raise translate_throttling(error, self.shape) from None

    def close(self) -> None:
        """End the workers."""
        with self._lock:
            self._is_closed = True
        if self._server is not None:
            self._server.close()


def translate_throttling(error: ThrottledError, shape: InstanceShape) -> Exception:
    """Return the error for an overloaded server: throttling if serverless, else a 503 from the container."""
    if shape.max_concurrency is not None:
        return error
    return ModelError(503, "Service Unavailable: too many requests are waiting for a worker", "")
