"""One request to an endpoint, its answer, and the ways in which it is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sustainable_mlops.sandbox.errors import ApiError


class InvocationError(ApiError):
    """SageMaker Runtime's own name for a bad request."""

    code = "ValidationError"


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

    @classmethod
    def of(cls, request: Mapping[str, Any], *, streams: bool = False) -> "Invocation":
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
        )


@dataclass(frozen=True)
class Answer:
    """What the model said: its body, or the parts of it for an invocation that streams."""

    body: bytes | Iterator[bytes]
    content_type: str
    variant: str = ""
    custom_attributes: str = ""
    new_session_id: str = ""
    closed_session_id: str = ""
