"""Promote an approved model package to an environment, or list the packages of all environments.

Without a model, the command prints a table of all models and environments. Each row shows the pinned package, its
status, metric, carbon of training and approval, and newer approved packages.

With a model, it checks a package and writes its ARN into `models.auto.tfvars.json` of the environment `--to`. Nothing
else in the file changes, and nothing changes in AWS. Then it prints the next commands: plan, review with `--only` for
the addresses of the model, and pull request. The package is the pinned one of `--from`, or the package of `--package`.
Without both, it is the newest approved package of the environment's own package group.

The gate has these conditions. If a condition is not met, the command writes nothing and exits with code 2:

- `endpoint`: the environment declares an endpoint of the model
- `region`: the package is in the Region of the environment, because SageMaker does not deploy packages of other Regions
- `registry`: the package is in the model's package group of the environment, or of an account in `promotion.registries`
- `package`: the package exists, and the environment's account may read it
- `approval`: the package is Approved; the line shows the reason, and the time and user of the last change
- `metrics`: the package has metrics, and none is worse than the same metric of the pinned package
  (`--accept-metric NAME` accepts a worse metric)
- `carbon`: the training emitted at most `promotion.max_training_kg_co2e`, if the settings have this limit
- `model`: the model in S3 is the registered one
- `digests`: the package records the digests of its source and its data, if `promotion.require_digests` is true
- `image`: each declared endpoint can run the image of its inference specification
- `age`: the package is not older than the pinned one; `smlops rollback` returns to an older one

With `--changed-since COMMIT`, the command prints the addresses that a pull request may change, one on each line, for
`smlops review --only`. Each line starts with its environment. If the pull request changes other files than
`models.auto.tfvars.json`, the output is empty. If no address may change, the output is the word `nothing`.

The credentials, with `assume_role_arn` of the settings, must belong to the account of `--to`. To promote a version of a
pipeline instead, use `smlops pipeline promote`.

Exit codes: 0 written or nothing to change, 2 refused or invalid input.

Examples:

* `smlops promote`: the packages of all environments
* `smlops promote --json | jq '.[] | select(.newer_approved != [])'`
* `smlops promote flight_delay --from dev --to staging --dry-run`: check the gate and print the change
* `smlops promote flight_delay --from dev --to staging`: promote the package that dev pins
* `smlops promote flight_delay --to staging`: promote the newest approved package that was registered in staging
* `smlops promote flight_delay --to staging --package $PACKAGE --accept-metric test:auc`
* `smlops promote --changed-since origin/main`: the addresses that the promotions of this branch may change
"""

import json
from typing import Annotated

import typer

from clone.commands import _promotion
from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError

app = cli.create_app()


@app.command(help=__doc__)
def promote(
    model: Annotated[str | None, typer.Argument(help="A model; without one, list all of them.")] = None,
    source: Annotated[str | None, typer.Option("--from", help="Environment whose pinned package is promoted.")] = None,
    target: Annotated[str | None, typer.Option("--to", help="Environment that receives the package.")] = None,
    package: Annotated[str | None, typer.Option(help="ARN of the model package, instead of --from.")] = None,
    accept_metric: _promotion.AcceptMetric = None,
    dry_run: _promotion.DryRun = False,
    changed_since: Annotated[
        str | None,
        typer.Option(help="Print the addresses that the promotions since this commit may change.", metavar="COMMIT"),
    ] = None,
    as_json: cli.AsJson = False,
) -> None:
    """Promote a model package."""
    from clone.promotion import run

    has_options = bool(source or target or package or accept_metric or dry_run)
    if changed_since is not None:
        if model is not None or has_options:
            raise UserError("--changed-since: pass it without a model and without other options")
        _print_scope(changed_since, as_json=as_json)
        return
    if model is None:
        if has_options:
            raise UserError("promote: pass a model, such as smlops promote flight_delay --from dev --to staging")
        _print_overview(as_json=as_json)
        return
    if target is None:
        raise UserError("--to: pass the environment that receives the package, such as --to staging")
    if source is not None and package is not None:
        raise UserError("--from, --package: pass only one of them")
    if source == target:
        raise UserError(f"--from: {source} is also the environment of --to; pass another environment")
    with cli.console.status("Checking the package"):
        accepting = run.read_target(model, target, "--to")
        pinning = run.read_target(model, source, "--from") if source is not None else None
        promotion = run.prepare_promotion(accepting, pinning, package, accept_metric or ())
    _promotion.complete_promotion(promotion, dry_run=dry_run, as_json=as_json)


def _print_overview(*, as_json: bool) -> None:
    from clone.promotion.display import print_overview
    from clone.promotion.overview import read_overview
    from clone.promotion.run import list_environments

    with cli.console.status("Reading the packages"):
        rows = read_overview(list_environments().values())
    if as_json:
        print(json.dumps([row.to_dict() for row in rows], indent=2))
    else:
        print_overview(rows, cli.make_stdout_console())


def _print_scope(base: str, *, as_json: bool) -> None:
    from clone.promotion.scope import find_scope

    scope = find_scope(base)
    if as_json:
        print(json.dumps(scope, indent=2))
    else:
        print("".join(f"{address}\n" for address in scope), end="")
