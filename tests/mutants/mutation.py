"""Mutation: one change of a source file."""

from typing import NamedTuple


class Mutation(NamedTuple):
    """Mutated source of a module, and the lines of the original statement."""

    file: str  # relative to the root
    first_line: int
    last_line: int
    source: str
