"""List, compare and chart runs: metrics, carbon, cost, and estimates beside measurements.

- `smlops runs`: the records in `out`, newest first
- `smlops runs --workload flight-delay --sort kg --chart`
- `smlops runs --platform /sustainable-mlops/dev/platform`: all runs in that environment
- `smlops runs --html runs.html`: as a page
- `smlops runs --coverage`: share of measurements inside their estimated interval
- `smlops runs compare A B`: two runs, each by the beginning of its job's name
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError

if TYPE_CHECKING:
    from sustainable_mlops.jobs.record import RunRecord

app = cli.create_app(__doc__)

Out = Annotated[Path, typer.Option(help="Folder with records (runs/JOB.json), at any depth.")]
S3 = Annotated[
    str | None, typer.Option("--s3", help="Artifacts bucket with records, instead of --out.", metavar="BUCKET")
]
OfPlatform = Annotated[
    str | None,
    typer.Option("--platform", help="Platform parameter (SSM) that names the artifacts bucket.", metavar="PARAMETER"),
]


@app.callback(invoke_without_command=True, no_args_is_help=False)
def runs(
    context: typer.Context,
    out: Out = Path("out"),
    s3: S3 = None,
    platform: OfPlatform = None,
    workload: Annotated[str | None, typer.Option(help="Only runs of this workload.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only runs of this kind: training, processing, …")] = None,
    metric: Annotated[
        str | None, typer.Option(help="Metric to list and chart; by default the most frequent one.")
    ] = None,
    sort: Annotated[
        str, typer.Option(help="launched, kg, usd, kwh, seconds, or a metric (the greatest first).")
    ] = "launched",
    chart: Annotated[bool, typer.Option("--chart", help="Draw the metric against kg and USD, with intervals.")] = False,
    html: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a page without external files.")] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Compare estimates with measurements, over all runs.")
    ] = False,
    as_json: cli.AsJson = False,
) -> None:
    """List runs."""
    if context.invoked_subcommand:
        return
    from sustainable_mlops.runs import display, values
    from sustainable_mlops.runs.interval_coverage import measure_coverage

    records, source = _read_records(out, s3, platform)
    records = [one for one in records if workload in (None, one.workload) and kind in (None, one.kind)]
    if not records and not as_json:
        cli.console.print(f"No matching run in {source}.", markup=False)
    metric_name = values.choose_metric(records, metric)
    records = values.sort_records(records, sort)
    interval_coverage = measure_coverage(records)
    if html is not None:
        _write(html, records, metric_name, source)
    if as_json:
        documents = [one.model_dump(mode="json") for one in records]
        print(json.dumps(interval_coverage.to_dict() if coverage else documents, indent=2))
        return
    terminal = cli.make_stdout_console()
    if coverage:
        terminal.print(display.make_coverage_table(interval_coverage))
    elif records and not (html and not chart):
        terminal.print(display.make_runs_table(records, metric_name))
    if chart:
        terminal.print(display.make_charts(records, metric_name))


@app.command()
def compare(
    a: Annotated[
        str, typer.Argument(help="First run: the name or key of its job, the beginning of either, or its file.")
    ],
    b: Annotated[str, typer.Argument(help="Second run, in the same forms.")],
    out: Out = Path("out"),
    s3: S3 = None,
    platform: OfPlatform = None,
    as_json: cli.AsJson = False,
) -> None:
    """Compare two runs: the differences between their inputs and between their results."""
    from dataclasses import asdict

    from sustainable_mlops.runs import display
    from sustainable_mlops.runs.difference import compare_runs
    from sustainable_mlops.runs.store import find_run

    records, _ = _read_records(out, s3, platform)
    first, second = find_run(a, records), find_run(b, records)
    differences = compare_runs(first, second)
    if as_json:
        print(json.dumps({"a": first.job_name, "b": second.job_name, **asdict(differences)}, indent=2))
    else:
        cli.make_stdout_console().print(display.make_difference_tables(first, second, differences))


def _read_records(out: Path, bucket: str | None, platform: str | None) -> "tuple[list[RunRecord], str]":
    """Return the records and their location."""
    from sustainable_mlops import aws
    from sustainable_mlops.jobs.launch import find_platform
    from sustainable_mlops.runs import store

    if bucket and platform:
        raise UserError("--s3, --platform: pass only one of them")
    region = None
    if platform:
        with aws.translate_aws_errors(f"--platform {platform}"):
            document = find_platform(platform)
        bucket, region = document.buckets.artifacts, document.region
    if bucket:
        name = bucket.removeprefix("s3://").partition("/")[0]
        stored, source = store.read_bucket(name, aws.make_client("s3", region)), f"s3://{name}"
    else:
        stored, source = store.read_folder(out), str(out)
    for text in stored.unreadable:
        cli.console.print(f"note: skipped: {text}", markup=False, soft_wrap=True)
    return list(stored.records), source


def _write(path: Path, records: "list[RunRecord]", metric: str | None, source: str) -> None:
    from sustainable_mlops.runs.page import render_page

    try:
        path.write_text(render_page(records, metric, source), encoding="utf-8")
    except OSError as error:
        raise UserError(f"--html: {path} cannot be written: {error.strerror}; pass another file") from None
    cli.console.print(f"Wrote {path}", markup=False)
