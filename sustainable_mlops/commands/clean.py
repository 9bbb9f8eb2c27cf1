"""Stop or delete idle resources that hold no data. Without --apply, only print them.

It deletes unused configurations and models, stops Studio apps, notebook instances and MLflow tracking servers, and
sets the retention of log groups that have none. The new retention deletes no existing event. It deletes endpoints and
interface endpoints only if --include names them.

It never touches data: buckets, checkpoints, disks of spaces, feature groups. It keeps resources whose tags show that
Terraform manages them, because a deletion would be drift. For such a resource it prints the module input.

Exit codes: 0 success, 1 AWS refused a request, 2 the input is not valid.

Examples:

* `smlops clean --environment envs/dev`: print the decision for each idle resource
* `smlops clean --environment envs/dev --apply`
* `smlops clean --region eu-north-1 --days 30 --include endpoints --apply`: delete idle endpoints, too
* `smlops clean --region eu-north-1 --json | jq '.[].action'`
"""

import json
from typing import Annotated, Any

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.commands import _idle

app = cli.create_app()


@app.command(help=__doc__)
def clean(
    environment: _idle.Environment = None,
    region: _idle.Region = None,
    days: _idle.Days = 7,
    include: Annotated[
        list[str] | None,
        typer.Option(help="Also delete idle `endpoints` or `interface-endpoints`. Repeatable.", metavar="KIND"),
    ] = None,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply",
            help="Stop and delete the resources, and set the retention of log groups. Default: only print them.",
        ),
    ] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Stop or delete idle resources."""
    from sustainable_mlops.account import idle

    idle.check_include(include or [])
    account, report = _idle.scan_account(environment, region, days)
    cleanups = idle.list_cleanups(report, include or [])
    errors = {one.finding.arn: error for one, error in idle.apply_cleanups(cleanups, account)} if apply else {}
    if as_json:
        print(json.dumps([one.to_dict() | _describe_result(one, errors) for one in cleanups], indent=2))
    else:
        _print_cleanups(cleanups, apply, errors, [str(part) for part in report.skipped])
    if any(errors.values()):
        raise typer.Exit(1)


def _describe_result(cleanup: Any, errors: dict[str, str]) -> dict[str, Any]:
    error = errors.get(cleanup.finding.arn)
    return {"done": error == "", "error": error or ""}


def _print_cleanups(cleanups: list[Any], applied: bool, errors: dict[str, str], skipped: list[str]) -> None:
    for cleanup in cleanups:
        error = errors.get(cleanup.finding.arn)
        print(f"failed: {cleanup}: {error}" if error else cleanup)
    for line in skipped:
        print(line)
    count = sum(not one.keep_reason for one in cleanups)
    failures = sum(map(bool, errors.values()))
    if applied:
        print(f"{count - failures} cleaned, {failures} failed, {len(cleanups) - count} stayed")
    else:
        print(f"dry run: {count} would be cleaned, {len(cleanups) - count} would stay; pass --apply to clean them")
