"""What a model's container is asked, what it says, how long that took, and how it fails."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

#: A container must answer within a minute. Source: InvokeEndpoint in the SageMaker Runtime API reference.
INVOCATION_SECONDS = 60.0


@dataclass(frozen=True)
class InvocationTimings:
    """How long an answer took, in seconds; None: that did not happen."""

    #: In the containers, and in each of several by its name.
    model: float = 0.0
    containers: Mapping[str, float] = field(default_factory=dict)
    #: The cold start that the request waited for.
    setup: float | None = None
    #: Whether a worker of the provisioned concurrency answered.
    provisioned: bool = False
    #: Of a multi-model container: waiting until the model was there, and of that fetching, loading, unloading others.
    model_waiting: float | None = None
    model_downloading: float | None = None
    model_loading: float | None = None
    model_unloading: float | None = None
    #: Whether it was there; None where there is one model only.
    cache_hit: bool | None = None


class ModelError(Exception):
    """The container failed: its status (0: no answer), its message, and the end of the worker's log.

    `code` is what SageMaker calls it in an answer that has begun.
    """

    def __init__(self, original_status: int, message: str, log: str, code: str = "StreamBroken") -> None:
        super().__init__(message)
        self.original_status = original_status
        self.message = message
        self.log = log
        self.code = code
        #: Which container.
        self.container = "primary"
        self.timings = InvocationTimings()


class ThrottledError(Exception):
    """More requests at once than are taken."""


class InvocationTimeoutError(ModelError):
    """No answer in time."""

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
    """One request to a container. `headers` have names in lower case."""

    body: bytes
    headers: Mapping[str, str]
    timeout_seconds: float = INVOCATION_SECONDS
    streams: bool = False

    @classmethod
    def build(
        cls, body: bytes, content_type: str, accept: str, seconds: float = INVOCATION_SECONDS
    ) -> "ContainerRequest":
        """With no other headers."""
        return cls(body, {"content-type": content_type, "accept": accept}, seconds)

    def with_accept(self, accept: str) -> "ContainerRequest":
        """The same, to be answered with another type."""
        return replace(self, headers={**self.headers, "accept": accept})

    def with_input_from(self, said: "ContainerResponse") -> "ContainerRequest":
        """The same of what another container said."""
        return replace(self, body=said.full_body, headers={**self.headers, "content-type": said.content_type})


@dataclass(frozen=True)
class ContainerResponse:
    """The container's answer: whole, or for a request that streams its parts, as they come."""

    body: bytes | Iterator[bytes]
    headers: Mapping[str, str]
    timings: InvocationTimings = InvocationTimings()

    @property
    def content_type(self) -> str:
        """What the body is."""
        return self.headers.get("content-type", "")

    @property
    def full_body(self) -> bytes:
        """The body of an answer that does not stream."""
        assert isinstance(self.body, bytes)
        return self.body
