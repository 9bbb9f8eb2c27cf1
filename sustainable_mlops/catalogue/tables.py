"""Reader of the CSV files in this folder."""

import csv
from collections.abc import Iterator
from pathlib import Path
from pkgutil import get_data
from typing import Literal

from sustainable_mlops.errors import UserError

CATALOGUE_DIRECTORY = Path(__file__).parent

#: A: measured or published by the maker. B: derived from a datasheet or a published curve. C: an assumption.
Grade = Literal["A", "B", "C"]
_GRADES: dict[str, Grade] = {"A": "A", "B": "B", "C": "C"}


def read_rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of `<name>.csv` in order. Raises UserError if the file is missing."""
    text = _read_text(name)
    if text is None:
        raise UserError(f"{CATALOGUE_DIRECTORY / name}.csv: missing; install the package again")
    yield from csv.DictReader(text.splitlines())


def has_table(name: str) -> bool:
    """Return True if `<name>.csv` exists. A copy may leave out a file because of its license."""
    return _read_text(name) is not None


def _read_text(name: str) -> str | None:
    try:
        content = get_data(__package__, f"{name}.csv")  # also reads from an archive
    except OSError:
        return None
    return None if content is None else content.decode("utf-8")


def parse_number(text: str) -> float | None:
    """Return the number in a cell, or None for an empty cell."""
    return float(text) if text else None


def parse_grade(text: str) -> Grade:
    """Return the class in a cell."""
    return _GRADES[text]
