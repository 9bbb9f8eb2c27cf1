"""Generated tables in place of a user's data: one for each kind of label, and a messy one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

LABEL = "label"


def _make_numbers(chance: np.random.Generator, rows: int) -> tuple[pd.DataFrame, Any]:
    table = pd.DataFrame(chance.normal(size=(rows, 3)), columns=["first", "second", "third"])
    return table, table["first"] - table["second"] / 2 + chance.normal(scale=0.1, size=rows)


def _make_binary_table(chance: np.random.Generator, rows: int) -> pd.DataFrame:
    table, score = _make_numbers(chance, rows)
    return table.assign(label=(score > 0).astype(int))


def _make_multiclass_table(chance: np.random.Generator, rows: int) -> pd.DataFrame:
    table, score = _make_numbers(chance, rows)
    return table.assign(label=np.select([score < -0.6, score > 0.6], ["Nein, danke", "Oui"], "maybe"))


def _make_regression_table(chance: np.random.Generator, rows: int) -> pd.DataFrame:
    table, score = _make_numbers(chance, rows)
    return table.assign(label=1000 * score)


def _make_messy_table(chance: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return a table with missing values, dates, text, unicode headers, a few words among numbers, and an ID."""
    days, size = chance.integers(0, 700, rows), chance.normal(size=rows)
    city, day = chance.choice(["Zürich", "São Paulo", "東京"], rows), pd.Timestamp("2025-01-01")
    table = pd.DataFrame(
        {
            "Größe (m²)": size,
            "日付": (day + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d"),
            "seen, last": (day + pd.to_timedelta(days, unit="D")).strftime("%d.%m.%Y"),
            "città": city,
            "nothing": None,
            "price": pd.Series(chance.normal(size=rows)).round(3).astype(str).mask(chance.random(rows) < 0.03, "n/v"),
            "id": [f"customer {number}" for number in range(rows)],
        }
    ).astype(object)
    score = size + (city == "東京") + days / 350 - 1.3 + chance.normal(scale=0.1, size=rows)
    return table.mask(chance.random(table.shape) < 0.05).assign(label=(score > 0).astype(int))


KINDS: dict[str, Callable[[np.random.Generator, int], pd.DataFrame]] = {
    "binary": _make_binary_table,
    "multiclass": _make_multiclass_table,
    "regression": _make_regression_table,
    "messy": _make_messy_table,
}


def write_table(kind: str, rows: int, folder: Path) -> "pd.Series[Any]":
    """Write train.csv and ask.csv, a tenth of the rows, and return the labels of ask.csv."""
    table = KINDS[kind](np.random.default_rng(13), rows)
    train, ask = table[: rows * 9 // 10], table[rows * 9 // 10 :]
    train.to_csv(folder / "train.csv", index=False, encoding="utf-8-sig")  # as spreadsheets write UTF-8
    ask.drop(columns=LABEL).to_csv(folder / "ask.csv", index=False)
    return ask[LABEL]


def measure_agreement(kind: str, predictions: Path, label: "pd.Series[Any]") -> float:
    """Return the agreement of the predictions with the labels; 1 is perfect."""
    if kind == "multiclass":
        return float(np.mean(pd.read_csv(predictions)[LABEL].to_numpy() == label.to_numpy()))
    values = np.loadtxt(predictions)
    if kind == "regression":
        return float(np.corrcoef(values, label)[0, 1])
    return float(np.mean((values > 0.5) == label))
