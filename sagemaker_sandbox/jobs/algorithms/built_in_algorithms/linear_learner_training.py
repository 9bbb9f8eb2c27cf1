"""Training of the built-in linear learner, with scikit-learn.

The solvers of scikit-learn find the optimum of the same loss. Hyperparameters of the optimizer, such as learning_rate
and epochs, are checked and have no effect.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data import Table
from .errors import ClientError
from .linear_learner_model import LinearModel, standardize
from .training import (
    TrainingContainer,
    parse_choice,
    parse_range,
    run_training,
)

_RECORDIO = "application/x-recordio-protobuf"
REGRESSOR, BINARY, MULTICLASS = "regressor", "binary_classifier", "multiclass_classifier"


def _make_optional_parser(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a parser that also accepts `auto`, for which it returns None."""
    return lambda text: None if text == "auto" else parse(text)


_flag = parse_choice("true", "false", "True", "False", "1", "0", "auto")
_positive, _open_fraction = parse_range(float, 0), parse_range(float, 0, 1)

#: Hyperparameters, with their parsers. Source: linear learner hyperparameters in the SageMaker developer guide.
_HYPERPARAMETERS: dict[str, Callable[[str], Any]] = {
    "predictor_type": parse_choice(REGRESSOR, BINARY, MULTICLASS),
    "feature_dim": _make_optional_parser(parse_range(int, 1)),
    "num_classes": parse_range(int, 3, 1_000_000),
    "loss": str,
    "l1": _make_optional_parser(_positive),
    "wd": _make_optional_parser(_positive),
    "use_bias": _flag,
    "normalize_data": _flag,
    "normalize_label": _flag,
    "unbias_data": _flag,
    "unbias_label": _flag,
    "positive_example_weight_mult": lambda text: text if text in ("balanced", "auto") else _positive(text),
    "balance_multiclass_weights": _flag,
    "binary_classifier_model_selection_criteria": parse_choice(
        "accuracy",
        "f1",
        "f_beta",
        "precision_at_target_recall",
        "recall_at_target_precision",
        "loss_function",
        "cross_entropy_loss",
    ),
    "target_recall": _open_fraction,
    "target_precision": _open_fraction,
    "f_beta": _positive,
    "quantile": _open_fraction,
    "huber_delta": _positive,
    "loss_insensitivity": _positive,
    "accuracy_top_k": parse_range(int, 1),
    **dict.fromkeys(
        (
            *("beta_1", "beta_2", "bias_lr_mult", "bias_wd_mult", "early_stopping_patience"),
            *("early_stopping_tolerance", "epochs", "init_bias", "init_method", "init_scale", "init_sigma"),
            *("learning_rate", "lr_scheduler_factor", "lr_scheduler_minimum_lr", "lr_scheduler_step", "margin"),
            *("mini_batch_size", "momentum", "num_calibration_samples", "num_models", "num_point_for_scaler"),
            *("optimizer", "use_lr_scheduler"),
        ),
        str,
    ),
}


def train(container: TrainingContainer) -> None:
    """Train a model, save it, and print the metrics of each channel."""
    hyperparameters = container.parse_hyperparameters(_HYPERPARAMETERS, ("predictor_type",))
    training = container.read_training_channel(default=_RECORDIO)
    _check(hyperparameters, training)
    validation = container.read_channel("validation", default=_RECORDIO)
    model = _fit(hyperparameters, training)
    if model.kind == BINARY:
        model.threshold = _choose_threshold(model, validation or training, hyperparameters)
    model.save(container.model)
    channels = {"train": training, "validation": validation, "test": container.read_channel("test", default=_RECORDIO)}
    for channel, table in channels.items():
        for metric, value in _measure(model, table).items() if table is not None else ():
            container.log_metric(channel, metric, value)


def _check(hyperparameters: dict[str, Any], training: Table) -> None:
    """Raise ClientError for data that do not fit the hyperparameters."""
    expected, actual = hyperparameters.get("feature_dim"), training.features.shape[1]
    if expected is not None and expected != actual:
        raise ClientError(f"The hyperparameter feature_dim is {expected}, but the data have {actual} features")
    labels = training.required_labels
    if hyperparameters["predictor_type"] == BINARY and not np.isin(labels, (0, 1)).all():
        raise ClientError("The labels of predictor_type binary_classifier must be 0 or 1")
    if hyperparameters["predictor_type"] == MULTICLASS:
        if "num_classes" not in hyperparameters:
            raise ClientError("Missing required hyperparameter: num_classes")
        if not np.isin(labels, range(hyperparameters["num_classes"])).all():
            raise ClientError("The labels of predictor_type multiclass_classifier must be from 0 to num_classes - 1")
    if not np.isfinite(training.features).all():
        raise ClientError("The data contain missing or infinite values, which the linear learner does not accept")


