"""Model cards: what a model costs the environment stands beside what it can do."""

import json
import re

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.reading import judge
from sustainable_mlops.rules.rule import Severity, Verdicts, rule

_ENVIRONMENTAL = re.compile(
    r"co[2₂]|carbon|emission|kwh|\bwh\b|joule|energy[-_ ]?(use|consum)|instance[-_ ]?(hours|seconds)", re.IGNORECASE
)
#: Where a card tells of the work behind the model; the rest tells what the model is for, which may be energy.
_SECTIONS = ("training_details", "additional_information")


@rule(
    id="SUS_MODEL_CARD_ENVIRONMENT",
    severity=Severity.WARN,
    title="A model card records energy or carbon",
    practices=("50",),
    fix="Add the training run's energy (kWh), kgCO2e and instance-hours, as additional_information or custom_details.",
    types=("aws_sagemaker_model_card",),
)
def card_records_the_environment(_: Plan, card: Resource) -> Verdicts:
    """Any word of it counts (CO2, carbon, kWh, energy use, instance-hours) in what the card tells of its training."""
    content = card.text("content")
    words = content if content is UNKNOWN else bool(_ENVIRONMENTAL.search(_told(content or "")))
    yield judge(words, "content", lambda there: there, "the card says nothing of the energy or carbon of its training")


def _told(content: str) -> str:
    try:
        card = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    told = [card.get(section) for section in _SECTIONS] if isinstance(card, dict) else []
    return json.dumps(told, ensure_ascii=False)
