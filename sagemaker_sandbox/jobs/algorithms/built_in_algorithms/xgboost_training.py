"""Training of the built-in algorithm XGBoost, with the XGBoost library."""

import os
import pickle
import re
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb

from .data import Table
from .errors import ClientError
from .training import (
    TrainingContainer,
    parse_choice,
    parse_flag,
    parse_range,
    run_training,
)

MODEL = "xgboost-model"
_CHECKPOINT = "xgboost-checkpoint"
#: Number of checkpoints that the container keeps.
_KEPT_CHECKPOINTS = 5
#: First version that saves the model in XGBoost's own format. Earlier ones save a pickle.
#: Source: Use the XGBoost algorithm with SageMaker in the developer guide.
_FIRST_XGBOOST_FORMAT = (1, 3)

_positive, _fraction = parse_range(float, 0), parse_range(float, 0, 1)
_count, _binary = parse_range(int, 1), parse_range(int, 0, 1)

#: Hyperparameters, with their parsers. Source: XGBoost hyperparameters in the SageMaker developer guide.
_HYPERPARAMETERS: dict[str, Callable[[str], Any]] = {
    "num_round": _count,
    "alpha": _positive,
    "base_score": float,
    "booster": parse_choice("gbtree", "gblinear", "dart"),
    "colsample_bylevel": _fraction,
    "colsample_bynode": _fraction,
    "colsample_bytree": _fraction,
    "csv_weights": _binary,
    "deterministic_histogram": parse_flag,
    "dsplit": parse_choice("row", "col"),
    "early_stopping_rounds": _count,
    "eta": _fraction,
    "eval_metric": lambda text: [metric for metric in re.split(r"[\s,'\[\]]+", text) if metric],
    "gamma": _positive,
    "grow_policy": parse_choice("depthwise", "lossguide"),
    "huber_slope": _positive,
    "interaction_constraints": str,
    "lambda": _positive,
    "lambda_bias": _fraction,
    "max_bin": parse_range(int, 0),
    "max_delta_step": _positive,
    "max_depth": parse_range(int, 0),
    "max_leaves": parse_range(int, 0),
    "min_child_weight": _positive,
    "monotone_constraints": str,
    "normalize_type": parse_choice("tree", "forest"),
    "nthread": _count,
    "num_class": parse_range(int, 2),
    "num_parallel_tree": _count,
    "objective": str,
    "one_drop": _binary,
    "predictor": parse_choice("auto", "cpu_predictor", "gpu_predictor"),
    "process_type": parse_choice("default", "update"),
    "rate_drop": _fraction,
    "refresh_leaf": _binary,
    "sample_type": parse_choice("uniform", "weighted"),
    "sampling_method": parse_choice("uniform", "gradient_based"),
    "save_model_on_termination": parse_flag,
    "scale_pos_weight": _positive,
    "seed": int,
    "silent": _binary,
    "sketch_eps": _fraction,
    "skip_drop": _fraction,
    "subsample": _fraction,
    "tree_method": parse_choice("auto", "exact", "approx", "hist", "gpu_hist"),
    "tweedie_variance_power": parse_range(float, 1, 2),
    "updater": str,
    "use_dask_gpu_training": parse_flag,
    "verbosity": parse_range(int, 0, 3),
}
#: Hyperparameters that current XGBoost does not have, and those of the container itself.
_NOT_PASSED = {
    "csv_weights",
    "deterministic_histogram",
    "dsplit",
    "early_stopping_rounds",
    "lambda_bias",
    "num_round",
    "predictor",
    "save_model_on_termination",
    "silent",
    "sketch_eps",
    "use_dask_gpu_training",
}
#: Former names of objectives.
_OBJECTIVES = {"reg:linear": "reg:squarederror"}


def _create_score(metric: str, average: str) -> Callable[[Any, Any], float]:
    def score(labels: Any, predicted: Any) -> float:
        from sklearn import metrics

        return float(getattr(metrics, f"{metric}_score")(labels, predicted, average=average, zero_division=0))

    return score


def _compute_balanced_accuracy(labels: Any, predicted: Any) -> float:
    from sklearn.metrics import balanced_accuracy_score

    return float(balanced_accuracy_score(labels, predicted))


