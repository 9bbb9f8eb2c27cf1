"""Register a trained model as a version of its model package group, pending approval unless --approve is given.

A run is registered once: doing it again prints the package there is. Prints the ARN of the package.

Examples:

* `smlops register out/runs/flight-delay-20261124-150300-1a2b3c.json`
* `smlops register flight-delay-20261124-150300-1a2b3c --approve --reason "AUC above last month's"`
* `smlops register s3://<artifacts>/runs/flight-delay/<run key>/record.json --group flight-delay --json`
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops import cli
from sustainable_mlops.errors import UserError

app = cli.app()


@app.command(help=__doc__)
def register(
    run: Annotated[str, typer.Argument(help="Record of the run: a file, an s3:// address or the job's name.")],
    group: Annotated[str | None, typer.Option(help="Model package group, if not the platform's.")] = None,
    metrics: Annotated[str | None, typer.Option(help="s3:// address of a model quality report.")] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Approve the model for deployment.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why it is approved; needed with --approve.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the bare ARN.")] = False,
    out: Annotated[Path, typer.Option(help="Folder with the records of runs.")] = Path("out"),
) -> None:
    """Register a model."""
    from sustainable_mlops import aws
    from sustainable_mlops.jobs import register

    if approve and not reason:
        raise UserError("--approve: say why with --reason TEXT; it is kept with the package")
    if reason and not approve:
        raise UserError("--reason: is for --approve; add it, or leave the reason out")
    record = register.find_record(run, out)
    clients = aws.connect(record.region)
    package = register.register(record, clients, group=group, metrics=metrics)
    if not package.created:
        cli.console.print("This run's model is registered already.")
    if approve and reason:
        package = register.approve(package, reason, clients.sagemaker)
    answer = {"model_package_arn": package.arn, "status": package.status, "created": package.created}
    print(json.dumps(answer, indent=2) if as_json else package.arn)
