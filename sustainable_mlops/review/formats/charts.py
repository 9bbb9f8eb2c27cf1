"""The bars of the HTML report: where each begins and ends, in percent of the width."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sustainable_mlops.footprint.figures import FootprintFigure, format_number
from sustainable_mlops.review.formats.effects import FootprintRow, Total
from sustainable_mlops.review.formats.wording import format_change

#: More bars than these are summed up as one.
_MOST = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from `start` over `width`, with a thin line from `low` to `high` where there is a range."""

    label: str
    kind: str  # total, more, less
    start: float
    width: float
    value: str
    low: float | None = None
    high: float | None = None
    note: str = ""


def build_waterfall(total: Total, changes: Iterable[tuple[str, FootprintFigure | None]]) -> list[Bar]:
    """From what is used now, through each change, to what is used after."""
    if total.before is None or total.after is None:
        return []
    steps = _summed([(name, figure.central) for name, figure in changes if figure is not None and figure.central != 0])
    ends = [total.before.central]
    for _, change in steps:
        ends.append(ends[-1] + change)
    scale = 100 / (max(*ends, total.after.central) or 1)
    bars = [Bar("Now", "total", 0, total.before.central * scale, format_number(total.before.central))]
    for (name, change), start in zip(steps, ends, strict=False):
        first = min(start, start + change)
        bars.append(
            Bar(name, "more" if change > 0 else "less", first * scale, abs(change) * scale, format_change(change))
        )
    return [*bars, Bar("After", "total", 0, total.after.central * scale, format_number(total.after.central))]


def _summed(steps: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    ranked = sorted(steps, key=lambda step: -abs(step[1]))
    if len(ranked) <= _MOST:
        return ranked
    rest = ranked[_MOST - 1 :]
    return [*ranked[: _MOST - 1], (f"{len(rest)} others", sum(change for _, change in rest))]


def build_ranges(rows: Iterable[FootprintRow]) -> list[Bar]:
    """What each resource will use, with its range, the largest first."""
    found = [(row, figure) for row in rows if (figure := row.kg[1]) is not None and figure.high > 0]
    found = sorted(found, key=lambda item: -item[1].central)[:_MOST]
    return _ranged(((row.address, figure, "; ".join(row.part_changes)) for row, figure in found), "total")


def build_savings(alternatives: Iterable[tuple[str, FootprintFigure, str]]) -> list[Bar]:
    """What each alternative saves, with its range."""
    return _ranged(alternatives, "less")


def _ranged(items: Iterable[tuple[str, FootprintFigure, str]], kind: str) -> list[Bar]:
    found = list(items)
    # Ranges may reach far beyond what is expected; the bars stay readable and the lines are cut at the edge.
    widest = max((min(figure.high, 4 * figure.central) for _, figure, _ in found), default=0)
    scale = 100 / (widest or 1)
    return [
        Bar(
            label,
            kind,
            0,
            _held(figure.central * scale),
            str(figure),
            _held(figure.low * scale),
            _held(figure.high * scale),
            note,
        )
        for label, figure, note in found
    ]


def _held(value: float) -> float:
    return min(max(value, 0.0), 100.0)
