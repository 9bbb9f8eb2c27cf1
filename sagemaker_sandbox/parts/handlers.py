"""What each operation of the service does here, declared where it is answered."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Does(StrEnum):
    """How much of an operation there is."""

    BEHAVES = "behaves"
    RECORDED = "recorded only"
    REFUSED = "refused"


@dataclass(frozen=True)
class Declared:
    """One operation of a part: what it does, and what there is to know of it.

    `shared` names the member of the request that may hold another account's ARN: then that account's part answers, if
    its policy allows.
    """

    does: Does
    note: str = ""
    shared: str = ""


def behaves(handler: Handler) -> Handler:
    """The handler does what AWS's operation does."""
    handler.declared = Declared(Does.BEHAVES)  # type: ignore[attr-defined]  # a function takes any
    return handler


def behaves_across_accounts(member: str) -> Callable[[Handler], Handler]:
    """As `behaves`, and `member` of the request may be the ARN of what another account shares."""

    def declare(handler: Handler) -> Handler:
        handler.declared = Declared(Does.BEHAVES, shared=member)  # type: ignore[attr-defined]
        return handler

    return declare


def recorded(note: str) -> Callable[[Handler], Handler]:
    """The handler keeps what it is told and gives it back; `note` says what does not follow from it."""

    def declare(handler: Handler) -> Handler:
        handler.declared = Declared(Does.RECORDED, note)  # type: ignore[attr-defined]
        return handler

    return declare
