"""Wildcards and policy variables in the texts of a policy.

Source: IAM user guide, "IAM policy elements: Variables and tags" and "IAM JSON policy elements: Resource".
"""

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

#: Stand-ins for the characters `*` and `?` in the value of a variable, which are not wildcards.
_LITERALS = {"*": "\ue000", "?": "\ue001"}
_DECODED = str.maketrans({stand_in: character for character, stand_in in _LITERALS.items()})
_ENCODED = str.maketrans(_LITERALS)
#: Stand-in for the value of a variable that is unknown.
UNKNOWN_TEXT = "\ue002"
_VARIABLE = re.compile(r"\$\{(?P<name>[^},]+)(?:,\s*'(?P<default>[^']*)')?\}")
_ARN_PARTS = 6


class Variables(NamedTuple):
    """Values of policy variables by their names in lower case. None stands for a variable without value."""

    values: Mapping[str, str | None]
    #: True if other variables have no value. Otherwise, their values are unknown.
    is_complete: bool = True


def substitute_variables(text: str, variables: Variables) -> str | None:
    """Return the text with the values of its variables, or None if a variable has neither a value nor a default.

    Wildcards in a value are ordinary characters. `UNKNOWN_TEXT` stands for an unknown value.
    """
    is_complete = True

    def find_value(match: re.Match[str]) -> str:
        nonlocal is_complete
        name = match["name"].strip().lower()
        if name in ("*", "?", "$"):
            return name.translate(_ENCODED)
        if name not in variables.values and not variables.is_complete:
            return UNKNOWN_TEXT
        value = variables.values.get(name)
        value = match["default"] if value is None else value
        is_complete = is_complete and value is not None
        return (value or "").translate(_ENCODED)

    result = _VARIABLE.sub(find_value, text)
    return result if is_complete else None


def decode_literals(text: str) -> str:
    """Return a text in which every character stands for itself."""
    return text.translate(_DECODED)


def matches(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Return whether a value matches a pattern, in which `*` is any text and `?` is one character."""
    return _compile(pattern, ignore_case).fullmatch(value) is not None


def matches_arn(pattern: str, arn: str | None) -> bool | None:
    """Return whether an ARN matches a pattern of the element Resource, or None if that is unknown.

    None as the ARN is an unknown ARN. The pattern may contain `UNKNOWN_TEXT`.

    A wildcard matches no colon between the first five parts, except `*` at the end of a part. AWS completes an ARN with
    fewer than six parts by `*`.
    """
    if pattern == "*":
        return True
    if arn is None:
        return None
    if UNKNOWN_TEXT in pattern:
        return None if matches_arn(pattern.replace(UNKNOWN_TEXT, "*"), arn) else False
    parts = pattern.split(":", _ARN_PARTS - 1)
    if parts[0] != "arn" or arn == "*":
        return matches(pattern, arn)
    completed = ":".join(parts + ["*"] * (_ARN_PARTS - len(parts)))
    return any(_compile_arn(one).fullmatch(arn) is not None for one in {pattern, completed})


@functools.lru_cache(maxsize=4096)
def _compile_arn(pattern: str) -> re.Pattern[str]:
    *parts, last = pattern.split(":", _ARN_PARTS - 1)
    expressions = [
        _build_expression(part.removesuffix("*"), "[^:]") + (".*" if part.endswith("*") else "") for part in parts
    ]
    return re.compile(":".join([*expressions, _build_expression(last)]), re.DOTALL)


@functools.lru_cache(maxsize=4096)
def _compile(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(_build_expression(pattern), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _build_expression(pattern: str, any_character: str = ".") -> str:
    """Return the regular expression of a pattern, in which a wildcard stands for these characters."""
    expression = re.escape(pattern).replace(r"\*", f"{any_character}*").replace(r"\?", any_character)
    for character, stand_in in _LITERALS.items():
        expression = expression.replace(stand_in, re.escape(character))
    return expression
