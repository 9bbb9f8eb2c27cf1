"""One request to an endpoint, its answer, and the ways in which it is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.runtime.container_invocation import (
    INVOCATION_SECONDS,
    ContainerRequest,
    ContainerResponse,
    InvocationTimings,
)

#: The longest answer in parts. Source: "How containers serve requests" in the SageMaker developer guide.
STREAM_SECONDS = 480.0

_OWN = "x-amzn-sagemaker-"
_CUSTOM_ATTRIBUTES = f"{_OWN}custom-attributes"


class InvocationError(ApiError):
    """SageMaker Runtime's own name for a bad request."""

    code = "ValidationError"


class NotReadyError(ApiError):
    """What is to answer is still being made."""

    code = "ModelNotReadyException"
    status = 429


class MissingTargetError(Exception):
    """A model or container that an endpoint has not; `about` says so of the endpoint."""

    def __init__(self, text: str, error_code: str = "") -> None:
        super().__init__(text)
        self._text = text
        self._error_code = error_code

    def to_invocation_error(self, endpoint: str) -> InvocationError:
        """How the endpoint refuses the request."""
        details = {"ErrorCode": self._error_code} if self._error_code else {}
        return InvocationError(self._text.replace("{endpoint}", endpoint), **details)


@dataclass(frozen=True)
class Invocation:
    """What is asked. Empty texts: not said. `streams` asks for the answer in parts, as they come."""

    body: bytes
    content_type: str = "application/json"
    accept: str = "*/*"
    custom_attributes: str = ""
    target_model: str = ""
    target_variant: str = ""
    target_container: str = ""
    session_id: str = ""
    inference_id: str = ""
    streams: bool = False
    timeout_seconds: float = INVOCATION_SECONDS

    @classmethod
    def from_request(cls, request: Mapping[str, Any], *, streams: bool = False) -> "Invocation":
        """What a request's members ask."""
        return cls(
            request.get("Body", b""),
            request.get("ContentType") or "application/json",
            request.get("Accept") or "*/*",
            request.get("CustomAttributes", ""),
            request.get("TargetModel", ""),
            request.get("TargetVariant", ""),
            request.get("TargetContainerHostname", ""),
            request.get("SessionId", ""),
            request.get("InferenceId", ""),
            streams,
            STREAM_SECONDS if streams else INVOCATION_SECONDS,
        )

    def build_container_request(self) -> ContainerRequest:
        """What the first container is asked."""
        passed_on = {
            _CUSTOM_ATTRIBUTES: self.custom_attributes,
            f"{_OWN}target-model": self.target_model,
            f"{_OWN}session-id": self.session_id,
            f"{_OWN}inference-id": self.inference_id,
        }
        headers = {"content-type": self.content_type, "accept": self.accept}
        headers |= {name: value for name, value in passed_on.items() if value}
        return ContainerRequest(self.body, headers, self.timeout_seconds, self.streams)


@dataclass(frozen=True)
class InvocationResponse:
    """What the model said: its body, or the parts of it for an invocation that streams."""

    body: bytes | Iterator[bytes]
    content_type: str
    variant: str = ""
    custom_attributes: str = ""
    new_session_id: str = ""
    closed_session_id: str = ""
    timings: InvocationTimings = field(default_factory=InvocationTimings)

    @classmethod
    def from_container(cls, said: ContainerResponse, took: InvocationTimings) -> "InvocationResponse":
        """What the last container said."""
        return cls(
            said.body,
            said.content_type,
            custom_attributes=said.headers.get(_CUSTOM_ATTRIBUTES, ""),
            new_session_id=said.headers.get(f"{_OWN}new-session-id", ""),
            closed_session_id=said.headers.get(f"{_OWN}closed-session-id", ""),
            timings=took,
        )
