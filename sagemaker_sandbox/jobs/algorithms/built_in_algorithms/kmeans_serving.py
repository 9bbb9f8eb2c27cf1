"""Inference handlers of the built-in algorithm k-means."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ClientError
from .serving import encode_predictions, read_features, select_linear_accept


def load_built_in_model(model_dir: str) -> Any:
    """Return the centers of the folder."""
    return np.load(Path(model_dir) / "model_algo-1", allow_pickle=False)


def transform_built_in(
    model: NDArray[np.float64], data: str | bytes, content_type: str, accept: str
) -> tuple[bytes, str]:
    """Return the closest cluster of each row, and the distance to its center."""
    kind = select_linear_accept(accept)
    body = data.encode() if isinstance(data, str) else data
    features = read_features(body, content_type, "application/x-recordio-protobuf")
    if features.shape[1] != model.shape[1]:
        raise ClientError(
            f"unable to evaluate payload provided: the model has {model.shape[1]} features, the data "
            f"{features.shape[1]}"
        )
    squares = (features**2).sum(axis=1)[:, None] - 2 * features @ model.T + (model**2).sum(axis=1)
    closest = squares.argmin(axis=1)
    distances = np.linalg.norm(features - model[closest], axis=1)
    rows = [
        {"closest_cluster": float(cluster), "distance_to_cluster": float(distance)}
        for cluster, distance in zip(closest, distances, strict=True)
    ]
    return encode_predictions(rows, kind), kind
