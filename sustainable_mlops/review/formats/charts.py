"""Bars of the HTML report, with positions in percent of the width."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sustainable_mlops.footprint.figures import FootprintFigure, format_number
from sustainable_mlops.review.formats.effects import FootprintRow, Total
from sustainable_mlops.review.formats.wording import format_change

#: Maximum number of bars; further ones are merged into one.
_MAX_BARS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from `start` with `width`, and a thin line from `low` to `high` for an interval."""

    label: str
    kind: str  # total, more, less
    start: float
    width: float
    value: str
    low: float | None = None
    high: float | None = None
    note: str = ""


def build_waterfall(total: Total, changes: Iterable[tuple[str, FootprintFigure | None]]) -> list[Bar]:
    """Return bars from the present total, through each change, to the total after the plan."""
    if total.before is None or total.after is None:
        return []
    steps = _merge_smallest(
        [(name, figure.central) for name, figure in changes if figure is not None and figure.central != 0]
    )
    ends = [total.before.central]
    for _, change in steps:
        ends.append(ends[-1] + change)
    scale = 100 / (max(*ends, total.after.central) or 1)
    bars = [Bar("Before", "total", 0, total.before.central * scale, format_number(total.before.central))]
    for (name, change), start in zip(steps, ends, strict=False):
        first = min(start, start + change)
        bars.append(
            Bar(name, "more" if change > 0 else "less", first * scale, abs(change) * scale, format_change(change))
        )
    return [*bars, Bar("After", "total", 0, total.after.central * scale, format_number(total.after.central))]


def _merge_smallest(steps: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    ranked = sorted(steps, key=lambda step: -abs(step[1]))
    if len(ranked) <= _MAX_BARS:
        return ranked
    rest = ranked[_MAX_BARS - 1 :]
    return [*ranked[: _MAX_BARS - 1], (f"{len(rest)} others", sum(change for _, change in rest))]


def build_ranges(rows: Iterable[FootprintRow]) -> list[Bar]:
    """Return bars of the footprint of each resource after the plan, the largest first."""
    ranges = [(row, figure) for row in rows if (figure := row.kg[1]) is not None and figure.high > 0]
    ranges = sorted(ranges, key=lambda item: -item[1].central)[:_MAX_BARS]
    return _build_range_bars(((row.address, figure, "; ".join(row.part_changes)) for row, figure in ranges), "total")


def build_savings(alternatives: Iterable[tuple[str, FootprintFigure, str]]) -> list[Bar]:
    """Return bars of the saving of each alternative."""
    return _build_range_bars(alternatives, "less")


def _build_range_bars(items: Iterable[tuple[str, FootprintFigure, str]], kind: str) -> list[Bar]:
    ranges = list(items)
    # An interval may reach far beyond the expected value. Its line is cut at the edge so that bars stay readable.
    widest = max((min(figure.high, 4 * figure.central) for _, figure, _ in ranges), default=0)
    scale = 100 / (widest or 1)
    return [
        Bar(
            label,
            kind,
            0,
            _clamp_percent(figure.central * scale),
            str(figure),
            _clamp_percent(figure.low * scale),
            _clamp_percent(figure.high * scale),
            note,
        )
        for label, figure, note in ranges
    ]


def _clamp_percent(value: float) -> float:
    return min(max(value, 0.0), 100.0)
