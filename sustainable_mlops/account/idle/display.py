"""Terminal output of a scan for idle resources."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops.account.idle.finding import UNKNOWN_MANAGER, IdleFinding, IdleReport
from sustainable_mlops.account.idle.scope import format_days
from sustainable_mlops.advice.wording import format_figure_cell, list_legend
from sustainable_mlops.footprint import FootprintEstimate


def print_report(report: IdleReport, out: Console) -> None:
    """Print the findings with their figures, the notes and the skipped parts."""
    scope = f"{report.environment} in {report.region}" if report.environment else report.region
    if report.findings:
        out.print(_build_table(report))
        _print_legend(report, out)
    for note in report.notes:
        out.print(f"note: {note}", markup=False)
    for part in report.skipped:
        out.print(str(part), markup=False)
    count = len(report.findings)
    incomplete = f"; skipped parts: {len(report.skipped)}" if report.skipped else ""
    out.print(
        f"{scope}: idle resources: {count}{incomplete}; unused for at least {format_days(report.days)}", markup=False
    )


def _build_table(report: IdleReport) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("idle", overflow="fold", ratio=5)
    for title in ("CO2e a month", "USD a month"):
        table.add_column(title, overflow="fold", min_width=16)
    table.add_column("module input", overflow="fold", ratio=3)
    for finding in report.findings:
        table.add_row(_format_name(finding), *_format_figures(finding.estimate), Text(finding.module_input))
    if len(report.findings) > 1:
        table.add_row(Text("total", "bold"), *_format_figures(report.total))
    return table


def _format_name(finding: IdleFinding) -> Text:
    text = Text(f"{finding.kind} {finding.name}", "bold")
    details = [finding.problem]
    if finding.sources:
        details.append(f"also reported by {', '.join(finding.sources)}")
    if finding.manager and finding.manager != UNKNOWN_MANAGER:
        details.append(f"managed by {finding.manager}")
    return text.append(f"\n{'; '.join(details)}", "not bold")


def _format_figures(estimate: FootprintEstimate) -> list[Text]:
    return [Text("\n".join(format_figure_cell(estimate.get(metric))).rstrip()) for metric in ("total", "cost")]


def _print_legend(report: IdleReport, out: Console) -> None:
    for title, text in list_legend([("total", report.total.get("total"))]):
        out.print(f"{title}: {text}", markup=False)
