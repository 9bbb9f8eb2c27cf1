"""Terminal output of promotions."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clone.promotion.overview import PinnedModel
from clone.promotion.run import Promotion
from sustainable_mlops.jobs.display import align_rows
from sustainable_mlops.jobs.register import APPROVED


def print_overview(rows: Sequence[PinnedModel], out: Console) -> None:
    """Print a table of all models and environments, and the reads that AWS refused."""
    table = Table(box=None, pad_edge=False)
    for title, ratio in (("model", 3), ("environment", 2), ("package", 4), ("status", 2), ("metric", 3)):
        table.add_column(title, overflow="fold", ratio=ratio)
    table.add_column("kgCO2e", overflow="fold", ratio=1, min_width=7)
    table.add_column("approval", overflow="fold", ratio=4)
    table.add_column("newer, approved", overflow="fold", ratio=4)
    for row in rows:
        package, metric = row.package, row.metric
        carbon = package.training_kg_co2e if package else None
        unknown = "not readable" if row.problems and row.pinned and not package else ""
        cells = (
            row.target.model,
            row.target.environment,
            row.pinned.label if row.pinned else "none",
            package.status if package else unknown,
            f"{metric[0]} {metric[1]:g}" if metric else "",
            f"{carbon:.3g}" if carbon is not None else "",
            package.approval if package and package.status == APPROVED else "",
            _format_newer(row),
        )
        table.add_row(*map(Text, cells))
    out.print(table)
    for problem in dict.fromkeys(problem for row in rows for problem in row.problems):
        out.print(f"skipped: {problem}", markup=False, soft_wrap=True)


def _format_newer(row: PinnedModel) -> str:
    if not row.newer:
        return "" if row.problems else "none"
    more = f" and {len(row.newer) - 1} more" if len(row.newer) > 1 else ""
    return f"{row.newer[0].label}{more}"


def print_conditions(promotion: Promotion, out: Console) -> None:
    """Print one line for each condition of the gate."""
    rows = [(one.name, f"{'met' if one.is_met else 'NOT MET'}: {one.text}") for one in promotion.conditions]
    out.print(align_rows(rows), crop=False)
