"""Terminal output of an adoption."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops.account.adopt.adoption import AdoptionReport
from sustainable_mlops.account.adopt.environment_settings import FILE, render_environment_settings


def print_report(report: AdoptionReport, out: Console, folder: Path | None) -> None:
    """Print adopted objects, excluded objects with the reason, skipped parts, and the next commands."""
    if report.adopted_objects:
        out.print(_build_table(report))
    for one in report.excluded_objects:
        out.print(f"excluded: {one.kind} {one.name}: {one.reason}", markup=False)
    for adopted_object in report.adopted_objects:
        for note in adopted_object.notes:
            out.print(f"note: {adopted_object.kind} {adopted_object.name}: {note}", markup=False)
    for part in report.skipped:
        out.print(str(part), markup=False)
    scope = (
        f"resource in the parts of {report.region} that were read" if report.skipped else f"resource of {report.region}"
    )
    remedy = f"correct the name or the Region{', or allow the skipped actions' if report.skipped else ''}"
    for name in report.unmatched_names:
        out.print(f"not found: --name {name}: no {scope} has this name, alias or ARN; {remedy}", markup=False)
    if report.unselected:
        counts = ", ".join(f"{kind}: {count}" for kind, count in report.unselected.items())
        out.print(f"not selected: {counts}", markup=False)
    adopted_count = sum(one.holds_data for one in report.adopted_objects)
    excluded_count = sum(one.holds_data for one in report.excluded_objects)
    out.print(
        f"account {report.account_id}, Region {report.region}: can be adopted: {len(report.adopted_objects)} "
        f"({len(list(report.list_resources()))} import blocks), excluded: {len(report.excluded_objects)}; "
        f"resources with data: {adopted_count} of {adopted_count + excluded_count} can be adopted",
        markup=False,
    )
    if settings := render_environment_settings(report):
        if folder is None:
            out.print(f"\n{settings}", markup=False, highlight=False, soft_wrap=True)
        else:
            out.print(f"settings for an environment: {folder / FILE}", markup=False, soft_wrap=True)
    out.print(_describe_next_step(report, folder), markup=False)


def _describe_next_step(report: AdoptionReport, folder: Path | None) -> str:
    """Return the next commands, or the reason why nothing was written."""
    if not report.adopted_objects:
        if report.excluded_objects:
            return "nothing to write; each selected resource is excluded"
        return "nothing to write; check the Region and the selection"
    if folder is None:
        return "nothing was written; pass --into FOLDER to write the root module"
    terraform = f"terraform -chdir={shlex.quote(str(folder))}"
    return f"next: {terraform} init && {terraform} plan -out=tfplan"


def _build_table(report: AdoptionReport) -> Table:
    table = Table(box=None, pad_edge=False)
    for title, ratio in (("kind", 2), ("name", 4), ("imports", 1), ("holds data", 1)):
        table.add_column(title, overflow="fold", ratio=ratio)
    for one in report.adopted_objects:
        data = "yes" if one.holds_data else ""
        table.add_row(Text(one.kind), Text(one.name, "bold"), str(len(one.resources)), data)
    return table
