"""Training of the built-in algorithm k-means, with scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import ClientError
from .training import (
    TrainingContainer,
    parse_choice,
    parse_range,
    run_training,
)

MODEL = "model_algo-1"
_RECORDIO = "application/x-recordio-protobuf"

#: Hyperparameters, with their parsers. Source: k-means hyperparameters in the SageMaker developer guide. Those of
#: streaming (mini_batch_size, epochs, extra_center_factor, half_life_time_size) have no effect: all rows are in memory.
_HYPERPARAMETERS: dict[str, Callable[[str], Any]] = {
    "k": parse_range(int, 1),
    "feature_dim": parse_range(int, 1),
    "init_method": parse_choice("random", "kmeans++"),
    "local_lloyd_init_method": parse_choice("random", "kmeans++"),
    "local_lloyd_max_iter": parse_range(int, 1),
    "local_lloyd_num_trials": lambda text: 10 if text == "auto" else parse_range(int, 1)(text),
    "local_lloyd_tol": parse_range(float, 0, 1),
    **dict.fromkeys(
        ("epochs", "eval_metrics", "extra_center_factor", "force_dense", "half_life_time_size", "mini_batch_size"), str
    ),
}


def train(container: TrainingContainer) -> None:
    """Find the centers, save them, and print the metrics of the channel `test`."""
    from sklearn.cluster import KMeans

    hyperparameters = container.parse_hyperparameters(_HYPERPARAMETERS, ("k", "feature_dim"))
    features = container.read_training_channel(default=_RECORDIO).features
    expected, actual = hyperparameters["feature_dim"], features.shape[1]
    if expected != actual:
        raise ClientError(f"The hyperparameter feature_dim is {expected}, but the data have {actual} features")
    if not np.isfinite(features).all():
        raise ClientError("The data contain missing or infinite values, which k-means does not accept")
    if len(features) < hyperparameters["k"]:
        raise ClientError(f"The data have {len(features)} rows, fewer than k={hyperparameters['k']}")
    method = hyperparameters.get("local_lloyd_init_method", hyperparameters.get("init_method", "kmeans++"))
    estimator = KMeans(
        hyperparameters["k"],
        init="k-means++" if method == "kmeans++" else "random",
        n_init=hyperparameters.get("local_lloyd_num_trials", 10),
        max_iter=hyperparameters.get("local_lloyd_max_iter", 300),
        tol=hyperparameters.get("local_lloyd_tol", 0.0001),
        random_state=0,
    ).fit(features)
    with (container.model / MODEL).open("wb") as file:
        np.save(file, estimator.cluster_centers_)
    print(f"#quality_metric: host={container.host}, train msd <loss>={estimator.inertia_ / len(features):.10g}")
    test = container.read_channel("test", default=_RECORDIO)
    if test is not None:
        squares = float((estimator.transform(test.features).min(axis=1) ** 2).sum())
        container.log_metric("test", "msd", squares / len(test.features))
        container.log_metric("test", "ssd", squares)


if __name__ == "__main__":
    run_training(train)
