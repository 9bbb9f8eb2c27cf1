"""Test every module on a temporary account: apply, use, change, roll back a bad model, destroy, and report.

The command prints the planned resources and the cost, and asks for confirmation. It proves independent modules at the
same time. It cleans up at its end, after an error, on Ctrl-C and at its caps; `--resume` continues after that. The
report is `out/prove/<run>/proof.md`. See docs/prove.md.

- `smlops prove --account 123456789012 --region eu-north-1`
- `smlops prove --account 123456789012 --region eu-north-1 --module serverless_endpoint --yes`
- `smlops prove --account 123456789012 --region eu-north-1 --with async-scale-from-zero`
- `smlops prove --account 123456789012 --region eu-north-1 --all`: all modules and all checks
- `smlops prove --resume prove-4f7k2a`: continue an interrupted run
- `smlops prove --clean prove-4f7k2a`: delete the resources that an earlier run left
- `smlops sandbox exec -- smlops prove --account 123456789012 --region eu-north-1 --yes`: run on the sandbox
"""

import json
import sys
from typing import Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError

app = cli.create_app()


@app.command(help=__doc__)
def prove(
    account: Annotated[str, typer.Option(help="ID of the AWS account. The credentials must belong to it.")] = "",
    region: Annotated[str, typer.Option(help="AWS Region of the run.")] = "",
    module: Annotated[
        list[str] | None,
        typer.Option(help="Test only this module, with the modules that it needs. Repeatable."),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Test all modules, and run all checks, including the slow ones.")
    ] = False,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", help="Also run this slow or expensive check. Repeatable.", metavar="CHECK"),
    ] = None,
    cap_usd: Annotated[float, typer.Option(min=0.01, help="Maximum cost of the run, in USD.")] = 5.0,
    cap_minutes: Annotated[
        float, typer.Option(min=0.01, help="Maximum duration before the cleanup starts, in minutes.")
    ] = 180.0,
    parallel: Annotated[int, typer.Option(min=1, max=20, help="Number of modules at the same time.")] = 13,
    long_request_seconds: Annotated[
        int, typer.Option(min=1, max=3600, help="Duration of the request in the check async-scale-in-during-request.")
    ] = 1500,
    clean: Annotated[str, typer.Option(help="Delete the resources that this run left, and exit.", metavar="RUN")] = "",
    resume: Annotated[str, typer.Option(help="Continue this run without the modules that passed.", metavar="RUN")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Test the modules."""
    cli.require("prove", "pipelines")
    from clone.prove import command
    from clone.prove.settings import ProofSettings

    if clean:
        raise typer.Exit(command.clean_run(clean))
    if all_ and (module or with_):
        raise UserError("--all: selects every module and check; omit --module and --with, or omit --all")
    if resume:
        if account or region or module or with_ or all_:
            raise UserError("--resume: continues with the account, Region, modules and checks of the run; omit theirs")
        settings = command.load_run(resume, cap_usd=cap_usd, cap_minutes=cap_minutes, parallel=parallel)
    else:
        settings = ProofSettings(
            account=account,
            region=region,
            modules=command.select_modules(module or ()),
            extra_checks=command.select_checks(with_ or (), every=all_),
            cap_usd=cap_usd,
            cap_minutes=cap_minutes,
            parallel=parallel,
            long_request_seconds=long_request_seconds,
        )
    command.print_run(settings)
    if not yes and not (sys.stdin and sys.stdin.isatty()):
        command.refuse_without_terminal(settings)
    if not yes and not cli.confirm(f"Create and destroy all of this in account {settings.account}?"):
        raise typer.Exit(1)
    code, document = command.run_proof(settings, resume=bool(resume))
    if as_json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
    raise typer.Exit(code)
