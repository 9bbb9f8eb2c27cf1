"""Constraint of a field to values from a catalogue, where `Literal` would repeat them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler


@dataclass(frozen=True)
class OneOf:
    """Constraint of an annotation: `Annotated[int, one_of(range(1024, 6145, 1024))]`."""

    choices: tuple[int | str, ...]

    def __get_pydantic_core_schema__(self, _source: Any, handler: GetCoreSchemaHandler) -> Any:
        return handler.generate_schema(Literal[self.choices])


def one_of(choices: Iterable[int | str]) -> OneOf:
    """Return the constraint that a value is one of `choices`.

    Use it for values from a catalogue. For values that are defined nowhere else, write `Literal`.
    """
    return OneOf(tuple(choices))