#: Metrics of the container that the library does not have, of labels and predicted labels.
_CLASS_METRICS: Mapping[str, Callable[[Any, Any], float]] = {
    "accuracy": lambda labels, predicted: float(np.mean(labels == predicted)),
    "balanced_accuracy": _compute_balanced_accuracy,
    "f1": _create_score("f1", "macro"),
    "f1_binary": _create_score("f1", "binary"),
    "f1_macro": _create_score("f1", "macro"),
    "precision": _create_score("precision", "binary"),
    "precision_macro": _create_score("precision", "macro"),
    "precision_micro": _create_score("precision", "micro"),
    "recall": _create_score("recall", "binary"),
    "recall_macro": _create_score("recall", "macro"),
    "recall_micro": _create_score("recall", "micro"),
}
#: Metrics of the container that the library does not have, of labels and predicted values.
_VALUE_METRICS: Mapping[str, Callable[[Any, Any], float]] = {
    "mse": lambda labels, values: float(np.mean((labels - values) ** 2)),
    "r2": lambda labels, values: float(1 - np.sum((labels - values) ** 2) / np.sum((labels - labels.mean()) ** 2)),
}
#: Metrics of this file whose best value is the largest. The library knows the direction of its own metrics.
_MAXIMIZED = {*_CLASS_METRICS, "r2"}


def train(container: TrainingContainer) -> None:
    """Train a model, save it as AWS's container does, and print the metrics of each round."""
    hyperparameters = container.parse_hyperparameters(_HYPERPARAMETERS, ("num_round",))
    has_weights = bool(hyperparameters.get("csv_weights"))
    training = _build_matrix(container.read_training_channel(default="text/libsvm"), has_weights)
    validation_table = container.read_channel("validation", default="text/libsvm")
    evaluations = [(training, "train")]
    if validation_table is not None:
        evaluations.append((_build_matrix(validation_table, has_weights, training.num_col()), "validation"))
    print(f"Train matrix has {training.num_row()} rows and {training.num_col()} columns")
    parameters = {name: value for name, value in hyperparameters.items() if name not in _NOT_PASSED}
    if "objective" in parameters:
        parameters["objective"] = _OBJECTIVES.get(parameters["objective"], parameters["objective"])
    if parameters.get("tree_method") == "gpu_hist":  # the sandbox has no GPU; the trees are the same
        parameters["tree_method"] = "hist"
    stopping_metric = _find_stopping_metric(parameters, container.tuning_metric)
    own_metrics = _select_metrics(parameters, container.tuning_metric)
    first_model, first_round = _load_checkpoint(container.checkpoints)
    callbacks: list[xgb.callback.TrainingCallback] = [_Progress(first_round)]
    if container.checkpoints is not None:
        callbacks.append(_Checkpoints(container.checkpoints, first_round))
    if rounds := hyperparameters.get("early_stopping_rounds"):
        callbacks.append(
            xgb.callback.EarlyStopping(
                rounds=rounds,
                metric_name=stopping_metric if own_metrics else None,
                maximize=True if stopping_metric in _MAXIMIZED else None,
                save_best=parameters.get("booster") != "gblinear",  # which has no rounds to remove
            )
        )
    save_model = _create_saver(container)
    if hyperparameters.get("save_model_on_termination"):
        callbacks.append(_Snapshots(save_model))
    try:
        model = xgb.train(
            parameters,
            training,
            num_boost_round=max(hyperparameters["num_round"] - first_round, 0),
            evals=evaluations,
            custom_metric=_create_metric(own_metrics, parameters) if own_metrics else None,
            callbacks=callbacks,
            xgb_model=first_model,
            verbose_eval=False,
        )
    except (xgb.core.XGBoostError, ValueError) as error:
        lines = [line for line in str(error).splitlines() if line.strip() and "Stack trace" not in line]
        raise ClientError(f"XGB train call failed with exception: {lines[0] if lines else error}") from None
    save_model(model)


def _build_matrix(table: Table, has_weights: bool, width: int = 0) -> xgb.DMatrix:
    """Return the matrix of the library. The second column of CSV may hold weights."""
    labels, features, weights = table.required_labels, table.features, None
    if has_weights:
        weights, features = features[:, 0], features[:, 1:]
    if features.shape[1] < width:  # sparse rows without the last features
        features = np.pad(features, ((0, 0), (0, width - features.shape[1])), constant_values=np.nan)
    return xgb.DMatrix(features, label=labels, weight=weights)


def _find_stopping_metric(parameters: Mapping[str, Any], tuning_metric: str | None) -> str | None:
    """Return the metric of early stopping: the objective of a tuning job, or the last one. None is the default."""
    if tuning_metric is not None:
        return tuning_metric.partition(":")[2]
    metrics = parameters.get("eval_metric")
    return metrics[-1] if metrics else None