def _fit(hyperparameters: dict[str, Any], training: Table) -> LinearModel:
    """Return the model with the smallest loss. Features are standardized for the solver and the penalty."""
    is_normalized = hyperparameters.get("normalize_data", "true").lower() in ("true", "1", "auto")
    means, scales = standardize(training.features) if is_normalized else (np.zeros(1), np.ones(1))
    features = (training.features - means) / scales
    kind, labels = hyperparameters["predictor_type"], training.required_labels
    estimator = (
        _create_regressor(hyperparameters, len(labels))
        if kind == REGRESSOR
        else _create_classifier(hyperparameters, len(labels))
    )
    weights = _weight_examples(hyperparameters, labels)
    estimator.fit(features, labels, **({} if weights is None else {"sample_weight": weights}))
    coefficients = np.atleast_2d(estimator.coef_) / scales
    bias = np.atleast_1d(estimator.intercept_) - coefficients @ np.broadcast_to(means, coefficients.shape[1])
    if kind == MULTICLASS:
        coefficients, bias = _fill_classes(coefficients, bias, estimator.classes_, hyperparameters["num_classes"])
    loss = hyperparameters.get("loss", "auto")
    return LinearModel(kind, coefficients, bias, is_margin=kind == BINARY and loss == "hinge_loss")


def _create_regressor(hyperparameters: dict[str, Any], rows: int) -> Any:
    from sklearn import linear_model

    bias = hyperparameters.get("use_bias", "true").lower() in ("true", "1", "auto")
    l1, l2 = hyperparameters.get("l1") or 0.0, hyperparameters.get("wd") or 0.0
    loss = hyperparameters.get("loss", "auto")
    if loss in ("auto", "squared_loss"):
        if l1:
            return linear_model.ElasticNet(l1 + l2, l1_ratio=l1 / (l1 + l2), fit_intercept=bias)
        return (
            linear_model.Ridge(l2 * rows, fit_intercept=bias)
            if l2
            else linear_model.LinearRegression(fit_intercept=bias)
        )
    if loss == "quantile_loss":
        return linear_model.QuantileRegressor(
            quantile=hyperparameters.get("quantile", 0.5), alpha=l1, fit_intercept=bias
        )
    insensitivity = hyperparameters.get("loss_insensitivity", 0.01)
    settings: dict[str, dict[str, Any]] = {
        "absolute_loss": {"loss": "epsilon_insensitive", "epsilon": 0.0},
        "huber_loss": {"loss": "huber", "epsilon": hyperparameters.get("huber_delta", 1.0)},
        "eps_insensitive_absolute_loss": {"loss": "epsilon_insensitive", "epsilon": insensitivity},
        "eps_insensitive_squared_loss": {"loss": "squared_epsilon_insensitive", "epsilon": insensitivity},
    }
    if loss not in settings:
        raise ClientError(f"Hyperparameter loss: {loss!r} is not an accepted value for predictor_type {REGRESSOR}")
    return linear_model.SGDRegressor(**settings[loss], alpha=l2, fit_intercept=bias, random_state=0, max_iter=5000)


def _create_classifier(hyperparameters: dict[str, Any], rows: int) -> Any:
    from sklearn import linear_model

    kind, loss = hyperparameters["predictor_type"], hyperparameters.get("loss", "auto")
    bias = hyperparameters.get("use_bias", "true").lower() in ("true", "1", "auto")
    l1, l2 = hyperparameters.get("l1") or 0.0, hyperparameters.get("wd") or 0.0
    if kind == BINARY and loss == "hinge_loss":
        return linear_model.SGDClassifier(alpha=l2 or 1e-6, fit_intercept=bias, random_state=0, max_iter=5000)
    if loss not in ("auto", "logistic" if kind == BINARY else "softmax_loss"):
        raise ClientError(f"Hyperparameter loss: {loss!r} is not an accepted value for predictor_type {kind}")
    strength = l1 + l2
    # An unpenalized solution of separable data does not exist, so a small penalty always remains.
    inverse = 1 / (max(strength, 1e-6) * rows)
    if l1:
        return linear_model.LogisticRegression(
            C=inverse, l1_ratio=l1 / strength, solver="saga", fit_intercept=bias, max_iter=500, random_state=0
        )
    return linear_model.LogisticRegression(C=inverse, fit_intercept=bias, max_iter=500)


