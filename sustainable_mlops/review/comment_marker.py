"""The first line of a comment, which identifies the comment for later updates."""

import re
from hashlib import sha256

#: The start of every comment.
MARKER = "<!-- sustainable-mlops-review"
_PLAN = re.compile(r"\b[0-9a-f]{16}\b")


def build_marker(*names: str) -> str:
    """Return the first line of the comment about the plans with these names."""
    return " ".join([MARKER, *(sha256(name.encode()).hexdigest()[:16] for name in names), "-->"])


def find_plan_hashes(comment: str) -> frozenset[str]:
    """Return the hash of each plan that a comment is about, or nothing if it is not a review."""
    line = comment.partition("\n")[0]
    return frozenset(_PLAN.findall(line)) if line.startswith(f"{MARKER} ") else frozenset()
