"""Terminal output of the list of practices, and of the answers for a plan."""

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops.practices.answers import AnswerStatus, QuestionAnswer
from sustainable_mlops.practices.practice import STATES, Practice

#: Parts that a row names; the page docs/practices.md and --json have all.
_MAX_PARTS = 2
_STATUS_WORDS = {
    AnswerStatus.SELECTED: "selected",
    AnswerStatus.UNSELECTED: "unselected",
    AnswerStatus.NOT_APPLICABLE: "not applicable",
    AnswerStatus.OPEN: "open",
}


def print_practices(practices: Iterable[Practice], out: Console) -> None:
    """Print the practices by section, and the number of practices in each state."""
    practices = list(practices)
    table = Table(box=None, pad_edge=False)
    table.add_column("no", justify="right")
    table.add_column("practice", overflow="fold", ratio=5)
    table.add_column("state", min_width=12)
    table.add_column("implemented by", overflow="fold", ratio=5)
    table.add_column("rules", justify="right")
    section = ""
    for practice in practices:
        if practice.section != section:
            section = practice.section
            table.add_row("", Text(section, "bold"))
        rule_count = str(len(practice.checked_by) or "")
        table.add_row(
            str(practice.row), Text(practice.title), practice.state, Text(_format_parts(practice)), rule_count
        )
    out.print(table)
    counts = Counter(practice.state for practice in practices)
    states = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    out.print(f"practices: {len(practices)}: {states}", markup=False)


def print_answers(answers: Iterable[QuestionAnswer], out: Console) -> None:
    """Print the answers by question, with the evidence, and the number of practices with each answer."""
    table = Table(box=None, pad_edge=False)
    table.add_column("no", justify="right")
    table.add_column("practice", overflow="fold", ratio=3)
    table.add_column("answer", min_width=14)
    table.add_column("evidence", overflow="fold", ratio=5)
    answers = list(answers)
    for answer in answers:
        table.add_row("", Text(answer.question.title, "bold"))
        for one in answer.practices:
            # Rules that do not apply are long lists, which do not help a reader.
            evidence = "" if one.status is AnswerStatus.NOT_APPLICABLE else one.format_notes()
            table.add_row(str(one.practice.row), Text(one.practice.title), _STATUS_WORDS[one.status], Text(evidence))
    out.print(table)
    out.print(format_counts(answers), markup=False)


def format_counts(answers: Iterable[QuestionAnswer]) -> str:
    """Return the number of practices with each answer."""
    counts = Counter(one.status for answer in answers for one in answer.practices)
    words = ", ".join(f"{counts[status]} {word}" for status, word in _STATUS_WORDS.items() if counts[status])
    return f"practices: {counts.total()}: {words}"


def _format_parts(practice: Practice) -> str:
    """Return the first parts that implement a practice, or the reason why none does."""
    parts = [str(part) for part in practice.implementations]
    if not parts:
        return practice.reason
    further = len(parts) - _MAX_PARTS
    return ", ".join(parts[:_MAX_PARTS]) + (f", {further} more" if further > 0 else "")
