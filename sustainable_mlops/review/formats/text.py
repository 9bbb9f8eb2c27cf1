"""The text report for a terminal, with colours if the terminal has them."""

import sys
from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from sustainable_mlops.review.formats import effects, wording
from sustainable_mlops.review.formats import items as report_items
from sustainable_mlops.review.formats.bundle import Bundle, ItemsBySection, build_bundle
from sustainable_mlops.review.formats.effects import ActionSummary, FootprintRow
from sustainable_mlops.review.formats.headline import format_headline
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
#: Maximum number of items in serious sections.
_MAX_LOUD = 100
#: Maximum number of items for the record or about figures; the other formats have all of them.
_MAX_NOTES = 5
_MAX_ROWS = 20
_MAX_ALTERNATIVES = 8


def render(review: Review) -> str:
    """Return the text of `print_to_terminal` without colours."""
    return render_several([review])


def render_several(reviews: Sequence[Review]) -> str:
    """Return the text about several plans without colours."""
    console = Console(width=120, force_terminal=False, color_system=None, markup=False, emoji=False, highlight=False)
    with console.capture() as capture:
        console.print(Group(*_render_report(reviews)))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def print_to_terminal(reviews: Sequence[Review]) -> None:
    """Print the reviews to the terminal at stdout, in its width and in colours."""
    console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
    console.print(Group(*_render_report(reviews)))


def _render_report(reviews: Sequence[Review]) -> Iterator[RenderableType]:
    if len(reviews) == 1:
        (review,) = reviews
        yield Text(f" {format_headline(review)} ", style=_VERDICT_STYLES[review.verdict])
        yield from _render_summary(review)
        yield from _render_notes(review.notes, review.remarks)
        yield from _render_body(review, group_by_section(list_items(review)))
    else:
        yield from _render_bundle(build_bundle(reviews))
    yield Text(f"\n{wording.METHOD}", style="dim")


def _render_bundle(bundle: Bundle) -> Iterator[RenderableType]:
    yield Text(f" {bundle.headline} ", style=_VERDICT_STYLES[bundle.verdict])
    for total in effects.list_totals(bundle.footprint)[:2]:
        yield Text(f"{total.title} of all {len(bundle.members)} plans: {total.line}")
    yield from _render_notes(bundle.notes, bundle.remarks)
    if common := list(_render_loud(bundle.common_items)):
        yield Text("\n── In several plans", style="bold")
        yield from common
    for member in bundle.members:
        review = member.review
        yield Text(f"\n── {shorten(review.name)}", style="bold")
        yield Text(f" {format_headline(review)} ", style=_VERDICT_STYLES[review.verdict])
        yield from _render_summary(review)
        yield from _render_notes(member.notes, member.remarks)
        if member.shared_count:
            yield Text(wording.format_shared_count(member.shared_count), style="dim")
        yield from _render_body(review, member.own_items)
    if common := [*_render_quiet(bundle.common_items), *_render_explanations(bundle.common_items)]:
        yield Text("\n── Also in several plans", style="bold")
        yield from common


def _render_body(review: Review, items_by_section: ItemsBySection) -> Iterator[RenderableType]:
    yield from _render_loud(items_by_section)
    yield from _render_effects(review)
    yield from _render_budgets(review)
    yield from _render_alternatives(review)
    yield from _render_quiet(items_by_section)
    if later := summarize_until_apply(review):
        yield Text(f"\n{later}.", style="dim")
    yield from _render_explanations(items_by_section)


def _render_title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


