"""Review Terraform plans: data at risk, privileges widened, policies, carbon and cost, budgets."""

import typer

from sustainable_mlops import cli

app = cli.app()


@app.command(
    help=__doc__, add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
def review(context: typer.Context) -> None:
    """Hand the arguments on: the reviewer reads its own."""
    from sustainable_mlops.review.command import start

    start(context.args)
