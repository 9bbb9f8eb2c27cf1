"""Commands that update stale files: a failing test names one, and a failing run ends with a list of them."""

import re
from collections.abc import Iterable

import pytest

#: Pattern of a line of a failed assertion in pytest's output, and of no line of a test's source.
_COMMAND = re.compile(r"^E\s.*\bupdate: (?P<command>.+)$", re.MULTILINE)


def suggest_update(command: str) -> str:
    """Return the message of an assertion about a stale file that `command` updates."""
    return f"update: {command}"


def find_commands(reports: Iterable[str]) -> list[str]:
    """Return the commands that failures name, each once."""
    return sorted({match["command"].strip() for text in reports for match in _COMMAND.finditer(text)})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the commands that the failures name."""
    failures = [*terminalreporter.stats.get("failed", []), *terminalreporter.stats.get("error", [])]
    if commands := find_commands(report.longreprtext for report in failures):
        terminalreporter.section("commands that update files, if the change is intended")
        for command in commands:
            terminalreporter.line(command)
