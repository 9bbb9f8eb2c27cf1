"""The choices of `aws:branch`. Source: Systems Manager user guide, "aws:branch" and "conditional branching"."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sagemaker_sandbox.automation.content import ContentError, text

_TEXT: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "EqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
    "Contains": lambda value, wanted: wanted in value,
}
_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "NumericEquals": lambda value, wanted: value == wanted,
    "NumericGreater": lambda value, wanted: value > wanted,
    "NumericLesser": lambda value, wanted: value < wanted,
    "NumericGreaterOrEquals": lambda value, wanted: value >= wanted,
    "NumericLesserOrEquals": lambda value, wanted: value <= wanted,
}
_BOOLEAN = "BooleanEquals"
_OPERATIONS = {*_TEXT, *_NUMBERS, _BOOLEAN}


def check(step: str, inputs: Mapping[str, Any]) -> None:
    """Raise ContentError for choices that could not be made."""
    choices = inputs.get("Choices")
    if not isinstance(choices, list) or not choices:
        raise ContentError(f"Step {step}: Choices must have at least one choice")
    for choice in choices:
        if not isinstance(choice, Mapping) or not isinstance(choice.get("NextStep"), str):
            raise ContentError(f"Step {step}: each of Choices needs a NextStep")
        _check(step, {name: value for name, value in choice.items() if name != "NextStep"})


def _check(step: str, condition: Any) -> None:
    if not isinstance(condition, Mapping):
        raise ContentError(f"Step {step}: a condition must be a map")
    [*names] = condition
    if names in (["And"], ["Or"]) and isinstance(condition[names[0]], list):
        for inner in condition[names[0]]:
            _check(step, inner)
    elif names == ["Not"]:
        _check(step, condition["Not"])
    elif "Variable" not in names or len(names) != 2 or not _OPERATIONS.intersection(names):
        raise ContentError(f"Step {step}: a condition has a Variable and one operation, or is And, Or or Not")


def next_steps(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Where a step may lead."""
    yield from (choice["NextStep"] for choice in inputs["Choices"])
    if inputs.get("Default"):
        yield str(inputs["Default"])


def chosen(inputs: Mapping[str, Any]) -> str | None:
    """The next step by the first choice that is true, or Default; None where there is none. Raises ValueError."""
    for choice in inputs["Choices"]:
        if _holds(choice):
            return str(choice["NextStep"])
    return inputs.get("Default")


def _holds(condition: Mapping[str, Any]) -> bool:
    if "And" in condition:
        return all(_holds(one) for one in condition["And"])
    if "Or" in condition:
        return any(_holds(one) for one in condition["Or"])
    if "Not" in condition:
        return not _holds(condition["Not"])
    value = condition["Variable"]
    [name] = _OPERATIONS.intersection(condition)
    wanted = condition[name]
    if name in _NUMBERS:
        return _NUMBERS[name](float(value), float(wanted))
    if name == _BOOLEAN:
        return text(value).lower() == text(wanted).lower()
    return _TEXT[name](text(value), text(wanted))
