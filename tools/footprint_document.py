"""Tables of `docs/footprint.md`, from the catalogue and the model.

`python -m tools.footprint_document docs/footprint.md` rewrites them.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue.tables import read_rows
from sustainable_mlops.footprint.figures import format_number
from sustainable_mlops.footprint.usage import KEYS_BY_TYPE
from tools.footprint_conformance import Values, list_cases
from tools.footprint_validation import load_measured_cases, summarize_errors


def format_conformance() -> str:
    """Return the conformance cases as a Markdown table."""
    lines = [
        "| Case | What | Unit | Published | Reproduced | Ours | Ours against published |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in list_cases():
        errors = " / ".join(f"{mine / theirs - 1:+.0%}" for mine, theirs in zip(case.ours, case.expected, strict=True))
        lines.append(
            f"| {case.id} | {case.case} | {case.unit} | {_join_values(case.expected)} "
            f"| {_join_values(case.reproduced)} | {_join_values(case.ours, exact=False)} | {errors} |"
        )
    return "\n".join(lines)


def _join_values(values: Values, *, exact: bool = True) -> str:
    return " / ".join(f"{value:.7g}" if exact else format_number(value) for value in values)


def format_errors() -> str:
    """Return the errors against measurements, by kind, as a Markdown table."""
    lines = [
        "| Kind | Fitted | Cases | Median error | Bias | Inside the interval | Interval, high / low |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in summarize_errors():
        statistics = one.errors
        lines.append(
            f"| {one.kind} | {'yes' if one.is_fitted else 'no'} | {statistics.cases} "
            f"| {statistics.median_error:.0%} | {statistics.bias:+.0%} | {statistics.coverage:.0%} "
            f"| {statistics.width:.2f} |"
        )
    return "\n".join(lines)


def format_measurements() -> str:
    """Return every measurement and its estimate as a Markdown table."""
    lines = [
        "| Case | Kind | What | Measured | Ours | Error | Inside the interval | Fitted | Source |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in load_measured_cases():
        figure, fitted_text, inside_text = (
            case.figure,
            "yes" if case.is_fitted else "no",
            "yes" if case.is_inside else "**no**",
        )
        interval = f"{format_number(figure.central)} ({format_number(figure.low)} to {format_number(figure.high)})"
        lines.append(
            f"| {case.id} | {case.kind} | {case.system} | {case.value:.5g} {case.unit} | {interval} "
            f"| {case.error:+.0%} | {inside_text} | {fitted_text} | {case.source} |"
        )
    return "\n".join(lines)


def format_defaults() -> str:
    """Return the defaults of `catalogue/assumptions.csv` as a Markdown table."""
    lines = ["| Default | Value | Interval | Class |", "| --- | --- | --- | --- |"]
    for row in read_rows("assumptions"):
        low, value, high = (f"{round(float(row[key] or 0), 4):,.10g}" for key in ("low", "value", "high"))
        interval = f"{low} to {high}" if row["low"] else "none"
        lines.append(f"| {row['text']} (`{row['key']}`) | {value} {row['unit']} | {interval} | {row['class']} |")
    return "\n".join(lines)


def format_keys() -> str:
    """Return the keys of a usage file by resource type, as a Markdown table."""
    by_keys: dict[tuple[str, ...], list[str]] = {}
    for kind, type_keys in KEYS_BY_TYPE.items():
        by_keys.setdefault(type_keys, []).append(kind)
    lines = ["| Resource | Keys |", "| --- | --- |"]
    lines += [f"| {_format_code(kinds)} | {_format_code(type_keys)} |" for type_keys, kinds in by_keys.items()]
    return "\n".join(lines)


def _format_code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


#: Tables of the document, each between a pair of markers with its name.
_TABLES: dict[str, Callable[[], str]] = {
    "conformance": format_conformance,
    "errors": format_errors,
    "measurements": format_measurements,
    "defaults": format_defaults,
    "keys": format_keys,
}


def replace_tables(text: str) -> str:
    """Return `text` with a new table between each pair of markers."""
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
    file.write_text(replace_tables(file.read_text(encoding="utf-8")), encoding="utf-8")
