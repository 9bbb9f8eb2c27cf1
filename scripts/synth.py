#!/usr/bin/env python3
"""Write the Terraform of every module and environment from its Python source."""

import time
from typing import Annotated

import typer

from sustainable_mlops import cli, synth
from sustainable_mlops.errors import UserError
from sustainable_mlops.synth import watch as synth_watch
from sustainable_mlops.terraform import ROOT

app = cli.app("synth", __doc__)


@app.command()
def main(
    name: Annotated[list[str] | None, typer.Argument(help="Modules or environments; all when none is named.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 and show what is stale.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and write again after each edit.")] = False,
) -> None:
    """Write the Terraform of every module and environment from its Python source.

    - `scripts/synth.py`: all of them; only what changed is written
    - `scripts/synth.py storage dev`: one module and one environment
    - `scripts/synth.py --check`: exit 1 and show the difference where a generated file is stale
    - `scripts/synth.py --watch`: edit a module and see what changes in its Terraform, until Ctrl-C
    """
    if watch and check:
        raise UserError("--watch writes, --check does not; give one of them")
    if watch:
        synth_watch.watch(name or (), lambda line: cli.console.print(line, style="dim", markup=False, soft_wrap=True))
    begin = time.monotonic()
    with cli.console.status("synthesizing") as status:
        changes = synth.synthesize(name or (), lambda step: status.update(f"synthesizing: {step}"))
    if check:
        for change in changes:
            print(change.diff(), end="")
        if changes:
            cli.console.print(f"{len(changes)} stale: run scripts/synth.py", style="red")
            raise typer.Exit(1)
    synth.write(changes)
    if not name:
        synth.remember()
    for change in changes:
        print(change.path.relative_to(ROOT))
    cli.console.print(f"{len(changes)} files written in {time.monotonic() - begin:.1f} s", style="dim")


if __name__ == "__main__":
    cli.run(app)
