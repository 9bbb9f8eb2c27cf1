"""References in documents: `{{ parameter }}` and `{{ step.output }}`.

Source: Systems Manager user guide, "Automation system variables". A text that consists of one reference becomes
the value itself, of any type. In a longer text, the value becomes text.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_REFERENCE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
EXECUTION_ID = "automation:EXECUTION_ID"
GLOBALS = ("ACCOUNT_ID", "DATE", "DATE_TIME", "AWS_PARTITION", "REGION")


class ContentError(ValueError):
    """A document that CreateDocument refuses."""


def list_references(value: Any) -> Iterator[str]:
    """Yield the references in a value, at any depth."""
    if isinstance(value, str):
        yield from _REFERENCE.findall(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from list_references(item)
    elif isinstance(value, list):
        for item in value:
            yield from list_references(item)


def fill(value: Any, values: Mapping[str, Any]) -> Any:
    """Return a value with its references resolved. Raises LookupError for an unknown reference."""
    if isinstance(value, Mapping):
        return {name: fill(item, values) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole is not None:
        return values[whole[1]]
    return _REFERENCE.sub(lambda match: to_text(values[match[1]]), value)


def to_text(value: Any) -> str:
    """Return a value as text, in Automation's form."""
    return value if isinstance(value, str) else json.dumps(value)
