"""Reading the CSV files of this folder."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from sustainable_mlops.errors import UserError

HERE = Path(__file__).parent

#: A: measured or published by the maker. B: derived from a datasheet or a published curve. C: an assumption.
Grade = Literal["A", "B", "C"]
_GRADES: dict[str, Grade] = {"A": "A", "B": "B", "C": "C"}


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of `<name>.csv`, in order. Raises UserError where the file is missing."""
    path = HERE / f"{name}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except FileNotFoundError:
        raise UserError(f"{path}: missing; install the package again") from None


def has(name: str) -> bool:
    """Whether `<name>.csv` is there: a copy may leave out a file whose licence does not suit it."""
    return (HERE / f"{name}.csv").is_file()


def number(text: str) -> float | None:
    """The number in a cell; None where the cell is empty."""
    return float(text) if text else None


def grade(text: str) -> Grade:
    """The class in a cell."""
    return _GRADES[text]
