"""The size limit of a comment: loud blocks get space first, and omitted lines are counted."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

#: GitHub accepts 65,536 characters; some count twice.
LIMIT = 60_000
#: Part of the limit that is reserved for quiet blocks: records and explanations.
_QUIET_RESERVE = 12_000
#: Maximum number of lines to render: more never fit in a comment.
_MAX_LINES = 1000
#: Note about omitted lines.
OMITTED = "_… {}: too many for one comment; the HTML and JSON reports have them all._"


@dataclass
class CommentBlock:
    """A part of a comment: a head, lines that may be omitted, and a foot."""

    head: str
    lines: list[str] = field(default_factory=list)
    foot: str = ""
    omitted: int = 0  # number of lines that were not rendered
    is_quiet: bool = False

    @property
    def fixed_size(self) -> int:
        """The size without the lines."""
        return _measure(self.head) + _measure(self.foot) + len(OMITTED) + 20

    @property
    def flexible_size(self) -> int:
        """The size of the lines."""
        return sum(_measure(line) + 1 for line in self.lines)

    def render(self, room: int) -> str:
        """Return the block with lines up to the size `room`, and a note about omitted lines."""
        lines: list[str] = []
        for line in self.lines:
            room -= _measure(line) + 1
            if room < 0:
                break
            lines.append(line)
        omitted = len(self.lines) - len(lines) + self.omitted
        note = f"\n{OMITTED.format(f'{omitted} more')}" if omitted else ""
        return "\n".join([self.head, *lines]) + note + self.foot


def render_lines(items: Sequence[T], render_item: Callable[[T], str]) -> tuple[list[str], int]:
    """Return the lines of as many items as may fit, and the number of omitted items."""
    return [render_item(item) for item in items[:_MAX_LINES]], max(0, len(items) - _MAX_LINES)


def fit_blocks(blocks: Iterable[CommentBlock]) -> str:
    """Return the blocks as one text within the limit."""
    all_blocks = list(blocks)
    available = max(LIMIT - sum(block.fixed_size for block in all_blocks), 0)
    loud_blocks = [block for block in all_blocks if not block.is_quiet]
    quiet_blocks = [block for block in all_blocks if block.is_quiet]
    reserved = min(sum(block.flexible_size for block in quiet_blocks), _QUIET_RESERVE, available)
    rooms = _divide_room(loud_blocks, available - reserved)
    rooms |= _divide_room(quiet_blocks, available - sum(rooms.values()))
    return "\n\n".join(block.render(rooms[id(block)]) for block in all_blocks)


def _divide_room(blocks: Sequence[CommentBlock], available: int) -> dict[int, int]:
    """Return the size for the lines of each block. Small blocks get all they need; the others share the rest evenly."""
    rooms = {}
    for position, block in enumerate(sorted(blocks, key=lambda block: block.flexible_size)):
        rooms[id(block)] = min(block.flexible_size, available // (len(blocks) - position))
        available -= rooms[id(block)]
    return rooms


def _measure(text: str) -> int:
    """Return the length in UTF-16 units, which GitHub counts."""
    return len(text.encode("utf-16-le")) // 2
