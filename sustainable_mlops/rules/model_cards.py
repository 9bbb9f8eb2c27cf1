"""Model cards: what a model costs the environment stands beside what it can do."""

import re

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.reading import judge
from sustainable_mlops.rules.rule import Severity, Verdicts, rule

_ENVIRONMENTAL = re.compile(r"co2|carbon|emission|kwh|energy|instance[-_ ]?(hours|seconds)", re.IGNORECASE)


@rule(
    id="SUS_MODEL_CARD_ENVIRONMENT",
    severity=Severity.WARN,
    title="A model card records energy or carbon",
    practices=("50",),
    fix="Add the training run's energy (kWh), kgCO2e and instance-hours, as additional_information or custom_details.",
    types=("aws_sagemaker_model_card",),
)
def card_records_the_environment(_: Plan, card: Resource) -> Verdicts:
    """Any word of it counts: co2, carbon, emission, kwh, energy, instance-hours."""
    content = card.text("content")
    words = content if content is UNKNOWN or content is None else bool(_ENVIRONMENTAL.search(content))
    yield judge(words, "content", lambda there: bool(there), "the card says nothing of energy or carbon")
