"""How a command that launches something ends before it is done: with what is true then, and the command to go on."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from sustainable_mlops.errors import UserError
from sustainable_mlops.program import format_own_command

#: Options with which the same command would not go on with what it has begun.
_ANEW = ("--force", "--no-wait")


@dataclass
class SoFar:
    """What a command has come to; it says so as it goes on."""

    #: Tells what is true of what was launched; None before anything may be.
    state: Callable[[], str] | None
    #: The command that goes on.
    command: str

    def begin(self, state: Callable[[], str], command: str | None = None) -> None:
        """From now on this is true, and this goes on: the same command, unless given."""
        self.state, self.command = state, command or format_own_command(*_ANEW)

    @property
    def told(self) -> str:
        """What is true, in words."""
        return "this command has launched nothing" if self.state is None else self.state()


@contextmanager
def ended_early() -> Iterator[SoFar]:
    """Tell the state and the command to go on where Ctrl-C or an error ends a command early.

    Bad input, for which the same command is no remedy, passes as it is.
    """
    so_far = SoFar(None, format_own_command())
    try:
        yield so_far
    except UserError as error:
        from sustainable_mlops.aws import AwsError

        if so_far.state is None and not isinstance(error, AwsError):
            raise
        raise UserError(f"{error}; {so_far.told}; to go on:", so_far.command) from None
    except KeyboardInterrupt:
        print(f"\nInterrupted: {so_far.told}. To go on: {so_far.command}", file=sys.stderr)
        raise typer.Exit(130) from None
