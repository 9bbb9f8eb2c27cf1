"""The first line of a comment, by which it is found again, to be replaced."""

import re
from hashlib import sha256

#: What every comment starts with.
MARKER = "<!-- sustainable-mlops-review"
_PLAN = re.compile(r"\b[0-9a-f]{16}\b")


def build_marker(*names: str) -> str:
    """The first line of the comment about the plans of these names."""
    return " ".join([MARKER, *(sha256(name.encode()).hexdigest()[:16] for name in names), "-->"])


def find_plan_hashes(comment: str) -> frozenset[str]:
    """What stands for each plan that a comment is about; nothing where it is no review."""
    line = comment.partition("\n")[0]
    return frozenset(_PLAN.findall(line)) if line.startswith(f"{MARKER} ") else frozenset()
