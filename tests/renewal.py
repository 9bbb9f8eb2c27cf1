"""Files that a command writes anew: a failing test asks for it, and a failing run ends in one list of the commands."""

import re
from collections.abc import Iterable

import pytest

#: As pytest shows a line of a failed assertion, and no line of the test's source.
_COMMAND = re.compile(r"^E\s.*\brenew: (?P<command>.+)$", re.MULTILINE)


def renew(command: str) -> str:
    """What a failed assertion says where `command`, in a clone, writes a file as the test found it."""
    return f"renew: {command}"


def find_commands(reports: Iterable[str]) -> list[str]:
    """The commands that failures ask for, each once."""
    return sorted({match["command"].strip() for text in reports for match in _COMMAND.finditer(text)})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the commands that a failing run asks for."""
    failures = [*terminalreporter.stats.get("failed", []), *terminalreporter.stats.get("error", [])]
    if commands := find_commands(report.longreprtext for report in failures):
        terminalreporter.section("files to renew, where the change is meant")
        for command in commands:
            terminalreporter.line(command)
