"""Early end of a command that launches something: the state of the launch, and the command that continues."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.program import format_own_command, get_exit_code

#: Options that the continuing command leaves out, because they would start again or stop waiting.
_OMITTED_OPTIONS = ("--force", "--no-wait")


@dataclass
class LaunchState:
    """State of the launch of a command, updated as the command proceeds."""

    #: Describes the launched job or resource; None while nothing has been launched.
    state: Callable[[], str] | None
    #: The command that continues.
    command: str

    def update(self, state: Callable[[], str], command: str | None = None) -> None:
        """Set the description and the command that continues; the default is the same command."""
        self.state, self.command = state, command or format_own_command(*_OMITTED_OPTIONS)

    @property
    def description(self) -> str:
        """Description of the launch in words."""
        return "this command has launched nothing" if self.state is None else self.state()


@contextmanager
def report_early_end() -> Iterator[LaunchState]:
    """Print the state and the continuing command if Ctrl-C, a signal or an error ends the command early.

    Errors in the input pass unchanged, because the same command is no remedy.
    """
    launch_state = LaunchState(None, format_own_command())
    try:
        yield launch_state
    except UserError as error:
        from sustainable_mlops.aws import AwsError

        if launch_state.state is None and not isinstance(error, AwsError):
            raise
        raise UserError(f"{error}; {launch_state.description}; to continue:", launch_state.command) from None
    except KeyboardInterrupt as end:
        print(f"\nInterrupted: {launch_state.description}. To continue: {launch_state.command}", file=sys.stderr)
        raise typer.Exit(get_exit_code(end)) from None