def _select_metrics(parameters: dict[str, Any], tuning_metric: str | None) -> list[str]:
    """Keep only the metrics of the library in the parameters, and return those that this file computes."""
    metrics = list(parameters.pop("eval_metric", []))
    if tuning_metric is not None and (name := tuning_metric.partition(":")[2]) not in metrics:
        metrics.append(name)
    own = [name for name in metrics if name in _CLASS_METRICS or name in _VALUE_METRICS]
    library = [name for name in metrics if name not in own]
    if library:
        parameters["eval_metric"] = library
    elif own:
        parameters["disable_default_eval_metric"] = True
    return own


def _create_metric(names: list[str], parameters: Mapping[str, Any]) -> Callable[[Any, Any], list[tuple[str, float]]]:
    objective = parameters.get("objective", "reg:squarederror")

    def compute(predictions: Any, matrix: xgb.DMatrix) -> list[tuple[str, float]]:
        labels = matrix.get_label()
        predicted = _predict_labels(predictions, objective)
        return [
            (
                name,
                _CLASS_METRICS[name](labels, predicted)
                if name in _CLASS_METRICS
                else _VALUE_METRICS[name](labels, predictions),
            )
            for name in names
        ]

    return compute


def _predict_labels(predictions: Any, objective: str) -> Any:
    if predictions.ndim > 1:
        return predictions.argmax(axis=1)
    if objective.startswith("multi:"):
        return predictions
    return (predictions > (0 if objective == "binary:logitraw" else 0.5)).astype(float)


class _Progress(xgb.callback.TrainingCallback):
    """Callback that prints the metrics of each round, in the form that SageMaker's metric definitions match."""

    def __init__(self, first_round: int) -> None:
        self._first_round = first_round

    def after_iteration(self, _model: Any, epoch: int, evals_log: Any) -> bool:
        """Print the metrics of a round."""
        metrics = [
            f"{channel}-{name}:{values[-1]:.5f}" for channel, log in evals_log.items() for name, values in log.items()
        ]
        print("#011".join([f"[{self._first_round + epoch}]", *metrics]))
        return False


class _Checkpoints(xgb.callback.TrainingCallback):
    """Callback that writes a checkpoint after each round, and keeps the last ones."""

    def __init__(self, folder: Path, first_round: int) -> None:
        self._folder = folder
        self._first_round = first_round

    def after_iteration(self, model: Any, epoch: int, _evals_log: Any) -> bool:
        """Write the checkpoint of a round, and remove an old one."""
        number = self._first_round + epoch
        partial = self._folder / f".{_CHECKPOINT}.partial"
        partial.write_bytes(model.save_raw("ubj"))
        partial.rename(self._folder / f"{_CHECKPOINT}.{number}")
        (self._folder / f"{_CHECKPOINT}.{number - _KEPT_CHECKPOINTS}").unlink(missing_ok=True)
        return False


class _Snapshots(xgb.callback.TrainingCallback):
    """Callback that saves the model after each round, so that a stopped job has the last one."""

    def __init__(self, save_model: Callable[[xgb.Booster], None]) -> None:
        self._save_model = save_model

    def after_iteration(self, model: Any, _epoch: int, _evals_log: Any) -> bool:
        """Save the model."""
        self._save_model(model)
        return False


def _load_checkpoint(folder: Path | None) -> tuple[xgb.Booster | None, int]:
    """Return the last checkpoint and the number of the next round."""
    files = folder.glob(f"{_CHECKPOINT}.*") if folder is not None else ()
    rounds = {int(path.suffix[1:]): path for path in files if path.suffix[1:].isdecimal()}
    if not rounds:
        return None, 0
    last = max(rounds)
    print(f"Resuming from {rounds[last].name}")
    return xgb.Booster(model_file=bytearray(rounds[last].read_bytes())), last + 1


def _create_saver(container: TrainingContainer) -> Callable[[xgb.Booster], None]:
    """Return a function that writes `xgboost-model` in the format of the image's version."""
    numbers = [int(part) for part in re.findall(r"\d+", container.tag)[:2]]
    is_pickle = container.tag == "latest" or tuple([*numbers, 0][:2]) < _FIRST_XGBOOST_FORMAT

    def save(model: xgb.Booster) -> None:
        partial = container.model.parent / f"{MODEL}.partial"
        partial.write_bytes(pickle.dumps(model) if is_pickle else model.save_raw("ubj"))
        partial.rename(container.model / MODEL)

    return save


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # a stopped job keeps what was saved
    run_training(train)
