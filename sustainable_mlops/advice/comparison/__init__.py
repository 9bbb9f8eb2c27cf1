"""Comparison of this project's endpoints with those of public modules, at the same load and with their defaults.

from sustainable_mlops.advice import ServingRequirements
from sustainable_mlops.advice.comparison import compare_endpoints

requirements = ServingRequirements(region="eu-north-1", requests_per_day=1_000)
comparison = compare_endpoints(requirements, loads=(10, 1_000, 100_000))
comparison.best_shapes, comparison.rows[0].cells[0].estimate.get("total"), comparison.crossovers
"""

from sustainable_mlops.advice.comparison.crossovers import Crossover
from sustainable_mlops.advice.comparison.endpoint_comparison import (
    LOADS,
    ComparisonCell,
    ComparisonRow,
    EndpointComparison,
    compare_endpoints,
)

__all__ = ["LOADS", "ComparisonCell", "ComparisonRow", "Crossover", "EndpointComparison", "compare_endpoints"]
