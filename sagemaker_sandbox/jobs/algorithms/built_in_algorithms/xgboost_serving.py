"""Inference handlers of SageMaker's XGBoost container, with the XGBoost library.

They serve `xgboost-model` of the built-in algorithm, and are the defaults of a user script. Source: the repository
aws/sagemaker-xgboost-container, and the responses of its versions.
"""

import io
import json
import os
import pickle
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .data import LIBSVM, ContentType, parse_table
from .errors import ClientError
from .serving import (
    BATCH_VARIABLE,
    CSV,
    JSON,
    JSON_LINES,
    RECORDIO,
    encode_predictions,
    select_accept,
)

if TYPE_CHECKING:  # the import takes seconds, which workers with models of other libraries save
    import xgboost as xgb

#: Variable with the tag of the image, from `runtime.model_data`.
_TAG_VARIABLE = "SANDBOX_ALGORITHM_TAG"
#: First version whose CSV response has a line for each row.
_FIRST_CSV_LINES = (1, 2, 2)
_MULTI_MODEL_VARIABLE = "SAGEMAKER_MULTI_MODEL"
_SELECTED_VARIABLE, _ACCEPT_VARIABLE = "SAGEMAKER_INFERENCE_OUTPUT", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"


def load_built_in_model(model_dir: str) -> "xgb.Booster":
    """Return the first model file of the folder: a pickle, or XGBoost's own format."""
    import xgboost as xgb

    files = sorted(path for path in Path(model_dir).iterdir() if path.is_file() and not path.name.startswith("."))
    if not files:
        raise FileNotFoundError("the model data contain no model file such as xgboost-model")
    content = files[0].read_bytes()
    if content[:1] != b"\x80":  # no pickle
        return xgb.Booster(model_file=bytearray(content))
    try:
        model = pickle.loads(content)  # noqa: S301 in the container of the caller, as on AWS
    except xgb.core.XGBoostError:
        return _load_old_pickle(content)
    return model if isinstance(model, xgb.Booster) else model.get_booster()


class _OldBooster:
    """State of a Booster in a pickle of XGBoost below 1.0: `handle` holds a saved model."""

    handle: bytearray


class _OldUnpickler(pickle.Unpickler):
    """Reader of a pickle that does not load the model in it."""

    def find_class(self, module_name: str, name: str) -> Any:
        """Return a class that keeps the state, in place of Booster."""
        is_booster = (module_name, name) == ("xgboost.core", "Booster")
        return _OldBooster if is_booster else super().find_class(module_name, name)


def _load_old_pickle(content: bytes) -> "xgb.Booster":
    """Return the model in a pickle of XGBoost below 1.0, such as one of the images 0.90-1 and 0.90-2.

    XGBoost 3.1 and later cannot read such a model, and say so.
    """
    import xgboost as xgb

    old_booster = _OldUnpickler(io.BytesIO(content)).load()
    if not isinstance(old_booster, _OldBooster):
        old_booster = old_booster.get_booster()
    return xgb.Booster(model_file=bytearray(old_booster.handle))


def default_input_fn(data: str | bytes, content_type: str) -> "xgb.DMatrix":
    """Return the rows of a request without labels. Raises ClientError."""
    import xgboost as xgb

    body = data.encode() if isinstance(data, str) else data
    input_type = ContentType.parse(content_type, default="text/libsvm", label_size=0)
    return xgb.DMatrix(parse_table(body, ContentType(input_type.format, 0)).features)


def default_predict_fn(data: Any, model: Any) -> Any:
    """Call the model."""
    xgboost = sys.modules.get("xgboost")  # a Booster exists only after the import
    is_booster = xgboost is not None and isinstance(model, xgboost.Booster)
    return model.predict(data, validate_features=False) if is_booster else model.predict(data)


