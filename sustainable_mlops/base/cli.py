"""Helpers that every command shares: consoles, the typer application and the check for extras."""

import re
from importlib import metadata
from typing import Annotated

import typer
from rich.console import Console

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.program import create_console

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]

#: Progress and messages go to stderr, so that stdout stays clean for `--json` and pipes.
console = create_console(stderr=True)


def make_stdout_console() -> Console:
    """Return a console for results on stdout."""
    return create_console(stderr=False)


def create_app(help_text: str | None = None) -> typer.Typer:
    """Return a typer application with the project's settings; `help_text` is the help of one with sub-commands."""
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )


def say(text: str, style: str | None = None) -> None:
    """Print a message on stderr."""
    console.print(text, style=style)


def confirm(question: str) -> bool:
    """Ask a question on stderr, and return the answer. Ctrl-C and signals end the command as elsewhere."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort as abort:  # click hides the signal
        end = abort.__context__
        raise (end if isinstance(end, KeyboardInterrupt) else KeyboardInterrupt()) from None


def require(command: str, *extras: str) -> None:
    """Raise UserError if a package of the extras, which `command` needs, is missing."""
    missing = {extra: absent for extra in extras if (absent := _list_missing_packages(extra))}
    if missing:
        packages = ", ".join(dict.fromkeys(name for names in missing.values() for name in names))
        raise UserError(f"{command}: needs {packages}: pip install 'sustainable-mlops[{','.join(missing)}]'")


def _list_missing_packages(extra: str) -> list[str]:
    """Return the packages of an extra that are not installed."""
    try:
        requirements = metadata.requires("sustainable-mlops") or []
    except metadata.PackageNotFoundError:  # the package runs from its source alone
        return []
    pattern = re.compile(rf"([\w.-]+).*;.*\bextra == ['\"]{extra}['\"]")
    names = [match[1] for requirement in requirements if (match := pattern.match(requirement))]
    return [name for name in names if not _is_installed(name)]


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
