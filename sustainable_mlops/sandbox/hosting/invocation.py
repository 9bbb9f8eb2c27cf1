"""One request to an endpoint, and its answer."""

from collections.abc import Iterator
from dataclasses import dataclass


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


@dataclass(frozen=True)
class Answer:
    """What the model said: its body, or the parts of it for an invocation that streams."""

    body: bytes | Iterator[bytes]
    content_type: str
    variant: str = ""
    custom_attributes: str = ""
