"""The review as one comment on a pull request, in GitHub's Markdown, which GitLab and Atlantis show as well."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sustainable_mlops.footprint.alternatives import Alternative
from sustainable_mlops.footprint.figures import shown
from sustainable_mlops.review.formats import wording, effects
from sustainable_mlops.review.formats.bundle import Bundle, Member, Placed, bundle
from sustainable_mlops.review.formats.wording import short, spread
from sustainable_mlops.review.formats.effects import Done, Row
from sustainable_mlops.review.formats.escaping import code, fix, prose
from sustainable_mlops.review.formats.items import (
    Group,
    Place,
    Point,
    folded,
    placed,
    points,
    summary,
    topics,
    until_apply,
)
from sustainable_mlops.review.formats.comment_limit import LEFT, LIMIT, Block, fitted, made
from sustainable_mlops.review.comment_marker import marker
from sustainable_mlops.review.review import Change, Review, Verdict
from sustainable_mlops.review.risk import Level

_MOST_PLACES = 10
_MOST_STAYING = 20
_LONGEST_NAME = 200
_SEVERAL = ", in several plans"
_SIGNS = {Level.STOP: "🛑", Level.LOOK: "👀", Level.NOTE: "📝", None: "✅"}
_VERDICT_SIGNS = {Verdict.STOP: "🛑", Verdict.LOOK: "👀", Verdict.FINE: "✅"}


def render(review: Review) -> str:
    """The comment."""
    title = f"## {_VERDICT_SIGNS[review.verdict]} {prose(wording.headline(review))}"
    head = Block(
        f"{title}\n\nReview of {code(review.name)}\n", [*_table(review), *_notes(review.notes, review.remarks)]
    )
    blocks = [head, *_body(review, placed(points(review)), "###"), _method()]
    return f"{marker(review.name)}\n{fitted(blocks)}\n"


def render_several(reviews: Sequence[Review]) -> str:
    """One comment about several plans: the worst first, and what they have in common once."""
    found = bundle(reviews)
    blocks = [_bundle_head(found), *_in_several(found)]
    end = [*_quiet(found.common, _SEVERAL), *_explained(found.common, _SEVERAL), _method()]
    # What is in no section is in the table; heads alone would fill a comment about very many plans.
    room = LIMIT // 2 - sum(block.fixed for block in (*blocks, *end))
    for number, member in enumerate(found.members):
        section = list(_member(member, is_open=number == 0))
        room -= sum(block.fixed for block in section)
        if room < 0:
            blocks.append(Block(LEFT.format(f"{len(found.members) - number} more plans")))
            break
        blocks += section
    return f"{marker(*(review.name for review in reviews))}\n{fitted([*blocks, *end])}\n"


def not_reviewed(names: Sequence[str], why: str) -> str:
    """The comment where there is no review, so that none of earlier plans is left standing."""
    called = ", ".join(code(name) for name in names)
    return f"{marker(*names)}\n## ❔ Not reviewed\n\n{called}: {prose(why)}\n"


def _method() -> Block:
    return Block(f"<sub>{prose(wording.METHOD)}</sub>")


def _body(review: Review, found: Placed, mark: str) -> Iterator[Block]:
    yield from _loud(found, mark)
    yield from _effects(review, mark)
    yield from _budgets(review, mark)
    yield from _alternatives(review)
    yield from _quiet(found)
    if later := until_apply(review):
        yield Block(f"{later}.")
    yield from _changes(review)
    yield from _explained(found)


def _table(review: Review) -> list[str]:
    lines = ["| | |", "|---|---|"]
    lines += [
        f"| {wording.GATE_TITLES[gate.name]} | {_SIGNS[gate.level]} {prose(gate.text)} |" for gate in review.gates
    ]
    lines += [f"| {total.title} | {prose(total.line)} |" for total in effects.totals(review.footprint)[:2]]
    return [*lines, f"| Changes | {effects.counts(review)} |"]


def _notes(notes: Sequence[str], remarks: Sequence[str]) -> list[str]:
    kinds = [*(("WARNING", note) for note in notes), *(("NOTE", remark) for remark in remarks)]
    return [f"\n> [!{kind}]\n> {prose(text)}" for kind, text in kinds]


def _loud(found: Placed, mark: str) -> Iterator[Block]:
    """What stops it and what to look at, with what is left alone where that is as serious."""
    alone = found[Place.ALONE]
    for place, level in ((Place.STOP, Level.STOP), (Place.LOOK, Level.LOOK)):
        title = f"{mark} {place}\n\n"
        for topic, groups in topics(found[place]).items():
            yield _topic(title, place, topic, groups)
            title = ""
        if alone and alone[0].level is level:
            block = _fold(summary(Place.ALONE, alone), _by_topic(alone), sign=_SIGNS[level])
            yield replace(block, head=title + block.head, quiet=False)


def _topic(title: str, place: Place, topic: str, groups: Sequence[Group]) -> Block:
    lines, left = made(groups, _group)
    if fold := folded(place, topic, groups):
        block = _fold(fold, lines, left)
        return replace(block, head=title + block.head, quiet=False)
    return Block(f"{title}**{topic}**\n", lines, "", left)


def _group(group: Group) -> str:
    first = group.first
    if not first.title:
        advice = f". _{fix(first.fix)}_" if first.fix else ""
        source = f" · {prose(first.source)}" if first.source else ""
        return f"- {_SIGNS[first.level]} {_at(first)}{prose(first.text)}{advice}{source}{_plans(first)}"
    word = f" · {first.word}" if first.word != first.level else ""
    head = f"- {_SIGNS[first.level]} **{prose(first.title)}**{word} · `{first.id}` · {prose(first.source)}"
    lines = [f"{head}  \n  _{fix(first.fix)}_"]
    lines += [f"  - {_at(one)}{prose(one.text)}{_plans(one)}" for one in group.points[:_MOST_PLACES]]
    left = len(group.points) - _MOST_PLACES
    return "\n".join([*lines, f"  - … {left} more"] if left > 0 else lines)


def _at(point: Point) -> str:
    place = " ".join(filter(None, (point.address, point.path)))
    check = f"`{point.id}` " if point.id and not point.title else ""
    return f"{code(place)} {check}" if place else check


def _plans(point: Point) -> str:
    return f" (in {prose(wording.some(point.plans))})" if point.plans else ""


def _by_topic(found: Sequence[Point]) -> list[str]:
    """The lines of all topics, each under its name."""
    lines = []
    for topic, groups in topics(found).items():
        shown_here, left = made(groups, _group)
        lines += [f"\n**{topic}**\n", *shown_here, *([f"- … {left} more"] if left else [])]
    return lines


def _fold(title: str, lines: list[str], left: int = 0, *, sign: str = "", is_open: bool = False) -> Block:
    start = _opened(f"{sign} {title}" if sign else title, is_open=is_open)
    return Block(start, lines, "\n\n</details>", left, quiet=True)


def _opened(title: str, *, is_open: bool) -> str:
    return f"<details{' open' if is_open else ''}><summary><b>{prose(title)}</b></summary>\n"


def _effects(review: Review, mark: str) -> Iterator[Block]:
    done = [_done(one) for one in effects.done(review)] or ["Nothing is changed."]
    yield Block(f"{mark} What this change does\n", done)
    found = effects.rows(review)
    if not found:
        yield Block("Nothing in this plan is estimated.")
        return
    titles = "| Resource | kgCO2e a month | change | USD a month | change | class, moved most by |"
    head = [titles, "|---|--:|--:|--:|--:|---|"]
    changing, left = made([row for row in found if row.changes], _row)
    staying = [row for row in found if not row.changes]
    more = ["", "", "<details><summary>All figures of the plan</summary>", "", "| | now → then |", "|---|---|"]
    more += [f"| {total.title} | {prose(total.line)} |" for total in effects.totals(review.footprint)]
    more += ["", "</details>"]
    start = "\n".join(head) if changing else "Nothing that is estimated changes."
    yield Block(start, changing, "\n".join(more), left)
    if staying:
        rows = [*head, *map(_row, staying[:_MOST_STAYING])]
        yield _fold(f"{len(staying)} that use something and do not change", rows, max(0, len(staying) - _MOST_STAYING))


def _done(one: Done) -> str:
    named = [code(short(address, _LONGEST_NAME)) for address in one.addresses]
    named += [f"{number} {code(type_)}" for number, type_ in one.types]
    more = f" and {one.left} more" if one.left else ""
    return f"- {one.verb} {one.number}: {', '.join(named)}{more}"


def _row(row: Row) -> str:
    changed = "".join(f"<br><b>{prose(text)}</b>" for text in row.part_changes)
    requests = f"<br>{prose(row.per_thousand)}" if row.per_thousand else ""
    grade = f"{row.grade}, {row.driver}" if row.driver else row.grade
    return (
        f"| {code(row.address, table=True)}{changed}{requests} | "
        f"{wording.central(row.kg[0])} → {wording.central(row.kg[1])} | {spread(row.kg[2], change=True)} | "
        f"{wording.central(row.usd[0])} → {wording.central(row.usd[1])} | {spread(row.usd[2], change=True)} | "
        f"{prose(grade)} |"
    )


def _budgets(review: Review, mark: str) -> Iterator[Block]:
    if review.budgets:
        signs = {"over": "🛑", "unknown": "👀", "within": "✅", "nothing": "📝"}
        head = f"{mark} Budgets\n\n| | Budget | Limit | |\n|---|---|---|---|"
        lines = [
            f"| {signs[one.held]} | {prose(one.budget)} | {prose(one.what)} | {prose(wording.budget_text(one))} |"
            for one in review.budgets
        ]
        yield Block(head, lines)


def _alternatives(review: Review) -> Iterator[Block]:
    if review.alternatives:
        lines, left = made(review.alternatives, _alternative)
        best = shown(review.alternatives[0].saved_kg.central)
        head = ["| Saves kgCO2e | Saves USD | Where | Instead | It costs |", "|--:|--:|---|---|---|"]
        title = f"Alternatives: up to {best} kgCO2e a month less"
        yield _fold(title, [*head, *lines], left, is_open=len(lines) < 4)


def _alternative(one: Alternative) -> str:
    where = code(one.address, table=True) if one.address else prose(one.part)
    costs = prose(one.costs)
    return f"| {spread(one.saved_kg)} | {spread(one.saved_usd)} | {where} | {prose(one.title)} | {costs} |"


def _quiet(found: Placed, where: str = "") -> Iterator[Block]:
    alone, record, before = found[Place.ALONE], found[Place.RECORD], found[Place.BEFORE]
    if alone and alone[0].level is Level.NOTE:
        yield _fold(summary(Place.ALONE, alone) + where, _by_topic(alone))
    if record:
        yield _fold(summary(Place.RECORD, record) + where, _by_topic(record))
    if before:
        yield _fold(f"{wording.before_text(len(before))}{where}", _by_topic(before))


def _explained(found: Placed, where: str = "") -> Iterator[Block]:
    for place in (Place.UNCOUNTED, Place.ASSUMED):
        if its := found[place]:
            yield _fold(summary(place, its) + where, *made(its, _line))


def _line(point: Point) -> str:
    return f"- {_at(point)}{prose(point.text)}{_plans(point)}"


def _changes(review: Review) -> Iterator[Block]:
    if review.changes:
        yield _fold(f"Changes: {len(review.changes)}", *made(review.changes, _change))


def _change(change: Change) -> str:
    text = f"- {change.action} {code(change.address)}"
    if change.previous_address:
        text += f" (was {code(change.previous_address)})"
    if change.because:
        text += f" because of {prose(', '.join(change.because))}"
    elif change.attributes:
        text += f": {prose(', '.join(change.attributes))}"
    return text


def _bundle_head(found: Bundle) -> Block:
    title = f"## {_VERDICT_SIGNS[found.verdict]} {prose(found.headline)}"
    head = "| Plan | | to stop | to look at | kgCO2e a month | USD a month | Changes |\n|---|---|--:|--:|--:|--:|---|"
    rows = [_plan_row(one) for one in found.members]
    carbon, cost = (total.change for total in effects.totals(found.footprint)[:2])
    rows.append(f"| **all {len(found.members)}** | | | | {carbon} | {cost} | |")
    return Block(f"{title}\n\n{head}", [*rows, *_notes(found.notes, found.remarks)])


def _plan_row(member: Member) -> str:
    review = member.review
    carbon, cost = (total.change for total in effects.totals(review.footprint)[:2])
    verdict = f"{_VERDICT_SIGNS[review.verdict]} {review.verdict}"
    cells = (code(review.name, table=True), verdict, str(member.stops), str(member.looks), carbon, cost)
    return f"| {' | '.join(cells)} | {effects.counts(review)} |"


def _in_several(found: Bundle) -> Iterator[Block]:
    start = "### In several plans\n\n"
    for block in _loud(found.common, "####"):
        yield replace(block, head=start + block.head)
        start = ""


def _member(member: Member, *, is_open: bool) -> Iterator[Block]:
    review = member.review
    title = f"{_VERDICT_SIGNS[review.verdict]} {short(review.name, _LONGEST_NAME)}: {wording.headline(review)}"
    elsewhere = [f"\n{wording.elsewhere(member.elsewhere)}"] if member.elsewhere else []
    lines = [*_table(review), *_notes(member.notes, member.remarks), *elsewhere]
    yield Block(_opened(title, is_open=is_open), lines)
    yield from _body(review, member.own, "####")
    yield Block("</details>")
