"""The exit of a command: one line for each kind of error, and the exit code that belongs to it.

Standard library only, so that Ctrl-C ends a command in one line even while typer is being imported.
"""

import io
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import DISK_FULL

if TYPE_CHECKING:
    from rich.console import Console

#: Parts of typer's messages about values, and their replacements.
_REQUIREMENTS = {
    "Input should be": "must be",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "more than",
}
#: Signals that end a command as Ctrl-C does: the end of a CI job, and the end of a terminal's session.
_END_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
#: Seconds in which another signal has no effect. A shell and the kernel both send SIGHUP if a session ends.
_REPETITION_SECONDS = 5.0
#: Maximum columns of a table in a pipe, a file or a log, unless the variable COLUMNS sets another width.
PLAIN_WIDTH = 120


class Termination(KeyboardInterrupt):
    """SIGTERM or SIGHUP, which ends a command as Ctrl-C does."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def get_exit_code(end: KeyboardInterrupt) -> int:
    """Return the exit code of a shell: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
    return 128 + (end.number if isinstance(end, Termination) else signal.SIGINT)


def create_console(*, stderr: bool) -> "Console":
    """Return a console of the terminal's width.

    A pipe, a file or a log gets tables of at most `PLAIN_WIDTH` columns. Other lines are not wrapped there, so that
    they can be searched and copied.
    """
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False)
    if console.is_terminal:
        return console
    width = None if "COLUMNS" in os.environ else PLAIN_WIDTH
    return Console(stderr=stderr, highlight=False, width=width, soft_wrap=True)


def format_own_command(*omitted_options: str) -> str:
    """Return the command line of this process, without the omitted options, ready to paste into a shell."""
    return shlex.join(["smlops", *(word for word in sys.argv[1:] if word not in omitted_options)])


def run(command: Callable[[], object]) -> None:
    """Run a command and exit with its code.

    A `UserError` becomes one line on stderr, with its remedy below, and exit code 2. Ctrl-C ends with 130, SIGTERM with
    143, SIGHUP with 129, and a closed pipe with 141, as in a shell.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # not every locale can write the bullets of the help
    try:
        try:
            with _raise_on_signals():
                command()
        finally:
            if sys.stdout:
                sys.stdout.flush()
    except UserError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        if error.remedy:  # joined by &&, so that a pasted command runs only after the one before succeeded
            print(" &&\n".join(error.remedy), file=sys.stderr)
        raise SystemExit(2) from None
    except (KeyboardInterrupt, OSError, SystemExit) as end:
        cause = _find_root_cause(end)
        if isinstance(cause, BrokenPipeError):
            close_stdout()
            raise SystemExit(141) from None
        if isinstance(cause, KeyboardInterrupt):
            with suppress(OSError):  # the terminal is closed
                print("interrupted", file=sys.stderr)
            raise SystemExit(get_exit_code(cause)) from None
        if isinstance(cause, OSError) and cause.errno in DISK_FULL:
            close_stdout()
            print(
                f"error: {cause.filename or 'the output'} cannot be written: {cause.strerror}; free some space",
                file=sys.stderr,
            )
            raise SystemExit(2) from None
        raise


@contextmanager
def _raise_on_signals() -> Iterator[None]:
    """Raise Termination for SIGTERM and SIGHUP inside the block, so that it cleans up as after Ctrl-C.

    A signal that is ignored stays so, as under `nohup`. Outside of the main thread, Python allows no handlers.
    """
    last_moment = -_REPETITION_SECONDS

    def end(number: int, _: object) -> None:
        nonlocal last_moment
        if time.monotonic() - last_moment >= _REPETITION_SECONDS:
            last_moment = time.monotonic()
            raise Termination(number)

    handled = []
    try:
        with suppress(ValueError):  # not the main thread
            for number in _END_SIGNALS:
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, end)
                    handled.append(number)
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


def report_usage_errors(command: Any) -> Any:
    """Return the typer command, which now raises UserError for a wrong option, argument or sub-command."""
    for name in ("make_context", "invoke"):
        setattr(command, name, _translate_usage_errors(getattr(command, name)))
    return command


def _translate_usage_errors(method: Callable[..., Any]) -> Callable[..., Any]:
    from typer import BadParameter

    usage_error: Any = BadParameter.__base__  # typer exports only this subclass of UsageError

    def translate(*arguments: Any, **options: Any) -> Any:
        try:
            return method(*arguments, **options)
        except usage_error as error:
            if type(error).__name__ == "NoArgsIsHelpError":  # the help is printed
                raise
            raise UserError(_describe_usage_error(error)) from None

    return translate


def _describe_usage_error(error: Any) -> str:
    """Return one line with the option, its value, the requirement and the command that explains it."""
    context = error.ctx
    remedy = f"; see `{context.command_path} --help`" if context else ""
    problem: str = error.format_message().rstrip(".")
    if match := re.match(r"Invalid value for '([^']+)': (.*)", problem, re.DOTALL):
        option, requirement = match[1].split(" / ")[0], match[2].partition(", unable to parse")[0]
        for theirs, ours in _REQUIREMENTS.items():
            requirement = requirement.replace(theirs, ours)
        problem = f"{option}: {requirement}{_quote_value(option)}"
    return problem + remedy


def _quote_value(option: str) -> str:
    """Return the value of an option in the arguments of this process, as the end of a message."""
    for word, following in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name == option:
            return f", not {value if equals else following!r}"
    return ""


def _find_root_cause(error: BaseException) -> BaseException:
    """Return the first exception of the chain: typer and rich turn Ctrl-C and a closed pipe into exit codes."""
    while cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        error = cause
    return error


def close_stdout() -> None:
    """Discard the buffer of stdout, about which Python would complain again at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
