"""The review for a terminal, in colours where there is one."""

import sys
from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from sustainable_mlops.review.formats import effects, wording
from sustainable_mlops.review.formats import items as said
from sustainable_mlops.review.formats.bundle import Bundle, ItemsBySection, build_bundle
from sustainable_mlops.review.formats.effects import ActionSummary, FootprintRow
from sustainable_mlops.review.formats.items import (
    ReportItem,
    ReportSection,
    group_by_section,
    group_by_topic,
    list_items,
    summarize,
    summarize_until_apply,
)
from sustainable_mlops.review.formats.wording import format_interval, shorten
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import Level

_STYLES = {Level.STOP: "bold red", Level.LOOK: "yellow", Level.NOTE: "dim", None: "green"}
_VERDICT_STYLES = {"stop": "bold white on red", "look": "bold black on yellow", "fine": "bold white on green"}
#: So many of what a person should look at, the most serious first.
_MOST_LOUD = 100
#: So many of what is only for the record or explains the figures; the other formats have them all.
_MOST_NOTES = 5
_MOST_ROWS = 20
_MOST_ALTERNATIVES = 8


def render(review: Review) -> str:
    """The text as `print_to_terminal` prints it, without colours."""
    return render_several([review])


def render_several(reviews: Sequence[Review]) -> str:
    """The same of several plans."""
    console = Console(width=120, force_terminal=False, color_system=None, markup=False, emoji=False, highlight=False)
    with console.capture() as capture:
        console.print(Group(*_parts(reviews)))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def print_to_terminal(reviews: Sequence[Review]) -> None:
    """Print them on the terminal that stdout is, at its width, in colours."""
    console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
    console.print(Group(*_parts(reviews)))


def _parts(reviews: Sequence[Review]) -> Iterator[RenderableType]:
    if len(reviews) == 1:
        (review,) = reviews
        yield Text(f" {wording.format_headline(review)} ", style=_VERDICT_STYLES[review.verdict])
        yield _summary(review)
        yield from _notes(review.notes, review.remarks)
        yield from _body(review, group_by_section(list_items(review)))
    else:
        yield from _several(build_bundle(reviews))
    yield Text(f"\n{wording.METHOD}", style="dim")


def _several(found: Bundle) -> Iterator[RenderableType]:
    yield Text(f" {found.headline} ", style=_VERDICT_STYLES[found.verdict])
    for total in effects.list_totals(found.footprint)[:2]:
        yield Text(f"{total.title} of all {len(found.members)}: {total.line}")
    yield from _notes(found.notes, found.remarks)
    if common := list(_loud(found.common_items)):
        yield Text("\n── In several plans", style="bold")
        yield from common
    for member in found.members:
        review = member.review
        yield Text(f"\n── {shorten(review.name)}", style="bold")
        yield Text(f" {wording.format_headline(review)} ", style=_VERDICT_STYLES[review.verdict])
        yield _summary(review)
        yield from _notes(member.notes, member.remarks)
        if member.shared_count:
            yield Text(wording.format_shared_count(member.shared_count), style="dim")
        yield from _body(review, member.own_items)
    if common := [*_quiet(found.common_items), *_explained(found.common_items)]:
        yield Text("\n── Also in several plans", style="bold")
        yield from common


def _body(review: Review, found: ItemsBySection) -> Iterator[RenderableType]:
    yield from _loud(found)
    yield from _effects(review)
    yield from _budgets(review)
    yield from _alternatives(review)
    yield from _quiet(found)
    if later := summarize_until_apply(review):
        yield Text(f"\n{later}.", style="dim")
    yield from _explained(found)


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