def _weight_examples(hyperparameters: dict[str, Any], labels: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the weight of each example, or None if all weigh the same."""
    if hyperparameters["predictor_type"] == MULTICLASS:
        if hyperparameters.get("balance_multiclass_weights", "false").lower() not in ("true", "1"):
            return None
        counts = np.bincount(labels.astype(int))
        return np.asarray(len(labels) / (np.count_nonzero(counts) * counts[labels.astype(int)]), dtype=float)
    multiplier = hyperparameters.get("positive_example_weight_mult", 1.0)
    if hyperparameters["predictor_type"] == REGRESSOR or multiplier in (1.0, "auto"):
        return None
    if multiplier == "balanced":
        multiplier = (labels == 0).sum() / max((labels == 1).sum(), 1)
    return np.where(labels == 1, multiplier, 1.0)


def _fill_classes(
    coefficients: NDArray[np.float64], bias: NDArray[np.float64], classes: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coefficients of all classes. A class without an example has a probability near 0."""
    if len(classes) == 2:  # the library returns the second class only
        coefficients, bias = np.vstack([-coefficients, coefficients]) / 2, np.concatenate([-bias, bias]) / 2
    all_coefficients, all_bias = np.zeros((count, coefficients.shape[1])), np.full(count, -50.0 - np.abs(bias).max())
    all_coefficients[classes.astype(int)], all_bias[classes.astype(int)] = coefficients, bias
    return all_coefficients, all_bias


def _choose_threshold(model: LinearModel, table: Table, hyperparameters: dict[str, Any]) -> float:
    """Return the threshold of the score that is best for the criterion of model selection."""
    default = 0.0 if model.is_margin else 0.5
    criterion = hyperparameters.get("binary_classifier_model_selection_criteria", "accuracy")
    if criterion in ("loss_function", "cross_entropy_loss"):
        return default
    scores, labels = model.score(table.features)[:, 0], table.required_labels
    order = np.argsort(-scores, kind="stable")
    true_positives = np.cumsum(labels[order])
    count, positives = np.arange(1, len(labels) + 1), max(labels.sum(), 1.0)
    precision, recall = true_positives / count, true_positives / positives
    if criterion == "accuracy":
        quality = 2 * true_positives - count
    elif criterion == "precision_at_target_recall":
        quality = np.where(recall >= hyperparameters.get("target_recall", 0.8), precision, -1)
    elif criterion == "recall_at_target_precision":
        quality = np.where(precision >= hyperparameters.get("target_precision", 0.8), recall, -1)
    else:
        beta = (hyperparameters.get("f_beta", 1.0) if criterion == "f_beta" else 1.0) ** 2
        quality = (1 + beta) * true_positives / (beta * positives + count)
    last = len(labels) - 1 - int(np.argmax(quality[::-1]))
    upper = scores[order[last]]
    lower = scores[order[last + 1]] if last + 1 < len(labels) else upper
    return float((upper + lower) / 2)


def _measure(model: LinearModel, table: Table) -> dict[str, float]:
    """Return the metrics of a channel, with the names of the linear learner."""
    from sklearn import metrics

    labels = table.required_labels
    scores = model.score(table.features)
    if model.kind == REGRESSOR:
        errors = scores[:, 0] - labels
        mse = float(np.mean(errors**2))
        return {
            "objective_loss": mse,
            "mse": mse,
            "rmse": mse**0.5,
            "absolute_loss": float(np.mean(np.abs(errors))),
        }
    predicted = model.predict_labels(scores)
    if model.kind == MULTICLASS:
        return {
            "objective_loss": float(metrics.log_loss(labels, scores, labels=range(scores.shape[1]))),
            "multiclass_accuracy": float(np.mean(predicted == labels)),
            "macro_precision": float(metrics.precision_score(labels, predicted, average="macro", zero_division=0)),
            "macro_recall": float(metrics.recall_score(labels, predicted, average="macro", zero_division=0)),
            "macro_f_beta": float(metrics.f1_score(labels, predicted, average="macro", zero_division=0)),
        }
    values = {
        "binary_classification_accuracy": float(np.mean(predicted == labels)),
        "precision": float(metrics.precision_score(labels, predicted, zero_division=0)),
        "recall": float(metrics.recall_score(labels, predicted, zero_division=0)),
        "binary_f_beta": float(metrics.f1_score(labels, predicted, zero_division=0)),
    }
    if len(np.unique(labels)) == 2:
        values["roc_auc_score"] = float(metrics.roc_auc_score(labels, scores[:, 0]))
        loss = metrics.hinge_loss if model.is_margin else metrics.log_loss
        values = {"objective_loss": float(loss(labels, scores[:, 0]))} | values
    return values


if __name__ == "__main__":
    run_training(train)
