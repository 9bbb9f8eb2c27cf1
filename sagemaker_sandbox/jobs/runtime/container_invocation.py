"""Requests to a model container, its responses, their timings, and its errors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

#: A container must answer within a minute. Source: InvokeEndpoint in the SageMaker Runtime API reference.
INVOCATION_SECONDS = 60.0


@dataclass(frozen=True)
class InvocationTimings:
    """Durations of one response in seconds; None means that the event did not occur."""

    #: Total time in the containers, and time in each container by name.
    model: float = 0.0
    containers: Mapping[str, float] = field(default_factory=dict)
    #: Duration of the cold start that the request waited for.
    cold_start: float | None = None
    #: True if a worker of the provisioned concurrency responded.
    is_provisioned: bool = False
    #: Multi-model containers: total wait for the model, and its parts.
    model_waiting: float | None = None
    model_downloading: float | None = None
    model_loading: float | None = None
    model_unloading: float | None = None
    #: Multi-model containers: True if the model was already loaded.
    is_cache_hit: bool | None = None


class ModelError(Exception):
    """The container failed.

    `original_status` is the status of the container (0: no response), `log` the end of the worker log. `code` is the
    error code of SageMaker in a response that has already started.
    """

    def __init__(self, original_status: int, message: str, log: str, code: str = "StreamBroken") -> None:
        super().__init__(message)
        self.original_status = original_status
        self.message = message
        self.log = log
        self.code = code
        #: Name of the container.
        self.container = "primary"
        self.timings = InvocationTimings()


class ThrottledError(Exception):
    """Too many concurrent requests."""


class InvocationTimeoutError(ModelError):
    """The container did not respond in time."""

    def __init__(self, container: str = "primary") -> None:
        super().__init__(
            0,
            f"Your invocation timed out while waiting for a response from container {container}. Review the latency "
            "metrics for each container in Amazon CloudWatch, resolve the issue, and try again.",
            "",
            "ModelInvocationTimeExceeded",
        )


@dataclass(frozen=True)
class ContainerRequest:
    """One request to a container. Header names are in lower case."""

    body: bytes
    headers: Mapping[str, str]
    timeout_seconds: float = INVOCATION_SECONDS
    is_streaming: bool = False

    @classmethod
    def build(
        cls, body: bytes, content_type: str, accept: str, seconds: float = INVOCATION_SECONDS
    ) -> "ContainerRequest":
        """Build a request without further headers."""
        return cls(body, {"content-type": content_type, "accept": accept}, seconds)

    def with_accept(self, accept: str) -> "ContainerRequest":
        """Return the same request with another Accept header."""
        return replace(self, headers={**self.headers, "accept": accept})

    def with_input_from(self, response: "ContainerResponse") -> "ContainerRequest":
        """Return the same request with the response of another container as its body."""
        return replace(self, body=response.full_body, headers={**self.headers, "content-type": response.content_type})


@dataclass(frozen=True)
class ContainerResponse:
    """Response of a container. A streaming request receives an iterator of parts as its body."""

    body: bytes | Iterator[bytes]
    headers: Mapping[str, str]
    timings: InvocationTimings = InvocationTimings()

    @property
    def content_type(self) -> str:
        """Content type of the body."""
        return self.headers.get("content-type", "")

    @property
    def full_body(self) -> bytes:
        """Body of a response that does not stream."""
        assert isinstance(self.body, bytes)
        return self.body
