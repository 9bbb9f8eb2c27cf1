"""Terminal output of an adoption."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops.operations.adopt.adoption import AdoptionReport


def print_report(report: AdoptionReport, out: Console, folder: Path | None) -> None:
    """Print adopted objects, objects that stay outside with the reason, skipped parts, and the next commands."""
    if report.adoptions:
        out.print(_build_table(report))
    for one in report.exclusions:
        out.print(f"left out: {one.kind} {one.name}: {one.reason}", markup=False)
    for adoption in report.adoptions:
        for note in adoption.notes:
            out.print(f"note: {adoption.kind} {adoption.name}: {note}", markup=False)
    for part in report.skipped:
        out.print(str(part), markup=False)
    if report.unselected:
        counts = ", ".join(f"{kind}: {count}" for kind, count in report.unselected.items())
        out.print(f"not selected: {counts}", markup=False)
    adoptions, exclusions = (sum(one.holds_data for one in part) for part in (report.adoptions, report.exclusions))
    out.print(
        f"{report.account_id} in {report.region}: adopted: {len(report.adoptions)}, import blocks: "
        f"{len(list(report.list_resources()))}, left out: {len(report.exclusions)}; adopted of those that hold data: "
        f"{adoptions} of {adoptions + exclusions}",
        markup=False,
    )
    if not report.adoptions:
        out.print("nothing to write; check the Region and the selection", markup=False)
    elif folder is None:
        out.print("nothing was written; pass --into FOLDER to write the root module", markup=False)
    else:
        terraform = f"terraform -chdir={shlex.quote(str(folder))}"
        out.print(f"next: {terraform} init && {terraform} plan -out=tfplan", markup=False)


def _build_table(report: AdoptionReport) -> Table:
    table = Table(box=None, pad_edge=False)
    for title, ratio in (("kind", 2), ("name", 4), ("imports", 1), ("holds data", 1)):
        table.add_column(title, overflow="fold", ratio=ratio)
    for one in report.adoptions:
        data = "yes" if one.holds_data else ""
        table.add_row(Text(one.kind), Text(one.name, "bold"), str(len(one.resources)), data)
    return table
