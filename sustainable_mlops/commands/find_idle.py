"""Find idle resources in a live account, with their carbon and cost a month and the module input that prevents each.

The command only reads. It reports unused resources: endpoints without invocations, Studio apps, notebook
instances and MLflow tracking servers. It also reports configurations and models that no endpoint uses, old checkpoints,
log groups without retention, and interface endpoints without traffic. It adds the findings of Compute Optimizer and
Cost Optimization Hub on endpoints.

If AWS denies a read, the command skips only the part that needs it; the line `skipped` names the missing IAM action.
With --check, a skipped part gives exit code 1, except Compute Optimizer and Cost Optimization Hub.
`smlops clean` stops or deletes the idle resources that hold no data.

Exit codes: 0 by default; with --check, 1 if anything is idle or skipped; 2 if the input is not valid.

Examples:

* `smlops find-idle --environment envs/dev`: one environment, by its tags and its name prefix
* `smlops find-idle --region eu-north-1 --days 14`: everything in a Region that was not used for 14 days
* `smlops find-idle --environment envs/dev --check`: fail a CI job if anything is idle
* `smlops find-idle --region eu-north-1 --json | jq '.findings[].name'`
"""

import json
from typing import Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.commands import _idle

app = cli.create_app()


@app.command(help=__doc__)
def find_idle(
    environment: _idle.Environment = None,
    region: _idle.Region = None,
    days: _idle.Days = 7,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 if anything is idle or skipped.")] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Find idle resources."""
    from sustainable_mlops.account.idle import display, is_complete

    _, report = _idle.scan_account(environment, region, days)
    if as_json:
        print(json.dumps(report.to_dict(), indent=2, allow_nan=False))
    else:
        display.print_report(report, cli.make_stdout_console())
    if check and (report.findings or not is_complete(report)):
        raise typer.Exit(1)
