"""Nodes of the tree of an expression. They are immutable and compared by value."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ExpressionNode:
    """One operation with its arguments (nodes and plain values) and its declared type."""

    operation: str
    arguments: tuple[Any, ...]
    type: Any = Any
