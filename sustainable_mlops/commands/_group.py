"""The sub-commands, found by their files and imported when they are called."""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from sustainable_mlops.program import typed

_FOLDER = Path(__file__).parent


class _Lazy(TyperGroup):
    """Lists its sub-commands by the first lines of their files, and imports the one that is called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for file in sorted(_FOLDER.glob("[!_]*.py")):
            name = file.stem.replace("_", "-")
            self.add_command(TyperCommand(name, help=_summary(file)))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None:
            module = import_module(f"{__package__}.{name.replace('-', '_')}")
            command = get_command(module.app)
            for one in (command, *getattr(command, "commands", {}).values()):
                one.help = typed(one.help or "")
        return name, command, rest


def _summary(file: Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


app = typer.Typer(cls=_Lazy, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)


@app.callback(
    help=typed("""Sustainable MLOps on Amazon SageMaker: review plans, train, register, advise; and AWS on this machine.

    - `smlops review plan.json`: what a Terraform plan does to data, privileges, carbon and cost
    - `smlops advise --region eu-north-1 --requests-per-day 5000`: how to serve a model
    - `smlops train job.yaml --dry-run`: what a training would take
    - `smlops demo`: the whole idea on this machine, without an account; needs a clone of the repository

    In a clone each is a script, too: `scripts/train.py` is `smlops train`.
    """)
)
def _smlops() -> None:
    pass
