"""Frameworks for a new workload."""

from enum import StrEnum


class Framework(StrEnum):
    """Framework that trains the model."""

    XGBOOST = "xgboost"
    SKLEARN = "sklearn"
