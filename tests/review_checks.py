"""Checks that hold for the review of any plan in other tests."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from sustainable_mlops.footprint import FootprintAlternative, PlanFootprint, Quantity, ResourcePart, ServerlessActivity
from sustainable_mlops.footprint.figures import METRICS
from sustainable_mlops.plan import Plan, load
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.acceptances import Acceptance
from sustainable_mlops.rules import BY_ID, Outcome, evaluate


def check_review(plan: dict[str, Any], accepted: Sequence[Acceptance] = ()) -> Review:
    """Return the review of a plan, after these checks.

    Its totals equal the sum of its resources, and the change equals the difference of both totals. Rules and footprint
    agree on scaling. No limit of cost applies, because most plans create everything.
    """
    loaded = load(json.dumps(plan).encode())
    result = review(loaded, accepted=accepted, limit=None)
    assert list_disagreements(loaded, result.footprint, result.alternatives) == []
    footprint = result.footprint
    for metric in METRICS:
        sides = [getattr(footprint, name).get(metric) for name in ("before", "after", "delta")]
        if None in sides:
            continue
        before, after, delta = (side.central for side in sides)
        changes = (resource.delta.get(metric) for resource in footprint.resources)
        parts = [change.central for change in changes if change is not None]
        assert delta == pytest.approx(sum(parts), abs=1e-9)
        assert delta == pytest.approx(after - before, abs=1e-9)
        assert sides[2].low <= delta <= sides[2].high
    return result


def list_blocking_gates(review: Review) -> list[str]:
    """Return the gates that block the plan."""
    return [gate.name for gate in review.gates if gate.level == "stop"]


def changes_nothing(review: Review) -> bool:
    """Return whether the plan has no change, no risk and the same footprint as before."""
    deltas = [delta for metric in METRICS if (delta := review.footprint.delta.get(metric)) is not None]
    return not review.changes and not review.risks and all(delta.low == delta.high == 0 for delta in deltas)


def list_disagreements(plan: Plan, footprint: PlanFootprint, alternatives: Iterable[FootprintAlternative]) -> list[str]:
    """Return the differences between rules and footprint on the scaling of endpoints with one variant."""
    rested = {one.address for one in alternatives if one.kind == "off-hours"}
    outcomes: dict[tuple[str, str], set[Outcome]] = {}
    for finding in evaluate(plan, [BY_ID[rule] for rule in _AGREE]):
        outcomes.setdefault((finding.rule, finding.address), set()).add(finding.outcome)
    parts = {one.address: [part.after for part in one.changes if part.after is not None] for one in footprint.resources}
    wrong = []
    for (rule, address), (outcome, *more) in outcomes.items():
        if more or len(parts.get(address, ())) != 1:
            continue
        expected = _AGREE[rule](parts[address][0])
        # A rule may depend on more than scaling, and a figure on an unknown type or Region.
        sure = {Outcome.PASS, Outcome.FAIL}
        if expected in sure and outcome != expected and (outcome in sure or rule in _OF_SCALING):
            wrong.append(f"{address}: {rule} says {outcome}, and the figures {expected}")
        if rule == "SUS_OFF_HOURS" and outcome is Outcome.PASS and address in rested:
            wrong.append(f"{address} rests, and is said to save by resting")
    return wrong


def _answer_from_footprint(test: Callable[[Quantity], bool]) -> Callable[[ResourcePart], Outcome]:
    """Return the answer of `test` for the footprint of a part, or unknown if the footprint is unknown or partial."""

    def answer(part: ResourcePart) -> Outcome:
        count = part.activity.provisioned if isinstance(part.activity, ServerlessActivity) else part.count
        if count is None or part.partial:
            return Outcome.UNKNOWN
        return Outcome.PASS if test(count) else Outcome.FAIL

    return answer


def _has_schedule(part: ResourcePart) -> Outcome:
    return (
        Outcome.UNKNOWN
        if part.activity is None or part.partial
        else Outcome.PASS
        if part.has_schedule
        else Outcome.FAIL
    )


#: Rules on scaling, and the same result from the footprint of a variant.
_AGREE: dict[str, Callable[[ResourcePart], Outcome]] = {
    "SUS_ASYNC_SCALES_TO_ZERO": _answer_from_footprint(lambda count: count.low == 0),
    "SUS_REALTIME_SCALES": _answer_from_footprint(lambda count: count.low < count.high),
    "SUS_PRODUCTION_TWO_INSTANCES": _answer_from_footprint(lambda count: count.low >= 2),
    "SUS_PROVISIONED_CONCURRENCY_SCALES": _answer_from_footprint(lambda count: count.low < count.high),
    "SUS_OFF_HOURS": _has_schedule,
}
_OF_SCALING = {"SUS_ASYNC_SCALES_TO_ZERO", "SUS_REALTIME_SCALES", "SUS_PROVISIONED_CONCURRENCY_SCALES"}
