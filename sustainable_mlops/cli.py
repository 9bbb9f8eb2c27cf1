"""What every command shares: how it ends, and how it speaks."""

import sys
from collections.abc import Callable

import typer
from rich.console import Console

from sustainable_mlops.errors import UserError

#: Progress and messages go to stderr, so that stdout stays clean for `--json` and pipes.
console = Console(stderr=True)


def app(name: str, help_text: str) -> typer.Typer:
    """A typer application with the project's settings; `help_text` should teach by example."""
    return typer.Typer(
        name=name,
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )


def run(command: Callable[[], object]) -> None:
    """Run a command; a `UserError` becomes one line on stderr, its remedy below it, and exit code 2; Ctrl-C 130."""
    try:
        command()
    except UserError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        if error.remedy:  # joined: none runs after one that failed, and none answers the question of the one before
            print(" &&\n".join(error.remedy), file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
