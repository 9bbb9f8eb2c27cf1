"""The review as one comment on a pull request, in GitHub's Markdown, which GitLab and Atlantis show as well."""

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
from sustainable_mlops.review.formats.items import (
    ItemGroup,
    ReportItem,
    ReportSection,
    get_fold_title,
    group_by_section,
    group_by_topic,
    list_items,
    summarize,
    summarize_until_apply,
)
from sustainable_mlops.review.formats.wording import format_interval, shorten
from sustainable_mlops.review.review import ChangeSummary, Review, ReviewVerdict
from sustainable_mlops.review.risk import Level

_MOST_PLACES = 10
_MOST_STAYING = 20
_LONGEST_NAME = 200
_SEVERAL = ", in several plans"
_SIGNS = {Level.STOP: "🛑", Level.LOOK: "👀", Level.NOTE: "📝", None: "✅"}
_VERDICT_SIGNS = {ReviewVerdict.STOP: "🛑", ReviewVerdict.LOOK: "👀", ReviewVerdict.FINE: "✅"}


def render(review: Review) -> str:
    """The comment."""
    title = f"## {_VERDICT_SIGNS[review.verdict]} {escape_text(wording.format_headline(review))}"
    head = CommentBlock(
        f"{title}\n\nReview of {format_code(review.name)}\n", [*_table(review), *_notes(review.notes, review.remarks)]
    )
    blocks = [head, *_body(review, group_by_section(list_items(review)), "###"), _method()]
    return f"{build_marker(review.name)}\n{fit_blocks(blocks)}\n"


def render_several(reviews: Sequence[Review]) -> str:
    """One comment about several plans: the worst first, and what they have in common once."""
    found = build_bundle(reviews)
    blocks = [_bundle_head(found), *_in_several(found)]
    end = [*_quiet(found.common_items, _SEVERAL), *_explained(found.common_items, _SEVERAL), _method()]
    # What is in no section is in the table; heads alone would fill a comment about very many plans.
    room = LIMIT // 2 - sum(block.fixed_size for block in (*blocks, *end))
    for number, member in enumerate(found.members):
        section = list(_member(member, is_open=number == 0))
        room -= sum(block.fixed_size for block in section)
        if room < 0:
            blocks.append(CommentBlock(OMITTED.format(f"{len(found.members) - number} more plans")))
            break
        blocks += section
    return f"{build_marker(*(review.name for review in reviews))}\n{fit_blocks([*blocks, *end])}\n"


def not_reviewed(names: Sequence[str], why: str) -> str:
    """The comment where there is no review, so that none of earlier plans is left standing."""
    called = ", ".join(format_code(name) for name in names)
    return f"{build_marker(*names)}\n## ❔ Not reviewed\n\n{called}: {escape_text(why)}\n"


def _method() -> CommentBlock:
    return CommentBlock(f"<sub>{escape_text(wording.METHOD)}</sub>")


def _body(review: Review, found: ItemsBySection, mark: str) -> Iterator[CommentBlock]:
    yield from _loud(found, mark)
    yield from _effects(review, mark)
    yield from _budgets(review, mark)
    yield from _alternatives(review)
    yield from _quiet(found)
    if later := summarize_until_apply(review):
        yield CommentBlock(f"{later}.")
    yield from _changes(review)
    yield from _explained(found)


def _table(review: Review) -> list[str]:
    lines = ["| | |", "|---|---|"]
    lines += [
        f"| {wording.GATE_TITLES[gate.name]} | {_SIGNS[gate.level]} {escape_text(gate.text)} |" for gate in review.gates
    ]
    lines += [f"| {total.title} | {escape_text(total.line)} |" for total in effects.list_totals(review.footprint)[:2]]
    return [*lines, f"| Changes | {effects.format_counts(review)} |"]


def _notes(notes: Sequence[str], remarks: Sequence[str]) -> list[str]:
    kinds = [*(("WARNING", note) for note in notes), *(("NOTE", remark) for remark in remarks)]
    return [f"\n> [!{kind}]\n> {escape_text(text)}" for kind, text in kinds]


def _loud(found: ItemsBySection, mark: str) -> Iterator[CommentBlock]:
    """What stops it and what to look at, with what is left alone where that is as serious."""
    alone = found[ReportSection.UNTOUCHED]
    for place, level in ((ReportSection.STOP, Level.STOP), (ReportSection.LOOK, Level.LOOK)):
        title = f"{mark} {place}\n\n"
        for topic, groups in group_by_topic(found[place]).items():
            yield _topic(title, place, topic, groups)
            title = ""
        if alone and alone[0].level is level:
            block = _fold(summarize(ReportSection.UNTOUCHED, alone), _by_topic(alone), sign=_SIGNS[level])
            yield replace(block, head=title + block.head, quiet=False)


