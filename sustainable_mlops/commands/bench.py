"""Time and memory of synthesis and review beside plain checkov in one run, or the estimates beside measurements.

- `smlops bench`: 46, 1,000 and 5,000 resources
- `smlops bench --size 200 --rounds 1 --json`
- `smlops bench --figures`: errors of the estimates by kind, on measurements that were fitted and that were not
"""

import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from sustainable_mlops import cli
from sustainable_mlops.terraform import ROOT

app = cli.app()
SIZES = (46, 1000, 5000)
BASE = ROOT / "tests" / "plan" / "fixtures" / "platform.json"


@app.command(help=__doc__)
def bench(
    size: Annotated[list[int] | None, typer.Option(help="Resources in a plan; may be given again.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each, of which the fastest counts.")] = 3,
    base: Annotated[
        Path, typer.Option(help="The plan whose resources are multiplied.", show_default="that of the tests")
    ] = BASE,
    figures: Annotated[
        bool, typer.Option("--figures", help="The estimates beside measurements, and no times.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure."""
    if figures:
        _figures(as_json)
        return
    cli.need("bench", "authoring", clone=True)
    _times(size or SIZES, rounds, base, as_json)


def _times(sizes: Iterable[int], rounds: int, base: Path, as_json: bool) -> None:
    """The fastest of each program's runs; as JSON where asked."""
    from sustainable_mlops.checkov import PROGRAM
    from sustainable_mlops.commands._bench import best, plan_of

    rows = [_row("synthesis, unchanged", best(rounds, sys.executable, ROOT / "scripts" / "synth.py", "--check"), None)]
    whole = json.loads(base.read_text())
    with tempfile.TemporaryDirectory() as folder:
        for count in sizes:
            file = Path(folder) / f"{count}.json"
            file.write_text(json.dumps(plan_of(count, whole)))
            review = ROOT / "scripts" / "review.py"
            alone = ("--framework", "terraform_plan", "--skip-download", "-o", "json")
            with cli.console.status(f"{count} resources"):
                plain = best(rounds, PROGRAM, "-f", file, *alone)
                rows.append(_row(f"plain checkov, {count} resources", plain, plain))
                rows.append(_row(f"review, {count} resources", best(rounds, sys.executable, review, file), plain))
                beside = best(rounds, sys.executable, review, file, "--checkov")
                rows.append(_row(f"review --checkov, {count} resources", beside, plain))
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("what", "seconds", "of plain checkov", "peak MB", title=f"fastest of {rounds}, start included")
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        table.add_row(row["what"], f"{row['seconds']:.2f}", ratio, str(row["peak_mb"]))
    cli.console.print(table)


def _figures(as_json: bool) -> None:
    """The errors of the estimates by kind; as JSON, every case too."""
    from sustainable_mlops.footprint import validation

    summaries = validation.summaries()
    if as_json:
        cases = [asdict(case) | {"error": case.error, "inside": case.inside} for case in validation.cases()]
        print(json.dumps({"errors": [asdict(one) for one in summaries], "cases": cases}, indent=2))
        return
    table = Table("kind", "fitted", "cases", "median error", "bias", "in the range", "range, high / low")
    for one in summaries:
        e = one.errors
        shares = (f"{e.median_error:.0%}", f"{e.bias:+.0%}", f"{e.coverage:.0%}", f"{e.width:.2f}")
        table.add_row(one.kind, "yes" if one.fitted else "no", str(e.cases), *shares)
    cli.console.print(table)


def _row(what: str, found: tuple[float, int], plain: tuple[float, int] | None) -> dict[str, Any]:
    seconds, memory = found
    ratio = seconds / plain[0] if plain else None
    return {"what": what, "seconds": round(seconds, 3), "ratio": ratio, "peak_mb": memory}
