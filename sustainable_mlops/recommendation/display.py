"""Terminal output of recommendations."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops.footprint import FootprintFigure, format_number
from sustainable_mlops.recommendation.ranking import ExpectedLoad, Recommendation


def print_recommendations(
    recommendations: Sequence[Recommendation], failed: Mapping[str, str], expected: ExpectedLoad, out: Console
) -> None:
    """Print the recommendations, the least carbon first, and the reasons for candidates without one."""
    load = f"{expected.requests_per_day:,.10g} requests a day"
    table = Table(box=None, pad_edge=False, title=f"1,000 requests at {load} in {expected.region}\n")
    table.title_justify = "left"
    for title in ("least carbon first", "gCO2e", "USD", "requests a minute of one", "P95 ms", "instances"):
        table.add_column(title, overflow="fold")
    for number, one in enumerate(recommendations):
        figures = (_format_figure(one.per_thousand.get("total"), 1000), _format_figure(one.per_thousand.get("cost"), 1))
        least, most = one.inputs.get("min_instances", 0), one.inputs.get("max_instances")
        counts = f"{least} to {most}" if most else "0"
        style = "bold green" if number == 0 else ""
        table.add_row(Text(one.title, style), *figures, f"{one.requests_per_minute:,}", f"{one.latency_ms:,}", counts)
    out.print(table)
    for one in recommendations:
        if one.setup_ms is not None:
            out.print(f"{one.title}: the first request after a pause waits about {one.setup_ms / 1000:.1f} s.")
        if one.module == "async_endpoint":
            out.print(f"{one.title}: the first request after a pause waits some minutes for an instance to start.")
    for title, reason in failed.items():
        out.print(f"{title}: not recommended: {' '.join(reason.split())}", markup=False, soft_wrap=True)


def _format_figure(figure: FootprintFigure | None, factor: float) -> str:
    if figure is None:
        return "unknown"
    one = figure.multiply(factor)
    return f"{format_number(one.central)} ({format_number(one.low)} to {format_number(one.high)})"
