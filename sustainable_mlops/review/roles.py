"""What runs as another role than before: the role may be the same as it was, what it may do here is not."""

import re
from collections.abc import Iterator
from typing import Any

from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.review.comparison import Comparison, Pair
from sustainable_mlops.review.policy_types import ATTACHMENTS, POLICY_TYPES
from sustainable_mlops.review.risk import Level, Risk, Section

_ROLE = re.compile(r"(?:.*_)?(?:role|role_arn|instance_profile)")


def roles_changed(comparison: Comparison) -> Iterator[Risk]:
    """Every attribute, at any depth, that names a role and comes to name another."""
    for pair in comparison.changes:
        if pair.before is None or pair.after is None or not pair.type.startswith("aws"):
            continue
        if pair.type in POLICY_TYPES or pair.type in ATTACHMENTS:
            continue
        old = dict(_roles(pair.before.values))
        for path, new in _roles(pair.after.values):
            if new is UNKNOWN or new != old.get(path):
                yield from _changed(pair, path, old.get(path), new, comparison)


def _changed(pair: Pair, path: str, old: Any, new: Any, comparison: Comparison) -> Iterator[Risk]:
    joins = comparison.joins_after
    if pair.new is None or joins.configured(pair.new, path.partition(".")[0]) is False:
        return
    if new is UNKNOWN:
        roles = joins.referred(pair.new, path, "aws_iam_role")
        new = ", ".join(role.address for role in roles) or new
    what = f"{path}: runs as {new} instead of {'none' if old is None else old}"
    known = new is not UNKNOWN
    yield Risk("PRIVILEGES_ROLE", Section.PRIVILEGES, Level.LOOK, pair.address, what, known=known)


def _roles(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The attributes below `path` that name a role, and what they name."""
    if isinstance(values, dict):
        for name, value in values.items():
            below = f"{path}.{name}" if path else name
            if isinstance(value, dict | list):
                yield from _roles(value, below)
            elif value not in (None, "") and _ROLE.fullmatch(name):
                yield below, value
    elif isinstance(values, list):
        for position, value in enumerate(values):
            yield from _roles(value, f"{path}.{position}" if path else str(position))
