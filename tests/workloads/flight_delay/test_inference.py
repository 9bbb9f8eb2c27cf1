"""Serving: from the files of model.tar.gz only, in JSON and CSV, with clear errors."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.cases import check_cases
from workloads.flight_delay import features, inference, prepare
from workloads.flight_delay.features import FEATURES, LABEL, InputError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(model_dir: Path) -> inference.Model:
    """Return the model as the container loads it."""
    return inference.model_fn(str(model_dir))


@pytest.fixture(scope="module")
def requests(parts: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return held-out flights as a client writes them: JSON's null for unknown values."""
    text = parts["test"].tail(200)[features.list_names()].to_json(orient="records")
    records: list[dict[str, Any]] = json.loads(text)
    assert any(record["wind_gust_mph"] is None for record in records)
    return records


def predict(model: inference.Model, body: str | bytes, content_type: str = "application/json") -> list[float]:
    """Return the probabilities in the response to a request."""
    response, kind = inference.transform_fn(model, body, content_type, "*/*")
    assert kind == "application/json"
    probabilities: list[float] = json.loads(response)["predictions"]
    return probabilities


def test_the_served_predictions_have_the_measured_auc(
    model: inference.Model, model_dir: Path, parts: dict[str, pd.DataFrame]
) -> None:
    from sklearn.metrics import roc_auc_score  # the import is slow, so it is not part of the collection of tests

    test = parts["test"]
    probabilities = predict(model, test[features.list_names()].to_json(orient="records"))
    assert len(probabilities) == len(test)
    assert all(0 < p < 1 for p in probabilities)
    expected_auc = json.loads((model_dir / "metadata.json").read_text())["metrics"]["test:auc"]
    assert roc_auc_score(test[LABEL], probabilities) == pytest.approx(expected_auc, abs=1e-4)


def test_every_form_of_a_request_gets_the_same_response(
    model: inference.Model, requests: list[dict[str, Any]], parts: dict[str, pd.DataFrame]
) -> None:
    expected = predict(model, json.dumps(requests))
    table = pd.DataFrame(requests)
    records = [
        {item["FeatureName"]: item["ValueAsString"] for item in record}
        for record in prepare.make_feature_records(parts["test"].tail(200))
    ]
    assert len(set(expected)) > 20
    assert predict(model, json.dumps({"instances": requests}).encode()) == expected
    assert predict(model, table.to_csv(index=False), "text/csv; charset=utf-8") == expected
    assert predict(model, table[table.columns[::-1]].to_csv(index=False).encode(), "text/csv") == expected
    assert predict(model, json.dumps(records)) == expected  # as in the feature group: text, without nulls


def test_the_model_folder_serves_with_numpy_only(
    model: inference.Model, model_dir: Path, requests: list[dict[str, Any]]
) -> None:
    """Only numpy is needed besides the files of model.tar.gz."""
    script = (
        "import sys; sys.modules.update(dict.fromkeys(['xgboost', 'pandas', 'scipy', 'sklearn']));"
        "import inference as i; model = i.model_fn(sys.argv[1]);"
        "print(*i.transform_fn(model, sys.stdin.read(), 'application/json', 'text/csv'))"
    )
    completed = subprocess.run(
        [sys.executable, "-c", script, str(model_dir)],
        cwd=model_dir / "code",
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    *lines, kind = completed.stdout.split()
    assert kind == "text/csv"
    assert [float(line) for line in lines] == predict(model, json.dumps(requests))


def test_an_unknown_category_counts_as_missing(model: inference.Model, requests: list[dict[str, Any]]) -> None:
    unknown = [{**flight, "destination": "XXX"} for flight in requests]
    other = [{**flight, "destination": "YYY"} for flight in requests]
    assert predict(model, json.dumps(unknown)) == predict(model, json.dumps(other))
    matrix = features.build_matrix(pd.DataFrame(unknown), model.categories)
    assert np.isnan(matrix[:, features.list_names().index("destination")]).all()


def test_the_accept_header_selects_csv() -> None:
    assert inference.format_response(np.array([0.25, 0.5], np.float32), "text/csv") == ("0.25\n0.5\n", "text/csv")
    with pytest.raises(
        InputError, match="answers of type text/html are not served: accept application/json or text/csv"
    ):
        inference.format_response(np.array([0.5], np.float32), "text/html")


@pytest.mark.parametrize("feature", [f for f in FEATURES if not f.is_nullable], ids=lambda feature: feature.name)
def test_a_missing_schedule_feature_is_named(feature: features.Feature, requests: list[dict[str, Any]]) -> None:
    for absent in ({}, {feature.name: None}, {feature.name: ""}):
        record = {name: value for name, value in requests[0].items() if name != feature.name} | absent
        with pytest.raises(InputError, match=f"^record 2: {feature.name} is missing$"):
            inference.read_request(json.dumps([requests[0], record]), "application/json")


@pytest.mark.parametrize(
    ("change", "message"),
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
def test_an_invalid_value_is_named(change: dict[str, Any], message: str, requests: list[dict[str, Any]]) -> None:
    with pytest.raises(InputError) as error:
        inference.read_request(json.dumps([{**requests[0], **change}]), "application/json")
    assert str(error.value) == message


@check_cases(
    ("body", "content_type", "message"),
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
def test_an_invalid_request_returns_a_client_error_with_the_reason(
    model: inference.Model, body: str | bytes, content_type: str, message: str
) -> None:
    response = inference.transform_fn(model, body, content_type, "application/json")
    assert response.status_code == 400
    assert response.get_data(as_text=True).startswith(message)


def test_a_model_of_other_features_is_rejected(model_dir: Path, tmp_path: Path) -> None:
    metadata = json.loads((model_dir / "metadata.json").read_text())
    del metadata["features"]["carrier"]
    (tmp_path / "metadata.json").write_text(json.dumps(metadata))
    (tmp_path / "trees.npz").write_bytes((model_dir / "trees.npz").read_bytes())
    with pytest.raises(InputError, match="other features than the code beside it"):
        inference.model_fn(str(tmp_path))


@pytest.mark.parametrize("damaged", ["trees.npz", "metadata.json"])
def test_a_damaged_model_is_rejected(damaged: str, model_dir: Path, tmp_path: Path) -> None:
    for name in ("trees.npz", "metadata.json"):
        content = (model_dir / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2] if name == damaged else content)
    with pytest.raises(InputError, match=f"no flight delay model in {tmp_path}"):
        inference.model_fn(str(tmp_path))
