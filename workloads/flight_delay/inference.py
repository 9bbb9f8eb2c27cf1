"""Serving code of the flight delay model: the functions that a SageMaker framework container calls.

A request has flights with their features by name (features.py). The response has one probability per flight, in the
same order: the probability of an arrival at least 15 minutes late. A record of the feature group is valid as it is. An
invalid request is an error of the client, with status 400 and the reason.

The code needs Python 3.8 and numpy only (see trees.py), and the container's Flask for an invalid request.
"""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple

import numpy as np

if TYPE_CHECKING or __package__:
    from . import features
    from .features import FEATURES, Feature, InputError
    from .trees import CompiledTrees, Trees, load_trees
else:  # a container has all files in one folder
    import features
    from features import FEATURES, Feature, InputError
    from trees import CompiledTrees, Trees, load_trees

JSON, CSV = "application/json", "text/csv"


class Model(NamedTuple):
    """A trained model and the categories it knows."""

    trees: Trees | CompiledTrees
    categories: Mapping[str, list[str]]


def model_fn(model_dir: str) -> Model:
    """Load the model that train.py saved. Raises InputError if it was trained on other features than this code's."""
    folder = Path(model_dir)
    try:
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        trees = load_trees(folder)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"no flight delay model in {model_dir}: {error}") from None
    if metadata["features"] != features.build_schema():
        raise InputError(f"the model in {model_dir} has other features than the code beside it: train it again")
    return Model(trees, metadata["categories"])


def transform_fn(model: Model, body: str | bytes, content_type: str, accept: str) -> Any:
    """Return the response to a request and its content type, or a response with status 400."""
    try:
        return format_response(predict(read_request(body, content_type), model), accept)
    except InputError as error:
        # The container's Flask application answers an exception with status 500, which triggers the endpoint's alarms.
        from flask import Response

        return Response(f"{error}\n", status=400, mimetype="text/plain")


def read_request(body: str | bytes, content_type: str) -> dict[str, list[Any]]:
    """Return the flights of a request, as one list per feature.

    A request is JSON (a list of records, or {"instances": [records]}) or CSV with a header. Weather and history may be
    null, empty or absent; the schedule is required. Raises InputError naming the record and the feature that is
    missing, unknown or of the wrong type, and for another content type.
    """
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
    except UnicodeDecodeError:
        raise InputError("the request is not UTF-8 text") from None
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        rows = _read_json_records(text)
    elif kind == CSV:
        rows = _read_csv_records(text)
    else:
        raise InputError(f"content type {content_type} is not served: send {JSON} or {CSV}")
    if not rows:
        raise InputError("the request holds no flight: send at least one record")
    records = [_check_record(row, number) for number, row in enumerate(rows, start=1)]
    return {name: list(column) for name, column in zip(features.list_names(), zip(*records))}


def predict(flights: Any, model: Model) -> np.ndarray:
    """Return the probability of a late arrival for each flight, float32."""
    return model.trees.predict_probabilities(features.build_matrix(flights, model.categories))


def format_response(probabilities: np.ndarray, accept: str) -> tuple[str, str]:
    """Return the response and its content type: {"predictions": [p, …]} as JSON, or one probability per line as CSV."""
    rounded = [round(float(p), 6) for p in probabilities]
    accepted_types = [part.partition(";")[0].strip().lower() for part in (accept or "*/*").split(",")]
    for kind in accepted_types:
        if kind in (JSON, "*/*", "application/*"):
            return json.dumps({"predictions": rounded}), JSON
        if kind == CSV:
            return "".join(f"{p}\n" for p in rounded), CSV
    raise InputError(f"answers of type {accept} are not served: accept {JSON} or {CSV}")


def _read_json_records(text: str) -> list[Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InputError(f"the request is not JSON: {error}") from None
    if isinstance(content, dict) and content.keys() == {"instances"}:
        content = content["instances"]
    if not isinstance(content, list):
        raise InputError('the request must be a list of records or {"instances": [records]}')
    return content


def _read_csv_records(text: str) -> list[dict[str, Any]]:
    lines = [line for line in csv.reader(io.StringIO(text)) if line]
    if not lines:
        return []
    header, *rows = lines
    if len(set(header)) < len(header):
        raise InputError("the CSV header names a column twice")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise InputError(f"record {number}: {len(row)} values, but the CSV header names {len(header)} columns")
    return [dict(zip(header, row)) for row in rows]


def _check_record(row: Any, number: int) -> list[str | float | None]:
    """Return the values of a record in the order of the model's columns."""
    if not isinstance(row, dict):
        raise InputError(f"record {number} must be an object of features by name")
    # The schema has the identifier and the event time too, so a record of the feature group is valid as it is.
    unknown = row.keys() - features.build_schema().keys()
    if unknown:
        raise InputError(f"record {number}: unknown feature {', '.join(sorted(unknown))}")
    return [_convert_value(feature, row.get(feature.name), number) for feature in FEATURES]


def _convert_value(feature: Feature, value: Any, number: int) -> str | float | None:
    location = f"record {number}: {feature.name}"
    if value is None or value == "":
        if feature.is_nullable:
            return None
        raise InputError(f"{location} is missing")
    if feature.type == "String":
        if isinstance(value, str):
            return value
        raise InputError(f"{location} must be a string, not {value!r}")
    try:
        number_value = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number_value = math.nan
    if not math.isfinite(number_value) or (feature.type == "Integral" and not number_value.is_integer()):
        expected = "an integer" if feature.type == "Integral" else "a finite number"
        raise InputError(f"{location} must be {expected}, not {value!r}")
    return number_value
