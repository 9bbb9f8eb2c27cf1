"""The tables of `docs/footprint.md`, from the catalogue and the model.

`python -m tools.footprint_document docs/footprint.md` writes them anew.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from sustainable_mlops.catalogue.tables import read_rows
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.figures import format_number
from sustainable_mlops.footprint.usage import KEYS_BY_TYPE
from tools.footprint_conformance import Values, cases
from tools.footprint_validation import measured, summaries


def conformance() -> str:
    """The cases as a table in Markdown."""
    lines = [
        "| Case | What | Unit | Published | Reproduced | Ours | Ours against published |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in cases():
        errors = " / ".join(f"{mine / theirs - 1:+.0%}" for mine, theirs in zip(case.ours, case.expected, strict=True))
        lines.append(
            f"| {case.id} | {case.case} | {case.unit} | {_joined(case.expected)} "
            f"| {_joined(case.reproduced)} | {_joined(case.ours, exact=False)} | {errors} |"
        )
    return "\n".join(lines)


def _joined(values: Values, *, exact: bool = True) -> str:
    return " / ".join(f"{value:.7g}" if exact else format_number(value) for value in values)


def errors() -> str:
    """The errors against measurements, by kind, as a table in Markdown."""
    lines = [
        "| Kind | Fitted | Cases | Median error | Bias | In the range | Range, high / low |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in summaries():
        e = one.errors
        lines.append(
            f"| {one.kind} | {'yes' if one.fitted else 'no'} | {e.cases} "
            f"| {e.median_error:.0%} | {e.bias:+.0%} | {e.coverage:.0%} | {e.width:.2f} |"
        )
    return "\n".join(lines)


def measurements() -> str:
    """Every measurement and our estimate of it, as a table in Markdown."""
    lines = [
        "| Case | Kind | What | Measured | Ours | Error | In the range | Fitted | Source |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in measured():
        figure, fitted, inside = case.figure, "yes" if case.fitted else "no", "yes" if case.inside else "**no**"
        span = f"{format_number(figure.central)} ({format_number(figure.low)} to {format_number(figure.high)})"
        lines.append(
            f"| {case.id} | {case.kind} | {case.system} | {case.value:.5g} {case.unit} | {span} "
            f"| {case.error:+.0%} | {inside} | {fitted} | {case.source} |"
        )
    return "\n".join(lines)


def defaults() -> str:
    """The stated defaults of `catalogue/assumptions.csv` as a table in Markdown."""
    lines = ["| Default | Value | Range | Class |", "| --- | --- | --- | --- |"]
    for row in read_rows("assumptions"):
        low, value, high = (f"{round(float(row[key] or 0), 3):,.10g}" for key in ("low", "value", "high"))
        span = f"{low} to {high}" if row["low"] else "none"
        lines.append(f"| {row['text']} (`{row['key']}`) | {value} {row['unit']} | {span} | {row['class']} |")
    return "\n".join(lines)


def keys() -> str:
    """The keys of a usage file by type of resource, as a table in Markdown."""
    by_keys: dict[tuple[str, ...], list[str]] = {}
    for kind, known in KEYS_BY_TYPE.items():
        by_keys.setdefault(known, []).append(kind)
    lines = ["| Resource | Keys |", "| --- | --- |"]
    lines += [f"| {_code(kinds)} | {_code(known)} |" for known, kinds in by_keys.items()]
    return "\n".join(lines)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


#: The tables of the document, each between a pair of markers with its name.
_TABLES: dict[str, Callable[[], str]] = {
    "conformance": conformance,
    "errors": errors,
    "measurements": measurements,
    "defaults": defaults,
    "keys": keys,
}


def with_tables(text: str) -> str:
    """`text` with each table between its markers made anew."""
    for name, make in _TABLES.items():
        start, end = f"<!-- {name}: start -->\n", f"<!-- {name}: end -->"
        head, _, rest = text.partition(start)
        _, _, tail = rest.partition(end)
        if not rest:
            raise UserError(f"the table {name}: the document has no line {start.strip()}")
        text = f"{head}{start}{make()}\n{end}{tail}"
    return text


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_tables(file.read_text(encoding="utf-8")), encoding="utf-8")
