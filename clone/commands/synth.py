"""Write the HCL of every module and environment from its Python source.

- `smlops synth`: all of them; it writes only changed files
- `smlops synth storage dev`: one module and one environment
- `smlops synth --check`: exit with 1 and print the difference if a generated file is stale
- `smlops synth --watch`: write again after each edit, until Ctrl-C
"""

import time
from typing import Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError

app = cli.create_app()


@app.command(help=__doc__)
def synth(
    name: Annotated[
        list[str] | None, typer.Argument(help="Modules or environments; the default is all of them.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 and print the difference if a file is stale.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Keep running, and write again after each edit.")] = False,
) -> None:
    """Write the HCL."""
    cli.require("synth", "authoring")
    from clone import synth
    from clone.synth.watch import watch as follow
    from sustainable_mlops.base.terraform import ROOT

    if watch and check:
        raise UserError("--watch writes and --check does not; pass only one of them")
    if watch:
        follow(name or (), lambda line: cli.console.print(line, style="dim", markup=False, soft_wrap=True))

    begin = time.monotonic()
    with cli.console.status("synthesizing") as status:
        changes = synth.synthesize(name or (), lambda step: status.update(f"synthesizing: {step}"))
    if check:
        for change in changes:
            print(change.render_diff(), end="")
        if changes:
            cli.say(f"{len(changes)} stale: run smlops synth", style="red")
            raise typer.Exit(1)
    synth.write(changes)
    if not name:
        synth.save_digests()
    for change in changes:
        print(change.path.relative_to(ROOT))
    cli.say(f"{len(changes)} files written in {time.monotonic() - begin:.1f} s", style="dim")
