"""Risk of an answer: the conditions of risk rules, such as `(choice_1 || choice_2) && !choice_3`.

Source: user guide of the Well-Architected Tool, "Lens format specification", section "Risk Rules".
"""

import re
from collections.abc import Mapping
from typing import Any

#: Risks of rules, and the risks that answers return for them.
RISKS = {"NO_RISK": "NONE", "MEDIUM_RISK": "MEDIUM", "HIGH_RISK": "HIGH"}
DEFAULT = "default"
_TOKEN = re.compile(r"\s*(&&|\|\||[!()]|\w+)")


class ConditionError(Exception):
    """A condition that is not a Boolean expression of choices."""


class RiskCondition:
    """A parsed condition."""

    def __init__(self, text: str) -> None:
        self._tokens = _split(text)
        self.choices = {token for token in self._tokens if re.fullmatch(r"\w+", token)}
        self._position = 0
        self._tree = self._parse_or()
        if self._position < len(self._tokens):
            raise ConditionError(f"unexpected '{self._tokens[self._position]}'")

    def is_met(self, selected: Mapping[str, bool]) -> bool:
        """Return whether the condition is met. A choice without a value is not applicable, and does not count."""
        return _evaluate(self._tree, selected) is not False

    def _parse_or(self) -> Any:
        operands = [self._parse_and()]
        while self._take("||"):
            operands.append(self._parse_and())
        return ("or", *operands)

    def _parse_and(self) -> Any:
        operands = [self._parse_operand()]
        while self._take("&&"):
            operands.append(self._parse_operand())
        return ("and", *operands)

    def _parse_operand(self) -> Any:
        if self._take("!"):
            return ("not", self._parse_operand())
        if self._take("("):
            inner = self._parse_or()
            if not self._take(")"):
                raise ConditionError("')' is missing")
            return inner
        if self._position == len(self._tokens):
            raise ConditionError("a choice is missing at the end")
        name = self._tokens[self._position]
        if name not in self.choices:
            raise ConditionError(f"unexpected '{name}'")
        self._position += 1
        return name

    def _take(self, token: str) -> bool:
        """Advance if the next token is `token`."""
        is_next = self._position < len(self._tokens) and self._tokens[self._position] == token
        self._position += is_next
        return is_next


def _split(text: str) -> list[str]:
    tokens, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConditionError(f"unexpected '{text[position:].strip()[:1]}'")
        tokens.append(match[1])
        position = match.end()
    return tokens


def _evaluate(node: Any, selected: Mapping[str, bool]) -> bool | None:
    """Return the value of a node; None if no choice in it is applicable."""
    if isinstance(node, str):
        return selected.get(node)
    operator, *operands = node
    values = [value for operand in operands if (value := _evaluate(operand, selected)) is not None]
    if not values:
        return None
    if operator == "not":
        return not values[0]
    return all(values) if operator == "and" else any(values)


def find_risk(rules: list[dict[str, str]], selected: Mapping[str, bool]) -> str:
    """Return the risk of the first rule whose condition is met. The rule `default` is always met."""
    for rule in rules:
        if rule["condition"].strip() == DEFAULT or RiskCondition(rule["condition"]).is_met(selected):
            return RISKS[rule["risk"]]
    raise AssertionError("a valid lens has a default rule")