def transform_built_in(model: "xgb.Booster", data: str | bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """Return the response of the built-in algorithm."""
    import xgboost as xgb

    body = data.encode() if isinstance(data, str) else data
    matrix = xgb.DMatrix(_fit_width(model, body, content_type))
    predictions = model.predict(matrix, validate_features=False)
    is_multi_model = _MULTI_MODEL_VARIABLE in os.environ
    default = os.environ.get(_ACCEPT_VARIABLE, JSON if is_multi_model else CSV)
    kind = select_accept(accept, default)
    if is_multi_model and kind in (JSON, CSV):  # a server of its own in AWS's container, with other responses
        rows = predictions.tolist()
        return (json.dumps(rows) if kind == JSON else ",".join(map(str, rows))).encode(), kind
    if _SELECTED_VARIABLE in os.environ:
        return _encode_selected(model, predictions, kind), kind
    if BATCH_VARIABLE in os.environ and kind == CSV:
        return ("\n".join(str(value) for value in predictions.tolist()) + "\n").encode(), kind
    if kind == CSV:
        return _format_csv(predictions).encode(), kind
    return encode_predictions([{"score": value} for value in predictions.tolist()], kind), kind


def _fit_width(model: "xgb.Booster", body: bytes, content_type: str) -> NDArray[np.float64]:
    """Return the rows with as many columns as the model has features. Raises ClientError."""
    input_type = ContentType.parse(content_type, default="text/libsvm", label_size=0)
    features = parse_table(body, ContentType(input_type.format, 0)).features
    expected, actual = model.num_features(), features.shape[1]
    if input_type.format == LIBSVM and actual < expected:
        return np.pad(features, ((0, 0), (0, expected - actual)), constant_values=np.nan)
    if actual != expected:
        raise ClientError(
            f"Unable to evaluate payload provided: Feature size of {input_type.format} inference data {actual} is not "
            f"consistent with feature size of trained model {expected}."
        )
    return features


def _format_csv(predictions: NDArray[np.float32]) -> str:
    """Return one line for each row, or, in early versions, one line for all."""
    tag = os.environ.get(_TAG_VARIABLE, "")
    numbers = tuple(int(number) for number in re.findall(r"\d+", tag)[:3])
    rows = predictions.tolist()
    if tag == "latest" or numbers < _FIRST_CSV_LINES:
        return ",".join(str(row) for row in rows)
    return "".join(f"{','.join(map(str, np.atleast_1d(row).tolist()))}\n" for row in rows)


def _encode_selected(model: "xgb.Booster", predictions: NDArray[np.float32], accept: str) -> bytes:
    """Return the values that SAGEMAKER_INFERENCE_OUTPUT selects, for each row."""
    keys = os.environ[_SELECTED_VARIABLE].replace(" ", "").lower().split(",")
    config = json.loads(model.save_config())["learner"]
    objective, classes = config["objective"]["name"], int(config["learner_model_param"]["num_class"])
    rows = [{key: _select_value(key, value, objective, classes) for key in keys} for value in predictions]
    content = encode_predictions(rows, accept)
    return content if accept in (JSON, JSON_LINES, RECORDIO) or BATCH_VARIABLE in os.environ else content.rstrip(b"\n")


def _select_value(key: str, prediction: Any, objective: str, classes: int) -> Any:
    """Return one selected value of a row; NaN if the objective does not have it."""
    if objective.startswith("multi:"):
        values = _select_multiclass(prediction, classes)
    elif objective.startswith("binary:"):
        values = _select_binary(float(prediction), objective)
    else:
        values = {"predicted_score": float(prediction)}
    return values.get(key, float("nan"))


def _select_multiclass(prediction: Any, classes: int) -> dict[str, Any]:
    labels = list(range(classes))
    if np.ndim(prediction) == 0:
        return {"predicted_label": float(prediction), "labels": labels, "raw_score": float(prediction)}
    scores, best = prediction.tolist(), float(prediction.max())
    return {
        "predicted_label": int(prediction.argmax()),
        "labels": labels,
        "probability": best,
        "probabilities": scores,
        "raw_score": best,
        "raw_scores": scores,
    }


def _select_binary(score: float, objective: str) -> dict[str, Any]:
    threshold = 0 if objective == "binary:logitraw" else 0.5
    values: dict[str, Any] = {
        "predicted_label": int(score > threshold),
        "labels": [0, 1],
        "raw_score": score,
        "raw_scores": [1 - score, score],
    }
    if objective == "binary:logistic":
        values |= {"probability": score, "probabilities": [1 - score, score]}
    return values
