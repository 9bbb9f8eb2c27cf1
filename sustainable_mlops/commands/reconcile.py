"""Compare the estimated carbon of environments with the totals that AWS reports.

The estimate is the sum of the plans' resources, with their usage, and of the recorded runs. AWS reports totals by
month, account, Region and service. The command prints both, their ratio with its interval, the missing months, and
the limits of such totals. `docs/footprint.md` explains the result.

It needs the permissions `sustainability:GetEstimatedCarbonEmissions` and `sustainability:GetEstimatedWaterAllocation`,
or an export of the table CARBON_EMISSIONS.

Exit codes: 0 compared, 1 no month could be compared, 2 the input is not valid.

Examples:

* `smlops reconcile plan.json --usage usage.yaml --runs out`: the three latest published months
* `smlops reconcile plan.json --runs s3://BUCKET --from 2026-08 --to 2026-10 --account 123456789012`
* `smlops reconcile plan.json --export s3://BUCKET/PREFIX/NAME --write-calibration calibration.yaml`
* `smlops review plan.json --calibration calibration.yaml`: review with carbon figures times the ratio
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError

if TYPE_CHECKING:
    from sustainable_mlops.account.reconcile import EmissionsReport, Reconciliation
    from sustainable_mlops.account.reconcile.months import ReportMonth
    from sustainable_mlops.jobs.record import RunRecord

app = cli.create_app()
#: Region of the API. Source: botocore's endpoint rules of `sustainability`.
_API_REGION = "us-east-1"


@app.command(help=__doc__)
def reconcile(
    plans: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Plans of the environments in the account: output of terraform show -json.", metavar="PLAN"
        ),
    ] = None,
    usage: Annotated[Path | None, typer.Option(help="Usage of the plans' resources.", metavar="FILE")] = None,
    runs: Annotated[
        list[str] | None,
        typer.Option(
            help="Folder or s3://BUCKET with records of runs. Repeatable. The estimate then excludes the plans' jobs.",
            metavar="FOLDER",
        ),
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help="First month, such as 2026-08.", metavar="MONTH")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last month.", metavar="MONTH")] = None,
    account: Annotated[
        str | None,
        typer.Option(help="Account of the plans.", show_default="the account of the credentials", metavar="ID"),
    ] = None,
    region: Annotated[str | None, typer.Option(help="Region of resources without a Region in the plan.")] = None,
    export: Annotated[
        str | None,
        typer.Option(
            help="Carbon export to read instead of the API: s3://BUCKET/PREFIX/NAME, or a folder.", metavar="ADDRESS"
        ),
    ] = None,
    write_calibration: Annotated[
        Path | None,
        typer.Option(help="File to write the ratios to, for --calibration of review and launchers.", metavar="FILE"),
    ] = None,
    as_json: cli.AsJson = False,
) -> None:
    """Compare estimates with reported emissions."""
    from sustainable_mlops.account.reconcile import (
        EstimateSources,
        compare_emissions,
        display,
        estimate_emissions,
        list_months,
    )
    from sustainable_mlops.footprint import read_usage
    from sustainable_mlops.plan import load

    if not plans and not runs:
        raise UserError(
            "reconcile: there is nothing to estimate; pass plans (terraform show -json), or records with --runs"
        )
    if account is not None and re.fullmatch(r"\d{12}", account) is None:
        raise UserError(f"--account: {account} is not the ID of an account; pass its 12 digits")
    today = datetime.now(UTC).date()
    months = list_months(first, last, today)
    usage_content = read_usage(usage) if usage is not None else None
    loaded_plans = [load(path) for path in plans or ()]
    for plan in loaded_plans:
        plan.default_region = region
    records = _read_records(runs) if runs else None
    with cli.console.status("Reading AWS's report"):
        account = account or _find_account()
        report = _read_report(export, months)
    sources = EstimateSources(loaded_plans, usage_content, records, account)
    result = compare_emissions(estimate_emissions(sources, months), report, months, today)
    if as_json:
        print(json.dumps(result.to_dict(), indent=2, allow_nan=False))
    else:
        display.print_reconciliation(result, cli.make_stdout_console())
    if write_calibration is not None:
        _write_calibration(result, write_calibration, today.isoformat())
    if not result.groups:
        raise typer.Exit(1)


def _find_account() -> str:
    from sustainable_mlops import aws

    with aws.translate_aws_errors("sts:GetCallerIdentity (or pass --account)"):
        return str(aws.make_client("sts", _API_REGION).get_caller_identity()["Account"])


def _read_report(export: str | None, months: "tuple[ReportMonth, ...]") -> "EmissionsReport":
    from sustainable_mlops import aws
    from sustainable_mlops.account.reconcile import read_api, read_export
    from sustainable_mlops.aws.s3 import is_s3

    if export is None:
        return read_api(aws.make_client("sustainability", _API_REGION), months)
    cli.require("reconcile --export", "exports")
    return read_export(export, aws.make_client("s3", None) if is_s3(export) else None)


def _read_records(addresses: list[str]) -> "list[RunRecord]":
    from sustainable_mlops import aws
    from sustainable_mlops.aws.s3 import S3Uri
    from sustainable_mlops.runs import store

    records = store.RunRecords(())
    for address in addresses:
        uri = S3Uri.parse_or_none(address)
        if uri is not None:
            records += store.read_bucket(uri.bucket, aws.make_client("s3"))
        elif Path(address).is_dir():
            records += store.read_folder(Path(address))
        else:
            raise UserError(f"--runs: {address}: no such folder; pass a folder with records, or s3://BUCKET")
    for text in records.unreadable:
        cli.console.print(f"note: {text}", markup=False, soft_wrap=True)
    return list(records.records)


def _write_calibration(result: "Reconciliation", path: Path, day: str) -> None:
    from sustainable_mlops.base.files import write_file
    from sustainable_mlops.footprint.calibration import render_calibration

    ratios = result.build_calibration()
    if not ratios:
        raise UserError(
            f"--write-calibration {path}: no month has both an estimate and a report, so there is no ratio; choose "
            "other months with --from and --to"
        )
    comment = f"Written by smlops reconcile on {day} from {result.source}: reported over estimated carbon."
    write_file(path, render_calibration(ratios, comment))
    for one in ratios:
        cli.console.print(f"{path}: {one.describe()}", markup=False, soft_wrap=True)
