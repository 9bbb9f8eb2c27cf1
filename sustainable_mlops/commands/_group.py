"""Sub-commands, discovered by their files and by entry points, and imported on use.

Commands that need a clone are outside the library. `pyproject.toml` declares them as entry points, so that an
installed package knows their names and says that they need a clone.
"""

import ast
from collections.abc import Iterator, Sequence
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from sustainable_mlops import __version__
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.program import report_usage_errors

#: Entry points of the commands that need a clone: the module of each command by its name.
CLONE_COMMANDS = "smlops.clone_commands"


def _list_modules() -> Iterator[tuple[str, str]]:
    """Yield the name of each command with the name of its module."""
    for file in Path(__file__).parent.glob("[!_]*.py"):
        yield file.stem.replace("_", "-"), f"{__package__}.{file.stem}"
    try:
        entry_points = metadata.distribution("sustainable-mlops").entry_points
    except metadata.PackageNotFoundError:  # the package is not installed
        return
    for entry_point in entry_points.select(group=CLONE_COMMANDS):
        yield entry_point.name, entry_point.value


#: Module of each command.
MODULES = dict(sorted(_list_modules()))


def run(arguments: Sequence[str]) -> None:
    """Run a sub-command, or `smlops` without one, and end the process.

    A sub-command starts without the group, whose options for completion take a third of a second to read.
    """
    name = next(iter(arguments), "")
    if name in MODULES:
        report_usage_errors(load_command(name))(arguments[1:], prog_name=f"smlops {name}")
    report_usage_errors(get_command(app))(arguments, prog_name="smlops")


def load_command(name: str) -> Any:
    """Import the module of a command and return the command. Raises UserError if the command needs a clone."""
    try:
        return get_command(import_module(MODULES[name]).app)
    except ModuleNotFoundError as error:
        if error.name != MODULES[name].partition(".")[0]:
            raise
        raise UserError(
            f"{name}: needs a clone of the repository: clone it, run make setup there, and run the command in the clone"
        ) from None


def find_file(name: str) -> Path | None:
    """Return the source file of a command, or None if it needs a clone and there is none."""
    try:
        spec = find_spec(MODULES[name])
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


class _LazyGroup(TyperGroup):
    """Group that lists its sub-commands by the first lines of their files, and imports only the selected one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name in MODULES:
            if file := find_file(name):
                text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
                self.add_command(TyperCommand(name, help=text.partition("\n")[0]))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name is not None else command, rest


def _print_version(requested: bool) -> None:
    if requested:
        print(__version__)
        raise typer.Exit


app = typer.Typer(cls=_LazyGroup, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)


@app.callback(
    help="""Sustainable MLOps on Amazon SageMaker: review Terraform plans, train and serve models, and emulate AWS.

    - `smlops review plan.json`: effects of a Terraform plan on data, privileges, carbon and cost
    - `smlops advise --region eu-north-1 --requests-per-day 5000`: the best kind of endpoint for a load
    - `smlops train job.yaml --dry-run`: expected carbon, cost and duration of a training job
    - `smlops sandbox start`: an emulation of AWS on your computer, without an account
    """
)
def _smlops(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
