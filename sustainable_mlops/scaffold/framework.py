"""The frameworks that a new workload may start with."""

from enum import StrEnum


class Framework(StrEnum):
    """What the model is made with."""

    XGBOOST = "xgboost"
    SKLEARN = "sklearn"
