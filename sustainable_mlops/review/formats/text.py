"""The review for a terminal, in colours where there is one."""

import sys
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from sustainable_mlops.review.formats import content
from sustainable_mlops.review.formats.content import Row, RuleGroup, short, spread
from sustainable_mlops.review.judged import JudgedRisk
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import Level, Section
from sustainable_mlops.rules import Outcome

_STYLES = {Level.STOP: "bold red", Level.LOOK: "yellow", Level.NOTE: "dim", None: "green"}
_VERDICT_STYLES = {"stop": "bold white on red", "look": "bold black on yellow", "fine": "bold white on green"}
#: So many of what a person should look at, the most serious first.
_MOST_RISKS = 100
#: So many of what is only for the record or explains the figures; the other formats have them all.
_MOST_NOTES = 5
_MOST_ROWS = 20
_MOST_ALTERNATIVES = 8


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
    yield from _unseen(review)
    yield from _policies(review)
    yield from _checkov(review)
    yield from _budgets(review)
    yield from _footprint(review)
    yield from _alternatives(review)
    yield from _some("Not counted", [f"{address}  {text}" for address, text in content.unknowns(review)])
    yield from _some("Assumptions", content.assumptions(review))
    yield Text(f"\n{content.METHOD}", style="dim")


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


class _Item:
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


def _some(title: str, texts: list[str]) -> Iterator[RenderableType]:
    if texts:
        yield _title(f"{title}: {len(texts)}")
        yield from (_Item("-", "dim", Text(short(text), style="dim")) for text in texts[:_MOST_NOTES])
        yield from _more(len(texts) - _MOST_NOTES)


def _summary(review: Review) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("Plan", Text(short(review.name)))
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
    loud = [one for one in risks if one.level is not Level.NOTE]
    quiet = [one for one in risks if one.level is Level.NOTE]
    for one in [*loud[:_MOST_RISKS], *quiet[:_MOST_NOTES]]:
        lines: list[Text | str] = [Text(short(one.risk.address), "bold"), short(content.risk_text(one))]
        if one.risk.fix and not one.accepted:
            lines.append(Text(f"→ {one.risk.fix}", "cyan"))
        yield _Item(one.level, _STYLES[one.level], *lines)
    yield from _more(len(loud) - _MOST_RISKS, "more to look at")
    yield from _more(len(quiet) - _MOST_NOTES, "more for the record")


def _unseen(review: Review) -> Iterator[RenderableType]:
    loud = [one for one in review.unseen if one.level is not Level.NOTE]
    if loud:
        yield _title("Not seen")
    for one in loud[:_MOST_RISKS]:
        yield _Item(one.level, _STYLES[one.level], Text(short(one.address), "bold"), short(content.unseen_text(one)))
    yield from _more(len(loud) - _MOST_RISKS, "more to look at")


def _policies(review: Review) -> Iterator[RenderableType]:
    groups = content.rule_groups(review)
    if groups:
        yield _title("Policies")
    open_ones: dict[str, list[RuleGroup]] = {}
    for group in groups:
        places = _places(group)
        if group.outcome is Outcome.UNKNOWN and group.level is not Level.STOP:
            open_ones.setdefault(places, []).append(group)
            continue
        lines = [Text.assemble(group.rule.title, (f"  {group.rule.id}", "dim")), Text(places, style="dim")]
        if group.level is Level.STOP:
            lines += [Text(f"{short(group.findings[0].message)}."), Text(f"→ {group.rule.fix}", "cyan")]
        yield _Item(f"{content.outcome_word(group):<4}", _STYLES[group.level], *lines)
    # One thing that is not known, such as a pipeline's definition, leaves many rules open.
    for places, several in open_ones.items():
        ids = ", ".join(group.rule.id for group in several[:_MOST_NOTES])
        more = f" and {len(several) - _MOST_NOTES} more" if len(several) > _MOST_NOTES else ""
        yield _Item("cannot tell", _STYLES[Level.LOOK], places, Text(ids + more, style="dim"))


def _places(group: RuleGroup) -> str:
    found = list(dict.fromkeys(short(one.address) for one in group.findings))
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _checkov(review: Review) -> Iterator[RenderableType]:
    if review.builtin is None:
        return
    yield _title("checkov's checks")
    for one in review.builtin.failed:
        yield _Item("stop", _STYLES[Level.STOP], Text(short(one.address), "bold"), f"{one.check} {short(one.name)}")


def _budgets(review: Review) -> Iterator[RenderableType]:
    if review.budgets:
        yield _title("Budgets")
    styles = {"over": "bold red", "unknown": "yellow", "within": "green", "nothing": "dim"}
    for one in review.budgets:
        yield _Item("-", "", Text(f"{short(one.budget)}, {one.what}: {content.budget_text(one)}", styles[one.held]))


def _footprint(review: Review) -> Iterator[RenderableType]:
    rows = content.rows(review)
    if not rows:
        return
    yield _title("Carbon and cost a month: now → after, change (low to high)")
    for row in rows[:_MOST_ROWS]:
        yield _Item("-", "", *_lines(row))
    yield from _more(len(rows) - _MOST_ROWS)


def _lines(row: Row) -> Iterator[Text]:
    yield Text.assemble((short(row.address), "bold"), (f"  {row.count}" if row.count else "", "dim"))
    for unit, (before, after, delta) in (("kgCO2e", row.kg), ("USD", row.usd)):
        figures = f"{content.central(before)} → {content.central(after)} {unit}"
        grade = f", class {row.grade}" if row.grade and unit != "USD" else ""
        yield Text(f"{figures}, {spread(delta, change=True)}{grade}")


def _alternatives(review: Review) -> Iterator[RenderableType]:
    if not review.alternatives:
        return
    yield _title("Alternatives, by what they save a month")
    for one in review.alternatives[:_MOST_ALTERNATIVES]:
        saved = Text(f"saves {spread(one.saved_kg)} kgCO2e, {spread(one.saved_usd)} USD", "green")
        where = Text(short(one.address or one.part), "dim")
        yield _Item("-", "", short(one.title), saved, where, Text(short(one.costs), "dim"))
    yield from _more(len(review.alternatives) - _MOST_ALTERNATIVES)
