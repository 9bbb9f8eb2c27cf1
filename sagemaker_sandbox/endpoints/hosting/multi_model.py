"""Multi-model containers: many models under one S3 prefix.

A model is loaded by its first request. When memory is short, the model that was unused for longest is unloaded.
"""

import hashlib
import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from sagemaker_sandbox.endpoints.hosting.containers import (
    MAX_WAITING_REQUESTS,
    HostedContainer,
    InstanceContext,
    InstanceShape,
    translate_throttling,
)
from sagemaker_sandbox.endpoints.hosting.invocation import MissingTargetError, NotReadyError
from sagemaker_sandbox.jobs.runtime.container_invocation import (
    ContainerRequest,
    ContainerResponse,
    InvocationTimings,
    ModelError,
    ThrottledError,
)
from sagemaker_sandbox.jobs.runtime.model_data import (
    BrokenDataError,
    DownloadTimeoutError,
    MissingDataError,
    ModelDataSource,
)
from sagemaker_sandbox.jobs.runtime.model_server import Capacity, ModelServer
from sagemaker_sandbox.resources.resources import Fields
from sustainable_mlops.aws.s3 import S3Uri

_TARGET_MODEL_HEADER = "x-amzn-sagemaker-target-model"
_MEBIBYTE = 2**20


@dataclass(frozen=True)
class _LoadedModel:
    """A loaded model, and the durations of its load in seconds."""

    server: ModelServer
    downloading: float
    loading: float
    unloading: float | None


class _Model:
    """A model that is loaded or being loaded. `use_count` is the number of requests that need it."""

    def __init__(self, models: Path, target: str) -> None:
        self.log = hashlib.sha256(target.encode()).hexdigest()[:32]
        # The log name alone is not unique: a model of that name may still be unloading.
        self.folder = models / f"{self.log}-{secrets.token_hex(4)}" / "model"
        self.server: ModelServer | None = None
        self.load_future: Future[_LoadedModel] = Future()
        self.use_count = 0
        self.last_used = time.monotonic()


