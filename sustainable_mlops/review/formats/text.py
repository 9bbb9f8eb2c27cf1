"""The text report for a terminal, with colors if the terminal supports them."""

import sys
from collections.abc import Iterator, Sequence

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
from sustainable_mlops.review.formats.terminal import Row, StyledText, format_rows, supports_styles
from sustainable_mlops.review.formats.wording import format_interval, shorten
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import Level

_BOLD, _DIM, _UNDERLINE, _GREEN, _YELLOW, _CYAN = "1", "2", "4", "32", "33", "36"
_STYLES = {Level.STOP: "1;31", Level.LOOK: _YELLOW, Level.NOTE: _DIM, None: _GREEN}  # bold red
_VERDICT_STYLES = {"stop": "1;37;41", "look": "1;30;43", "fine": "1;37;42"}  # on red, yellow and green
#: Columns of a report that no terminal shows.
_WIDTH = 120
#: Maximum number of items in serious sections.
_MAX_LOUD = 100
#: Maximum number of items for the record or about figures; the other formats have all of them.
_MAX_NOTES = 5
_MAX_ROWS = 20
_MAX_ALTERNATIVES = 8


def render(review: Review) -> str:
    """Return the text of `print_to_terminal` without styles."""
    return render_several([review])


def render_several(reviews: Sequence[Review]) -> str:
    """Return the text about several plans without styles."""
    text = format_rows(_render_report(reviews), _WIDTH, has_styles=False)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def print_to_terminal(reviews: Sequence[Review]) -> None:
    """Print the reviews to the terminal at stdout, in its width and with styles."""
    from shutil import get_terminal_size

    width = get_terminal_size().columns
    sys.stdout.write(format_rows(_render_report(reviews), width, has_styles=supports_styles()))
    sys.stdout.flush()


def _render_report(reviews: Sequence[Review]) -> Iterator[Row]:
    if len(reviews) == 1:
        (review,) = reviews
        yield _build_text_row(f" {format_headline(review)} ", _VERDICT_STYLES[review.verdict])
        yield from _render_summary(review)
        yield from _render_notes(review.notes, review.remarks)
        yield from _render_body(review, group_by_section(list_items(review)))
    else:
        yield from _render_bundle(build_bundle(reviews))
    yield from _render_title(wording.METHOD, _DIM)


def _render_bundle(bundle: Bundle) -> Iterator[Row]:
    yield _build_text_row(f" {bundle.headline} ", _VERDICT_STYLES[bundle.verdict])
    for total in effects.list_totals(bundle.footprint)[:2]:
        yield _build_text_row(f"{total.title} of all {len(bundle.members)} plans: {total.line}")
    yield from _render_notes(bundle.notes, bundle.remarks)
    if common := list(_render_loud(bundle.common_items)):
        yield from _render_title("── In several plans")
        yield from common
    for member in bundle.members:
        review = member.review
        yield from _render_title(f"── {shorten(review.name)}")
        yield _build_text_row(f" {format_headline(review)} ", _VERDICT_STYLES[review.verdict])
        yield from _render_summary(review)
        yield from _render_notes(member.notes, member.remarks)
        if member.shared_count:
            yield _build_text_row(wording.format_shared_count(member.shared_count), _DIM)
        yield from _render_body(review, member.own_items)
    if common := [*_render_quiet(bundle.common_items), *_render_explanations(bundle.common_items)]:
        yield from _render_title("── Also in several plans")
        yield from common


def _render_body(review: Review, items_by_section: ItemsBySection) -> Iterator[Row]:
    yield from _render_loud(items_by_section)
    yield from _render_acceptance(review)
    yield from _render_effects(review)
    yield from _render_budgets(review)
    yield from _render_alternatives(review)
    yield from _render_quiet(items_by_section)
    if later := summarize_until_apply(review):
        yield from _render_title(f"{later}.", _DIM)
    yield from _render_explanations(items_by_section)


def _build_text_row(text: str, style: str = "") -> Row:
    return Row(StyledText(""), ((StyledText(text, style),),))


