"""Remove an unprotected environment and everything in it: data, models, keys.

The command plans the destruction first, and deletes nothing if the plan fails. Then it deletes the SQS queues, because
some versions of the AWS provider wait two minutes for them. It also deletes the apps and spaces of Studio domains, and
the model packages: SageMaker refuses to delete a domain with apps or spaces, or a group with packages. It waits at most
20 minutes for the apps and 20 minutes for the spaces of each domain, and 40 minutes for tracking servers. If
deletion_protection is on, the command deletes nothing, and prints the commands that turn the protection off. The state
bucket stays.

Jobs and endpoints can write log lines after the deletion of their log groups. Such a line creates the log group again;
the command deletes it again. A shared log group stays if it contains logs of a job of another environment. The
credentials, with `assume_role_arn` of the settings, must belong to the environment's account.

- `smlops teardown envs/dev`
- `smlops sandbox exec -- smlops teardown envs/dev --yes`
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops.base import cli

app = cli.create_app()


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
            help="Seconds to wait for log lines that jobs and endpoints write after the deletion of their log groups. "
            "0: do not wait.",
        ),
    ] = 30,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
) -> None:
    """Remove the environment."""
    from sustainable_mlops.account import applied_environment, teardown
    from sustainable_mlops.base.errors import UserError

    if not (environment / "main.tf").is_file():
        raise UserError(f"{environment}: has no main.tf; pass the folder of an environment, such as envs/dev")
    terraform = applied_environment.make_terraform(environment)
    everything = f"everything in {environment}, data and models included"
    with cli.console.status(f"looking at {environment}"):
        teardown.check_unprotected(terraform, terraform.read_state())
    if not yes and not (sys.stdin and sys.stdin.isatty()):
        raise UserError(f"teardown: there is no terminal for the confirmation; pass --yes to delete {everything}")
    if not yes and not cli.confirm(f"Delete {everything}?"):
        raise typer.Exit(1)
    with cli.console.status(f"destroying {environment}") as status:
        count = teardown.destroy(
            terraform, lambda text: status.update(f"destroying: {text}"), late_seconds=late_logs, report_line=cli.say
        )
    cli.console.print(f"{count} resources destroyed")
    if commands := teardown.describe_state_bucket(terraform):
        print(commands, file=sys.stderr)  # unwrapped lines, ready to paste
