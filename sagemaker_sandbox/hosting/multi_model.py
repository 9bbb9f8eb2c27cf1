"""A container that serves many models of one prefix in S3: each is loaded when it is first asked for, and goes when
others need its memory and it was not used for longest."""

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

from sagemaker_sandbox.hosting.containers import (
    MAX_WAITING_REQUESTS,
    HostedContainer,
    InstanceContext,
    InstanceShape,
    translate_throttling,
)
from sagemaker_sandbox.hosting.invocation import MissingTargetError, NotReadyError
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.runtime.container_invocation import (
    ContainerRequest,
    ContainerResponse,
    InvocationTimings,
    ModelError,
    ThrottledError,
)
from sagemaker_sandbox.runtime.model_data import (
    BrokenDataError,
    DownloadTimeoutError,
    MissingDataError,
    ModelDataSource,
)
from sagemaker_sandbox.runtime.model_server import Capacity, ModelServer
from sustainable_mlops.aws.s3 import S3Uri

_HEADER = "x-amzn-sagemaker-target-model"
_MEBIBYTE = 2**20


@dataclass(frozen=True)
class _LoadedModel:
    """A model that was loaded, and how long that took, in seconds."""

    server: ModelServer
    downloading: float
    loading: float
    unloading: float | None


class _Model:
    """A model that is loaded, or is being so; `uses` are requests that need it."""

    def __init__(self, models: Path, target: str) -> None:
        self.log = hashlib.sha256(target.encode()).hexdigest()[:32]
        # Not the log's name alone: one of that name may be on its way out.
        self.folder = models / f"{self.log}-{secrets.token_hex(4)}" / "model"
        self.server: ModelServer | None = None
        self.loaded: Future[_LoadedModel] = Future()
        self.uses = 0
        self.used = time.monotonic()


