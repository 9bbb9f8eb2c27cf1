"""Remove an unprotected environment and everything in it: data, models, keys.

Apps and spaces of Studio domains, and model packages, are deleted first: SageMaker deletes no domain and no group
that holds one. The command waits for them, at most 20 minutes for each step. For an environment with
deletion_protection, it deletes nothing and prints the commands that turn it off. The state bucket stays.

A late line of a job or an endpoint can create a log group of the state again; the command deletes such groups too. A
shared log group stays if a job of somebody else writes to it. The credentials, with `assume_role_arn` of the settings,
must belong to the environment's account.

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
    environment: Annotated[
        Path, typer.Argument(help="Folder of the environment, after terraform init.", metavar="ENVIRONMENT")
    ],
    late_logs: Annotated[
        int,
        typer.Option(
            "--late-logs",
            min=0,
            metavar="SECONDS",
            help="Seconds to wait for late lines of jobs and endpoints, whose log groups are deleted. 0: do not wait.",
        ),
    ] = 30,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
) -> None:
    """Remove the environment."""
    from sustainable_mlops.errors import UserError
    from sustainable_mlops.operations import teardown

    if not (environment / "main.tf").is_file():
        raise UserError(f"{environment}: has no main.tf; pass the folder of an environment, such as envs/dev")
    terraform = teardown.make_terraform(environment)
    everything = f"everything in {environment}, data and models included"
    with cli.console.status(f"looking at {environment}"):
        teardown.refuse_protected(terraform)
    if not yes and not (sys.stdin and sys.stdin.isatty()):
        raise UserError(f"teardown: there is no terminal for the confirmation; --yes deletes {everything}")
    if not yes:
        typer.confirm(f"Delete {everything}?", abort=True)
    with cli.console.status(f"destroying {environment}") as status:
        count = teardown.destroy(
            terraform, lambda text: status.update(f"destroying: {text}"), late_seconds=late_logs, say=cli.say
        )
    cli.console.print(f"{count} resources destroyed")
    if commands := teardown.describe_state_bucket(terraform):
        print(commands, file=sys.stderr)  # unwrapped lines, ready to paste
