"""Model of the linear learner: its coefficients in numpy's format, as `model_algo-1`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MODEL = "model_algo-1"


@dataclass
class LinearModel:
    """Coefficients and bias by output. With `is_margin`, the score of a binary classifier is not a probability."""

    kind: str
    coefficients: NDArray[np.float64]
    bias: NDArray[np.float64]
    threshold: float = 0.5
    is_margin: bool = False

    def score(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores by row: values, probabilities of label 1, or probabilities of all classes."""
        outputs = np.asarray(features @ self.coefficients.T + self.bias)
        if self.kind == "regressor" or self.is_margin:
            return outputs
        if self.kind == "binary_classifier":
            return np.asarray(np.exp(-np.logaddexp(0, -outputs)))
        exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    def predict_labels(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the label of each row of scores of a classifier."""
        if self.kind == "binary_classifier":
            return np.asarray(scores[:, 0] >= self.threshold, dtype=np.int64)
        return np.asarray(scores.argmax(axis=1))

    def save(self, folder: Path) -> None:
        """Write the model."""
        with (folder / MODEL).open("wb") as file:
            np.savez(
                file,
                kind=self.kind,
                coefficients=self.coefficients,
                bias=self.bias,
                threshold=self.threshold,
                is_margin=self.is_margin,
            )

    @classmethod
    def load(cls, folder: Path) -> "LinearModel":
        """Read the model."""
        with np.load(folder / MODEL) as file:
            return cls(
                str(file["kind"]),
                file["coefficients"],
                file["bias"],
                float(file["threshold"]),
                bool(file["is_margin"]),
            )


def standardize(features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation by column. A constant column keeps its scale."""
    deviations = features.std(axis=0)
    return features.mean(axis=0), np.where(deviations > 0, deviations, 1.0)
