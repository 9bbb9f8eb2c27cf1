"""Validation of a custom lens. Source: user guide of the Well-Architected Tool, "Lens format specification"."""

import json
import re
from collections import Counter
from collections.abc import Iterable

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.wellarchitected.risk_rules import DEFAULT, RISKS, ConditionError, RiskCondition

SCHEMA_VERSION = "2021-11-01"
MAX_NAME = 128
MAX_TEXT = 2048
MAX_PILLARS = 10
MAX_QUESTIONS = 20
MAX_CHOICES = 15
MAX_RESOURCES = 5
_ID = re.compile(r"\w{3,128}", re.ASCII)
_RESOURCE_TYPES = ("HELPFUL_RESOURCE", "IMPROVEMENT_PLAN")


def parse_lens(text: str) -> Fields:
    """Return a lens. Raises ValidationError if it does not have the format of a custom lens."""
    try:
        lens = json.loads(text)
    except ValueError as error:
        raise ValidationError(f"The lens is not valid JSON: {error}.") from None
    if not isinstance(lens, dict):
        raise ValidationError("The lens must be a JSON object.")
    _require(lens.get("schemaVersion") == SCHEMA_VERSION, "schemaVersion", f"must be {SCHEMA_VERSION}")
    _check_text(lens, "name", "", MAX_NAME)
    _check_text(lens, "description", "", MAX_TEXT)
    pillars = _check_list(lens, "pillars", "", MAX_PILLARS)
    for number, pillar in enumerate(pillars):
        _check_pillar(pillar, f"pillars[{number}]")
    _check_unique((pillar["id"] for pillar in pillars), "pillars")
    _check_unique((question["id"] for pillar in pillars for question in pillar["questions"]), "questions")
    return lens


def _check_pillar(pillar: Fields, path: str) -> None:
    _check_id(pillar, path)
    _check_text(pillar, "name", path, MAX_NAME)
    for number, question in enumerate(_check_list(pillar, "questions", path, MAX_QUESTIONS)):
        _check_question(question, f"{path}.questions[{number}]")


def _check_question(question: Fields, path: str) -> None:
    _check_id(question, path)
    _check_text(question, "title", path, MAX_NAME)
    if "description" in question:
        _check_text(question, "description", path, MAX_TEXT)
    _check_resource(question, "helpfulResource", path)
    choices = _check_list(question, "choices", path, MAX_CHOICES)
    for number, choice in enumerate(choices):
        _check_choice(choice, f"{path}.choices[{number}]")
    ids = [choice["id"] for choice in choices]
    _check_unique(ids, f"{path}.choices")
    _check_risk_rules(question, set(ids), path)


def _check_choice(choice: Fields, path: str) -> None:
    _check_id(choice, path)
    _check_text(choice, "title", path, MAX_NAME)
    _check_resource(choice, "helpfulResource", path)
    is_none = str(choice["id"]).endswith("_no")
    _require(is_none or "improvementPlan" in choice, f"{path}.improvementPlan", "is required")
    _check_resource(choice, "improvementPlan", path)
    resources = choice.get("additionalResources", [])
    _require(isinstance(resources, list), f"{path}.additionalResources", "must be a list")
    for number, resource in enumerate(resources):
        field_path = f"{path}.additionalResources[{number}]"
        _require(isinstance(resource, dict), field_path, "must be an object")
        _require(
            resource.get("type") in _RESOURCE_TYPES, f"{field_path}.type", f"must be {' or '.join(_RESOURCE_TYPES)}"
        )
        for item in _check_list(resource, "content", field_path, MAX_RESOURCES):
            _check_resource({"content": item}, "content", field_path)


def _check_risk_rules(question: Fields, choices: set[str], path: str) -> None:
    rules = _check_list(question, "riskRules", path, len(RISKS))
    for number, rule in enumerate(rules):
        field_path = f"{path}.riskRules[{number}]"
        _require(rule.get("risk") in RISKS, f"{field_path}.risk", f"must be one of {', '.join(RISKS)}")
        _check_text(rule, "condition", field_path, MAX_TEXT)
        if rule["condition"].strip() == DEFAULT:
            continue
        try:
            unknown = RiskCondition(rule["condition"]).choices - choices
        except ConditionError as error:
            raise ValidationError(f"{field_path}.condition is not a Boolean expression: {error}.") from None
        _require(not unknown, f"{field_path}.condition", f"names {', '.join(sorted(unknown))}, which is no choice")
    _check_unique((rule["risk"] for rule in rules), f"{path}.riskRules")
    defaults = [rule for rule in rules if rule["condition"].strip() == DEFAULT]
    _require(len(defaults) == 1, f"{path}.riskRules", "must have one rule with the condition default")


def _check_resource(parent: Fields, name: str, path: str) -> None:
    """Check a helpful resource or an improvement plan: a text, and an optional address."""
    if name not in parent:
        return
    resource, field_path = parent[name], f"{path}.{name}"
    _require(isinstance(resource, dict), field_path, "must be an object")
    _check_text(resource, "displayText", field_path, MAX_TEXT)
    if "url" in resource:
        _check_text(resource, "url", field_path, MAX_TEXT)
        is_web = resource["url"].startswith(("http://", "https://"))
        _require(is_web, f"{field_path}.url", "must start with http:// or https://")


def _check_id(parent: Fields, path: str) -> None:
    id_ = parent.get("id")
    is_valid = isinstance(id_, str) and _ID.fullmatch(id_) is not None
    _require(is_valid, f"{path}.id", "must have 3 to 128 letters, digits and underscores")


def _check_text(parent: Fields, name: str, path: str, limit: int) -> None:
    text = parent.get(name)
    field_path = f"{path}.{name}" if path else name
    _require(isinstance(text, str) and 0 < len(text) <= limit, field_path, f"must be a text of 1 to {limit} characters")


def _check_list(parent: Fields, name: str, path: str, limit: int) -> list[Fields]:
    items = parent.get(name)
    field_path = f"{path}.{name}" if path else name
    is_list = isinstance(items, list) and 0 < len(items) <= limit and all(isinstance(item, dict) for item in items)
    _require(is_list, field_path, f"must be a list of 1 to {limit} objects")
    return list(items or ())


def _check_unique(values: Iterable[str], path: str) -> None:
    repeated = [value for value, count in Counter(values).items() if count > 1]
    _require(not repeated, path, f"repeats {', '.join(repeated)}")


def _require(is_valid: bool, path: str, requirement: str) -> None:
    if not is_valid:
        raise ValidationError(f"{path} {requirement}.")
