"""The title of a report: the verdict with its reasons, then the change of cost and carbon."""

from collections.abc import Sequence

from sustainable_mlops.base.wording import format_number_of
from sustainable_mlops.footprint.figures import UnknownKind, format_number
from sustainable_mlops.footprint.plan_footprint import PlanFootprint
from sustainable_mlops.review.coverage_gaps import GapKind
from sustainable_mlops.review.formats.wording import (
    GATE_TITLES,
    VERDICT_ORDER,
    format_change,
    join_names,
    shorten,
)
from sustainable_mlops.review.review import Review, ReviewVerdict
from sustainable_mlops.review.risk import Level

#: Text between the verdict and the change of cost and carbon.
SEPARATOR = " · "


def format_headline(*reviews: Review) -> str:
    """Return the verdict, its reasons, and the change of cost and carbon in one line.

    For several plans, the verdict is the worst one, with its plans, and the change is that of all plans.
    """
    return f"{_format_verdict(reviews)}{SEPARATOR}{format_money(*reviews)}"


def _format_verdict(reviews: Sequence[Review]) -> str:
    worst_verdict = max((review.verdict for review in reviews), key=VERDICT_ORDER.index)
    worst_reviews = [review for review in reviews if review.verdict is worst_verdict]
    if worst_verdict is ReviewVerdict.FINE:
        return f"Fine: nothing to look at{f' in any of {len(reviews)} plans' if len(reviews) > 1 else ''}"
    location = f" in {join_names([shorten(review.name, 60) for review in worst_reviews])}" if len(reviews) > 1 else ""
    reasons = {name for review in worst_reviews for name in _list_reasons(review)}
    names = ", ".join(sorted(reasons, key=list(map(_get_title, GATE_TITLES)).index))
    if worst_verdict is ReviewVerdict.STOP:
        return f"Stop{location}: {names or 'something is unknown before apply, or was not reviewed'}"
    return f"Look{location}: {names or 'parts that the review does not cover'}"


def _list_reasons(review: Review) -> list[str]:
    """Return the titles of the gates behind the verdict. A gate that is turned off still needs attention."""
    failed = [gate for gate in review.gates if gate.level is Level.STOP and gate.name in review.fail_on]
    others = [gate for gate in review.gates if gate.level in (Level.STOP, Level.LOOK)]
    return [_get_title(gate.name) for gate in (failed if review.verdict is ReviewVerdict.STOP else others)]


def _get_title(gate: str) -> str:
    return GATE_TITLES[gate].lower()


def sum_footprints(reviews: Sequence[Review]) -> PlanFootprint:
    """Return the footprint of all plans together."""
    if len(reviews) == 1:
        return reviews[0].footprint
    return PlanFootprint(tuple(resource for review in reviews for resource in review.footprint.resources))


def format_money(*reviews: Review) -> str:
    """Return the change of cost and carbon a month, as in `+1,200 USD (+38 %), +54 kgCO2e a month`."""
    footprint = sum_footprints(reviews)
    usd, kg = (
        figure.central if (figure := footprint.delta.get(metric)) is not None else 0.0 for metric in ("cost", "total")
    )
    unknown_usd, unknown_kg = (
        {(review.name, address) for review in reviews for address in list_uncounted_changes(review, metric)}
        for metric in ("cost", "total")
    )
    texts = [f"{format_change(usd)} USD{_format_percent(footprint, usd)}"] if usd or (kg and not unknown_usd) else []
    has_carbon = not any(change.is_changed and not change.has_metric("total") for change in footprint.changes)
    texts += [f"{format_change(kg)} kgCO2e"] if kg or (usd and not unknown_kg and has_carbon) else []
    texts = [f"{', '.join(texts)} a month"] if texts else []
    if footprint.fallback_cost:
        highest = format_change(usd + footprint.fallback_cost)
        texts.append(
            f"up to {highest} USD{'' if usd else ' a month'} if each instance pool uses its most expensive type"
        )
    if unknown_usd:
        resources = format_number_of(len(unknown_usd), "resource")
        texts.append(f"{resources} not counted in full" if usd or kg else f"cost of {resources} unknown")
    if rest := unknown_kg - unknown_usd:
        texts.append(f"carbon of {format_number_of(len(rest), 'resource')} unknown")
    if usd and not kg and not unknown_kg and not has_carbon:
        texts.append("no estimate of carbon")
    return ", ".join(texts) or "no change of cost or carbon"


def _format_percent(footprint: PlanFootprint, usd: float) -> str:
    """Return the change relative to the cost before; empty if that is zero or leaves out an instance or store."""
    before = footprint.before.get("cost")
    sides = [change.before for change in footprint.changes if change.before is not None]
    if any(unknown.kind is UnknownKind.UNCOUNTED for side in sides for unknown in side.unknowns):
        return ""
    percent = usd / before.central * 100 if before is not None and before.central else 0
    return f" ({'+' if percent > 0 else '-'}{format_number(abs(percent))} %)" if abs(percent) >= 0.1 else ""


def list_uncounted_changes(review: Review, metric: str) -> set[str]:
    """Return the addresses of changes whose cost or carbon is unknown, or known only in part."""
    unread = (gap for gap in review.coverage_gaps if gap.kind is GapKind.NOT_REVIEWED and gap.level is Level.LOOK)
    return {gap.address for gap in unread if ".data." not in f".{gap.address}"} | {
        resource.address for resource in review.footprint.resources if resource.has_unknown_delta(metric)
    }


def find_cost_change(*reviews: Review) -> float | None:
    """Return the largest change of cost, of a plan or of all plans, in USD a month and in either direction.

    It includes the most expensive types of instance pools. Return None if a plan is stopped, or if an instance or store
    of unknown cost changes.
    """
    if any(review.verdict is ReviewVerdict.STOP or _has_uncounted_change(review) for review in reviews):
        return None
    footprints = [review.footprint for review in reviews]
    values = [delta.central if (delta := one.delta.get("cost")) is not None else 0.0 for one in footprints]
    highest = [value + one.fallback_cost for value, one in zip(values, footprints, strict=True)]
    return max(map(abs, (*values, *highest, sum(values), sum(highest))))


def _has_uncounted_change(review: Review) -> bool:
    uncounted = list_uncounted_changes(review, "cost")
    counted_by_usage = {
        resource.address
        for resource in review.footprint.resources
        if all(unknown.kind is UnknownKind.USAGE for unknown in resource.unknowns)
    }
    return bool(uncounted - counted_by_usage)
