"""The practices as a custom lens of the AWS Well-Architected Tool.

Format: user guide of the tool, "Lens format specification". Where the API reference has a lower limit of a text, this
limit applies, because answers return the text.
"""

import re
from collections.abc import Iterator
from typing import Any

from sustainable_mlops import rules
from sustainable_mlops.base.wording import pluralize
from sustainable_mlops.practices.practice import SECTIONS, Implementation, Practice, load_practices
from sustainable_mlops.practices.questions import PILLARS, Pillar, Question

SCHEMA_VERSION = "2021-11-01"
NAME = "Sustainable MLOps on Amazon SageMaker"
DESCRIPTION = (
    "The practices of AWS's Guidance for Optimizing MLOps for Sustainability and of the sustainability pillar of the "
    "Machine Learning Lens, by phase of the machine-learning lifecycle. Each improvement plan names the Terraform "
    "module, the command or the rule of sustainable-mlops that serves the practice."
)
GUIDANCE_URL = "https://aws.amazon.com/solutions/guidance/optimizing-mlops-for-sustainability/"
LENS_URL = "https://docs.aws.amazon.com/wellarchitected/latest/machine-learning-lens/"

#: Most characters of a text in the API reference ("ChoiceContent").
MAX_TEXT = 1024
#: Most additional resources of a kind for a choice.
_MAX_RESOURCES = 5

Document = dict[str, Any]


def build_lens(source_url: str = "") -> Document:
    """Return the lens. `source_url` is the address of the project's files on the web, if they have one."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "name": NAME,
        "description": DESCRIPTION,
        "pillars": [_build_pillar(pillar, source_url) for pillar in PILLARS],
    }


def build_choice_id(practice: Practice) -> str:
    """Return the ID of the choice of a practice."""
    return f"practice_{practice.row:02}"


def build_none_id(question: Question) -> str:
    """Return the ID of the choice `None of these`, which AWS recognizes by its suffix."""
    return f"{question.id}_no"


def list_practices(question: Question) -> list[Practice]:
    """Return the practices of a question."""
    practices = load_practices()
    return [practices[str(row)] for row in question.rows]


def _build_pillar(pillar: Pillar, source_url: str) -> Document:
    return {
        "id": pillar.id,
        "name": SECTIONS[pillar.row],
        "questions": [_build_question(question, source_url) for question in pillar.questions],
    }


def _build_question(question: Question, source_url: str) -> Document:
    practices = list_practices(question)
    return {
        "id": question.id,
        "title": question.title,
        "description": question.description,
        "helpfulResource": {"displayText": "Machine Learning Lens", "url": LENS_URL},
        "choices": [
            *(_build_choice(practice, source_url) for practice in practices),
            {
                "id": build_none_id(question),
                "title": "None of these",
                "helpfulResource": {"displayText": "Choose this if the workload follows none of these practices."},
            },
        ],
        "riskRules": list(_build_risk_rules(practices)),
    }


def _build_risk_rules(practices: list[Practice]) -> Iterator[dict[str, str]]:
    """Yield the risk rules: no risk with all practices, medium with some, high with none.

    A practice that is not possible does not count.
    """
    possible = [build_choice_id(practice) for practice in practices if practice.state != "not possible"]
    yield {"condition": " && ".join(possible), "risk": "NO_RISK"}
    if len(possible) > 1:
        yield {"condition": " || ".join(possible), "risk": "MEDIUM_RISK"}
    yield {"condition": "default", "risk": "HIGH_RISK"}


def _build_choice(practice: Practice, source_url: str) -> Document:
    helpful, *more_helpful = _list_references(practice)
    improvement, *more_improvements = _list_improvements(practice, source_url)
    choice = {
        "id": build_choice_id(practice),
        "title": practice.title,
        "helpfulResource": helpful,
        "improvementPlan": improvement,
    }
    additional = [
        {"type": kind, "content": content[:_MAX_RESOURCES]}
        for kind, content in (("HELPFUL_RESOURCE", more_helpful), ("IMPROVEMENT_PLAN", more_improvements))
        if content
    ]
    return choice | ({"additionalResources": additional} if additional else {})


def _list_references(practice: Practice) -> list[dict[str, str]]:
    """Return AWS's own texts about a practice, the first with the number and the state of the practice."""
    references = [(f"ML Lens {name}", f"{LENS_URL}{name.lower()}.html") for name in practice.lens]
    if practice.guidance:
        steps = ", ".join(map(str, practice.guidance))
        word = pluralize("step", len(practice.guidance))
        references.append((f"Guidance for Optimizing MLOps for Sustainability, {word} {steps}", GUIDANCE_URL))
    (text, url), *others = references or [("Machine Learning Lens", LENS_URL)]
    first = f"{text}. Practice {practice.row} of sustainable-mlops: {practice.state}."
    return [{"displayText": text, "url": url} for text, url in [(first, url), *others]]


def _list_improvements(practice: Practice, source_url: str) -> list[dict[str, str]]:
    """Return the improvement plan, and a link to each further part of the project that implements the practice."""
    links = [
        {"displayText": str(part), "url": f"{source_url.rstrip('/')}/{part.path}"}
        for part in practice.implementations
        if source_url
    ]
    plan = {"displayText": _build_improvement_text(practice)}
    return [plan | ({"url": links[0]["url"]} if links else {}), *links[1:]]


def _build_improvement_text(practice: Practice) -> str:
    """Return the parts of the project that serve a practice, its missing part, and the remedies of its rules."""
    sentences = []
    if practice.implementations:
        sentences.append(f"Use {', '.join(_describe_parts(practice))}.")
    if practice.not_yet:
        sentences.append(f"Missing: {practice.not_yet}.")
    if practice.cannot:
        sentences.append(f"Not possible: {practice.cannot}.")
    if practice.checked_by:
        sentences.append("The command smlops review checks a Terraform plan for it.")
    sentences += [f"{rule}: {rules.BY_ID[rule].fix}" for rule in practice.checked_by]
    return join_within(sentences, " ", MAX_TEXT, "More rules: docs/practices.md.")


def _describe_parts(practice: Practice) -> Iterator[str]:
    """Yield the parts that implement a practice, each module once with its inputs."""
    inputs: dict[Implementation, list[str]] = {}
    for part in practice.implementations:
        inputs.setdefault(part._replace(input=""), []).extend([part.input] if part.input else [])
    for part, names in inputs.items():
        if re.fullmatch(r"modules/\w+", part.path):
            word = pluralize("input", len(names))
            yield f"the module {part.name}" + (f" ({word} {', '.join(names)})" if names else "")
        else:
            yield part.path if part.path.startswith("modules/") else part.name


def join_within(texts: list[str], separator: str, limit: int, more: str) -> str:
    """Return as many texts as fit into `limit` characters, and `more` at the end if some do not fit."""
    complete = separator.join(texts)
    if len(complete) <= limit:
        return complete
    joined = ""
    for text in texts:
        longer = f"{joined}{separator}{text}" if joined else text
        if len(longer) + len(separator) + len(more) > limit:
            break
        joined = longer
    return f"{joined}{separator}{more}" if joined else more
