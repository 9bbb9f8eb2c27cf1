#!/usr/bin/env python3
"""The main job on real data, on this machine: apply, train, register, deploy, ask, and take it all down again."""

from typing import Annotated

import typer

from sustainable_mlops import cli

app = cli.app("demo", __doc__)


@app.command()
def main(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the sandbox and what is in it; say how to use it.")
    ] = False,
) -> None:
    """The main job on real data, on this machine: apply, train, register, deploy, ask, and take it all down again.

    - `scripts/demo.py`: everything, and nothing left
    - `scripts/demo.py --keep`: leave it up, to try terraform, boto3 and the AWS CLI on it
    """
    from sustainable_mlops.demo import run

    run(keep=keep)


if __name__ == "__main__":
    cli.run(app)
