"""Requests and responses that all built-in algorithms share.

Sources: Common Data Formats for Inference, and the pages on response formats of each algorithm in the SageMaker
developer guide.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data import ContentType, parse_table
from .errors import ClientError
from .recordio import encode_records

JSON, JSON_LINES, CSV, RECORDIO = (
    "application/json",
    "application/jsonlines",
    "text/csv",
    "application/x-recordio-protobuf",
)
_ACCEPTED = (JSON, JSON_LINES, CSV, RECORDIO)
#: Variable that batch transform sets in its containers.
BATCH_VARIABLE = "SAGEMAKER_BATCH"

#: One prediction: numbers or lists of numbers by name.
Prediction = Mapping[str, Any]


def read_features(body: bytes, content_type: str, default: str) -> NDArray[np.float64]:
    """Return the features of a request as rows. Raises ClientError."""
    kind = (content_type or default).partition(";")[0].strip().lower()
    if kind == JSON:
        return _to_matrix([_read_instance(instance) for instance in _read_instances(body)])
    if kind in (JSON_LINES, "application/x-jsonlines"):
        return _to_matrix([_read_instance(_load_json(line)) for line in body.splitlines() if line.strip()])
    input_type = ContentType.parse(kind, default=default, label_size=0)
    return parse_table(body, input_type).features


def _load_json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ClientError(f"unable to evaluate payload provided: not JSON: {error}") from None


def _read_instances(body: bytes) -> list[Any]:
    payload = _load_json(body)
    if not isinstance(payload, dict) or not isinstance(payload.get("instances"), list):
        raise ClientError('unable to evaluate payload provided: expected {"instances": [...]}')
    return list(payload["instances"])


def _read_instance(instance: Any) -> list[float]:
    """Return the row of `{"features": [...]}` or `{"data": {"features": {"values": [...]}}}`, dense or sparse."""
    try:
        features = instance["data"]["features"] if "data" in instance else instance["features"]
        if isinstance(features, list):
            return [float(value) for value in features]
        values = [float(value) for value in features["values"]]
        if "keys" not in features:
            return values
        row = [0.0] * int(features.get("shape", [max(features["keys"]) + 1])[0])
        for key, value in zip(features["keys"], values, strict=True):
            row[int(key)] = value
    except (TypeError, KeyError, ValueError, IndexError):
        raise ClientError('unable to evaluate payload provided: expected an instance {"features": [...]}') from None
    return row


def _to_matrix(rows: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    if len({len(row) for row in rows}) > 1:
        raise ClientError("unable to evaluate payload provided: the instances differ in their number of features")
    return np.array(rows, dtype=float).reshape(len(rows), -1)


def select_accept(accept: str, default: str) -> str:
    """Return the content type of the response. Raises ClientError for one that the algorithms do not write."""
    kind = accept.partition(";")[0].strip().lower()
    if kind in ("", "*/*"):
        kind = default
    if kind not in _ACCEPTED:
        raise ClientError(f"Accept type {accept} is not supported. Please use one of: {', '.join(_ACCEPTED)}.", 406)
    return kind


def select_linear_accept(accept: str) -> str:
    """Return the content type of a response of the linear learner or k-means: JSON, or JSON Lines in batch transform.

    The worker passes the default of the toolkit, JSON, for a request without Accept.
    """
    is_batch = BATCH_VARIABLE in os.environ
    return select_accept("" if is_batch and accept == JSON else accept, JSON_LINES if is_batch else JSON)


def encode_predictions(predictions: Sequence[Prediction], accept: str) -> bytes:
    """Return the response with one record for each prediction."""
    if accept == RECORDIO:
        return encode_records(
            {name: np.atleast_1d(value).tolist() for name, value in row.items()} for row in predictions
        )
    if accept == JSON:
        return json.dumps({"predictions": list(predictions)}).encode()
    if accept == JSON_LINES:
        return "".join(f"{json.dumps(row)}\n" for row in predictions).encode()
    return "".join(f"{','.join(_format_cell(value) for value in row.values())}\n" for row in predictions).encode()


def _format_cell(value: Any) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)