class MultiModelContainer(HostedContainer):
    """A container that serves the models under its ModelDataUrl."""

    def __init__(
        self, number: int, name: str, fields: Fields, folder: Path, shape: InstanceShape, context: InstanceContext
    ) -> None:
        super().__init__(number, name, fields, folder, shape, context)
        self._caches_models = fields.get("MultiModelConfig", {}).get("ModelCacheSetting", "Enabled") == "Enabled"
        self._models: dict[str, _Model] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def pids(self) -> Sequence[int]:
        """Process IDs of the workers."""
        return [pid for load in self._list_loaded() for pid in load.server.pids]

    @property
    def loaded_models(self) -> int:
        """Number of loaded models."""
        return len(self._list_loaded())

    def start(self) -> None:
        """Prepare the container. Models are loaded on request."""
        self.download_data()

    def reshape(self, shape: InstanceShape) -> None:
        """Use another shape for later loads; loaded models keep running."""
        self.shape = shape

    def invoke(self, request: ContainerRequest) -> ContainerResponse:
        """Send one request to the model that its header names."""
        start = time.monotonic()
        model, is_first = self._acquire_model(request.headers.get(_TARGET_MODEL_HEADER, ""))
        try:
            load = model.load_future.result(request.timeout_seconds)
            timings = InvocationTimings(is_cache_hit=not is_first)
            if is_first:
                timings = InvocationTimings(
                    is_cache_hit=False,
                    model_waiting=time.monotonic() - start,
                    model_downloading=load.downloading,
                    model_loading=load.loading,
                    model_unloading=load.unloading,
                )
            return self._invoke_server(load.server, request, timings)
        except FutureTimeoutError:
            raise NotReadyError(
                "The model is still being downloaded or loaded. Wait and try your request again."
            ) from None
        finally:
            self._release_model(request.headers[_TARGET_MODEL_HEADER], model)

    def _invoke_server(
        self, server: ModelServer, request: ContainerRequest, timings: InvocationTimings
    ) -> ContainerResponse:
        try:
            response = server.invoke(request)
        except ThrottledError as error:
            raise translate_throttling(error, self.shape) from None
        except ModelError as error:
            error.timings = replace(timings, model=error.timings.model)
            raise
        return replace(response, timings=replace(timings, model=response.timings.model))

    def _acquire_model(self, target: str) -> tuple[_Model, bool]:
        """Return the model, and True if this request starts its load."""
        if not target:
            raise MissingTargetError(
                "The request to multi-model endpoint {endpoint} is missing a target model header.",
                "TARGET_MODEL_HEADER_MISSING",
            )
        with self._lock:
            if self._is_closed:
                raise _build_deletion_error()
            model = self._models.get(target)
            is_first = model is None
            if model is None:
                model = self._models[target] = _Model(self.container.folder / "models", target)
            model.use_count += 1
        if is_first:
            threading.Thread(target=self._load, args=(target, model), name=f"load {target}", daemon=True).start()
        return model, is_first

    def _release_model(self, target: str, model: _Model) -> None:
        """End one use of the model. Without a model cache, unload it after its last use."""
        with self._lock:
            model.use_count -= 1
            model.last_used = time.monotonic()
            is_unloaded = (
                not self._caches_models
                and model.use_count == 0
                and self._models.get(target) is model
                and _is_loaded(model)
            )
            if is_unloaded:
                del self._models[target]
        if is_unloaded:
            _unload(model)

    def _load(self, target: str, model: _Model) -> None:
        try:
            start = time.monotonic()
            self._download(target, model.folder)
            downloaded = time.monotonic()
            capacity = Capacity(1, MAX_WAITING_REQUESTS, warm_workers=1, startup_seconds=self.shape.startup_seconds)
            server = ModelServer(self.container, self.environment, capacity, model=model.folder, log=model.log)
            with self._lock:
                if self._is_closed:
                    raise _build_deletion_error()
                model.server = server
            server.start()
            loaded = time.monotonic()
            unloading = self._make_room(server)
            model.load_future.set_result(_LoadedModel(server, downloaded - start, loaded - downloaded, unloading))
        except Exception as error:  # pass the error to the requests that wait for the model
            with self._lock:
                self._models.pop(target, None)
            _unload(model)
            model.load_future.set_exception(error)

    def _download(self, target: str, folder: Path) -> None:
        url = self.fields.get("ModelDataUrl") or self.fields["ModelDataSource"]["S3DataSource"]["S3Uri"]
        prefix = S3Uri.parse_url(url) or S3Uri("", url)
        key = S3Uri(prefix.bucket, f"{prefix.key.rstrip('/')}/{target}".lstrip("/"))
        location = f"(bucket: {key.bucket}, key: {key.key})"
        try:
            self.context.data.copy_to(ModelDataSource(str(key)), folder, self.shape.download_seconds)
        except MissingDataError:
            raise MissingTargetError(
                f"Failed to download model data{location}. Please ensure that there is an object located at the URL "
                "and that the role passed to CreateModel has permissions to download the model."
            ) from None
        except BrokenDataError as error:
            self.log_line(f"{target}: {error}")
            raise MissingTargetError(
                f"Failed to extract model data archive{location}. Please ensure that the object located at the URL is "
                "a valid tar.gz archive."
            ) from None
        except DownloadTimeoutError:
            raise NotReadyError(f"The model data{location} took too long to download.") from None

    def _make_room(self, new_server: ModelServer) -> float | None:
        """Unload idle models, longest unused first, to meet the limit. Return the seconds; None if it freed none."""
        limit = (self.shape.max_loaded_mb or psutil.virtual_memory().total // 2 // _MEBIBYTE) * _MEBIBYTE
        start, unloaded_count = time.monotonic(), 0
        while new_server.memory_bytes + sum(load.server.memory_bytes for load in self._list_loaded()) > limit:
            with self._lock:
                idle = [name for name, model in self._models.items() if model.use_count == 0 and _is_loaded(model)]
                if not idle:
                    break
                oldest = self._models.pop(min(idle, key=lambda name: self._models[name].last_used))
            _unload(oldest)
            unloaded_count += 1
        return time.monotonic() - start if unloaded_count else None

    def _list_loaded(self) -> list[_LoadedModel]:
        with self._lock:
            return [model.load_future.result() for model in self._models.values() if _is_loaded(model)]

    def close(self) -> None:
        """End every model's workers."""
        with self._lock:
            self._is_closed = True
            models = list(self._models.values())
        for model in models:
            _unload(model)


def _is_loaded(model: _Model) -> bool:
    return model.load_future.done() and model.load_future.exception() is None


def _build_deletion_error() -> ModelError:
    return ModelError(0, "the endpoint was deleted", "")


def _unload(model: _Model) -> None:
    if model.server is not None:
        model.server.close()
    shutil.rmtree(model.folder.parent, ignore_errors=True)
