"""The trees as plain arrays: the same predictions as XGBoost, to the last bit, without XGBoost."""

import json
import platform
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import vermin
import xgboost as xgb

from tests.cases import check_cases
from workloads.flight_delay import compare_serving, compile_trees, features, inference, prepare, train
from workloads.flight_delay.features import LABEL, InputError
from workloads.flight_delay.trees import CompiledTrees, Trees

pytestmark = pytest.mark.slow
HAS_COMPILER = shutil.which("cc") is not None or find_spec("ziglang") is not None
needs_compiler = pytest.mark.skipif(not HAS_COMPILER, reason="needs cc, or the extra compile")


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
def test_trees_of_any_shape_give_the_same_bits(
    settings: dict[str, float], parts: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    known = features.list_categories(parts["train"])
    rows = {part: features.build_matrix(frame, known) for part, frame in parts.items()}
    learner = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1, **settings}
    booster = xgb.train(learner, make_dmatrix(rows["train"], parts["train"][LABEL]), 12)
    trees = Trees.from_model(bytes(booster.save_raw("json")))
    expected = booster.predict(make_dmatrix(rows["test"]))
    np.testing.assert_array_equal(trees.predict_probabilities(rows["test"]), expected)
    if HAS_COMPILER:
        trees.save(tmp_path)
        (library,) = compile_trees.compile_trees(tmp_path, [platform.machine()])
        np.testing.assert_array_equal(CompiledTrees(library).predict_probabilities(rows["test"]), expected)


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


@needs_compiler
def test_the_comparison_finds_every_flight_equal(
    model_dir: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare_serving.main([f"--model_dir={model_dir}", f"--test={data / 'test'}"])
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "flights=3000; equal to XGBoost: trees.npz=3000; compiled=3000;"
    arrays, xgboost, compiled = (json.loads(line.partition(": ")[2]) for line in lines[:3])
    assert 0 < arrays["MB"] < xgboost["MB"] / 2
    assert 0 < compiled["MB"] < xgboost["MB"] / 2
    assert compiled["1,000 per request"] < arrays["1,000 per request"]


@pytest.fixture(scope="module")
def compiled_dir(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the model with compiled trees for this computer."""
    folder = tmp_path_factory.mktemp("compiled") / "model"
    shutil.copytree(model_dir, folder)
    compile_trees.compile_trees(folder, [platform.machine()])
    return folder


@needs_compiler
def test_compiled_trees_give_every_held_out_flight_the_same_bits(
    model_dir: Path, compiled_dir: Path, parts: dict[str, pd.DataFrame]
) -> None:
    model = inference.model_fn(str(compiled_dir))
    assert isinstance(model.trees, CompiledTrees)
    rows = features.build_matrix(parts["test"], model.categories)
    np.testing.assert_array_equal(
        model.trees.predict_probabilities(rows), Trees.load(model_dir).predict_probabilities(rows)
    )
    assert model.trees.predict_probabilities(rows[:0]).shape == (0,)
    strided = np.asfortranarray(rows, np.float64)
    np.testing.assert_array_equal(model.trees.predict_probabilities(strided), model.trees.predict_probabilities(rows))


@needs_compiler
def test_compiled_trees_of_another_model_are_refused(compiled_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(compiled_dir, folder)
    trees = Trees.load(folder)
    trees._replace(base=trees.base + np.float32(1)).save(folder)
    with pytest.raises(InputError, match="was compiled from other trees: compile it again"):
        inference.model_fn(str(folder))


def test_a_machine_without_a_compiler_names_the_extra(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compile_trees, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match="2"):
        compile_trees.main([f"--model_dir={model_dir}"])
    error = capsys.readouterr().err
    assert error == "error: no compiler for x86_64: pip install 'sustainable-mlops[compile]'\n"


@check_cases("name", train.SERVING_CODE)
def test_the_serving_code_runs_on_the_python_of_the_graviton_image(name: str) -> None:
    """The image sagemaker-scikit-learn:1.0-1-arm64 has Python 3.8."""
    source = Path(train.__file__).with_name(name).read_text(encoding="utf-8")
    assert "from __future__ import annotations" in source  # so that annotations may be newer
    versions = vermin.detect(source)
    assert versions[1] <= (3, 8), f"{name} needs Python {versions[1]}"
