"""Sub-commands, discovered by their files and imported on use."""

import ast
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from sustainable_mlops import __version__

_FILES = {file.stem.replace("_", "-"): file for file in sorted(Path(__file__).parent.glob("[!_]*.py"))}


def run(arguments: Sequence[str]) -> None:
    """Run a sub-command, or what `smlops` does by itself; ends the process.

    A sub-command starts without the group, whose options, for completion, cost a third of a second to read.
    """
    name = next(iter(arguments), "")
    if name in _FILES:
        _load(name)(arguments[1:], prog_name=f"smlops {name}")
    app(arguments, prog_name="smlops")


def _load(name: str) -> Any:
    """The command of a file, its help naming commands as they can be typed."""
    command = get_command(import_module(f"{__package__}.{_FILES[name].stem}").app)
    for one in (command, *getattr(command, "commands", {}).values()):
        one.help = one.help or ""
    return command


class _Lazy(TyperGroup):
    """Lists its sub-commands by the first lines of their files, and imports the one that is called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, file in _FILES.items():
            text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            self.add_command(TyperCommand(name, help=text.partition("\n")[0]))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name is not None else command, rest


def _tell_version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


app = typer.Typer(cls=_Lazy, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)


@app.callback(
    help="""Sustainable MLOps on Amazon SageMaker: review plans, train, register, advise; and AWS on this machine.

    - `smlops review plan.json`: what a Terraform plan does to data, privileges, carbon and cost
    - `smlops advise --region eu-north-1 --requests-per-day 5000`: how to serve a model
    - `smlops train job.yaml --dry-run`: what a training would take
    - `smlops demo`: the whole idea on this machine, without an account; needs a clone of the repository

    In a clone each is a script, too: `smlops train` is `smlops train`.
    """
)
def _smlops(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