def _topic(title: str, place: ReportSection, topic: str, groups: Sequence[ItemGroup]) -> CommentBlock:
    lines, left = render_lines(groups, _group)
    if fold := get_fold_title(place, topic, groups):
        block = _fold(fold, lines, left)
        return replace(block, head=title + block.head, quiet=False)
    return CommentBlock(f"{title}**{topic}**\n", lines, "", left)


def _group(group: ItemGroup) -> str:
    first = group.first
    if not first.title:
        advice = f". _{format_fix(first.fix)}_" if first.fix else ""
        source = f" · {escape_text(first.source)}" if first.source else ""
        return f"- {_SIGNS[first.level]} {_at(first)}{escape_text(first.text)}{advice}{source}{_plans(first)}"
    word = f" · {first.label}" if first.label != first.level else ""
    head = f"- {_SIGNS[first.level]} **{escape_text(first.title)}**{word} · `{first.id}` · {escape_text(first.source)}"
    lines = [f"{head}  \n  _{format_fix(first.fix)}_"]
    lines += [f"  - {_at(one)}{escape_text(one.text)}{_plans(one)}" for one in group.items[:_MOST_PLACES]]
    left = len(group.items) - _MOST_PLACES
    return "\n".join([*lines, f"  - … {left} more"] if left > 0 else lines)


def _at(point: ReportItem) -> str:
    place = " ".join(filter(None, (point.address, point.path)))
    check = f"`{point.id}` " if point.id and not point.title else ""
    return f"{format_code(place)} {check}" if place else check


def _plans(point: ReportItem) -> str:
    return f" (in {escape_text(wording.join_names(point.plans))})" if point.plans else ""


def _by_topic(found: Sequence[ReportItem]) -> list[str]:
    """The lines of all topics, each under its name."""
    lines = []
    for topic, groups in group_by_topic(found).items():
        shown_here, left = render_lines(groups, _group)
        lines += [f"\n**{topic}**\n", *shown_here, *([f"- … {left} more"] if left else [])]
    return lines


def _fold(title: str, lines: list[str], left: int = 0, *, sign: str = "", is_open: bool = False) -> CommentBlock:
    start = _opened(f"{sign} {title}" if sign else title, is_open=is_open)
    return CommentBlock(start, lines, "\n\n</details>", left, quiet=True)


def _opened(title: str, *, is_open: bool) -> str:
    return f"<details{' open' if is_open else ''}><summary><b>{escape_text(title)}</b></summary>\n"


def _effects(review: Review, mark: str) -> Iterator[CommentBlock]:
    done = [_done(one) for one in effects.summarize_actions(review)] or ["Nothing is changed."]
    yield CommentBlock(f"{mark} What this change does\n", done)
    found = effects.list_rows(review)
    if not found:
        yield CommentBlock("Nothing in this plan is estimated.")
        return
    titles = "| Resource | kgCO2e a month | change | USD a month | change | class, moved most by |"
    head = [titles, "|---|--:|--:|--:|--:|---|"]
    changing, left = render_lines([row for row in found if row.is_changing], _row)
    staying = [row for row in found if not row.is_changing]
    more = ["", "", "<details><summary>All figures of the plan</summary>", "", "| | now → then |", "|---|---|"]
    more += [f"| {total.title} | {escape_text(total.line)} |" for total in effects.list_totals(review.footprint)]
    more += ["", "</details>"]
    start = "\n".join(head) if changing else "Nothing that is estimated changes."
    yield CommentBlock(start, changing, "\n".join(more), left)
    if staying:
        rows = [*head, *map(_row, staying[:_MOST_STAYING])]
        yield _fold(f"{len(staying)} that use something and do not change", rows, max(0, len(staying) - _MOST_STAYING))


def _done(one: ActionSummary) -> str:
    named = [format_code(shorten(address, _LONGEST_NAME)) for address in one.addresses]
    named += [f"{number} {format_code(type_)}" for number, type_ in one.types]
    more = f" and {one.omitted} more" if one.omitted else ""
    return f"- {one.verb} {one.number}: {', '.join(named)}{more}"


def _row(row: FootprintRow) -> str:
    changed = "".join(f"<br><b>{escape_text(text)}</b>" for text in row.part_changes)
    requests = f"<br>{escape_text(row.per_thousand)}" if row.per_thousand else ""
    grade = f"{row.grade}, {row.driver}" if row.driver else row.grade
    return (
        f"| {format_code(row.address, table=True)}{changed}{requests} | "
        f"{wording.format_central(row.kg[0])} → {wording.format_central(row.kg[1])} | {format_interval(row.kg[2], change=True)} | "
        f"{wording.format_central(row.usd[0])} → {wording.format_central(row.usd[1])} | {format_interval(row.usd[2], change=True)} | "
        f"{escape_text(grade)} |"
    )


