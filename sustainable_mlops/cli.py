"""What every command shares: how it speaks, and what it needs."""

import os
import re
from importlib import metadata
from typing import Annotated

import typer
from rich.console import Console

from sustainable_mlops.errors import UserError
from sustainable_mlops.program import typed
from sustainable_mlops.terraform import IN_CLONE

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]

#: Columns of a line that nothing wraps.
_WIDE = 100_000


def _console(*, stderr: bool) -> Console:
    """A console of the terminal's width; in a pipe, a file or a log, lines are as long as they are."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _WIDE
    return made


#: Progress and messages go to stderr, so that stdout stays clean for `--json` and pipes.
console = _console(stderr=True)


def stdout() -> Console:
    """The console of what was asked for."""
    return _console(stderr=False)


def app(help_text: str | None = None) -> typer.Typer:
    """A typer application with the project's settings; `help_text`, of one with sub-commands, teaches by example."""
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )


def say(text: str, style: str | None = None) -> None:
    """Tell a message on stderr; commands in it, as `smlops x`, are named as they can be typed."""
    console.print(typed(text), style=style)


def need(command: str, *extras: str, clone: bool = False) -> None:
    """Raise UserError where what `command` needs is not there: packages of these extras, a clone of the repository."""
    if clone and not IN_CLONE:
        raise UserError(f"{command}: needs a clone of the repository (and make setup there), not the package alone")
    missing = {extra: absent for extra in extras if (absent := _absent(extra))}
    if missing:
        packages = ", ".join(dict.fromkeys(name for names in missing.values() for name in names))
        raise UserError(f"{command}: needs {packages}: pip install 'sustainable-mlops[{','.join(missing)}]'")


def _absent(extra: str) -> list[str]:
    """The packages of an extra that are not installed."""
    try:
        required = metadata.requires("sustainable-mlops") or []
    except metadata.PackageNotFoundError:  # run from its source alone
        return []
    of_extra = re.compile(rf"([\w.-]+).*;.*\bextra == ['\"]{extra}['\"]")
    names = [found[1] for one in required if (found := of_extra.match(one))]
    return [name for name in names if not _installed(name)]


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
