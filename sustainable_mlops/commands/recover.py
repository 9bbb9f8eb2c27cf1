"""Complete an apply that was interrupted: a killed Terraform, a lost connection, or expired credentials.

An interrupted apply can leave the state locked, the state in the file `errored.tfstate`, and resources that are not in
the state. The command does the following in order, and stops at the first problem:

- It removes the lock with the ID of `--unlock`. Without this option, it prints the owner and the ID of a lock.
- It pushes the state in `errored.tfstate` to the backend.
- It applies. Resources that exist already are imported into the state, if they have the tags of the environment.
- It deletes models and endpoint configurations of the environment that are neither in the state nor in use. They have
  generated names and hold no data.
- It names KMS keys, security groups, VPC endpoints and Studio domains of the environment that are not in the state.

It never deletes data. The credentials, with `assume_role_arn` of the settings, must belong to the environment's
account. They need the permissions of an apply, `tag:GetResources`, and the right to list endpoints and their
configurations.

Exit codes: 0 complete, 2 locked, failed or invalid input.

- `smlops recover envs/dev`
- `smlops recover envs/dev --unlock 1b2f1e4a-7b0c-4a55-9c3f-0a7a5c0c2d11 --yes`
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops import cli

app = cli.app()


@app.command(help=__doc__)
def recover(
    environment: Annotated[
        Path, typer.Argument(help="Folder of the environment, after terraform init.", metavar="ENVIRONMENT")
    ],
    unlock: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Remove this lock. Use it only if the run that holds the lock has ended."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
) -> None:
    """Complete an interrupted apply."""
    from sustainable_mlops.errors import UserError
    from sustainable_mlops.operations import recovery, teardown

    if not any(environment.glob("*.tf")) and not any(environment.glob("*.tf.json")):
        raise UserError(f"{environment}: has no *.tf file; pass the folder of an environment, such as envs/dev")
    if not yes and not (sys.stdin and sys.stdin.isatty()):
        raise UserError(f"recover: there is no terminal for the confirmation; --yes applies {environment}")
    if not yes:
        typer.confirm(f"Apply {environment}, and import resources of the interrupted apply into its state?", abort=True)
    terraform = teardown.make_terraform(environment)
    account = recovery.find_environment_account(terraform)
    with cli.console.status(f"recovering {environment}"):
        result = recovery.recover(terraform, account, unlock, cli.say)
    for arn in result.unlisted:
        cli.say(
            f"{arn} has the tags of the environment and is not in its state; import it, or delete it if nothing uses it"
        )
    cli.say(
        f"{environment}: complete; {len(result.imported)} resources imported, {len(result.deleted)} unused models and "
        "configurations deleted"
    )
