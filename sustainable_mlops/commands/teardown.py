"""Take an unprotected environment down, with everything in it: data, models, keys.

Model packages, which launchers registered, go first: SageMaker deletes no group that holds one. Of an environment with
deletion_protection nothing is deleted, and the commands that turn it off are printed. The bucket of the state stays.
Log groups of the environment's state that a late line of a job or an endpoint creates again are deleted, too. A group
that the account's jobs share stays where a job of somebody else writes to it. The credentials, with `assume_role_arn`
of the settings where there is one, must be of the environment's account.

- `smlops teardown envs/dev`
- `smlops sandbox exec -- smlops teardown envs/dev --yes`
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops import cli

app = cli.app()


@app.command(help=__doc__)
def teardown(
    environment: Annotated[Path, typer.Argument(help="The environment's folder, initialised.", metavar="ENVIRONMENT")],
    late_logs: Annotated[
        int,
        typer.Option(
            "--late-logs",
            min=0,
            metavar="SECONDS",
            help="How long to wait for late lines of jobs and endpoints, and delete the log groups of the state that "
            "these create again. 0: do not look.",
        ),
    ] = 30,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take it down."""
    from sustainable_mlops.errors import UserError
    from sustainable_mlops.operations import teardown

    if not (environment / "main.tf").is_file():
        raise UserError(f"{environment}: has no main.tf; name an environment's folder, such as envs/dev")
    terraform = teardown.environment(environment)
    everything = f"everything in {environment}, data and models included"
    with cli.console.status(f"looking at {environment}"):
        teardown.refuse_protected(terraform)
    if not yes and not (sys.stdin and sys.stdin.isatty()):
        raise UserError(f"teardown: there is no terminal to ask on; --yes deletes {everything}")
    if not yes:
        typer.confirm(f"Delete {everything}?", abort=True)
    with cli.console.status(f"destroying {environment}") as status:
        count = teardown.destroy(
            terraform, lambda text: status.update(f"destroying: {text}"), late_seconds=late_logs, say=cli.say
        )
    cli.console.print(f"{count} resources destroyed")
    if left := teardown.state_left(terraform):
        print(left, file=sys.stderr)  # whole lines, to be pasted
