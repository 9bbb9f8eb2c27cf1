"""Frameworks and tasks of a new workload."""

from enum import StrEnum


class Framework(StrEnum):
    """Framework that trains the model."""

    XGBOOST = "xgboost"
    SKLEARN = "sklearn"


class Task(StrEnum):
    """Kind of the label that the model predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
