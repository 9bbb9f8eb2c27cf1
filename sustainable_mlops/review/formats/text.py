"""The review for a terminal, in colours where there is one."""

import sys
from collections.abc import Iterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sustainable_mlops.review.formats import content
from sustainable_mlops.review.formats.content import Row, short, spread
from sustainable_mlops.review.review import JudgedRisk, Review
from sustainable_mlops.review.risk import Level, Section

_STYLES = {Level.STOP: "bold red", Level.LOOK: "yellow", Level.NOTE: "dim", None: "green"}
_VERDICT_STYLES = {"stop": "bold white on red", "look": "bold black on yellow", "fine": "bold white on green"}
#: So many of what is only for the record; the other formats have them all.
_MOST_NOTES = 5


def render(review: Review) -> str:
    """The text as `print_to` prints it, without colours."""
    console = Console(width=120, force_terminal=False, color_system=None, markup=False, emoji=False, highlight=False)
    with console.capture() as capture:
        console.print(Group(*_parts(review)))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def print_to_terminal(review: Review) -> None:
    """Print it on the terminal that stdout is, at its width, in colours."""
    console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
    console.print(Group(*_parts(review)))


def _parts(review: Review) -> Iterator[RenderableType]:
    yield Text(f" {content.headline(review)} ", style=_VERDICT_STYLES[review.verdict])
    yield _summary(review)
    for note in review.notes:
        yield Text(f"! {short(note)}", style="yellow")
    yield from _risks("Data at risk", review.of(Section.DATA))
    yield from _risks("Privileges widened", review.of(Section.PRIVILEGES))
    yield from _policies(review)
    yield from _checkov(review)
    if review.budgets:
        yield _title("Budgets")
        styles = {"over": "bold red", "unknown": "yellow", "within": "green", "nothing": "dim"}
        for one in review.budgets:
            yield Text(f"  {short(one.budget)}, {one.what}: {content.budget_text(one)}", style=styles[one.held])
    yield from _footprint(review)
    yield from _alternatives(review)


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _summary(review: Review) -> Table:
    table = Table.grid(padding=(0, 2))
    for gate in review.gates:
        table.add_row(content.GATE_TITLES[gate.name], Text(gate.text, style=_STYLES[gate.level]))
    for total in content.totals(review)[:2]:
        table.add_row(total.title, Text(total.line))
    counts = ", ".join(f"{number} {action}" for action, number in review.counts().items()) or "none"
    table.add_row("Changes", Text(f"{counts}; {review.unchanged} unchanged"))
    return table


def _risks(title: str, risks: list[JudgedRisk]) -> Iterator[RenderableType]:
    if not risks:
        return
    yield _title(title)
    quiet = [one for one in risks if one.level is Level.NOTE]
    for one in [*(one for one in risks if one.level is not Level.NOTE), *quiet[:_MOST_NOTES]]:
        yield Text.assemble((f"  {one.level:<5}", _STYLES[one.level]), (short(one.risk.address), "bold"))
        yield Padding(Text(short(content.risk_text(one))), (0, 0, 0, 7))
    if len(quiet) > _MOST_NOTES:
        yield Text(f"  … {len(quiet) - _MOST_NOTES} more for the record", style="dim")


def _policies(review: Review) -> Iterator[RenderableType]:
    groups = content.rule_groups(review)
    if groups:
        yield _title("Policies")
    for group in groups:
        places = {short(one.address): None for one in group.findings}
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        word = content.outcome_word(group)
        yield Text.assemble((f"  {word:<12}", _STYLES[group.level]), group.rule.title, (f"  {group.rule.id}", "dim"))
        yield Padding(Text(", ".join(list(places)[:3]) + more, style="dim"), (0, 0, 0, 14))
        if group.level is Level.STOP:
            yield Padding(Text(f"{short(group.findings[0].message)}. {group.rule.fix}"), (0, 0, 0, 14))


def _checkov(review: Review) -> Iterator[RenderableType]:
    if review.builtin is None:
        return
    yield _title("checkov's checks")
    for one in review.builtin.failed:
        yield Text.assemble(("  stop ", _STYLES[Level.STOP]), short(one.address), f"  {one.check} {short(one.name)}")


def _footprint(review: Review) -> Iterator[RenderableType]:
    rows = content.rows(review)
    if not rows:
        return
    yield _title("Carbon and cost a month")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Resource", overflow="fold", ratio=3)
    for name in ("kgCO2e", "change", "USD", "change"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("Class")
    for row in rows[:20]:
        table.add_row(*_cells(row))
    yield table
    if len(rows) > 20:
        yield Text(f"  … {len(rows) - 20} more", style="dim")


def _cells(row: Row) -> list[Text]:
    count = f"\n{row.count}" if row.count else ""
    cells = (
        short(row.address) + count,
        f"{content.central(row.kg[0])} → {content.central(row.kg[1])}",
        spread(row.kg[2], change=True),
        f"{content.central(row.usd[0])} → {content.central(row.usd[1])}",
        spread(row.usd[2], change=True),
        row.grade,
    )
    return [Text(cell) for cell in cells]


def _alternatives(review: Review) -> Iterator[RenderableType]:
    if not review.alternatives:
        return
    yield _title("Alternatives, by what they save a month")
    for one in review.alternatives[:8]:
        saved = f"  {spread(one.saved_kg)} kgCO2e, {spread(one.saved_usd)} USD"
        yield Text.assemble((saved, "green"), f"  {short(one.title)}  ", (short(one.address or one.part), "dim"))
        yield Padding(Text(short(one.costs), style="dim"), (0, 0, 0, 4))