class MultiModelContainer(HostedContainer):
    """The models under its ModelDataUrl."""

    def __init__(
        self, number: int, name: str, fields: Fields, folder: Path, shape: InstanceShape, home: InstanceContext
    ) -> None:
        super().__init__(number, name, fields, folder, shape, home)
        self._keeps = fields.get("MultiModelConfig", {}).get("ModelCacheSetting", "Enabled") == "Enabled"
        self._models: dict[str, _Model] = {}
        self._lock = threading.Lock()
        self._closed = False

    @property
    def pids(self) -> Sequence[int]:
        """Processes of its workers."""
        return [pid for load in self._loads() for pid in load.server.pids]

    @property
    def loaded_models(self) -> int:
        """How many models are loaded."""
        return len(self._loads())

    def start(self) -> None:
        """Be there; models are loaded when they are asked for."""
        self.download_data()

    def reshape(self, shape: InstanceShape) -> None:
        """Have other capacity."""
        self.shape = shape

    def invoke(self, asked: ContainerRequest) -> ContainerResponse:
        """One request to the model that its header names."""
        began = time.monotonic()
        model, first = self._use(asked.headers.get(_HEADER, ""))
        try:
            load = model.loaded.result(asked.timeout_seconds)
            took = InvocationTimings(cache_hit=not first)
            if first:
                took = InvocationTimings(
                    cache_hit=False,
                    model_waiting=time.monotonic() - began,
                    model_downloading=load.downloading,
                    model_loading=load.loading,
                    model_unloading=load.unloading,
                )
            return self._ask(load.server, asked, took)
        except FutureTimeoutError:
            raise NotReadyError(
                "The model is still being downloaded or loaded. Wait and try your request again."
            ) from None
        finally:
            self._used(asked.headers[_HEADER], model)

    def _ask(self, server: ModelServer, asked: ContainerRequest, took: InvocationTimings) -> ContainerResponse:
        try:
            said = server.invoke(asked)
        except ThrottledError as error:
            raise translate_throttling(error, self.shape) from None
        except ModelError as error:
            error.timings = replace(took, model=error.timings.model)
            raise
        return replace(said, timings=replace(took, model=said.timings.model))

    def _use(self, target: str) -> tuple[_Model, bool]:
        """The model of that name, and whether it begins to be loaded for this request."""
        if not target:
            raise MissingTargetError(
                "The request to multi-model endpoint {endpoint} is missing a target model header.",
                "TARGET_MODEL_HEADER_MISSING",
            )
        with self._lock:
            if self._closed:
                raise _deleted()
            model = self._models.get(target)
            first = model is None
            if model is None:
                model = self._models[target] = _Model(self.container.folder / "models", target)
            model.uses += 1
        if first:
            threading.Thread(target=self._load, args=(target, model), name=f"load {target}", daemon=True).start()
        return model, first

    def _used(self, target: str, model: _Model) -> None:
        with self._lock:
            model.uses -= 1
            model.used = time.monotonic()
            goes = not self._keeps and model.uses == 0 and self._models.get(target) is model and _is_loaded(model)
            if goes:
                del self._models[target]
        if goes:
            _unload(model)

    def _load(self, target: str, model: _Model) -> None:
        try:
            began = time.monotonic()
            self._download(target, model.folder)
            downloaded = time.monotonic()
            capacity = Capacity(1, MAX_WAITING_REQUESTS, warm=1, startup_seconds=self.shape.startup_seconds)
            server = ModelServer(self.container, self.environment, capacity, model=model.folder, log=model.log)
            with self._lock:
                if self._closed:
                    raise _deleted()
                model.server = server
            server.start()
            loaded = time.monotonic()
            unloading = self._make_room(server)
            model.loaded.set_result(_LoadedModel(server, downloaded - began, loaded - downloaded, unloading))
        except Exception as error:  # whoever waits for it is told
            with self._lock:
                self._models.pop(target, None)
            _unload(model)
            model.loaded.set_exception(error)

    def _download(self, target: str, folder: Path) -> None:
        url = self.fields.get("ModelDataUrl") or self.fields["ModelDataSource"]["S3DataSource"]["S3Uri"]
        prefix = S3Uri.of_url(url) or S3Uri("", url)
        key = S3Uri(prefix.bucket, f"{prefix.key.rstrip('/')}/{target}".lstrip("/"))
        where = f"(bucket: {key.bucket}, key: {key.key})"
        try:
            self.home.data.copy_to(ModelDataSource(str(key)), folder, self.shape.download_seconds)
        except MissingDataError:
            raise MissingTargetError(
                f"Failed to download model data{where}. Please ensure that there is an object located at the URL and "
                "that the role passed to CreateModel has permissions to download the model."
            ) from None
        except BrokenDataError as error:
            self.log_line(f"{target}: {error}")
            raise MissingTargetError(
                f"Failed to extract model data archive{where}. Please ensure that the object located at the URL is a "
                "valid tar.gz archive."
            ) from None
        except DownloadTimeoutError:
            raise NotReadyError(f"The model data{where} took too long to download.") from None

    def _make_room(self, new: ModelServer) -> float | None:
        """Unload what was not used for longest while all together use too much; how long that took."""
        most = (self.shape.loaded_mb or psutil.virtual_memory().total // 2 // _MEBIBYTE) * _MEBIBYTE
        began, gone = time.monotonic(), 0
        while new.memory_bytes + sum(load.server.memory_bytes for load in self._loads()) > most:
            with self._lock:
                free = [name for name, one in self._models.items() if one.uses == 0 and _is_loaded(one)]
                if not free:
                    break
                leaving = self._models.pop(min(free, key=lambda name: self._models[name].used))
            _unload(leaving)
            gone += 1
        return time.monotonic() - began if gone else None

    def _loads(self) -> list[_LoadedModel]:
        with self._lock:
            return [model.loaded.result() for model in self._models.values() if _is_loaded(model)]

    def close(self) -> None:
        """End every model's workers."""
        with self._lock:
            self._closed = True
            models = list(self._models.values())
        for model in models:
            _unload(model)


def _is_loaded(model: _Model) -> bool:
    return model.loaded.done() and model.loaded.exception() is None


def _deleted() -> ModelError:
    return ModelError(0, "the endpoint was deleted", "")


def _unload(model: _Model) -> None:
    if model.server is not None:
        model.server.close()
    shutil.rmtree(model.folder.parent, ignore_errors=True)
