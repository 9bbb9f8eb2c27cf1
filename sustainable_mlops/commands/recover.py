"""Complete an apply that was interrupted: a killed Terraform, a lost connection, or expired credentials.

An interrupted apply can leave the state locked, the state in the file `errored.tfstate`, and resources that are not in
the state. The command does the following in order, and stops at the first problem:

- It removes the lock with the ID of `--unlock`. Without this option, it prints the owner and the ID of a lock.
- It pushes the state in `errored.tfstate` to the backend.
- It untaints partly created resources that may hold data (`terraform untaint`), so that no apply replaces them.
- It plans, checks the plan, and applies this plan. Resources that exist already are imported into the state, if they
  belong to the environment and the plan does not replace them. Else it prints the command that imports the resource.
  The tags of the environment prove it: tags of the resource, of the key of an alias, of the role of a role policy, or
  of the group of a schedule. A role or a group in the state, an alias whose key stays, and an empty bucket without tags
  and versions pass too.
- The plan may delete the remains of the interrupted apply: old models and endpoint configurations, and partly created
  resources without data. If it deletes any other resource, the command stops and prints its address. `--allow-deletes`
  allows these deletions.
- It deletes models and endpoint configurations with generated names that are neither in the state nor in use. They have
  the tags of the environment, and hold no data.
- It lists KMS keys, security groups, VPC endpoints and Studio domains of the environment that are not in the state.

Without `--allow-deletes`, `smlops recover` deletes no data. The credentials, with `assume_role_arn` of the settings,
must belong to the environment's account. They need the permissions of an apply, `tag:GetResources`, and permissions to
list and describe endpoints, their configurations, transform jobs and inference components.

Exit codes: 0 complete, 2 locked, failed or invalid input.

- `smlops recover envs/dev`
- `smlops recover envs/dev --unlock 1b2f1e4a-7b0c-4a55-9c3f-0a7a5c0c2d11 --yes`
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops.base import cli

app = cli.create_app()


@app.command(help=__doc__)
def recover(
    environment: Annotated[
        Path, typer.Argument(help="Folder of the environment, after terraform init.", metavar="ENVIRONMENT")
    ],
    unlock: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Remove this lock. Use it only if the run that holds the lock has ended."),
    ] = None,
    allow_deletes: Annotated[
        bool,
        typer.Option(
            "--allow-deletes",
            help="Also apply deletions of other resources, such as a bucket that is no longer in the configuration.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
) -> None:
    """Complete an interrupted apply."""
    from sustainable_mlops.account import applied_environment
    from sustainable_mlops.account.recovery import recovery
    from sustainable_mlops.base.errors import UserError

    if not any(environment.glob("*.tf")) and not any(environment.glob("*.tf.json")):
        raise UserError(f"{environment}: has no *.tf file; pass the folder of an environment, such as envs/dev")
    if not yes and not (sys.stdin and sys.stdin.isatty()):
        raise UserError(f"recover: there is no terminal for the confirmation; pass --yes to apply {environment}")
    question = f"Apply {environment}, and import resources of the interrupted apply into its state?"
    if not yes and not cli.confirm(question):
        raise typer.Exit(1)
    terraform = applied_environment.make_terraform(environment)
    account = applied_environment.find_environment_account(terraform)
    with cli.console.status(f"recovering {environment}"):
        result = recovery.recover(terraform, account, unlock, cli.say, allow_deletes=allow_deletes)
    for arn in result.unlisted:
        cli.say(
            f"{arn} has the tags of the environment and is not in its state; import it, or delete it if nothing uses it"
        )
    cli.say(
        f"{environment}: complete; {len(result.imported)} resources imported, {len(result.deleted)} unused models and "
        "configurations deleted"
    )
