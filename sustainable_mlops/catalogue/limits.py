"""What SageMaker takes at least and at most: `limits.csv`, for modules, rules, figures, advice and the sandbox."""

from functools import cache

from sustainable_mlops.catalogue.tables import read_rows


@cache
def _load_limits() -> dict[str, int]:
    return {row["key"]: int(row["value"]) for row in read_rows("limits")}


def get_limit(key: str) -> int:
    """The limit called `key`, in the unit that its name ends with."""
    return _load_limits()[key]


def list_serverless_memory_mb() -> range:
    """The sizes of serverless memory, in MB."""
    least, most, step = (get_limit(f"serverless_memory_mb_{name}") for name in ("least", "most", "step"))
    return range(least, most + 1, step)