def _list_row(label: str, style: str, *lines: StyledText | Sequence[StyledText], indent: str = "  ") -> Row:
    """Return a row whose lines stay right of the label at any width."""
    texts = [(line,) if isinstance(line, StyledText) else line for line in lines]
    return Row(StyledText(f"{indent}{label}  ", style), texts)


def _render_title(text: str, style: str = _BOLD) -> Iterator[Row]:
    yield _build_text_row("")
    yield _build_text_row(text, style)


def _render_omitted(omitted: int) -> Iterator[Row]:
    if omitted > 0:
        yield _build_text_row(f"  … {omitted} more; --format json has all of them", _DIM)


def _render_summary(review: Review) -> Iterator[Row]:
    rows = [
        ("Plan", StyledText(shorten(review.name))),
        *(
            (wording.GATE_TITLES[gate.name], StyledText(shorten(gate.text), _STYLES[gate.level]))
            for gate in wording.list_shown_gates(review)
        ),
        *((total.title, StyledText(total.line)) for total in effects.list_totals(review.footprint)[:2]),
        ("Changes", StyledText(effects.format_counts(review))),
    ]
    width = max(len(title) for title, _ in rows)
    yield from (_list_row(title.ljust(width), "", text, indent="") for title, text in rows)


def _render_notes(notes: Sequence[str], remarks: Sequence[str]) -> Iterator[Row]:
    yield from (_build_text_row(f"! {shorten(note)}", _YELLOW) for note in notes)
    yield from (_build_text_row(f"- {shorten(remark)}", _DIM) for remark in remarks)


def _render_loud(items_by_section: ItemsBySection) -> Iterator[Row]:
    """Yield the serious sections. Items of untouched resources join the section of their worst level."""
    untouched = items_by_section[ReportSection.UNTOUCHED]
    for section, level in ((ReportSection.STOP, Level.STOP), (ReportSection.LOOK, Level.LOOK)):
        is_here = bool(untouched) and untouched[0].level is level
        if items_by_section[section] or is_here:
            yield from _render_title(section)
        yield from _render_by_topic(items_by_section[section], _MAX_LOUD)
        if is_here:
            yield _build_text_row(f" {summarize(ReportSection.UNTOUCHED, untouched)}", _STYLES[level])
            loud = [item for item in untouched if item.level is Level.STOP]
            yield from _render_groups(loud or untouched, _MAX_LOUD if loud else _MAX_NOTES)


