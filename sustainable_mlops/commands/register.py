"""Register a trained model as a version of its model package group.

The version waits for approval, except with --approve. A run is registered once: a second call prints the existing
package. The command prints the ARN of the package. Its model card contains the data, metrics, energy, carbon, water
and cost of the run.

With --compile, the package contains a compiled copy of the model: the script of the workload adds the files for each
processor. The model of the training job stays unchanged.

Examples:

* `smlops register out/runs/flight-delay-20261124-150300-1a2b3c.json`
* `smlops register flight-delay-20261124-150300-1a2b3c --approve --reason "AUC above last month's"`
* `smlops register out/runs/<run key>.json --compile workloads/flight_delay/compile_trees.py`
* `smlops register s3://<artifacts>/runs/flight-delay/<run key>/record.json --group flight-delay --json`
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError

app = cli.create_app()


@app.command(help=__doc__)
def register(
    run: Annotated[str, typer.Argument(help="Record of the run: a file, an s3:// address, or the name of the job.")],
    group: Annotated[
        str | None,
        typer.Option(help="Model package group; by default the group that the environment publishes for the workload."),
    ] = None,
    metrics: Annotated[str | None, typer.Option(help="s3:// address of a model quality report.")] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Approve the model for deployment.")] = False,
    reason: Annotated[str | None, typer.Option(help="Reason of the approval; required with --approve.")] = None,
    compile_script: Annotated[
        Path | None,
        typer.Option("--compile", help="Script that compiles the model: SCRIPT --model_dir FOLDER.", metavar="SCRIPT"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the ARN.")] = False,
    out: Annotated[Path, typer.Option(help="Folder with the records of runs.")] = Path("out"),
) -> None:
    """Register a model."""
    from sustainable_mlops import aws
    from sustainable_mlops.jobs import register

    if approve and not reason:
        raise UserError("--approve: pass the reason with --reason TEXT; the package stores it")
    if reason and not approve:
        raise UserError("--reason requires --approve; add --approve, or omit --reason")
    record = register.find_record(run, out)
    clients = aws.connect_clients(record.region)
    if compile_script is not None:
        from sustainable_mlops.jobs.compilation import compile_model

        record = compile_model(record, compile_script, clients.s3)
    package = register.register(record, clients, group=group, metrics=metrics)
    if not package.is_new:
        cli.console.print("The model of this run is already registered.")
    if approve and reason:
        package = register.approve(package, reason, clients.sagemaker)
    result = {"model_package_arn": package.arn, "status": package.status, "created": package.is_new}
    print(json.dumps(result, indent=2) if as_json else package.arn)
