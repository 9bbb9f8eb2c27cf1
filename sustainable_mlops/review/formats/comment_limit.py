"""The room of a comment: what is loud gets it first, and what has none is counted."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

#: GitHub takes 65,536 characters; some count for two there.
LIMIT = 60_000
#: Of that, what is kept for what is only for the record or explains the figures, where there is so much of it.
_QUIET = 12_000
#: More lines than this have no room in a comment whatever is in them, and are not even made.
_MOST_LINES = 1000
#: Says that, and how many, there are more.
OMITTED = "_… {}: too many for one comment; the HTML and JSON reports have them all._"


@dataclass
class CommentBlock:
    """A section: its head, lines of which as many are kept as there is room for, and its end."""

    head: str
    lines: list[str] = field(default_factory=list)
    foot: str = ""
    omitted: int = 0  # lines that there would be as well
    is_quiet: bool = False

    @property
    def fixed_size(self) -> int:
        """How much room it takes without its lines."""
        return _size(self.head) + _size(self.foot) + len(OMITTED) + 20

    @property
    def flexible_size(self) -> int:
        """How much room its lines take."""
        return sum(_size(line) + 1 for line in self.lines)

    def render(self, room: int) -> str:
        """The section with `room` for its lines, and a note where lines are left out."""
        kept: list[str] = []
        for line in self.lines:
            room -= _size(line) + 1
            if room < 0:
                break
            kept.append(line)
        left = len(self.lines) - len(kept) + self.omitted
        note = f"\n{OMITTED.format(f'{left} more')}" if left else ""
        return "\n".join([self.head, *kept]) + note + self.foot


def render_lines(items: Sequence[T], show: Callable[[T], str]) -> tuple[list[str], int]:
    """The lines of as many items as may have room, and how many are left."""
    return [show(item) for item in items[:_MOST_LINES]], max(0, len(items) - _MOST_LINES)


def fit_blocks(blocks: Iterable[CommentBlock]) -> str:
    """The blocks as one text within the limit."""
    found = list(blocks)
    whole = max(LIMIT - sum(block.fixed_size for block in found), 0)
    loud = [block for block in found if not block.is_quiet]
    quiet = [block for block in found if block.is_quiet]
    kept = min(sum(block.flexible_size for block in quiet), _QUIET, whole)
    rooms = _rooms(loud, whole - kept)
    rooms |= _rooms(quiet, whole - sum(rooms.values()))
    return "\n\n".join(block.render(rooms[id(block)]) for block in found)


def _rooms(blocks: Sequence[CommentBlock], whole: int) -> dict[int, int]:
    """Room for the lines of each block: the small ones get what they need, the others share the rest evenly."""
    rooms = {}
    for done, block in enumerate(sorted(blocks, key=lambda block: block.flexible_size)):
        rooms[id(block)] = min(block.flexible_size, whole // (len(blocks) - done))
        whole -= rooms[id(block)]
    return rooms


def _size(text: str) -> int:
    """Length as GitHub's database may count it: characters beyond the basic plane twice."""
    return len(text.encode("utf-16-le")) // 2
