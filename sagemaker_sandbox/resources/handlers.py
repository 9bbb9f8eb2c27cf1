"""Handlers of operations, and the level at which the sandbox supports an operation."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

HandlerFunction = TypeVar("HandlerFunction", bound=Callable[..., Any])


class SupportLevel(StrEnum):
    """The extent to which the sandbox supports an operation."""

    EMULATED = "emulated"
    STORED = "stored only"
    REFUSED = "refused"


@dataclass(frozen=True)
class OperationSupport:
    """The support of one operation: its level and a note.

    `shared_member` names the request member that may hold the ARN of another account's resource. That account's part
    then handles the operation, if its policy allows it.
    """

    level: SupportLevel
    note: str = ""
    shared_member: str = ""


def emulated_operation(handler: HandlerFunction) -> HandlerFunction:
    """Mark a handler that does what AWS's operation does."""
    handler.support = OperationSupport(SupportLevel.EMULATED)  # type: ignore[attr-defined]  # a function takes any
    return handler


def shared_operation(member: str) -> Callable[[HandlerFunction], HandlerFunction]:
    """Mark an emulated handler whose request member may be the ARN of another account's shared resource."""

    def declare(handler: HandlerFunction) -> HandlerFunction:
        handler.support = OperationSupport(SupportLevel.EMULATED, shared_member=member)  # type: ignore[attr-defined]
        return handler

    return declare


def stored_operation(note: str) -> Callable[[HandlerFunction], HandlerFunction]:
    """Mark a handler that stores its input and returns it. `note` says which effects are missing."""

    def declare(handler: HandlerFunction) -> HandlerFunction:
        handler.support = OperationSupport(SupportLevel.STORED, note)  # type: ignore[attr-defined]
        return handler

    return declare