class _ListRow:
    """A word at the left, and lines beside it that stay in their column however narrow the terminal is."""

    def __init__(self, word: str, style: str, *lines: Text | str) -> None:
        """`lines` are texts, in a style each or plain."""
        self._first, self._rest = Text(f"  {word}  ", style=style), Text(" " * (len(word) + 4))
        self._lines = [Text(line) if isinstance(line, str) else line for line in lines]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines, folded."""
        width = max(options.max_width - len(self._rest), 20)
        folded = [part for line in self._lines for part in line.wrap(console, width, overflow="fold")]
        for number, line in enumerate(folded):
            yield (self._rest if number else self._first) + line


def _more(left: int, what: str = "more") -> Iterator[Text]:
    if left > 0:
        yield Text(f"  … {left} {what}; --format json has them all", style="dim")


def _summary(review: Review) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("Plan", Text(shorten(review.name)))
    for gate in review.gates:
        table.add_row(wording.GATE_TITLES[gate.name], Text(shorten(gate.text), style=_STYLES[gate.level]))
    for total in effects.list_totals(review.footprint)[:2]:
        table.add_row(total.title, Text(total.line))
    table.add_row("Changes", Text(effects.format_counts(review)))
    return table


def _notes(notes: Sequence[str], remarks: Sequence[str]) -> Iterator[Text]:
    yield from (Text(f"! {shorten(note)}", style="yellow") for note in notes)
    yield from (Text(f"- {shorten(remark)}", style="dim") for remark in remarks)


def _loud(found: ItemsBySection) -> Iterator[RenderableType]:
    """What stops it and what to look at, with what is left alone where that is as serious."""
    alone = found[ReportSection.UNTOUCHED]
    for place, level in ((ReportSection.STOP, Level.STOP), (ReportSection.LOOK, Level.LOOK)):
        is_here = bool(alone) and alone[0].level is level
        if found[place] or is_here:
            yield _title(place)
        yield from _by_topic(found[place], _MOST_LOUD)
        if is_here:
            yield Text(f" {summarize(ReportSection.UNTOUCHED, alone)}", style=_STYLES[level])
            loud = [point for point in alone if point.level is Level.STOP]
            yield from _groups(loud or alone, _MOST_LOUD if loud else _MOST_NOTES)


def _by_topic(found: Sequence[ReportItem], most: int) -> Iterator[RenderableType]:
    for topic, groups in group_by_topic(found).items():
        yield Text(f" {topic}", style="underline")
        yield from (_group(group) for group in groups[:most])
        yield from _more(len(groups) - most)


def _groups(found: Sequence[ReportItem], most: int) -> Iterator[RenderableType]:
    groups = [group for its in group_by_topic(found).values() for group in its]
    yield from (_group(group) for group in groups[:most])
    yield from _more(len(groups) - most)


def _group(group: said.ItemGroup) -> _ListRow:
    first = group.first
    style = _STYLES[first.level]
    if first.title:
        found = list(dict.fromkeys(shorten(point.address) for point in group.items))
        lines: list[Text | str] = [Text.assemble(first.title, (f"  {first.id}", "dim"))]
        lines.append(Text(f"{wording.join_names(found)}: {shorten(first.text)}{_plans(first)}", style="dim"))
    else:
        check = f"{first.id} " if first.id else ""
        lines = [Text(shorten(first.address), "bold")] if first.address else []
        lines.append(f"{check}{shorten(first.text)}{_plans(first)}")
        lines += [Text(first.source, style="dim")] if first.source else []
    if first.fix and (first.level is Level.STOP or not first.title):
        lines.append(Text(f"→ {first.fix}", "cyan"))
    return _ListRow(f"{first.label:<4}", style, *lines)


def _plans(point: ReportItem) -> str:
    return f" (in {shorten(wording.join_names(point.plans))})" if point.plans else ""


def _quiet(found: ItemsBySection) -> Iterator[RenderableType]:
    for place in (ReportSection.UNTOUCHED, ReportSection.RECORD):
        its = found[place]
        if its and its[0].level is Level.NOTE:
            yield _title(summarize(place, its))
            yield from _groups(its, _MOST_NOTES)
    if before := len(found[ReportSection.BASELINE]):
        yield Text(f"\n{wording.format_baseline_count(before)}", style="dim")


def _explained(found: ItemsBySection) -> Iterator[RenderableType]:
    for place in (ReportSection.UNCOUNTED, ReportSection.ASSUMPTIONS):
        if its := found[place]:
            yield _title(summarize(place, its))
            yield from (_ListRow("-", "dim", Text(_line(point), style="dim")) for point in its[:_MOST_NOTES])
            yield from _more(len(its) - _MOST_NOTES)


def _line(point: ReportItem) -> str:
    return f"{shorten(point.address)}{'  ' if point.address else ''}{shorten(point.text)}{_plans(point)}"


def _effects(review: Review) -> Iterator[RenderableType]:
    yield _title("What this change does")
    for one in effects.summarize_actions(review):
        yield _ListRow("-", "", _done(one))
    if not review.changes:
        yield Text("  Nothing is changed.")
    rows = effects.list_rows(review)
    if rows:
        yield Text(" Carbon and cost a month: now → after, change (low to high)", style="underline")
    for row in rows[:_MOST_ROWS]:
        yield _ListRow("-", "", *_lines(row))
    yield from _more(len(rows) - _MOST_ROWS)


def _done(one: ActionSummary) -> Text:
    named = [shorten(address) for address in one.addresses] + [
        f"{number} {shorten(type_)}" for number, type_ in one.types
    ]
    more = f" and {one.omitted} more" if one.omitted else ""
    return Text.assemble((f"{one.verb} {one.number}: ", "bold"), f"{', '.join(named)}{more}")


def _lines(row: FootprintRow) -> Iterator[Text]:
    yield Text(shorten(row.address), "bold")
    yield from (Text(shorten(text), "cyan") for text in row.part_changes)
    for unit, (before, after, delta) in (("kgCO2e", row.kg), ("USD", row.usd)):
        figures = f"{wording.format_central(before)} → {wording.format_central(after)} {unit}"
        grade = f", class {row.grade}" if row.grade and unit != "USD" else ""
        yield Text(f"{figures}, {format_interval(delta, change=True)}{grade}")


def _budgets(review: Review) -> Iterator[RenderableType]:
    if review.budgets:
        yield _title("Budgets")
    styles = {"over": "bold red", "unknown": "yellow", "within": "green", "nothing": "dim"}
    for one in review.budgets:
        text = f"{shorten(one.budget)}, {shorten(one.description)}: {wording.format_budget(one)}"
        yield _ListRow("-", "", Text(text, styles[one.status]))


def _alternatives(review: Review) -> Iterator[RenderableType]:
    if not review.alternatives:
        return
    yield _title("Alternatives, by what they save a month")
    for one in review.alternatives[:_MOST_ALTERNATIVES]:
        saved = Text(f"saves {format_interval(one.saved_kg)} kgCO2e, {format_interval(one.saved_usd)} USD", "green")
        where = Text(shorten(one.address or one.part), "dim")
        yield _ListRow("-", "", shorten(one.title), saved, where, Text(shorten(one.drawbacks), "dim"))
    yield from _more(len(review.alternatives) - _MOST_ALTERNATIVES)
