"""How to serve a model: what its traffic allows, ranked by carbon.

from sustainable_mlops.advice import Need, advise

advice = advise(Need(region="eu-north-1", requests_per_day=5_000, latency="cold_start", model_mb=200))
advice.options[0].title, advice.options[0].estimate.get("total"), advice.refused
"""

from sustainable_mlops.advice.options import RefusedOption, ServingAdvice, ServingOption, make_advice
from sustainable_mlops.advice.requirements import ServingRequirements

__all__ = ["Advice", "Need", "Option", "Refusal", "advise"]
