"""The choices of `aws:branch`. Source: Systems Manager user guide, "aws:branch" and "conditional branching"."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sagemaker_sandbox.services.automation.references import ContentError, to_text

_TEXT: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, operand: value == operand,
    "EqualsIgnoreCase": lambda value, operand: value.lower() == operand.lower(),
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
    "Contains": lambda value, operand: operand in value,
}
_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "NumericEquals": lambda value, operand: value == operand,
    "NumericGreater": lambda value, operand: value > operand,
    "NumericLesser": lambda value, operand: value < operand,
    "NumericGreaterOrEquals": lambda value, operand: value >= operand,
    "NumericLesserOrEquals": lambda value, operand: value <= operand,
}
_BOOLEAN = "BooleanEquals"
_OPERATIONS = {*_TEXT, *_NUMBERS, _BOOLEAN}


def check_choices(step: str, inputs: Mapping[str, Any]) -> None:
    """Raise ContentError for invalid choices."""
    choices = inputs.get("Choices")
    if not isinstance(choices, list) or not choices:
        raise ContentError(f"Step {step}: Choices must have at least one choice")
    for choice in choices:
        if not isinstance(choice, Mapping) or not isinstance(choice.get("NextStep"), str):
            raise ContentError(f"Step {step}: each of Choices needs a NextStep")
        _check_condition(step, {name: value for name, value in choice.items() if name != "NextStep"})


def _check_condition(step: str, condition: Any) -> None:
    if not isinstance(condition, Mapping):
        raise ContentError(f"Step {step}: a condition must be a map")
    [*names] = condition
    if names in (["And"], ["Or"]) and isinstance(condition[names[0]], list):
        for inner in condition[names[0]]:
            _check_condition(step, inner)
    elif names == ["Not"]:
        _check_condition(step, condition["Not"])
    elif "Variable" not in names or len(names) != 2 or not _OPERATIONS.intersection(names):
        raise ContentError(f"Step {step}: a condition has a Variable and one operation, or is And, Or or Not")


def list_next_steps(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Yield the possible next steps."""
    yield from (choice["NextStep"] for choice in inputs["Choices"])
    if inputs.get("Default"):
        yield str(inputs["Default"])


def choose_step(inputs: Mapping[str, Any]) -> str | None:
    """Return the step of the first choice that is true, or Default, or None. Raises ValueError."""
    for choice in inputs["Choices"]:
        if _holds(choice):
            return str(choice["NextStep"])
    return inputs.get("Default")


def _holds(condition: Mapping[str, Any]) -> bool:
    if "And" in condition:
        return all(_holds(inner) for inner in condition["And"])
    if "Or" in condition:
        return any(_holds(inner) for inner in condition["Or"])
    if "Not" in condition:
        return not _holds(condition["Not"])
    value = condition["Variable"]
    [name] = _OPERATIONS.intersection(condition)
    operand = condition[name]
    if name in _NUMBERS:
        return _NUMBERS[name](float(value), float(operand))
    if name == _BOOLEAN:
        return to_text(value).lower() == to_text(operand).lower()
    return _TEXT[name](to_text(value), to_text(operand))
