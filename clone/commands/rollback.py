"""Roll an environment back to its previous model package.

The command writes the previous package into `models.auto.tfvars.json` of the environment, and prints the next commands:
plan, review, pull request. Nothing else in the file changes, and nothing changes in AWS.

The previous package comes from the git history of that file: the newest commit with another package of the model. A
second rollback therefore returns to the newer package. Use `--package` to go further back. A shallow clone may
lack the commit.

The command checks the gate of `smlops promote`, without the conditions on the age and on digests. If the
previous package has a worse metric, decide with `--accept-metric NAME`. To roll back a version of a pipeline instead,
use `smlops pipeline rollback`.

Exit codes: 0 written or nothing to change, 2 refused or invalid input.

Examples:

* `smlops rollback flight_delay --environment staging --dry-run`: check the gate and print the change
* `smlops rollback flight_delay --environment staging --accept-metric test:auc`
* `smlops rollback flight_delay --environment staging --package $PACKAGE`: return to a certain version
"""

from typing import Annotated

import typer

from clone.commands import _promotion
from sustainable_mlops.base import cli

app = cli.create_app()


@app.command(help=__doc__)
def rollback(
    model: Annotated[str, typer.Argument(help="A model of the environment.")],
    environment: Annotated[str, typer.Option(help="Environment that returns to its previous package.")],
    package: Annotated[
        str | None, typer.Option(help="ARN of the model package.", show_default="the previous one")
    ] = None,
    accept_metric: _promotion.AcceptMetric = None,
    dry_run: _promotion.DryRun = False,
    as_json: cli.AsJson = False,
) -> None:
    """Roll back a model package."""
    from clone.promotion import run

    with cli.console.status("Checking the package"):
        target = run.read_target(model, environment, "--environment")
        promotion = run.prepare_rollback(target, package, accept_metric or ())
    _promotion.complete_promotion(promotion, dry_run=dry_run, as_json=as_json)
