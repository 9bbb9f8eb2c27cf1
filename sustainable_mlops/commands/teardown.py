"""Take an unprotected environment down, with everything in it: data, models, keys.

Model packages, which launchers registered, go first: SageMaker deletes no group that holds one. With
deletion_protection Terraform refuses, and nothing is deleted.

- `smlops teardown envs/dev`
- `smlops sandbox exec -- smlops teardown envs/dev --yes`
"""

from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops import cli

app = cli.app()


@app.command(help=__doc__)
def teardown(
    environment: Annotated[Path, typer.Argument(help="The environment's folder, initialised.", metavar="ENVIRONMENT")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take it down."""
    from sustainable_mlops.errors import UserError
    from sustainable_mlops.operations import teardown
    from sustainable_mlops.terraform import Terraform

    if not (environment / "main.tf").is_file():
        raise UserError(f"{environment}: has no main.tf; name an environment's folder, such as envs/dev")
    if not yes:
        typer.confirm(f"Delete everything in {environment}, data and models included?", abort=True)
    with cli.console.status(f"destroying {environment}") as status:
        count = teardown.destroy(Terraform(environment), lambda text: status.update(f"destroying: {text}"))
    cli.console.print(f"{count} resources destroyed")
