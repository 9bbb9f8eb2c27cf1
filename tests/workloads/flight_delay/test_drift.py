"""Drift: statistics on real flights, formats of batches, and the definition of the check."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.stale_files import suggest_update
from tests.workloads.flight_delay import drift_calibration
from tests.workloads.flight_delay.test_pipeline import WORKLOAD, validate_requests
from workloads.flight_delay import drift, features, prepare
from workloads.flight_delay.features import InputError

pytestmark = pytest.mark.slow

RESAMPLES, ROWS = 50, 600
#: A training table with each type of column, and missing values.
SIMPLE = {
    "minutes": np.arange(1000.0),
    "airport": ["JFK"] * 600 + ["LGA"] * 390 + ["EWR"] * 10,
    "gust": [None] * 500 + list(range(500)),
}


@pytest.fixture(scope="module")
def months(flights: pd.DataFrame, weather: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the model's inputs of January and July."""
    return {
        name: prepare.build_frame(flights[flights["month"] == month].reset_index(drop=True), weather)[
            features.list_names()
        ]
        for name, month in (("January", 1), ("July", 7))
    }


def list_columns(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the columns of a frame by name."""
    return {str(name): frame[name] for name in frame}


def compare_simple(**changes: Any) -> dict[str, Any]:
    profile = drift.build_profile({name: pd.Series(values) for name, values in SIMPLE.items()})
    return drift.compare(json.loads(json.dumps(profile)), {**SIMPLE, **changes})


def test_january_does_not_drift_from_january_and_july_does(months: dict[str, pd.DataFrame]) -> None:
    profile = drift.build_profile(list_columns(months["January"]))
    alarms = {
        month: sum(
            bool(drift.compare(profile, list_columns(frame.sample(ROWS, replace=True, random_state=seed)))["drifting"])
            for seed in range(RESAMPLES)
        )
        for month, frame in months.items()
    }
    assert alarms["January"] <= 3
    assert alarms["July"] == RESAMPLES


def test_unchanged_batches_of_public_data_do_not_drift_and_clear_shifts_do() -> None:
    frames = {**drift_calibration.load_data_sets(), **drift_calibration.build_edge_cases()}
    figures = [drift_calibration.measure(frame, 10, 500, seed=3) for frame in frames.values()]
    assert sum(one.columns for one in figures) >= 30
    assert sum(one.false_alarms for one in figures) <= 0.01 * sum(one.batches for one in figures)
    for name in ("mean + 1 sd", "25 % missing"):
        counts, found = zip(*(one.shifts[name] for one in figures), strict=True)
        assert sum(found) >= 0.95 * sum(counts), name


def test_equal_values_of_many_digits_are_equal_in_every_format(tmp_path: Path) -> None:
    values = np.array([0.0, 3.2580965380214821, 4.564348191467836])
    for dtype in (np.float64, np.float32):
        profile = drift.build_profile({"logarithm": pd.Series(np.tile(values, 20_000).astype(dtype))})
        pd.DataFrame({"logarithm": np.tile(values, 200).astype(dtype)}).to_csv(tmp_path / "batch.csv", index=False)
        column = drift.compare(profile, drift.read_columns(tmp_path, profile))["columns"]["logarithm"]
        assert (column["psi"], column["ks"], column["drifts"]) == (
            pytest.approx(0, abs=0.02),
            pytest.approx(0, abs=1e-3),
            False,
        )


def test_a_flag_that_becomes_frequent_drifts() -> None:
    profile = drift.build_profile({"flag": [1] * 150 + [0] * 9850})
    for ones, psi in ((150, 0.33), (1000, 8)):
        column = drift.compare(profile, {"flag": [1] * ones + [0] * (1000 - ones)})["columns"]["flag"]
        assert column["drifts"]
        assert column["psi"] >= 0.9 * psi
    assert not drift.compare(profile, {"flag": [1] * 15 + [0] * 985})["drifting"]


def test_a_large_batch_does_not_drift_by_a_trivial_difference() -> None:
    chance = np.random.default_rng(7)
    profile = drift.build_profile({"value": chance.normal(0.0, 1.0, 100_000)})
    column = drift.compare(profile, {"value": chance.normal(0.3, 1.0, 100_000)})["columns"]["value"]
    assert column["corrected_p_value"] < 1e-6
    assert not column["drifts"]


def test_the_same_data_does_not_drift() -> None:
    report = compare_simple()
    assert report["drifting"] == []
    assert report["largest_psi"] < 0.001


@pytest.mark.parametrize(
    ("changes", "drifting"),
    [
        ({"minutes": np.arange(400.0, 1400.0)}, ["minutes"]),
        ({"airport": ["JFK"] * 500 + ["BOS"] * 500}, ["airport"]),
        ({"airport": [None] * 300 + ["JFK"] * 420 + ["LGA"] * 280}, ["airport"]),
        ({"gust": [None] * 900 + list(range(0, 500, 5))}, ["gust"]),
        ({"minutes": ["late"] * 1000}, ["minutes"]),
    ],
)
def test_shifts_new_categories_and_missing_values_drift(changes: dict[str, Any], drifting: list[str]) -> None:
    assert compare_simple(**changes)["drifting"] == drifting


def test_a_small_batch_gives_no_decision_and_publishes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.DataFrame({"minutes": SIMPLE["minutes"]})
    (tmp_path / "data").mkdir()
    frame.to_csv(tmp_path / "data" / "all.csv", index=False)
    drift.main(["--data", str(tmp_path / "data"), "--out", str(tmp_path)])
    frame.head(499).to_csv(tmp_path / "data" / "all.csv", index=False)
    publishing = ["--namespace", "n", "--workload", "w"]  # no AWS here: a call would fail
    folders = ["--data", str(tmp_path / "data"), "--profile", str(tmp_path), "--out", str(tmp_path / "out")]
    drift.main([*folders, *publishing])
    assert json.loads((tmp_path / "out" / "drift.json").read_text())["drifting"] is None
    assert "no decision: fewer than 500 rows" in capsys.readouterr().out


def test_p_values_are_corrected_by_holms_method() -> None:
    assert drift.correct_p_values([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])


def test_captured_requests_and_responses_are_columns(tmp_path: Path) -> None:
    table = "origin,distance_miles\nJFK,100\nLGA,200\n"
    records = [{"origin": "EWR", "distance_miles": 300}]
    lines = [
        ({"data": table, "encoding": "CSV"}, {"data": "0.25\n0.5\n", "encoding": "CSV"}),
        (
            {"data": json.dumps({"instances": records}), "encoding": "JSON"},
            {"data": '{"predictions": [0.75]}', "encoding": "JSON"},
        ),
        (
            {"data": base64.b64encode(json.dumps(records).encode()).decode(), "encoding": "BASE64"},
            {"data": base64.b64encode(b"0.125").decode(), "encoding": "BASE64"},
        ),
    ]
    captured = [{"captureData": {"endpointInput": one, "endpointOutput": other}} for one, other in lines]
    folder = tmp_path / "AllTraffic" / "2013"
    folder.mkdir(parents=True)
    (folder / "capture.jsonl").write_text("\n".join(map(json.dumps, captured)))
    columns = drift.read_columns(tmp_path)
    assert list(columns["origin"]) == ["JFK", "LGA", "EWR", "EWR"]
    assert list(columns["distance_miles"]) == [100, 200, 300, 300]
    assert columns["prediction"] == [0.25, 0.5, 0.75, 0.125]


def test_categories_that_look_like_numbers_are_text(tmp_path: Path) -> None:
    profile = drift.build_profile({"zone": ["01", "02"] * 500})
    (tmp_path / "batch.csv").write_text("zone\n" + "01\n02\n" * 500)
    assert drift.compare(profile, drift.read_columns(tmp_path, profile))["drifting"] == []


def test_wrong_data_are_one_line_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no data: give a folder with"):
        drift.read_columns(tmp_path)
    with pytest.raises(InputError, match=r"profile\.json cannot be read"):
        drift.read_profile(tmp_path)
    (tmp_path / "a.jsonl").write_text("{}")
    with pytest.raises(InputError, match=r"a\.jsonl cannot be read"):
        drift.read_columns(tmp_path)
    with pytest.raises(InputError, match="no column of the profile: minutes"):
        drift.compare(drift.build_profile({"minutes": SIMPLE["minutes"]}), {"hours": [1]})


def test_the_definition_of_the_check_is_current_and_valid() -> None:
    from workloads.flight_delay import drift_pipeline

    definition = drift_pipeline.build_definition()
    assert validate_requests(definition) == ["Drift"]
    assert definition == (WORKLOAD / "drift_pipeline.json").read_text(), suggest_update(
        ".venv/bin/python workloads/flight_delay/drift_pipeline.py"
    )
