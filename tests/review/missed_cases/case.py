"""A plan that an earlier version called fine, and the expected review."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """A plan as `terraform show -json` writes it, with the expected verdict and text."""

    document: Mapping[str, Any]
    #: The verdict that is right: look or stop.
    verdict: str
    #: Text that the report contains in every format.
    expected_text: str
