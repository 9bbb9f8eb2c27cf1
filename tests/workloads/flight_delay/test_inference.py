"""The model serves itself: from model.tar.gz alone, in JSON and in CSV, with clear refusals."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workloads.flight_delay import features, inference, prepare
from workloads.flight_delay.features import FEATURES, LABEL, InputError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(model_dir: Path) -> inference.Model:
    """The model as the container loads it."""
    return inference.model_fn(str(model_dir))


@pytest.fixture(scope="module")
def requests(parts: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Held-out flights as a caller writes them: JSON's null for what is not known."""
    text = parts["test"].tail(200)[features.list_names()].to_json(orient="records")
    records: list[dict[str, Any]] = json.loads(text)
    assert any(record["wind_gust_mph"] is None for record in records)
    return records


def ask(model: inference.Model, body: str | bytes, content_type: str = "application/json") -> list[float]:
    """The probabilities in the answer to a request."""
    answer, kind = inference.output_fn(inference.predict_fn(inference.input_fn(body, content_type), model), "*/*")
    assert kind == "application/json"
    probabilities: list[float] = json.loads(answer)["predictions"]
    return probabilities


def test_what_is_served_is_what_was_measured(
    model: inference.Model, model_dir: Path, parts: dict[str, pd.DataFrame]
) -> None:
    from sklearn.metrics import roc_auc_score  # slow to import, and so not while tests are collected

    test = parts["test"]
    probabilities = ask(model, test[features.list_names()].to_json(orient="records"))
    assert len(probabilities) == len(test)
    assert all(0 < p < 1 for p in probabilities)
    measured = json.loads((model_dir / "metadata.json").read_text())["metrics"]["test:auc"]
    assert roc_auc_score(test[LABEL], probabilities) == pytest.approx(measured, abs=1e-4)


def test_every_form_of_a_request_gets_the_same_answer(
    model: inference.Model, requests: list[dict[str, Any]], parts: dict[str, pd.DataFrame]
) -> None:
    expected = ask(model, json.dumps(requests))
    table = pd.DataFrame(requests)
    records = [
        {item["FeatureName"]: item["ValueAsString"] for item in record}
        for record in prepare.make_feature_records(parts["test"].tail(200))
    ]
    assert len(set(expected)) > 20
    assert ask(model, json.dumps({"instances": requests}).encode()) == expected
    assert ask(model, table.to_csv(index=False), "text/csv; charset=utf-8") == expected
    assert ask(model, table[table.columns[::-1]].to_csv(index=False).encode(), "text/csv") == expected
    assert ask(model, json.dumps(records)) == expected  # as the feature group gives them: text, with nulls left out


def test_the_model_folder_serves_alone(model: inference.Model, model_dir: Path, requests: list[dict[str, Any]]) -> None:
    """Nothing but numpy is needed besides the files of model.tar.gz."""
    script = (
        "import sys; sys.modules.update(dict.fromkeys(['xgboost', 'pandas', 'scipy', 'sklearn']));"
        "import inference as i; model = i.model_fn(sys.argv[1]);"
        "print(*i.output_fn(i.predict_fn(i.input_fn(sys.stdin.read(), 'application/json'), model), 'text/csv'))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(model_dir)],
        cwd=model_dir / "code",
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    *lines, kind = ended.stdout.split()
    assert kind == "text/csv"
    assert [float(line) for line in lines] == ask(model, json.dumps(requests))


def test_an_unknown_category_counts_as_missing(model: inference.Model, requests: list[dict[str, Any]]) -> None:
    strange = [{**flight, "destination": "XXX"} for flight in requests]
    other = [{**flight, "destination": "YYY"} for flight in requests]
    assert ask(model, json.dumps(strange)) == ask(model, json.dumps(other))
    encoded = features.build_matrix(pd.DataFrame(strange), model.categories)
    assert np.isnan(encoded[:, features.list_names().index("destination")]).all()


def test_csv_is_answered_where_it_is_asked_for() -> None:
    assert inference.output_fn(np.array([0.25, 0.5], np.float32), "text/csv") == ("0.25\n0.5\n", "text/csv")
    with pytest.raises(
        InputError, match="answers of type text/html are not served: accept application/json or text/csv"
    ):
        inference.output_fn(np.array([0.5], np.float32), "text/html")


@pytest.mark.parametrize("feature", [f for f in FEATURES if not f.is_nullable], ids=lambda feature: feature.name)
def test_a_missing_schedule_feature_is_named(feature: features.Feature, requests: list[dict[str, Any]]) -> None:
    for absent in ({}, {feature.name: None}, {feature.name: ""}):
        record = {name: value for name, value in requests[0].items() if name != feature.name} | absent
        with pytest.raises(InputError, match=f"^record 2: {feature.name} is missing$"):
            inference.input_fn(json.dumps([requests[0], record]), "application/json")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"wind_sped_mph": 3}, "record 1: unknown feature wind_sped_mph"),
        ({"carrier": 9}, "record 1: carrier must be a string, not 9"),
        ({"distance_miles": "far"}, "record 1: distance_miles must be an integer, not 'far'"),
        ({"distance_miles": 200.5}, "record 1: distance_miles must be an integer, not 200.5"),
        ({"day_of_week": True}, "record 1: day_of_week must be an integer, not True"),
        ({"temperature_f": [40]}, "record 1: temperature_f must be a finite number, not [40]"),
        ({"temperature_f": float("inf")}, "record 1: temperature_f must be a finite number, not inf"),
    ],
)
def test_a_wrong_value_is_named(change: dict[str, Any], told: str, requests: list[dict[str, Any]]) -> None:
    with pytest.raises(InputError) as refused:
        inference.input_fn(json.dumps([{**requests[0], **change}]), "application/json")
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("body", "content_type", "told"),
    [
        ("[]", "application/x-npy", "content type application/x-npy is not served: send application/json or text/csv"),
        ("[{", "application/json", "the request is not JSON: "),
        (b"\xff", "application/json", "the request is not UTF-8 text"),
        ("[]", "application/json", "the request holds no flight: send at least one record"),
        ("", "text/csv", "the request holds no flight: send at least one record"),
        ('{"flights": []}', "application/json", "the request must be a list of records or {"),
        ("[1]", "application/json", "record 1 must be an object of features by name"),
        ("carrier,carrier\nUA,UA\n", "text/csv", "the CSV header names a column twice"),
        ("carrier,origin\nUA\n", "text/csv", "record 1: 1 values, but the CSV header names 2 columns"),
    ],
)
def test_a_wrong_request_is_refused_clearly(body: str | bytes, content_type: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        inference.input_fn(body, content_type)
    assert str(refused.value).startswith(told)


def test_a_model_of_other_features_is_refused(model_dir: Path, tmp_path: Path) -> None:
    metadata = json.loads((model_dir / "metadata.json").read_text())
    del metadata["features"]["carrier"]
    (tmp_path / "metadata.json").write_text(json.dumps(metadata))
    (tmp_path / "trees.npz").write_bytes((model_dir / "trees.npz").read_bytes())
    with pytest.raises(InputError, match="other features than the code beside it"):
        inference.model_fn(str(tmp_path))


@pytest.mark.parametrize("damaged", ["trees.npz", "metadata.json"])
def test_a_broken_model_is_refused(damaged: str, model_dir: Path, tmp_path: Path) -> None:
    for name in ("trees.npz", "metadata.json"):
        content = (model_dir / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2] if name == damaged else content)
    with pytest.raises(InputError, match=f"no flight delay model in {tmp_path}"):
        inference.model_fn(str(tmp_path))
