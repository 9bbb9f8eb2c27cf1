"""The Markdown report: one comment on a pull request, for GitHub, GitLab and Atlantis."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sustainable_mlops.footprint.alternatives import FootprintAlternative
from sustainable_mlops.footprint.figures import format_number
from sustainable_mlops.review.comment_marker import build_marker
from sustainable_mlops.review.formats import effects, wording
from sustainable_mlops.review.formats.bundle import Bundle, BundleMember, ItemsBySection, build_bundle
from sustainable_mlops.review.formats.comment_limit import LIMIT, OMITTED, CommentBlock, fit_blocks, render_lines
from sustainable_mlops.review.formats.effects import ActionSummary, FootprintRow
from sustainable_mlops.review.formats.escaping import escape_text, format_code, format_fix
from sustainable_mlops.review.formats.headline import find_cost_change, format_headline
from sustainable_mlops.review.formats.items import (
    FIX_CODE,
    ItemGroup,
    ReportItem,
    ReportSection,
    get_fold_title,
    group_by_section,
    group_by_topic,
    list_acceptance_lines,
    list_fix_codes,
    list_items,
    summarize,
    summarize_until_apply,
)
from sustainable_mlops.review.formats.wording import format_interval, shorten
from sustainable_mlops.review.review import ChangeSummary, Review, ReviewVerdict
from sustainable_mlops.review.risk import Level

_MAX_LOCATIONS = 10
_MAX_UNCHANGED_ROWS = 20
_MAX_NAME_LENGTH = 200
_SEVERAL = ", in several plans"
_SIGNS = {Level.STOP: "🛑", Level.LOOK: "👀", Level.NOTE: "📝", None: "✅"}
_VERDICT_SIGNS = {ReviewVerdict.STOP: "🛑", ReviewVerdict.LOOK: "👀", ReviewVerdict.FINE: "✅"}


def render(review: Review) -> str:
    """Return the comment about a review."""
    title = f"## {_VERDICT_SIGNS[review.verdict]} {escape_text(format_headline(review))}"
    head = CommentBlock(
        f"{title}\n\nReview of {format_code(review.name)}\n",
        [*_build_table(review), *_build_notes(review.notes, review.remarks)],
    )
    blocks = [head, *_build_body(review, group_by_section(list_items(review)), "###"), _build_method_block()]
    return f"{build_marker(review.name, cost_change=find_cost_change(review))}\n{fit_blocks(blocks)}\n"


def render_several(reviews: Sequence[Review]) -> str:
    """Return one comment about several plans: the worst first, and common items once."""
    bundle = build_bundle(reviews)
    blocks = [_build_bundle_head(bundle), *_build_common_blocks(bundle)]
    end = [
        *_build_quiet_blocks(bundle.common_items, _SEVERAL),
        *_build_explanations(bundle.common_items, _SEVERAL),
        _build_method_block(),
    ]
    # The table has every plan. Heads of sections alone would fill a comment about very many plans.
    room = LIMIT // 2 - sum(block.fixed_size for block in (*blocks, *end))
    for number, member in enumerate(bundle.members):
        section = list(_build_member(member, is_open=number == 0))
        room -= sum(block.fixed_size for block in section)
        if room < 0:
            blocks.append(CommentBlock(OMITTED.format(f"{len(bundle.members) - number} more plans")))
            break
        blocks += section
    marker = build_marker(*(review.name for review in reviews), cost_change=find_cost_change(*reviews))
    return f"{marker}\n{fit_blocks([*blocks, *end])}\n"


def render_not_reviewed(names: Sequence[str], reason: str) -> str:
    """Return a comment about a failed review, which replaces the comment about earlier plans."""
    plan_list = ", ".join(format_code(name) for name in names)
    return f"{build_marker(*names)}\n## ❔ Not reviewed\n\n{plan_list}: {escape_text(reason)}\n"


def _build_method_block() -> CommentBlock:
    return CommentBlock(f"<sub>{escape_text(wording.METHOD)}</sub>")


def _build_body(review: Review, items_by_section: ItemsBySection, heading: str) -> Iterator[CommentBlock]:
    yield from _build_loud_blocks(items_by_section, heading)
    if lines := list_acceptance_lines(review):
        start = _open_details(wording.ACCEPTANCE, is_open=False)
        yield CommentBlock(f"{start}\n```yaml", lines, "\n```\n\n</details>", is_quiet=True)
    yield from _build_effects(review, heading)
    yield from _build_budgets(review, heading)
    yield from _build_alternatives(review)
    yield from _build_quiet_blocks(items_by_section)
    if later := summarize_until_apply(review):
        yield CommentBlock(f"{later}.")
    yield from _build_changes(review)
    yield from _build_explanations(items_by_section)


def _build_table(review: Review) -> list[str]:
    lines = ["| | |", "|---|---|"]
    lines += [
        f"| {wording.GATE_TITLES[gate.name]} | {_SIGNS[gate.level]} {escape_text(gate.text)} |"
        for gate in wording.list_shown_gates(review)
    ]
    lines += [f"| {total.title} | {escape_text(total.line)} |" for total in effects.list_totals(review.footprint)[:2]]
    return [*lines, f"| Changes | {effects.format_counts(review)} |"]


def _build_notes(notes: Sequence[str], remarks: Sequence[str]) -> list[str]:
    kinds = [*(("WARNING", note) for note in notes), *(("NOTE", remark) for remark in remarks)]
    return [f"\n> [!{kind}]\n> {escape_text(text)}" for kind, text in kinds]


def _build_loud_blocks(items_by_section: ItemsBySection, heading: str) -> Iterator[CommentBlock]:
    """Yield the serious sections. Items of untouched resources join the section of their worst level."""
    untouched = items_by_section[ReportSection.UNTOUCHED]
    for section, level in ((ReportSection.STOP, Level.STOP), (ReportSection.LOOK, Level.LOOK)):
        title = f"{heading} {section}\n\n"
        for topic, groups in group_by_topic(items_by_section[section]).items():
            yield _build_topic(title, section, topic, groups)
            title = ""
        if untouched and untouched[0].level is level:
            block = _build_fold(
                summarize(ReportSection.UNTOUCHED, untouched), _render_by_topic(untouched), sign=_SIGNS[level]
            )
            yield replace(block, head=title + block.head, is_quiet=False)


def _build_topic(title: str, section: ReportSection, topic: str, groups: Sequence[ItemGroup]) -> CommentBlock:
    lines, omitted = render_lines(groups, _render_group)
    if fold := get_fold_title(section, topic, groups):
        block = _build_fold(fold, lines, omitted)
        return replace(block, head=title + block.head, is_quiet=False)
    return CommentBlock(f"{title}**{topic}**\n", lines, "", omitted)


def _render_group(group: ItemGroup) -> str:
    first = group.first
    if not first.title:
        advice = f". _{format_fix(first.fix)}_" if first.fix else ""
        source = f" · {escape_text(first.source)}" if first.source else ""
        text = f"{_format_locations(group)}{escape_text(first.text)}{advice}{source}{_format_plans(first)}"
        return f"- {_SIGNS[first.level]} {text}"
    label = f" · {first.label}" if first.label != first.level else ""
    head = f"- {_SIGNS[first.level]} **{escape_text(first.title)}**{label} · `{first.id}` · {escape_text(first.source)}"
    lines = [f"{head}  \n  _{format_fix(first.fix)}_"]
    lines += [
        f"  - {_format_location(item)}{escape_text(item.text)}{_format_plans(item)}"
        for item in group.items[:_MAX_LOCATIONS]
    ]
    omitted = len(group.items) - _MAX_LOCATIONS
    return "\n".join([*lines, f"  - … {omitted} more"] if omitted > 0 else lines)


def _format_location(item: ReportItem) -> str:
    location = " ".join(filter(None, (item.address, item.path)))
    check = f"`{item.id}` " if item.id and not item.title else ""
    return f"{format_code(location)} {check}" if location else check


def _format_locations(group: ItemGroup) -> str:
    """Return the first addresses of a group without a title, and the number of the others."""
    if len(group.addresses) < 2:
        return _format_location(group.first)
    omitted = len(group.addresses) - _MAX_LOCATIONS
    more = f" and {omitted} more" if omitted > 0 else ""
    return f"{', '.join(map(format_code, group.addresses[:_MAX_LOCATIONS]))}{more}: "


def _format_plans(item: ReportItem) -> str:
    return f" (in {escape_text(wording.join_names(item.plans))})" if item.plans else ""


def _render_by_topic(items: Sequence[ReportItem]) -> list[str]:
    """Return the lines of all topics, each below its name."""
    lines = []
    for topic, groups in group_by_topic(items).items():
        group_lines, omitted = render_lines(groups, _render_group)
        lines += [f"\n**{topic}**\n", *group_lines, *([f"- … {omitted} more"] if omitted else [])]
    return lines


def _build_fold(
    title: str, lines: list[str], omitted: int = 0, *, sign: str = "", is_open: bool = False
) -> CommentBlock:
    start = _open_details(f"{sign} {title}" if sign else title, is_open=is_open)
    return CommentBlock(start, lines, "\n\n</details>", omitted, is_quiet=True)


def _open_details(title: str, *, is_open: bool) -> str:
    return f"<details{' open' if is_open else ''}><summary><b>{escape_text(title)}</b></summary>\n"


def _build_effects(review: Review, heading: str) -> Iterator[CommentBlock]:
    actions = [_render_action(action) for action in effects.summarize_actions(review)] or ["The plan changes nothing."]
    yield CommentBlock(f"{heading} What this change does\n", actions)
    rows = effects.list_rows(review)
    if not rows:
        yield CommentBlock("No resource in this plan has an estimate.")
        return
    titles = "| Resource | kgCO2e a month | change | USD a month | change | class, main factor |"
    head = [titles, "|---|--:|--:|--:|--:|---|"]
    changing_lines, omitted = render_lines([row for row in rows if row.is_changing], _render_row)
    unchanged_rows = [row for row in rows if not row.is_changing]
    all_figures = [
        "",
        "",
        "<details><summary>All figures of the plan</summary>",
        "",
        "| | before → after |",
        "|---|---|",
    ]
    all_figures += [f"| {total.title} | {escape_text(total.line)} |" for total in effects.list_totals(review.footprint)]
    all_figures += ["", "</details>"]
    start = "\n".join(head) if changing_lines else "No estimate changes."
    yield CommentBlock(start, changing_lines, "\n".join(all_figures), omitted)
    if unchanged_rows:
        lines = [*head, *map(_render_row, unchanged_rows[:_MAX_UNCHANGED_ROWS])]
        title = f"{len(unchanged_rows)} resources with an unchanged footprint"
        yield _build_fold(title, lines, max(0, len(unchanged_rows) - _MAX_UNCHANGED_ROWS))


def _render_action(action: ActionSummary) -> str:
    names = [format_code(shorten(address, _MAX_NAME_LENGTH)) for address in action.addresses]
    names += [f"{number} {format_code(type_)}" for number, type_ in action.types]
    suffix = f" and {action.omitted} more" if action.omitted else ""
    return f"- {action.verb} {action.number}: {', '.join(names)}{suffix}"


def _render_row(row: FootprintRow) -> str:
    changed = "".join(f"<br><b>{escape_text(text)}</b>" for text in row.part_changes)
    requests = f"<br>{escape_text(row.per_thousand)}" if row.per_thousand else ""
    grade = f"{row.grade}, {row.driver}" if row.driver else row.grade
    figures = " | ".join(
        f"{wording.format_pair(before, after)} | {format_interval(delta, change=True)}"
        for before, after, delta in (row.kg, row.usd)
    )
    return f"| {format_code(row.address, table=True)}{changed}{requests} | {figures} | {escape_text(grade)} |"


def _build_budgets(review: Review, heading: str) -> Iterator[CommentBlock]:
    if review.budgets:
        head = f"{heading} Budgets\n\n| | Budget | Limit | |\n|---|---|---|---|"
        lines = []
        for result in review.budgets:
            texts = map(escape_text, (result.budget, result.description, wording.format_budget(result)))
            lines.append(f"| {_SIGNS[result.level]} | {' | '.join(texts)} |")
        yield CommentBlock(head, lines)


def _build_alternatives(review: Review) -> Iterator[CommentBlock]:
    if review.alternatives:
        lines, omitted = render_lines(review.alternatives, _render_alternative)
        best = format_number(review.alternatives[0].saved_kg.central)
        head = ["| Saves kgCO2e | Cost | Resource | Instead | Drawbacks |", "|--:|---|---|---|---|"]
        title = f"Alternatives: up to {best} kgCO2e a month less"
        yield _build_fold(title, [*head, *lines], omitted, is_open=len(lines) < 4)


def _render_alternative(alternative: FootprintAlternative) -> str:
    location = format_code(alternative.address, table=True) if alternative.address else escape_text(alternative.part)
    savings = f"{format_interval(alternative.saved_kg)} | {wording.format_cost_saving(alternative.saved_usd)}"
    return f"| {savings} | {location} | {escape_text(alternative.title)} | {escape_text(alternative.drawbacks)} |"


def _build_quiet_blocks(items_by_section: ItemsBySection, suffix: str = "") -> Iterator[CommentBlock]:
    untouched, record, baseline_items = (
        items_by_section[ReportSection.UNTOUCHED],
        items_by_section[ReportSection.RECORD],
        items_by_section[ReportSection.BASELINE],
    )
    if untouched and untouched[0].level is Level.NOTE:
        yield _build_fold(summarize(ReportSection.UNTOUCHED, untouched) + suffix, _render_by_topic(untouched))
    if record:
        yield _build_fold(summarize(ReportSection.RECORD, record) + suffix, _render_by_topic(record))
    if baseline_items:
        yield _build_fold(
            f"{wording.format_baseline_count(len(baseline_items))}{suffix}", _render_by_topic(baseline_items)
        )


def _build_explanations(items_by_section: ItemsBySection, suffix: str = "") -> Iterator[CommentBlock]:
    prominent_items = (*items_by_section[ReportSection.STOP], *items_by_section[ReportSection.LOOK])
    if codes := list_fix_codes(prominent_items):
        lines = [f"{', '.join(rules)}\n\n```hcl\n{code}```\n" for code, rules in codes.items()]
        yield _build_fold(f"{FIX_CODE}{suffix}", lines)
    for section in (ReportSection.UNCOUNTED, ReportSection.ASSUMPTIONS):
        if items := items_by_section[section]:
            yield _build_fold(summarize(section, items) + suffix, *render_lines(items, _render_item))


def _render_item(item: ReportItem) -> str:
    return f"- {_format_location(item)}{escape_text(item.text)}{_format_plans(item)}"


def _build_changes(review: Review) -> Iterator[CommentBlock]:
    if review.changes:
        yield _build_fold(f"Changes: {len(review.changes)}", *render_lines(review.changes, _render_change))


def _render_change(change: ChangeSummary) -> str:
    text = f"- {change.action} {format_code(change.address)}"
    if change.previous_address:
        text += f" (was {format_code(change.previous_address)})"
    if change.because:
        text += f" because of {escape_text(', '.join(change.because))}"
    elif change.attributes:
        text += f": {escape_text(', '.join(change.attributes))}"
    return text


def _build_bundle_head(bundle: Bundle) -> CommentBlock:
    title = f"## {_VERDICT_SIGNS[bundle.verdict]} {escape_text(bundle.headline)}"
    head = "| Plan | | USD a month | kgCO2e a month | to stop | to look at | Changes |\n|---|---|--:|--:|--:|--:|---|"
    rows = [_render_plan_row(member) for member in bundle.members]
    carbon, cost = (total.change for total in effects.list_totals(bundle.footprint)[:2])
    rows.append(f"| **all {len(bundle.members)}** | | {cost} | {carbon} | | | |")
    return CommentBlock(f"{title}\n\n{head}", [*rows, *_build_notes(bundle.notes, bundle.remarks)])


def _render_plan_row(member: BundleMember) -> str:
    review = member.review
    carbon, cost = (total.change for total in effects.list_totals(review.footprint)[:2])
    verdict = f"{_VERDICT_SIGNS[review.verdict]} {review.verdict}"
    cells = (
        format_code(review.name, table=True),
        verdict,
        cost,
        carbon,
        str(member.stop_count),
        str(member.look_count),
    )
    return f"| {' | '.join(cells)} | {effects.format_counts(review)} |"


def _build_common_blocks(bundle: Bundle) -> Iterator[CommentBlock]:
    start = "### In several plans\n\n"
    for block in _build_loud_blocks(bundle.common_items, "####"):
        yield replace(block, head=start + block.head)
        start = ""


def _build_member(member: BundleMember, *, is_open: bool) -> Iterator[CommentBlock]:
    review = member.review
    title = f"{_VERDICT_SIGNS[review.verdict]} {shorten(review.name, _MAX_NAME_LENGTH)}: {format_headline(review)}"
    elsewhere = [f"\n{wording.format_shared_count(member.shared_count)}"] if member.shared_count else []
    lines = [*_build_table(review), *_build_notes(member.notes, member.remarks), *elsewhere]
    yield CommentBlock(_open_details(title, is_open=is_open), lines)
    yield from _build_body(review, member.own_items, "####")
    yield CommentBlock("</details>")
