"""Review Terraform plans: data at risk, privileges, safeguards, rules, budgets, and carbon and cost."""

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from sustainable_mlops.base import cli

if TYPE_CHECKING:
    from sustainable_mlops.review.command import CommandOption

app = cli.create_app()


class _ForwardedCommand(TyperCommand):
    """A command that forwards its arguments; only shell completion sees the options of the reviewer."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _list_options() if ctx.resilient_parsing else super().get_params(ctx)


def _list_options() -> list[Any]:
    """Return the options of the reviewer in the form that typer completes."""
    from sustainable_mlops.review.command import OPTIONS

    def complete(**_: Any) -> None: ...

    complete.__signature__ = Signature(  # type: ignore[attr-defined]
        [_build_parameter(f"option_{number}", option) for number, option in enumerate(OPTIONS)]
    )
    app = typer.Typer(add_completion=False)
    app.command(add_help_option=False)(complete)
    return get_command(app).params


def _build_parameter(name: str, option: "CommandOption") -> Parameter:
    kind, default = (list[str], []) if option.takes_value else (bool, False)
    typer_option = typer.Option(default, *option.flags, help=" ".join(option.help.split()))
    return Parameter(name, Parameter.KEYWORD_ONLY, default=typer_option, annotation=kind)


@app.command(
    cls=_ForwardedCommand,
    help=__doc__,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def review(context: typer.Context) -> None:
    """Forward the arguments to the reviewer, which has a parser of its own."""
    from sustainable_mlops.review.command import run_review

    run_review(context.args)
