"""Model cards: energy and carbon of a model."""

import json
import re

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.attributes import check_value
from sustainable_mlops.rules.rule import RuleResults, Severity, rule

_ENVIRONMENTAL = LazyPattern(
    r"co[2₂]|carbon|emission|kwh|\bwh\b|joule|energy[-_ ]?(use|consum)|instance[-_ ]?(hours|seconds)", re.IGNORECASE
)
#: Sections about the training of the model. Other sections describe its purpose, which may be energy.
_SECTIONS = ("training_details", "additional_information")


@rule(
    id="SUS_MODEL_CARD_ENVIRONMENT",
    severity=Severity.WARN,
    title="A model card should record energy or carbon",
    problem="A model card records neither energy nor carbon",
    practices=("50",),
    fix=(
        "Add the training run's energy (kWh), kgCO2e and instance-hours, as additional_information or custom_details."
    ),
    types=("aws_sagemaker_model_card",),
)
def card_records_the_environment(_: Plan, card: Resource) -> RuleResults:
    """Check for any environmental term in the training sections: CO2, carbon, kWh, energy use, instance-hours."""
    content = card.text("content")
    words = content if content is UNKNOWN else bool(_ENVIRONMENTAL.search(_read_sections(content or "")))
    yield check_value(
        words, "content", lambda is_true: is_true, "the card does not record the energy or carbon of the training"
    )


def _read_sections(content: str) -> str:
    try:
        card = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    sections = [card.get(section) for section in _SECTIONS] if isinstance(card, dict) else []
    return json.dumps(sections, ensure_ascii=False)
