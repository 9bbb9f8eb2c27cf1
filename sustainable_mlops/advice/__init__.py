"""Advice on serving a model: the endpoint kinds that its traffic allows, ranked by carbon.

from sustainable_mlops.advice import ServingRequirements, make_advice

requirements = ServingRequirements(region="eu-north-1", requests_per_day=5_000, latency="cold_start", model_mb=200)
advice = make_advice(requirements)
advice.options[0].title, advice.options[0].estimate.get("total"), advice.refusals
"""

from sustainable_mlops.advice.options import (
    RefusedOption,
    ServingAdvice,
    ServingOption,
    make_advice,
    make_sized_option,
)
from sustainable_mlops.advice.requirements import ServingRequirements

__all__ = [
    "RefusedOption",
    "ServingAdvice",
    "ServingOption",
    "ServingRequirements",
    "make_advice",
    "make_sized_option",
]
