"""Requests to endpoints, their responses, and the errors of InvokeEndpoint."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.jobs.runtime.container_invocation import (
    INVOCATION_SECONDS,
    ContainerRequest,
    ContainerResponse,
    InvocationTimings,
)

#: Longest duration of a streaming response. Source: "How containers serve requests" in the SageMaker developer guide.
STREAM_SECONDS = 480.0

_HEADER_PREFIX = "x-amzn-sagemaker-"
_CUSTOM_ATTRIBUTES = f"{_HEADER_PREFIX}custom-attributes"


class InvocationError(ApiError):
    """A bad request, with the error code of SageMaker Runtime."""

    code = "ValidationError"


class NotReadyError(ApiError):
    """The model of the request is still being loaded."""

    code = "ModelNotReadyException"
    status = 429


class MissingTargetError(Exception):
    """The endpoint has no such model or container. `to_invocation_error` adds the endpoint name."""

    def __init__(self, text: str, error_code: str = "") -> None:
        super().__init__(text)
        self._text = text
        self._error_code = error_code

    def to_invocation_error(self, endpoint: str) -> InvocationError:
        """Return the error response for a request to this endpoint."""
        details: dict[str, Any] = {"ErrorCode": self._error_code} if self._error_code else {}
        return InvocationError(self._text.replace("{endpoint}", endpoint), **details)


@dataclass(frozen=True)
class Invocation:
    """One request to an endpoint.

    Empty strings stand for absent headers. `is_streaming` requests the response in parts.
    """

    body: bytes
    content_type: str = "application/json"
    accept: str = "*/*"
    custom_attributes: str = ""
    target_model: str = ""
    target_variant: str = ""
    target_container: str = ""
    session_id: str = ""
    inference_id: str = ""
    is_streaming: bool = False
    timeout_seconds: float = INVOCATION_SECONDS

    @classmethod
    def from_request(cls, request: Mapping[str, Any], *, is_streaming: bool = False) -> "Invocation":
        """Build an invocation from the members of an API request."""
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
            is_streaming,
            STREAM_SECONDS if is_streaming else INVOCATION_SECONDS,
        )

    def build_container_request(self) -> ContainerRequest:
        """Return the request for the first container."""
        forwarded = {
            _CUSTOM_ATTRIBUTES: self.custom_attributes,
            f"{_HEADER_PREFIX}target-model": self.target_model,
            f"{_HEADER_PREFIX}session-id": self.session_id,
            f"{_HEADER_PREFIX}inference-id": self.inference_id,
        }
        headers = {"content-type": self.content_type, "accept": self.accept}
        headers |= {name: value for name, value in forwarded.items() if value}
        return ContainerRequest(self.body, headers, self.timeout_seconds, self.is_streaming)


@dataclass(frozen=True)
class InvocationResponse:
    """Response of a model: its body, or an iterator of parts if the invocation streams."""

    body: bytes | Iterator[bytes]
    content_type: str
    variant: str = ""
    custom_attributes: str = ""
    new_session_id: str = ""
    closed_session_id: str = ""
    timings: InvocationTimings = field(default_factory=InvocationTimings)

    @classmethod
    def from_container(cls, response: ContainerResponse, timings: InvocationTimings) -> "InvocationResponse":
        """Build the response from the response of the last container."""
        return cls(
            response.body,
            response.content_type,
            custom_attributes=response.headers.get(_CUSTOM_ATTRIBUTES, ""),
            new_session_id=response.headers.get(f"{_HEADER_PREFIX}new-session-id", ""),
            closed_session_id=response.headers.get(f"{_HEADER_PREFIX}closed-session-id", ""),
            timings=timings,
        )
