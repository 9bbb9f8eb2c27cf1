"""The same load on this project's endpoints and on those of public modules, each by its defaults.

from sustainable_mlops.advice import Need
from sustainable_mlops.advice.comparison import compare

found = compare(Need(region="eu-north-1", requests_per_day=1_000), loads=(10, 1_000, 100_000))
found.chosen, found.rows[0].cells[0].estimate.get("total"), found.crossovers
"""

from sustainable_mlops.advice.comparison.crossovers import Crossover
from sustainable_mlops.advice.comparison.endpoint_comparison import (
    LOADS,
    ComparisonCell,
    ComparisonRow,
    EndpointComparison,
    compare_endpoints,
)

__all__ = ["LOADS", "Cell", "Comparison", "Crossover", "Row", "compare"]
