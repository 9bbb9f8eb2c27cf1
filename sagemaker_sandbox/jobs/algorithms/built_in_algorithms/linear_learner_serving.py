"""Inference handlers of the built-in linear learner."""

from pathlib import Path

from .errors import ClientError
from .linear_learner_model import LinearModel
from .serving import encode_predictions, read_features, select_linear_accept


def load_built_in_model(model_dir: str) -> LinearModel:
    """Return the model of the folder."""
    return LinearModel.load(Path(model_dir))


def transform_built_in(model: LinearModel, data: str | bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """Return score and, for classifiers, predicted label of each row."""
    kind = select_linear_accept(accept)
    body = data.encode() if isinstance(data, str) else data
    features = read_features(body, content_type, "application/x-recordio-protobuf")
    expected = model.coefficients.shape[1]
    if features.shape[1] != expected:
        raise ClientError(
            f"unable to evaluate payload provided: the model has {expected} features, the data {features.shape[1]}"
        )
    scores = model.score(features)
    values = scores.tolist() if scores.shape[1] > 1 else scores[:, 0].tolist()
    if model.kind == "regressor":
        return encode_predictions([{"score": value} for value in values], kind), kind
    labels = model.predict_labels(scores).tolist()
    rows = [{"score": value, "predicted_label": label} for value, label in zip(values, labels, strict=True)]
    return encode_predictions(rows, kind), kind
