"""The first line of a comment, which identifies the comment for later updates."""

from hashlib import sha256

from sustainable_mlops.base.lazy_pattern import LazyPattern

#: The start of every comment.
MARKER = "<!-- sustainable-mlops-review"
_PLAN = LazyPattern(r"(?<= )[0-9a-f]{16}(?= )")
_COST_CHANGE = LazyPattern(r" usd=([0-9.]+) ")


def build_marker(*names: str, cost_change: float | None = None) -> str:
    """Return the first line of the comment about the plans with these names.

    `cost_change` is the change of cost in USD a month, in either direction, of a comment that a threshold may omit.
    """
    hashes = (sha256(name.encode()).hexdigest()[:16] for name in names)
    cost = [] if cost_change is None else [f"usd={abs(cost_change):.2f}"]
    return " ".join([MARKER, *hashes, *cost, "-->"])


def find_plan_hashes(comment: str) -> frozenset[str]:
    """Return the hash of each plan that a comment is about, or nothing if it is not a review."""
    line = comment.partition("\n")[0]
    return frozenset(_PLAN.findall(line)) if line.startswith(f"{MARKER} ") else frozenset()


def find_cost_change(comment: str) -> float | None:
    """Return the change of cost that a comment reports, or None if no threshold may omit it."""
    match = _COST_CHANGE.search(comment.partition("\n")[0])
    return float(match[1]) if match else None
