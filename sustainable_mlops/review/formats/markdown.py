"""The review as one comment on a pull request, in GitHub's Markdown, which GitLab and Atlantis show as well.

Names in a plan are written by whoever opens the pull request: addresses stand in code spans, where nothing is
interpreted; other text has every character escaped that Markdown, HTML or GitHub's mentions could take as theirs.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from sustainable_mlops.footprint.alternatives import Alternative
from sustainable_mlops.footprint.figures import shown
from sustainable_mlops.review.formats import content
from sustainable_mlops.review.formats.content import Row, RuleGroup, short, spread
from sustainable_mlops.review.judged import JudgedRisk
from sustainable_mlops.review.review import Change, Review, Verdict
from sustainable_mlops.review.risk import Level, Section
from sustainable_mlops.review.unseen import Unseen

if TYPE_CHECKING:
    from sustainable_mlops.checkov import Finding

T = TypeVar("T")

#: What every comment starts with.
MARKER = "<!-- sustainable-mlops-review"
#: GitHub takes 65,536 characters; some count for two there.
LIMIT = 60_000
#: More lines than this have no room in a comment whatever is in them, and are not even made.
_MOST_LINES = 1000
_MOST_NOTES = 30
_MOST_PLACES = 10
_LONGEST_MESSAGE = 500
_SIGNS = {Level.STOP: "🛑", Level.LOOK: "👀", Level.NOTE: "📝", None: "✅"}
_VERDICT_SIGNS = {Verdict.STOP: "🛑", Verdict.LOOK: "👀", Verdict.FINE: "✅"}
#: What Markdown or HTML would take as theirs, anywhere or at the start of a line; then what GitHub makes links of
#: (mentions, issues, addresses), or pictures (what stands in ARNs as the names of emoji do).
_SPECIAL = re.compile(
    r"(?P<escape>[&<>\\`*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#+=-](?!\d)|^\d(?=\d*[.)]\s))"
    r"|@(?=\w)|\#(?=\d)|:(?=//|(?:secret|package|link|label|key|id|new|on):)|\b(?i:www)(?=\.)|\b(?i:GH-)(?=\d)"
)


@dataclass
class Block:
    """A section: its head, lines of which as many are kept as there is room for, and its end."""

    head: str
    lines: list[str] = field(default_factory=list)
    foot: str = ""
    left: int = 0  # lines that there would be as well

    def text(self, room: int) -> str:
        """The section in at most about `room` characters, with a note where lines are left out."""
        kept: list[str] = []
        room -= len(self.head) + len(self.foot) + 120
        for line in self.lines:
            room -= _size(line) + 1
            if room < 0:
                break
            kept.append(line)
        left = len(self.lines) - len(kept) + self.left
        note = f"\n_… {left} more: too many for one comment; the HTML and JSON reports have them all._" if left else ""
        return "\n".join([self.head, *kept]) + note + self.foot

    @property
    def size(self) -> int:
        """How much room it takes as a whole."""
        return _size(self.head) + _size(self.foot) + sum(_size(line) + 1 for line in self.lines) + 120


def render(review: Review) -> str:
    """The comment."""
    blocks = [block for block in _blocks(review) if block is not None]
    rooms = _rooms([block.size for block in blocks], LIMIT)
    return (
        marker(review.name)
        + "\n"
        + "\n\n".join(block.text(room) for block, room in zip(blocks, rooms, strict=True))
        + "\n"
    )


def marker(name: str) -> str:
    """By this line the comment about a plan is found again, to be replaced; those about other plans stay."""
    return f"{MARKER} {sha256(name.encode()).hexdigest()[:16]} -->"


def not_reviewed(name: str, why: str) -> str:
    """The comment where there is no review, so that none of an earlier plan is left standing."""
    return f"{marker(name)}\n## ❔ Not reviewed\n\n{code(name)}: {prose(why)}\n"


def _rooms(sizes: list[int], whole: int) -> list[int]:
    """Room for each section: the small ones get what they need, the others share the rest evenly."""
    rooms = [0] * len(sizes)
    for done, index in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        rooms[index] = min(sizes[index], whole // (len(sizes) - done))
        whole -= rooms[index]
    return rooms


def _blocks(review: Review) -> Iterable[Block | None]:
    yield _head(review)
    yield _risks(review, Section.DATA, "Data at risk")
    yield _risks(review, Section.PRIVILEGES, "Privileges widened")
    yield _unseen(review)
    yield _policies(review)
    yield _checkov(review)
    yield _budgets(review)
    yield _footprint(review)
    yield _alternatives(review)
    yield _changes(review)
    yield _details("Not counted", list(content.unknowns(review)), _unknown)
    yield _details("Assumptions", content.assumptions(review), lambda text: f"- {prose(text)}")
    yield Block(f"<sub>{prose(content.METHOD)}</sub>")


def _head(review: Review) -> Block:
    title = f"## {_VERDICT_SIGNS[review.verdict]} {content.headline(review)}"
    lines = [title, "", f"Review of {code(review.name)}", "", "| | |", "|---|---|"]
    lines += [
        f"| {content.GATE_TITLES[gate.name]} | {_SIGNS[gate.level]} {prose(gate.text)} |" for gate in review.gates
    ]
    lines += [f"| {total.title} | {prose(total.line)} |" for total in content.totals(review)[:2]]
    counts = ", ".join(f"{number} {action}" for action, number in review.counts().items()) or "none"
    lines.append(f"| Changes | {counts}; {review.unchanged} unchanged |")
    lines += [f"\n> [!WARNING]\n> {prose(note)}" for note in review.notes]
    return Block(lines[0], lines[1:])


def _risks(review: Review, section: Section, title: str) -> Block | None:
    found = review.of(section)
    loud = [one for one in found if one.level is not Level.NOTE]
    quiet = [one for one in found if one.level is Level.NOTE]
    if not loud:
        return _details(f"{title}: nothing; {len(quiet)} for the record", quiet, _risk)
    lines, left = _made(loud, _risk)
    return Block(f"### {title}\n", lines, _for_the_record(quiet), left)


def _for_the_record(quiet: list[JudgedRisk]) -> str:
    if not quiet:
        return ""
    more = [f"- … {len(quiet) - _MOST_NOTES} more"] if len(quiet) > _MOST_NOTES else []
    lines = [*map(_risk, quiet[:_MOST_NOTES]), *more]
    return "\n".join(["", "", f"<details><summary>{len(quiet)} for the record</summary>", "", *lines, "", "</details>"])


def _risk(one: JudgedRisk) -> str:
    advice = f" _{fix(one.risk.fix)}_" if one.risk.fix and not one.accepted else ""
    return f"- {_SIGNS[one.level]} {code(one.risk.address)} {prose(content.risk_text(one))}.{advice}"


def _unseen(review: Review) -> Block | None:
    loud = [one for one in review.unseen if one.level is not Level.NOTE]
    lines, left = _made(loud, _one_unseen)
    return Block("### Not seen\n", lines, "", left) if lines else None


def _one_unseen(one: Unseen) -> str:
    return f"- {_SIGNS[one.level]} {code(one.address)} {prose(content.unseen_text(one))}"


def _policies(review: Review) -> Block | None:
    groups = content.rule_groups(review)
    if not groups:
        return None
    loud = any(group.level is Level.STOP for group in groups)
    return _details(f"Policies: {len(groups)} not kept", groups, _group, is_open=loud)


def _group(group: RuleGroup) -> str:
    lines = [
        f"- {_SIGNS[group.level]} **{prose(group.rule.title)}** · {content.outcome_word(group)} · "
        f"`{group.rule.id}` · {prose(group.rule.guideline)}  \n  _{fix(group.rule.fix)}_"
    ]
    shown_here = group.findings[:_MOST_PLACES]
    lines += [f"  - {code(_at(one.address, one.path))} {prose(one.message)}" for one in shown_here]
    left = len(group.findings) - len(shown_here)
    return "\n".join([*lines, f"  - … {left} more"] if left else lines)


def _at(address: str, path: str) -> str:
    return f"{address} {path}" if path else address


def _checkov(review: Review) -> Block | None:
    if review.builtin is None:
        return None
    found = review.builtin
    title = f"checkov's checks: {len(found.failed)} failed, {found.passed} passed"
    return _details(title, [*found.failed, *found.explained], _check)


def _check(one: "Finding") -> str:
    sign = _SIGNS[Level.NOTE if one.reason else Level.STOP]
    reason = f": {prose(one.reason)}" if one.reason else ""
    return f"- {sign} {code(one.address)} `{one.check}` {prose(one.name)}{reason}"


def _budgets(review: Review) -> Block | None:
    if not review.budgets:
        return None
    signs = {"over": "🛑", "unknown": "👀", "within": "✅", "nothing": "📝"}
    lines = ["| | Budget | Limit | |", "|---|---|---|---|"]
    lines += [
        f"| {signs[one.held]} | {prose(one.budget)} | {one.what} | {prose(content.budget_text(one))} |"
        for one in review.budgets
    ]
    return Block("### Budgets\n", lines)


def _footprint(review: Review) -> Block | None:
    found = content.rows(review)
    if not found:
        return Block("### Carbon and cost\n\nNothing in this plan is estimated.")
    titles = "| Resource | kgCO2e a month | change | USD a month | change | class, moved most by |"
    head = [titles, "|---|--:|--:|--:|--:|---|"]
    changing, left = _made([row for row in found if row.changes], _row)
    staying = [row for row in found if not row.changes]
    lines = [*head, *changing] if changing else ["Nothing that is estimated changes."]
    more = ["", "", "<details><summary>All figures of the plan</summary>", "", "| | now → then |", "|---|---|"]
    more += [f"| {total.title} | {prose(total.line)} |" for total in content.totals(review)]
    more += ["", "</details>"]
    if staying:
        summary = f"<details><summary>{len(staying)} that do not change</summary>"
        more += ["", summary, "", *head, *map(_row, staying[:20]), "", "</details>"]
    return Block("### Carbon and cost\n", lines, "\n".join(more), left)


def _row(row: Row) -> str:
    count = "".join(f"<br>{prose(text)}" for text in (row.count, row.per_thousand) if text)
    grade = f"{row.grade}, {row.driver}" if row.driver else row.grade
    return (
        f"| {code(row.address, table=True)}{count} | {content.central(row.kg[0])} → {content.central(row.kg[1])} | "
        f"{spread(row.kg[2], change=True)} | {content.central(row.usd[0])} → {content.central(row.usd[1])} | "
        f"{spread(row.usd[2], change=True)} | {prose(grade)} |"
    )


def _alternatives(review: Review) -> Block | None:
    if not review.alternatives:
        return None
    head = ["| Saves kgCO2e | Saves USD | Where | Instead | It costs |", "|--:|--:|---|---|---|"]
    lines, left = _made(review.alternatives, _alternative)
    best = shown(review.alternatives[0].saved_kg.central)
    block = _details(f"Alternatives: up to {best} kgCO2e a month less", [*head, *lines], str, is_open=len(lines) < 6)
    return None if block is None else replace(block, left=left)


def _alternative(one: Alternative) -> str:
    where = code(one.address, table=True) if one.address else ""
    return (
        f"| {spread(one.saved_kg)} | {spread(one.saved_usd)} | {where} {prose(one.part)} | {prose(one.title)} | "
        f"{prose(one.costs)} |"
    )


def _changes(review: Review) -> Block | None:
    return _details(f"Changes: {len(review.changes)}", review.changes, _change)


def _change(change: Change) -> str:
    text = f"- {change.action} {code(change.address)}"
    if change.previous_address:
        text += f" (was {code(change.previous_address)})"
    if change.because:
        text += f" because of {prose(', '.join(change.because))}"
    elif change.attributes:
        text += f": {prose(', '.join(change.attributes))}"
    return text


def _unknown(item: tuple[str, str]) -> str:
    return f"- {code(item[0])} {prose(item[1])}"


def _details(title: str, items: Sequence[T], show: Callable[[T], str], *, is_open: bool = False) -> Block | None:
    if not items:
        return None
    lines, left = _made(items, show)
    head = f"<details{' open' if is_open else ''}><summary><b>{prose(title)}</b></summary>\n"
    return Block(head, lines, "\n\n</details>", left)


def _made(items: Sequence[T], show: Callable[[T], str]) -> tuple[list[str], int]:
    """The lines of as many items as may have room, and how many are left."""
    return [show(item) for item in items[:_MOST_LINES]], max(0, len(items) - _MOST_LINES)


def prose(text: str) -> str:
    """`text` as text: nothing in it is Markdown, HTML, a link or a mention."""
    return _SPECIAL.sub(_harmless, short(text, _LONGEST_MESSAGE))


def _harmless(found: re.Match[str]) -> str:
    """An entity, which is the character and nothing else; or with a space of no width after it, which breaks a link."""
    return f"&#{ord(found[0])};" if found["escape"] else f"{found[0]}&#8203;"


def fix(text: str) -> str:
    """A rule's or risk's own text, in which only `code` is marked."""
    parts = text.split("`")
    return "".join(code(part) if position % 2 else prose(part) for position, part in enumerate(parts))


def code(text: str, *, table: bool = False) -> str:
    """`text` as code. In tables a bar would end the cell even inside code, so a broken bar stands for it."""
    line = short(text, _LONGEST_MESSAGE)
    if table:
        line = line.replace("|", "¦")
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}" if line.strip() else "` `"


def _size(text: str) -> int:
    """Length as GitHub's database may count it: characters beyond the basic plane twice."""
    return len(text.encode("utf-16-le")) // 2
