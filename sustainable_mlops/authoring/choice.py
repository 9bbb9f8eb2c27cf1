"""A choice among values that stand elsewhere, where `Literal` would repeat them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler


@dataclass(frozen=True)
class OneOf:
    """A constraint of an annotation: `Annotated[int, one_of(range(1024, 6145, 1024))]`."""

    choices: tuple[int | str, ...]

    def __get_pydantic_core_schema__(self, _source: Any, handler: GetCoreSchemaHandler) -> Any:
        return handler.generate_schema(Literal[self.choices])


def one_of(choices: Iterable[int | str]) -> OneOf:
    """One of these values, which a catalogue gives; where they stand nowhere else, write `Literal`."""
    return OneOf(tuple(choices))
