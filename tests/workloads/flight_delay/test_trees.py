"""The trees as plain arrays: the same predictions as XGBoost, to the last bit, without XGBoost."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import vermin
import xgboost as xgb

from tests.cases import check_cases
from workloads.flight_delay import compare_serving, features, inference, prepare, train
from workloads.flight_delay.features import LABEL
from workloads.flight_delay.trees import Trees

pytestmark = pytest.mark.slow


def make_dmatrix(matrix: "np.ndarray[tuple[int, int], np.dtype[np.float32]]", label: object = None) -> xgb.DMatrix:
    """Return XGBoost's form of the inputs."""
    return xgb.DMatrix(matrix, label, feature_names=features.list_names(), feature_types=features.list_xgboost_types())


def test_every_held_out_flight_gets_the_trained_models_prediction(model_dir: Path, year: pd.DataFrame) -> None:
    model = inference.model_fn(str(model_dir))
    booster = xgb.Booster({"nthread": 1}, model_file=model_dir / "model.ubj")
    flights = prepare.split_parts(year)["test"]
    rows = features.build_matrix(flights, model.categories)
    assert np.isnan(rows[:, features.list_names().index("destination")]).any()  # airports that training never saw
    predicted = booster.predict(make_dmatrix(rows))
    assert len(predicted) == 53_991
    assert len(np.unique(predicted)) > 10_000
    np.testing.assert_array_equal(inference.predict(flights, model), predicted)


@pytest.mark.parametrize(
    "settings",
    [
        {"max_depth": 1},
        {"max_depth": 9, "eta": 1.0, "min_child_weight": 0},  # margins far from 0
        {"max_depth": 4, "max_cat_to_onehot": 100},  # a category against all others
        {"max_depth": 4, "base_score": 0.5},
    ],
    ids=["stumps", "extreme", "one category", "even odds"],
)
def test_trees_of_any_shape_give_the_same_bits(settings: dict[str, float], parts: dict[str, pd.DataFrame]) -> None:
    known = features.list_categories(parts["train"])
    rows = {part: features.build_matrix(frame, known) for part, frame in parts.items()}
    learner = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1, **settings}
    booster = xgb.train(learner, make_dmatrix(rows["train"], parts["train"][LABEL]), 12)
    probabilities = Trees.from_model(bytes(booster.save_raw("json"))).predict_probabilities(rows["test"])
    np.testing.assert_array_equal(probabilities, booster.predict(make_dmatrix(rows["test"])))


def test_the_prediction_of_a_flight_does_not_depend_on_other_flights(
    model_dir: Path, parts: dict[str, pd.DataFrame]
) -> None:
    model = inference.model_fn(str(model_dir))
    rows = features.build_matrix(parts["test"].head(50), model.categories)
    alone = np.concatenate([model.trees.predict_probabilities(row[None, :]) for row in rows])
    many = model.trees.predict_probabilities(np.vstack([rows] * 200))
    np.testing.assert_array_equal(np.tile(alone, 200), many)
    assert model.trees.predict_probabilities(rows[:0]).shape == (0,)


def test_saved_trees_are_the_same_bytes_each_time(model_dir: Path, tmp_path: Path) -> None:
    Trees.load(model_dir).save(tmp_path)
    assert (tmp_path / "trees.npz").read_bytes() == (model_dir / "trees.npz").read_bytes()


def test_the_comparison_finds_every_flight_equal(
    model_dir: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare_serving.main([f"--model_dir={model_dir}", f"--test={data / 'test'}"])
    head, arrays, xgboost = capsys.readouterr().out.splitlines()
    assert head.startswith("flights=3000; equal=3000; trees=")
    memory = [json.loads(line.partition(": ")[2])["MB"] for line in (arrays, xgboost)]
    assert 0 < memory[0] < memory[1] / 2


@check_cases("name", train.SERVING_CODE)
def test_the_serving_code_runs_on_the_python_of_the_graviton_image(name: str) -> None:
    """The image sagemaker-scikit-learn:1.0-1-arm64 has Python 3.8."""
    source = Path(train.__file__).with_name(name).read_text(encoding="utf-8")
    assert "from __future__ import annotations" in source  # so that annotations may be newer
    versions = vermin.detect(source)
    assert versions[1] <= (3, 8), f"{name} needs Python {versions[1]}"
