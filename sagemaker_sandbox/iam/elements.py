"""Elements of a policy statement that name actions and resources."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sagemaker_sandbox.iam.three_valued import combine_any, negate
from sagemaker_sandbox.iam.wildcards import Variables, matches, matches_arn, substitute_variables


def covers_action(statement: Mapping[str, Any], action: str) -> bool:
    """Return whether Action or NotAction covers an action. Upper and lower case are equal."""
    patterns, is_negated = _read_element(statement, "Action")
    return any(matches(str(pattern), action, ignore_case=True) for pattern in patterns) != is_negated


def covers_resource(statement: Mapping[str, Any], arn: str | None, variables: Variables | None = None) -> bool | None:
    """Return whether Resource or NotResource covers an ARN, or None if that is unknown.

    None as the ARN is an unknown ARN. `variables` are those of `fill_variables`. A NotResource whose variable lacks a
    value covers nothing.
    """
    patterns, is_negated = _read_element(statement, "Resource")
    filled = fill_variables(patterns, variables)
    if is_negated and len(filled) < len(patterns):
        return False
    is_covered = combine_any(matches_arn(pattern, arn) for pattern in filled)
    return negate(is_covered) if is_negated else is_covered


def fill_variables(texts: Sequence[Any], variables: Variables | None) -> list[str]:
    """Return the texts with the values of their variables, without those that lack a value.

    With None, the policy has no variables.
    """
    strings = [text if isinstance(text, str) else json.dumps(text) for text in texts]
    if variables is None:
        return strings
    return [text for string in strings if (text := substitute_variables(string, variables)) is not None]


def make_list(value: Any) -> list[Any]:
    """Return a list of the values of an element, which may be one value or none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _read_element(statement: Mapping[str, Any], name: str) -> tuple[list[Any], bool]:
    """Return the values of an element, and whether it is the negated one."""
    is_negated = f"Not{name}" in statement
    return make_list(statement.get(f"Not{name}" if is_negated else name)), is_negated
