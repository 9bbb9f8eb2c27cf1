"""Reader of the CSV files in this folder."""

import csv
from collections.abc import Callable, Iterator, Mapping
from functools import cache, wraps
from math import isfinite
from pathlib import Path
from pkgutil import get_data
from typing import Any, Literal, TypeVar

from sustainable_mlops.base.errors import UserError

T = TypeVar("T")

CATALOGUE_DIRECTORY = Path(__file__).parent

#: A: measured, or published by the manufacturer. B: derived from a datasheet or a published curve. C: an assumption.
Grade = Literal["A", "B", "C"]
_GRADES: dict[str, Grade] = {"A": "A", "B": "B", "C": "C"}


class TableError(UserError):
    """An invalid cell in a file of the catalogue. It ends the command, unlike errors of single resources."""


def read_rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of `<name>.csv` in order. Raises UserError if the file is missing."""
    text = _read_text(name)
    if text is None:
        raise UserError(f"{CATALOGUE_DIRECTORY / name}.csv: missing; install the package again")
    reader = csv.reader(text.splitlines())
    fields = next(reader, [])
    rows = (dict(zip(fields, cells, strict=False)) for cells in reader if cells)
    if _trace is None:
        yield from rows
    else:
        yield from (_TracedRow(row, f"catalogue/{name}.csv, line {reader.line_num}") for row in rows)


#: The last cell that was read, while a failed loader runs again.
_trace: list[str] | None = None


class _TracedRow(dict[str, Any]):
    """A row that records the last cell that was read."""

    def __init__(self, row: dict[str, Any], location: str) -> None:
        super().__init__(row)
        self._location = location

    def __getitem__(self, field: str) -> Any:
        value = self.get(field)
        if _trace is not None:
            _trace[:] = [f"{self._location}, {field}: {'is missing' if value is None else f'cannot be {value!r}'}"]
        return super().__getitem__(field)


def load_table(load: Callable[[], T]) -> Callable[[], T]:
    """Return `load` with a cached result, and with a TableError that names the line and field of an invalid cell.

    A loader that fails runs again to find the cell.
    """
    errors = (ValueError, KeyError, TypeError)

    @cache
    @wraps(load)
    def load_or_explain() -> T:
        global _trace
        try:
            return load()
        except errors:
            _trace = []
        try:
            return load()
        except errors as error:
            raise TableError(next(iter(_trace), f"catalogue: {error}")) from None
        finally:
            _trace = None

    return load_or_explain


def has_table(name: str) -> bool:
    """Return whether `<name>.csv` exists. A copy may leave out a file because of its license."""
    return _read_text(name) is not None


def _read_text(name: str) -> str | None:
    try:
        content = get_data(__package__, f"{name}.csv")  # also reads from an archive
    except OSError:
        return None
    return None if content is None else content.decode("utf-8")


def parse_float(text: str) -> float:
    """Return the number in a cell. Raises ValueError unless it is finite and at least 0."""
    number = float(text)
    if not isfinite(number) or number < 0:
        raise ValueError(text)
    return number


def parse_number(text: str) -> float | None:
    """Return the number in a cell, or None for an empty cell."""
    return parse_float(text) if text else None


def parse_interval(row: Mapping[str, str], low: str, central: str, high: str) -> tuple[float, float, float]:
    """Return the numbers of three fields. Raises ValueError unless they are in ascending order."""
    bounds = parse_float(row[low]), parse_float(row[central]), parse_float(row[high])
    if not bounds[0] <= bounds[1] <= bounds[2]:
        raise ValueError(row[high])
    return bounds


def parse_grade(text: str) -> Grade:
    """Return the class in a cell."""
    return _GRADES[text]
