"""Minimum and maximum values of SageMaker (`limits.csv`), and the retention periods of logs.

Modules, rules, estimates, advice and the sandbox use them.
"""

from typing import Literal

from sustainable_mlops.catalogue.tables import load_table, read_rows

#: Seconds between two publications of an endpoint's detailed metrics. Source: API reference, MetricsConfig.
METRIC_INTERVALS = (10, 30, 60, 120, 180, 240, 300)
#: Retention periods of CloudWatch Logs, in days. Source: API reference, PutRetentionPolicy.
LogRetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]


@load_table
def _load_limits() -> dict[str, int]:
    return {row["key"]: int(row["value"]) for row in read_rows("limits")}


def get_limit(key: str) -> int:
    """Return the limit `key`, in the unit at the end of its name."""
    return _load_limits()[key]


def make_name_pattern(longest: int) -> str:
    """Return the pattern of a name of at most `longest` letters, digits and hyphens.

    Source: EntityName in the API model of SageMaker. Its pattern allows longer names with several hyphens in a row, and
    its maximum length does not.
    """
    return rf"^[a-zA-Z0-9]([a-zA-Z0-9-]{{0,{longest - 2}}}[a-zA-Z0-9])?$"


def list_serverless_memory_mb() -> range:
    """Return the sizes of serverless memory, in MB."""
    least, most, step = (get_limit(f"serverless_memory_mb_{name}") for name in ("least", "most", "step"))
    return range(least, most + 1, step)