def _budgets(review: Review, mark: str) -> Iterator[CommentBlock]:
    if review.budgets:
        signs = {"over": "🛑", "unknown": "👀", "within": "✅", "nothing": "📝"}
        head = f"{mark} Budgets\n\n| | Budget | Limit | |\n|---|---|---|---|"
        lines = [
            f"| {signs[one.status]} | {escape_text(one.budget)} | {escape_text(one.description)} | {escape_text(wording.format_budget(one))} |"
            for one in review.budgets
        ]
        yield CommentBlock(head, lines)


def _alternatives(review: Review) -> Iterator[CommentBlock]:
    if review.alternatives:
        lines, left = render_lines(review.alternatives, _alternative)
        best = format_number(review.alternatives[0].saved_kg.central)
        head = ["| Saves kgCO2e | Saves USD | Where | Instead | It costs |", "|--:|--:|---|---|---|"]
        title = f"Alternatives: up to {best} kgCO2e a month less"
        yield _fold(title, [*head, *lines], left, is_open=len(lines) < 4)


def _alternative(one: FootprintAlternative) -> str:
    where = format_code(one.address, table=True) if one.address else escape_text(one.part)
    costs = escape_text(one.drawbacks)
    return f"| {format_interval(one.saved_kg)} | {format_interval(one.saved_usd)} | {where} | {escape_text(one.title)} | {costs} |"


def _quiet(found: ItemsBySection, where: str = "") -> Iterator[CommentBlock]:
    alone, record, before = found[ReportSection.UNTOUCHED], found[ReportSection.RECORD], found[ReportSection.BASELINE]
    if alone and alone[0].level is Level.NOTE:
        yield _fold(summarize(ReportSection.UNTOUCHED, alone) + where, _by_topic(alone))
    if record:
        yield _fold(summarize(ReportSection.RECORD, record) + where, _by_topic(record))
    if before:
        yield _fold(f"{wording.format_baseline_count(len(before))}{where}", _by_topic(before))


def _explained(found: ItemsBySection, where: str = "") -> Iterator[CommentBlock]:
    for place in (ReportSection.UNCOUNTED, ReportSection.ASSUMPTIONS):
        if its := found[place]:
            yield _fold(summarize(place, its) + where, *render_lines(its, _line))


def _line(point: ReportItem) -> str:
    return f"- {_at(point)}{escape_text(point.text)}{_plans(point)}"


def _changes(review: Review) -> Iterator[CommentBlock]:
    if review.changes:
        yield _fold(f"Changes: {len(review.changes)}", *render_lines(review.changes, _change))


def _change(change: ChangeSummary) -> str:
    text = f"- {change.action} {format_code(change.address)}"
    if change.previous_address:
        text += f" (was {format_code(change.previous_address)})"
    if change.because:
        text += f" because of {escape_text(', '.join(change.because))}"
    elif change.attributes:
        text += f": {escape_text(', '.join(change.attributes))}"
    return text


def _bundle_head(found: Bundle) -> CommentBlock:
    title = f"## {_VERDICT_SIGNS[found.verdict]} {escape_text(found.headline)}"
    head = "| Plan | | to stop | to look at | kgCO2e a month | USD a month | Changes |\n|---|---|--:|--:|--:|--:|---|"
    rows = [_plan_row(one) for one in found.members]
    carbon, cost = (total.change for total in effects.list_totals(found.footprint)[:2])
    rows.append(f"| **all {len(found.members)}** | | | | {carbon} | {cost} | |")
    return CommentBlock(f"{title}\n\n{head}", [*rows, *_notes(found.notes, found.remarks)])


def _plan_row(member: BundleMember) -> str:
    review = member.review
    carbon, cost = (total.change for total in effects.list_totals(review.footprint)[:2])
    verdict = f"{_VERDICT_SIGNS[review.verdict]} {review.verdict}"
    cells = (
        format_code(review.name, table=True),
        verdict,
        str(member.stop_count),
        str(member.look_count),
        carbon,
        cost,
    )
    return f"| {' | '.join(cells)} | {effects.format_counts(review)} |"


def _in_several(found: Bundle) -> Iterator[CommentBlock]:
    start = "### In several plans\n\n"
    for block in _loud(found.common_items, "####"):
        yield replace(block, head=start + block.head)
        start = ""


def _member(member: BundleMember, *, is_open: bool) -> Iterator[CommentBlock]:
    review = member.review
    title = f"{_VERDICT_SIGNS[review.verdict]} {shorten(review.name, _LONGEST_NAME)}: {wording.format_headline(review)}"
    elsewhere = [f"\n{wording.format_shared_count(member.shared_count)}"] if member.shared_count else []
    lines = [*_table(review), *_notes(member.notes, member.remarks), *elsewhere]
    yield CommentBlock(_opened(title, is_open=is_open), lines)
    yield from _body(review, member.own_items, "####")
    yield CommentBlock("</details>")
