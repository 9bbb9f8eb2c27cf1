"""One plan that was called fine, and what a review must say of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """`document` is the plan as `terraform show -json` writes it."""

    document: Mapping[str, Any]
    #: The verdict that is right: look or stop.
    verdict: str
    #: What the report must say somewhere, in every format.
    says: str
