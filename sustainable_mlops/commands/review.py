"""Review Terraform plans: data at risk, privileges widened, policies, carbon and cost, budgets."""

from argparse import Action
from inspect import Parameter, Signature
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from sustainable_mlops import cli

app = cli.app()


class _Passed(TyperCommand):
    """To a shell that completes it, with the options of the reviewer's own parser, which alone reads them."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _options() if ctx.resilient_parsing else super().get_params(ctx)


def _options() -> list[Any]:
    """What `parser` takes, as typer has it."""
    from sustainable_mlops.review.command import build_parser

    def named(**_: Any) -> None: ...

    options = [one for one in build_parser()._actions if one.option_strings]
    named.__signature__ = Signature(  # type: ignore[attr-defined]
        [_parameter(f"option_{number}", one) for number, one in enumerate(options)]
    )
    app = typer.Typer(add_completion=False)
    app.command(add_help_option=False)(named)
    return get_command(app).params


def _parameter(name: str, option: Action) -> Parameter:
    kind, default = (bool, False) if option.nargs == 0 else (list[str], [])
    told = " ".join((option.help or "").split())
    given = typer.Option(default, *option.option_strings, help=told)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=given, annotation=kind)


@app.command(
    cls=_Passed,
    help=__doc__,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def review(context: typer.Context) -> None:
    """Hand the arguments on: the reviewer reads its own."""
    from sustainable_mlops.review.command import run_review

    run_review(context.args)
