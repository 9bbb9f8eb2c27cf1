"""Reviews of the plans that other tests make, held to what must be true of any."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from sustainable_mlops.footprint.figures import METRICS
from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.accepted import Acceptance


def reviewed(plan: dict[str, Any], accepted: Sequence[Acceptance] = ()) -> Review:
    """The review of a plan; its totals are exactly those of its resources, and the change that of the two."""
    found = review(load(json.dumps(plan).encode()), accepted=accepted)
    footprint = found.footprint
    for metric in METRICS:
        sides = [getattr(footprint, name).get(metric) for name in ("before", "after", "delta")]
        if None in sides:
            continue
        before, after, delta = (side.central for side in sides)
        parts = [change.central for one in footprint.resources if (change := one.delta.get(metric)) is not None]
        assert delta == pytest.approx(sum(parts), abs=1e-9)
        assert delta == pytest.approx(after - before, abs=1e-9)
        assert sides[2].low <= delta <= sides[2].high
    return found


def stops(review: Review) -> list[str]:
    """The gates that stop it."""
    return [gate.name for gate in review.gates if gate.level == "stop"]


def changes_nothing(review: Review) -> bool:
    """Whether nothing is changed, at risk, or used more or less than before."""
    used = [figure for metric in METRICS if (figure := review.footprint.delta.get(metric)) is not None]
    return not review.changes and not review.risks and all(one.low == one.high == 0 for one in used)
