"""Terminal output of recommendations."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops.advice.recommendation.ranking import ExpectedLoad, RankedEndpoint
from sustainable_mlops.advice.wording import describe_cold_start, format_figure_cell, list_legend


def print_recommendations(
    recommendations: Sequence[RankedEndpoint], failed: Mapping[str, str], expected: ExpectedLoad, out: Console
) -> None:
    """Print the recommendations, the least carbon first, and the reasons for candidates without one."""
    load = f"{expected.requests_per_day:,.10g} requests a day"
    table = Table(box=None, pad_edge=False, title=f"1,000 requests at {load} in {expected.region}\n")
    table.title_justify = "left"
    for title in ("least carbon first", "CO2e", "USD", "requests a minute of one", "P95 ms", "instances"):
        table.add_column(title, overflow="fold")
    for number, one in enumerate(recommendations):
        figures = (Text(" ".join(format_figure_cell(one.per_thousand.get(name)))) for name in ("total", "cost"))
        least, most = one.inputs.get("min_instances", 0), one.inputs.get("max_instances")
        counts = f"{least} to {most}" if most else "0"
        style = "bold green" if number == 0 else ""
        table.add_row(Text(one.title, style), *figures, f"{one.requests_per_minute:,}", f"{one.latency_ms:,}", counts)
    out.print(table)
    for one in recommendations:
        if one.setup_ms is not None:
            out.print(
                f"{one.title}: the first request after a pause waits about {one.setup_ms / 1000:.1f} s; "
                f"{describe_cold_start()}.",
                soft_wrap=True,
            )
        if one.module == "async_endpoint":
            out.print(f"{one.title}: the first request after a pause waits some minutes for an instance to start.")
    for title, reason in failed.items():
        out.print(f"{title}: not recommended: {' '.join(reason.split())}", markup=False, soft_wrap=True)
    if not expected.cold_start:
        text = f"serverless: not tested: {describe_cold_start()}; pass --serverless if callers accept this"
        out.print(text, markup=False, soft_wrap=True)
    for name, text in list_legend((one.title, one.per_thousand.get("total")) for one in recommendations):
        out.print(f"{name}: {text}", markup=False, soft_wrap=True)
