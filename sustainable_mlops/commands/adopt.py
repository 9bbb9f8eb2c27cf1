"""Write Terraform for resources that exist already, with import blocks, so that the first plan changes nothing.

The command only reads the account. It reads KMS keys, buckets, feature groups, model package groups, log groups,
endpoints (with their configurations, models and scaling) and pipelines. The root module describes each one as it is.
Terraform then refuses to delete resources that hold data.

A resource that Terraform cannot describe without a change is excluded, and the line `excluded` shows the reason. If AWS
denies a list, the command skips only that part; the line `skipped` names the missing IAM action.

The command also prints the settings with which an environment uses the resources; with --into, it writes them to
environment_settings.yaml.

Without --into, nothing is written. With it, the command first plans in a temporary folder. A resource that the plan
would change or cannot import is excluded, with the reason. --no-plan omits this check.

Exit codes: 0 by default; with --check, 1 if anything is excluded or skipped, or a --name matches nothing; 2 if the
input is not valid.

Examples:

* `smlops adopt --region eu-north-1 --prefix acme-ml`: print the resources whose names start with acme-ml
* `smlops adopt --region eu-north-1 --prefix acme-ml --into adopted`: write the root module
* `smlops adopt --region eu-north-1 --tag team=ml --name /aws/sagemaker/TrainingJobs --into lab`
* `smlops adopt --region eu-north-1 --all --json | jq '.excluded[].reason'`
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops.base import cli

app = cli.create_app()


@app.command(help=__doc__)
def adopt(
    region: Annotated[str, typer.Option(help="Region of the resources.")],
    prefix: Annotated[
        list[str] | None, typer.Option(help="Prefix of the names of resources to adopt. Repeatable.", metavar="TEXT")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            help="Tag of the resources. With several tags, a resource must have all of them.", metavar="KEY=VALUE"
        ),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="Name, alias or ARN of one resource. Repeatable.", metavar="NAME")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Adopt every resource of the Region.")] = False,
    into: Annotated[
        Path | None, typer.Option(help="New folder for the root module. Default: write nothing.", metavar="FOLDER")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan/--no-plan", help="With --into: exclude resources that a plan would change.")
    ] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if anything is excluded, skipped or not found.")
    ] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Adopt existing resources."""
    from sustainable_mlops.account import adopt as adoption
    from sustainable_mlops.account import idle
    from sustainable_mlops.account.adopt import display

    selection = adoption.parse_selection(prefix or [], tag or [], name or [], everything=everything)
    account = idle.connect_account(idle.choose_target(None, region))
    if into is not None:
        adoption.check_folder(into)
    with cli.console.status("Reading the account") as status:
        report = adoption.scan_account(account, selection, lambda part: status.update(f"Reading {part}"))
        if into is not None and plan:
            adoption.verify_adoption(report, lambda step: status.update(f"Terraform: {step}"))
    if into is not None and report.adopted_objects:
        adoption.write_files(into, adoption.render_files(report))
    if as_json:
        details = {
            "environment_settings": adoption.build_environment_settings(report),
            "folder": None if into is None else str(into),
        }
        print(json.dumps(report.to_dict() | details, indent=2))
    else:
        display.print_report(report, cli.make_stdout_console(), into)
    if check and not report.is_complete:
        raise typer.Exit(1)
