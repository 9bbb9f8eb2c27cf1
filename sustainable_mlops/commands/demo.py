"""The pipeline on real data, on this machine: apply, run, approve, deploy, ask, and take it all down again.

- `smlops demo`: everything, and nothing left
- `smlops demo --keep`: leave it up, to try terraform, boto3 and the AWS CLI on it
"""

from typing import Annotated

import typer

from sustainable_mlops import cli

app = cli.app()


@app.command(help=__doc__)
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the sandbox and what is in it; say how to use it.")
    ] = False,
) -> None:
    """Run the demo."""
    cli.need("demo", "sandbox", "pipelines", "workloads", clone=True)
    from sustainable_mlops.operations.demo import run

    run(keep=keep)
