"""List, compare and chart runs: metrics, carbon, cost, and estimates beside counters.

- `smlops runs`: those in `out`, the newest first
- `smlops runs --workload flight-delay --sort kg --chart`
- `smlops runs --platform /sustainable-mlops/dev/platform`: those that anybody launched there
- `smlops runs --html runs.html`: as a page
- `smlops runs --coverage`: how often a counter lay in the interval that was estimated before
- `smlops runs compare A B`: by job names, or the beginning of one
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sustainable_mlops import cli
from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    from sustainable_mlops.jobs.record import RunRecord

app = cli.app(__doc__)

Out = Annotated[Path, typer.Option(help="Folder with records (runs/JOB.json), wherever below it.")]
S3 = Annotated[
    str | None, typer.Option("--s3", help="Artifacts bucket with records, instead of --out.", metavar="BUCKET")
]
OfPlatform = Annotated[
    str | None, typer.Option("--platform", help="SSM parameter of a platform, whose bucket it is.", metavar="PARAMETER")
]


@app.callback(invoke_without_command=True, no_args_is_help=False)
def runs(
    context: typer.Context,
    out: Out = Path("out"),
    s3: S3 = None,
    platform: OfPlatform = None,
    workload: Annotated[str | None, typer.Option(help="Only runs of this workload.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only runs of this kind: training, processing, …")] = None,
    metric: Annotated[str | None, typer.Option(help="To list and chart; what most runs have unless given.")] = None,
    sort: Annotated[
        str, typer.Option(help="launched, kg, usd, kwh, seconds, or a metric (the greatest first).")
    ] = "launched",
    chart: Annotated[bool, typer.Option("--chart", help="Draw the metric against kg and USD, with ranges.")] = False,
    html: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a page that needs nothing else.")] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Estimates beside counters, over the runs.")] = False,
    as_json: cli.AsJson = False,
) -> None:
    """List runs."""
    if context.invoked_subcommand:
        return
    from sustainable_mlops.runs import display, values
    from sustainable_mlops.runs.interval_coverage import coverage as covered

    records, source = _records(out, s3, platform)
    records = [one for one in records if workload in (None, one.workload) and kind in (None, one.kind)]
    if not records and not as_json:
        cli.console.print(f"No such run in {source}.", markup=False)
    shown = values.metric(records, metric)
    records = values.ordered(records, sort)
    found = covered(records)
    if html is not None:
        _write(html, records, shown, source)
    if as_json:
        listed = [one.model_dump(mode="json") for one in records]
        print(json.dumps(found.to_dict() if coverage else listed, indent=2))
        return
    terminal = cli.stdout()
    if coverage:
        terminal.print(display.covered(found))
    elif records and not (html and not chart):
        terminal.print(display.listed(records, shown))
    if chart:
        terminal.print(display.charted(records, shown))


@app.command()
def compare(
    a: Annotated[str, typer.Argument(help="A run: its job's name or key, the beginning of one, or its file.")],
    b: Annotated[str, typer.Argument(help="Another one.")],
    out: Out = Path("out"),
    s3: S3 = None,
    platform: OfPlatform = None,
    as_json: cli.AsJson = False,
) -> None:
    """Two runs beside each other: what differs in what went in, and what came out."""
    from dataclasses import asdict

    from sustainable_mlops.runs import display
    from sustainable_mlops.runs.difference import difference
    from sustainable_mlops.runs.store import find

    records, _ = _records(out, s3, platform)
    first, second = find(a, records), find(b, records)
    found = difference(first, second)
    if as_json:
        print(json.dumps({"a": first.job_name, "b": second.job_name, **asdict(found)}, indent=2))
    else:
        cli.stdout().print(display.compared(first, second, found))


def _records(out: Path, bucket: str | None, platform: str | None) -> "tuple[list[RunRecord], str]":
    """The records, and where they are."""
    from sustainable_mlops import aws
    from sustainable_mlops.jobs.platform import read_platform
    from sustainable_mlops.runs import store

    if bucket and platform:
        raise UserError("--s3, --platform: give one of them")
    if platform:
        bucket = read_platform(platform, aws.client("ssm", None)).buckets.artifacts
    if bucket:
        name = bucket.removeprefix("s3://").partition("/")[0]
        found, source = store.from_bucket(name, aws.client("s3", None)), f"s3://{name}"
    else:
        found, source = store.from_folder(out), str(out)
    for text in found.unreadable:
        cli.console.print(f"note: left out: {text}", markup=False, soft_wrap=True)
    return list(found.records), source


def _write(path: Path, records: "list[RunRecord]", metric: str | None, source: str) -> None:
    from sustainable_mlops.runs.page import render

    try:
        path.write_text(render(records, metric, source), encoding="utf-8")
    except OSError as error:
        raise UserError(f"--html: {path} cannot be written: {error.strerror}; name another file") from None
    cli.console.print(f"Wrote {path}", markup=False)