class _ListRow:
    """A label at the left, and lines beside it that stay in their column at any width."""

    def __init__(self, label: str, style: str, *lines: Text | str, indent: str = "  ") -> None:
        """Create a row; each of `lines` is a styled or plain text."""
        self._first = Text(f"{indent}{label}  ", style=style)
        self._rest = Text(" " * len(self._first))
        self._lines = [Text(line) if isinstance(line, str) else line for line in lines]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the wrapped lines."""
        width = max(options.max_width - len(self._rest), 20)
        folded = [part for line in self._lines for part in line.wrap(console, width, overflow="fold")]
        for number, line in enumerate(folded):
            yield (self._rest if number else self._first) + line


def _render_omitted(omitted: int, noun: str = "more") -> Iterator[Text]:
    if omitted > 0:
        yield Text(f"  … {omitted} {noun}; --format json has all of them", style="dim")


def _render_summary(review: Review) -> Iterator[_ListRow]:
    rows = [
        ("Plan", Text(shorten(review.name))),
        *(
            (wording.GATE_TITLES[gate.name], Text(shorten(gate.text), style=_STYLES[gate.level]))
            for gate in wording.list_shown_gates(review)
        ),
        *((total.title, Text(total.line)) for total in effects.list_totals(review.footprint)[:2]),
        ("Changes", Text(effects.format_counts(review))),
    ]
    width = max(len(title) for title, _ in rows)
    yield from (_ListRow(title.ljust(width), "", text, indent="") for title, text in rows)


def _render_notes(notes: Sequence[str], remarks: Sequence[str]) -> Iterator[Text]:
    yield from (Text(f"! {shorten(note)}", style="yellow") for note in notes)
    yield from (Text(f"- {shorten(remark)}", style="dim") for remark in remarks)


def _render_loud(items_by_section: ItemsBySection) -> Iterator[RenderableType]:
    """Yield the serious sections. Items of untouched resources join the section of their worst level."""
    untouched = items_by_section[ReportSection.UNTOUCHED]
    for section, level in ((ReportSection.STOP, Level.STOP), (ReportSection.LOOK, Level.LOOK)):
        is_here = bool(untouched) and untouched[0].level is level
        if items_by_section[section] or is_here:
            yield _render_title(section)
        yield from _render_by_topic(items_by_section[section], _MAX_LOUD)
        if is_here:
            yield Text(f" {summarize(ReportSection.UNTOUCHED, untouched)}", style=_STYLES[level])
            loud = [item for item in untouched if item.level is Level.STOP]
            yield from _render_groups(loud or untouched, _MAX_LOUD if loud else _MAX_NOTES)


def _render_by_topic(items: Sequence[ReportItem], most: int) -> Iterator[RenderableType]:
    for topic, groups in group_by_topic(items).items():
        yield Text(f" {topic}", style="underline")
        yield from (_render_group(group) for group in groups[:most])
        yield from _render_omitted(len(groups) - most)


def _render_groups(items: Sequence[ReportItem], most: int) -> Iterator[RenderableType]:
    groups = [group for topic_groups in group_by_topic(items).values() for group in topic_groups]
    yield from (_render_group(group) for group in groups[:most])
    yield from _render_omitted(len(groups) - most)


def _render_group(group: report_items.ItemGroup) -> _ListRow:
    first = group.first
    style = _STYLES[first.level]
    if first.title:
        addresses = [shorten(address) for address in group.addresses]
        lines: list[Text | str] = [Text.assemble(first.title, (f"  {first.id}", "dim"))]
        lines.append(Text(f"{wording.join_names(addresses)}: {shorten(first.text)}{_format_plans(first)}", style="dim"))
    else:
        check = f"{first.id} " if first.id else ""
        addresses = [shorten(address) for address in group.addresses]
        lines = [Text(wording.join_names(addresses), "bold")] if addresses else []
        lines.append(f"{check}{shorten(first.text)}{_format_plans(first)}")
        lines += [Text(first.source, style="dim")] if first.source else []
    if first.fix and (first.level is Level.STOP or not first.title):
        lines.append(Text(f"→ {first.fix}", "cyan"))
    return _ListRow(f"{first.label:<4}", style, *lines)


def _format_plans(item: ReportItem) -> str:
    return f" (in {shorten(wording.join_names(item.plans))})" if item.plans else ""


def _render_quiet(items_by_section: ItemsBySection) -> Iterator[RenderableType]:
    for section in (ReportSection.UNTOUCHED, ReportSection.RECORD):
        items = items_by_section[section]
        if items and items[0].level is Level.NOTE:
            yield _render_title(summarize(section, items))
            yield from _render_groups(items, _MAX_NOTES)
    if baseline_count := len(items_by_section[ReportSection.BASELINE]):
        yield Text(f"\n{wording.format_baseline_count(baseline_count)}", style="dim")


def _render_explanations(items_by_section: ItemsBySection) -> Iterator[RenderableType]:
    for section in (ReportSection.UNCOUNTED, ReportSection.ASSUMPTIONS):
        if items := items_by_section[section]:
            yield _render_title(summarize(section, items))
            yield from (_ListRow("-", "dim", Text(_format_item(item), style="dim")) for item in items[:_MAX_NOTES])
            yield from _render_omitted(len(items) - _MAX_NOTES)


def _format_item(item: ReportItem) -> str:
    return f"{shorten(item.address)}{'  ' if item.address else ''}{shorten(item.text)}{_format_plans(item)}"


def _render_effects(review: Review) -> Iterator[RenderableType]:
    yield _render_title("What this change does")
    for action in effects.summarize_actions(review):
        yield _ListRow("-", "", _render_action(action))
    if not review.changes:
        yield Text("  The plan changes nothing.")
    rows = effects.list_rows(review)
    if rows:
        yield Text(" Carbon and cost a month: before → after, change (low to high)", style="underline")
    for row in rows[:_MAX_ROWS]:
        yield _ListRow("-", "", *_render_row(row))
    yield from _render_omitted(len(rows) - _MAX_ROWS)


def _render_action(action: ActionSummary) -> Text:
    names = [shorten(address) for address in action.addresses] + [
        f"{number} {shorten(type_)}" for number, type_ in action.types
    ]
    suffix = f" and {action.omitted} more" if action.omitted else ""
    return Text.assemble((f"{action.verb} {action.number}: ", "bold"), f"{', '.join(names)}{suffix}")


def _render_row(row: FootprintRow) -> Iterator[Text]:
    yield Text(shorten(row.address), "bold")
    yield from (Text(shorten(text), "cyan") for text in row.part_changes)
    for unit, (before, after, delta) in (("kgCO2e", row.kg), ("USD", row.usd)):
        figures = wording.format_before_after(before, after, unit)
        grade = f", class {row.grade}" if row.grade and unit != "USD" else ""
        change = f": {format_interval(delta, change=True)}{grade}" if delta is not None else ""
        yield Text(f"{figures}{change}")


def _render_budgets(review: Review) -> Iterator[RenderableType]:
    if review.budgets:
        yield _render_title("Budgets")
    for result in review.budgets:
        text = f"{shorten(result.budget)}, {shorten(result.description)}: {wording.format_budget(result)}"
        yield _ListRow("-", "", Text(text, _STYLES[result.level]))


def _render_alternatives(review: Review) -> Iterator[RenderableType]:
    if not review.alternatives:
        return
    yield _render_title("Alternatives, by the carbon they save a month")
    for alternative in review.alternatives[:_MAX_ALTERNATIVES]:
        saved = Text(wording.format_saving(alternative.saved_kg, alternative.saved_usd), "green")
        location = Text(shorten(alternative.address or alternative.part), "dim")
        yield _ListRow(
            "-", "", shorten(alternative.title), saved, location, Text(shorten(alternative.drawbacks), "dim")
        )
    yield from _render_omitted(len(review.alternatives) - _MAX_ALTERNATIVES)
