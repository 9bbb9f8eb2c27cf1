"""Mutation testing: a sample of small changes of plan, review, rules and footprint, which the tests should notice."""

import difflib
import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.program import run
from sustainable_mlops.base.terraform import ROOT
from tests.mutants import equivalent, mutants, running

#: The fast tests of the mutated packages.
TESTS = ("advice", "catalogue", "field", "footprint", "plan", "review", "rules", "test_values.py")
MARKS = "not plan and not apply and not slow and not release"
#: The share of the sample that may survive.
ALLOWED = 0.03

app = cli.create_app()


@app.command(no_args_is_help=False)
def main(
    seed: Annotated[int, typer.Option(help="Seed of another sample.")] = mutants.SEED,
    only: Annotated[str, typer.Option(help="Mutants whose file or name holds this text.")] = "",
    tests: Annotated[list[Path] | None, typer.Option(help="Test files and folders to run instead of all.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print every mutant with its outcome as JSON.")] = False,
) -> None:
    """Make small changes in a copy of plan, review, rules and footprint, and report those that no test notices.

    Exit code 1 if more than 3 % of the sample survive. Nothing is written into the tree.

    - `.venv/bin/python -m tests.mutants`: the whole sample
    - `.venv/bin/python -m tests.mutants --only rules/spot --tests tests/rules`: one file's mutants against some tests
    - `.venv/bin/python -m tests.mutants --seed 7`: another sample, for which nothing is known to be equivalent
    """
    begin = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no test is left running either
    sample = mutants.sample(ROOT, seed)
    proofs = equivalent.find_reasons(sample, complete=seed == mutants.SEED)
    chosen = {one.location: one for one in sample if only in one.location}
    pool = running.Pool(workers)
    outcomes: dict[str, running.MutantOutcome] = {
        name: running.MutantOutcome("equivalent") for name in chosen if name in proofs
    }
    with Progress(console=cli.console) as progress:
        files = _list_files(tests or [ROOT / "tests" / name for name in TESTS])
        sources = [f"{ROOT}/sustainable_mlops/{package}/*" for package in mutants.PACKAGES]
        recorded = progress.track(running.record(ROOT, files, sources, MARKS, pool), len(files), description="tests")
        recording = running.Recording.of(recorded)
        if recording.failed:
            raise UserError(f"tests fail without any mutant: {', '.join(sorted(recording.failed))}")
        left = {name: one.mutation for name, one in chosen.items() if name not in proofs}
        outcomes_of_run = running.classify_mutations(ROOT, left, recording, pool)
        for name, outcome in progress.track(outcomes_of_run, len(left), description="mutants"):
            outcomes[name] = outcome
            if outcome.state == "survived":
                progress.console.print(escape(_describe_change(chosen[name])), style="yellow", highlight=False)
    seconds = round(time.monotonic() - begin)
    if as_json:
        rows = [_build_row(mutant, outcomes[name]) for name, mutant in chosen.items()]
        print(json.dumps({"seed": seed, "seconds": seconds, "mutants": rows}, indent=2))
    cli.console.print(_build_table(chosen, outcomes, f"seed {seed}, {seconds} s"))
    survived = sum(outcome.state == "survived" for outcome in outcomes.values())
    if survived > ALLOWED * len(chosen):
        cli.console.print(f"{survived} of {len(chosen)} mutants survive, more than {ALLOWED:.0%}")
        raise typer.Exit(1)


def _list_files(places: list[Path]) -> list[str]:
    """Return the test files relative to the repository, the largest first, which mostly take longest."""
    files = {file.resolve() for place in places for file in ([place] if place.is_file() else place.rglob("test_*.py"))}
    if not files:
        raise UserError(f"no test_*.py in {', '.join(map(str, places))}")
    return [str(file.relative_to(ROOT)) for file in sorted(files, key=lambda file: -file.stat().st_size)]


def _describe_change(mutant: mutants.Mutant) -> str:
    before, after = (ROOT / mutant.file).read_text(encoding="utf-8").splitlines(), mutant.source.splitlines()
    diff = [line for line in difflib.unified_diff(before, after, n=0, lineterm="") if line[:3] not in ("---", "+++")]
    return "\n".join([f"survived: {mutant.location}", *diff])


def _build_row(mutant: mutants.Mutant, outcome: running.MutantOutcome) -> dict[str, object]:
    fields = ("file", "first_line", "function", "line", "operator", "occurrence")
    return {**{name: getattr(mutant, name) for name in fields}, **outcome._asdict()}


def _build_table(chosen: dict[str, mutants.Mutant], outcomes: dict[str, running.MutantOutcome], title: str) -> Table:
    states = ("killed", "timeout", "equivalent", "survived")
    counts = {package: Counter[str]() for package in mutants.PACKAGES}
    for name, mutant in chosen.items():
        counts[Path(mutant.file).parts[1]][outcomes[name].state] += 1
    table = Table("package", "mutants", *states, title=title)
    for package, count in [*counts.items(), ("all", sum(counts.values(), Counter[str]()))]:
        table.add_row(package, str(count.total()), *(str(count[state]) for state in states))
    return table


if __name__ == "__main__":
    run(app)
