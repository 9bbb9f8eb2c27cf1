"""Tables and sentences of a reconciliation, for the terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from sustainable_mlops.account.reconcile.comparison import LIMITS, GroupRatio, MonthComparison, Reconciliation
from sustainable_mlops.footprint import FootprintFigure

#: Smallest share of the estimate with which the ratio tests a single item.
_NEARLY_ALL = 0.95


def print_reconciliation(result: Reconciliation, console: Console) -> None:
    """Print the months, the ratios, the missing months and the limits."""
    console.print(_build_table(result.rows))
    for line in _list_lines(result):
        console.print(line, markup=False, soft_wrap=True)


def _build_table(rows: tuple[MonthComparison, ...]) -> Table:
    table = Table(box=None, pad_edge=False, title="Estimated and reported carbon, kgCO2e", title_justify="left")
    for title in ("Month", "Account", "Region", "Service"):
        table.add_column(title, overflow="fold")
    for title in ("Estimate", "AWS, location", "AWS, market", "Ratio"):
        table.add_column(title, justify="right")
    for row in rows:
        reported = row.reported
        table.add_row(
            str(row.month),
            *row.key,
            _format_estimate(row.estimate),
            "none" if reported is None else f"{reported.location_based:.4g}",
            "none" if reported is None or reported.market_based is None else f"{reported.market_based:.4g}",
            "" if row.ratio is None else f"{row.ratio:.3f}",
        )
    return table


def _format_estimate(figure: FootprintFigure | None) -> str:
    return "none" if figure is None else f"{figure.central:.4g} ({figure.low:.2g} to {figure.high:.2g})"


def _list_lines(result: Reconciliation) -> Iterator[str]:
    yield f"Reported by {result.source}."
    for group in result.groups:
        yield _describe_group(group, result)
    for missing in result.missing:
        yield f"Missing: {missing.month}, {missing.key}: {missing.reason}."
    for water in result.water:
        estimate = (
            "not estimated, because the period does not contain the whole year"
            if water.estimate is None
            else f"estimated {water.estimate:.3g} m3, which is on-site water only"
        )
        yield f"Water: {water.year}, {water.key}: AWS reports {water.reported:.3g} m3; {estimate}."
    for text in result.left_out:
        yield f"Not in the estimate: {text}."
    yield from LIMITS


def _describe_group(group: GroupRatio, result: Reconciliation) -> str:
    rows = [row for row in result.rows if row.key == group.key and row.is_inside is not None]
    inside = sum(bool(row.is_inside) for row in rows)
    text = (
        f"Ratio: {group.ratio:.3f} ({group.low:.3f} to {group.high:.3f}) for {group.key}, months: "
        f"{', '.join(map(str, group.months))}; {inside} of {len(rows)} inside the interval of the estimate."
    )
    if group.largest is not None:
        name, share = group.largest
        conclusion = "so the ratio tests it" if share >= _NEARLY_ALL else "so the ratio tests no single resource"
        text += f" The largest item, {name}, is {100 * share:.0f} % of the estimate, {conclusion}."
    return text
