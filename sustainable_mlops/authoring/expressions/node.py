"""The tree of an expression: frozen, compared by what it holds, with the type that it is declared to have."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ExpressionNode:
    """One operation on its arguments: nodes, and plain values where the operation takes some."""

    operation: str
    arguments: tuple[Any, ...]
    type: Any = Any