def _render_acceptance(review: Review) -> Iterator[Row]:
    """Yield the file that accepts the risks to stop. Its lines are labels, because labels are never wrapped."""
    lines = report_items.list_acceptance_lines(review)
    if lines:
        yield from _render_title(wording.ACCEPTANCE)
    yield from (Row(StyledText(f"  {line}", _DIM), [[StyledText("")]]) for line in lines[: 1 + 4 * _MAX_LOUD])
    yield from _render_omitted((len(lines) - 1) // 4 - _MAX_LOUD)


def _render_by_topic(items: Sequence[ReportItem], most: int) -> Iterator[Row]:
    for topic, groups in group_by_topic(items).items():
        yield _build_text_row(f" {topic}", _UNDERLINE)
        yield from (_render_group(group) for group in groups[:most])
        yield from _render_omitted(len(groups) - most)


def _render_groups(items: Sequence[ReportItem], most: int) -> Iterator[Row]:
    groups = [group for topic_groups in group_by_topic(items).values() for group in topic_groups]
    yield from (_render_group(group) for group in groups[:most])
    yield from _render_omitted(len(groups) - most)


def _render_group(group: report_items.ItemGroup) -> Row:
    first = group.first
    style = _STYLES[first.level]
    if first.title:
        addresses = [shorten(address) for address in group.addresses]
        lines: list[StyledText | Sequence[StyledText]] = [(StyledText(first.title), StyledText(f"  {first.id}", _DIM))]
        lines.append(StyledText(f"{wording.join_names(addresses)}: {shorten(first.text)}{_format_plans(first)}", _DIM))
    else:
        check = f"{first.id} " if first.id else ""
        addresses = [shorten(address) for address in group.addresses]
        lines = [StyledText(wording.join_names(addresses), _BOLD)] if addresses else []
        lines.append(StyledText(f"{check}{shorten(first.text)}{_format_plans(first)}"))
        lines += [StyledText(first.source, _DIM)] if first.source else []
    if first.fix and (first.level is Level.STOP or not first.title):
        lines.append(StyledText(f"→ {first.fix}", _CYAN))
    return _list_row(f"{first.label:<4}", style, *lines)


def _format_plans(item: ReportItem) -> str:
    return f" (in {shorten(wording.join_names(item.plans))})" if item.plans else ""


def _render_quiet(items_by_section: ItemsBySection) -> Iterator[Row]:
    for section in (ReportSection.UNTOUCHED, ReportSection.RECORD):
        items = items_by_section[section]
        if items and items[0].level is Level.NOTE:
            yield from _render_title(summarize(section, items))
            yield from _render_groups(items, _MAX_NOTES)
    if baseline_count := len(items_by_section[ReportSection.BASELINE]):
        yield from _render_title(wording.format_baseline_count(baseline_count), _DIM)


def _render_explanations(items_by_section: ItemsBySection) -> Iterator[Row]:
    for section in (ReportSection.UNCOUNTED, ReportSection.ASSUMPTIONS):
        if items := items_by_section[section]:
            yield from _render_title(summarize(section, items))
            yield from (_list_row("-", _DIM, StyledText(_format_item(item), _DIM)) for item in items[:_MAX_NOTES])
            yield from _render_omitted(len(items) - _MAX_NOTES)


def _format_item(item: ReportItem) -> str:
    return f"{shorten(item.address)}{'  ' if item.address else ''}{shorten(item.text)}{_format_plans(item)}"


def _render_effects(review: Review) -> Iterator[Row]:
    yield from _render_title("What this change does")
    for action in effects.summarize_actions(review):
        yield _list_row("-", "", _render_action(action))
    if not review.changes:
        yield _build_text_row("  The plan changes nothing.")
    resources = effects.rank_resources(review)
    if resources:
        yield _build_text_row(" Carbon and cost a month: before → after, change (low to high)", _UNDERLINE)
    for resource in resources[:_MAX_ROWS]:
        yield _list_row("-", "", *_render_row(effects.build_row(resource)))
    yield from _render_omitted(len(resources) - _MAX_ROWS)


def _render_action(action: ActionSummary) -> tuple[StyledText, StyledText]:
    names = [shorten(address) for address in action.addresses] + [
        f"{number} {shorten(type_)}" for number, type_ in action.types
    ]
    suffix = f" and {action.omitted} more" if action.omitted else ""
    return StyledText(f"{action.verb} {action.number}: ", _BOLD), StyledText(f"{', '.join(names)}{suffix}")


def _render_row(row: FootprintRow) -> Iterator[StyledText]:
    yield StyledText(shorten(row.address), _BOLD)
    yield from (StyledText(shorten(text), _CYAN) for text in row.part_changes)
    for unit, (before, after, delta) in (("kgCO2e", row.kg), ("USD", row.usd)):
        figures = wording.format_before_after(before, after, unit)
        grade = f", class {row.grade}" if row.grade and unit != "USD" else ""
        change = f": {format_interval(delta, change=True)}{grade}" if delta is not None else ""
        yield StyledText(f"{figures}{change}")


def _render_budgets(review: Review) -> Iterator[Row]:
    if review.budgets:
        yield from _render_title("Budgets")
    for result in review.budgets:
        text = f"{shorten(result.budget)}, {shorten(result.description)}: {wording.format_budget(result)}"
        yield _list_row("-", "", StyledText(text, _STYLES[result.level]))


def _render_alternatives(review: Review) -> Iterator[Row]:
    if not review.alternatives:
        return
    yield from _render_title("Alternatives, by the carbon they save a month")
    for alternative in review.alternatives[:_MAX_ALTERNATIVES]:
        saved = StyledText(wording.format_saving(alternative.saved_kg, alternative.saved_usd), _GREEN)
        location = StyledText(shorten(alternative.address or alternative.part), _DIM)
        yield _list_row(
            "-",
            "",
            StyledText(shorten(alternative.title)),
            saved,
            location,
            StyledText(shorten(alternative.drawbacks), _DIM),
        )
    yield from _render_omitted(len(review.alternatives) - _MAX_ALTERNATIVES)
