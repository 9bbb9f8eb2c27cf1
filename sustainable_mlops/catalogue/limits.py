"""Minimum and maximum values of SageMaker: `limits.csv`.

Modules, rules, estimates, advice and the sandbox use them.
"""

from sustainable_mlops.catalogue.tables import load_table, read_rows


@load_table
def _load_limits() -> dict[str, int]:
    return {row["key"]: int(row["value"]) for row in read_rows("limits")}


def get_limit(key: str) -> int:
    """Return the limit `key`, in the unit at the end of its name."""
    return _load_limits()[key]


def list_serverless_memory_mb() -> range:
    """Return the sizes of serverless memory, in MB."""
    least, most, step = (get_limit(f"serverless_memory_mb_{name}") for name in ("least", "most", "step"))
    return range(least, most + 1, step)
