"""What makes a document invalid, and the texts in it that stand for values: `{{ parameter }}`, `{{ step.output }}`.

Source: Systems Manager user guide, "Automation system variables". A text that is nothing but one reference becomes the
value itself, whatever its type; in a longer text it becomes text.
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


def references(value: Any) -> Iterator[str]:
    """Whatever a value refers to, however deep."""
    if isinstance(value, str):
        yield from _REFERENCE.findall(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def filled(value: Any, known: Mapping[str, Any]) -> Any:
    """The value with its references resolved. Raises LookupError for one of which nothing is known."""
    if isinstance(value, Mapping):
        return {name: filled(item, known) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, known) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole is not None:
        return known[whole[1]]
    return _REFERENCE.sub(lambda found: text(known[found[1]]), value)


def text(value: Any) -> str:
    """A value as part of a text, and as Automation tells it."""
    return value if isinstance(value, str) else json.dumps(value)
